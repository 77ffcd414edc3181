"""What gunicorn and the `flask` command import: the one module that makes the application at import."""

from klyx import create_app

app = create_app()
