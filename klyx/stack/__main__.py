"""`python -m klyx.stack`: what `make run` runs, in the project's folder."""

from __future__ import annotations

import dataclasses
import sys

import click

from klyx.config import ConfigurationError, Settings, environment, given_settings, load_settings
from klyx.stack import programs
from klyx.stack.banner import banner, url_of
from klyx.stack.errors import StackError
from klyx.stack.health import is_healthy
from klyx.stack.ports import require_free
from klyx.stack.redis_server import RedisServer, answers
from klyx.stack.single_instance import single_instance
from klyx.stack.supervisor import StopRequested, Supervisor

REDIS_SECONDS = 30.0
WEB_SECONDS = 60.0


@click.command()
@click.option("--parent", type=int, help="Process whose end stops the stack as Ctrl-C does.")
def main(parent: int | None) -> None:
    """Start the whole stack and keep it running until Ctrl-C."""
    try:
        settings = load_settings()
        binds = (*settings.http_binds, *settings.chat_binds)
        urls = [url_of(bind) for bind in binds]
        with single_instance(settings.instance_folder, urls):
            require_free(settings.http_binds, settings.chat_binds)
            run(settings, parent)
    except (ConfigurationError, StackError) as error:
        click.echo(f"klyx: {error}", err=True)
        sys.exit(1)


def run(settings: Settings, parent: int | None) -> None:
    """Starts everything, then keeps it running. Returns when asked to stop; raises StackError."""
    variables = environment()
    try:
        with Supervisor(parent) as supervisor:
            if "REDIS_URL" not in given_settings(variables):
                variables["REDIS_URL"] = start_redis(supervisor, settings, variables)
            elif not answers(settings.redis_url):
                raise StackError(
                    "REDIS_URL is set, but no server answers there. Start that server, "
                    "or leave REDIS_URL unset to have one started here."
                )
            supervisor.run_once(programs.database_preparation(variables))
            supervisor.start(programs.interactive_worker(variables))
            supervisor.start(programs.worker(variables))
            supervisor.start(programs.scheduler(variables))
            supervisor.start(programs.web(variables))
            supervisor.start(programs.chat(variables))
            supervisor.wait_until(
                lambda: all(is_healthy(bind) for bind in (*settings.http_binds, *settings.chat_binds)),
                WEB_SECONDS,
                f"The web application did not answer within {WEB_SECONDS:g} s.",
            )
            click.echo(banner(dataclasses.replace(settings, redis_url=variables["REDIS_URL"])))
            supervisor.supervise()
    except StopRequested:
        click.echo("klyx: Everything is stopped.", err=True)


def start_redis(supervisor: Supervisor, settings: Settings, variables: dict[str, str]) -> str:
    """Starts a Redis of our own; its URL."""
    server = RedisServer(settings.instance_folder / "redis")
    supervisor.start(programs.redis(server, variables))
    supervisor.wait_until(
        lambda: answers(server.url),
        REDIS_SECONDS,
        f"Redis did not answer within {REDIS_SECONDS:g} s; its log is {server.log}.",
    )
    return server.url


if __name__ == "__main__":
    main()
