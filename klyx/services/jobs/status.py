"""What clients are told of a job: four upper-case states, progress, and in the end a result or an error."""

from __future__ import annotations

from typing import Any

from klyx.database.models import Job, JobEvent, JobState

PUBLIC_STATES = {
    JobState.QUEUED.value: "PENDING",
    JobState.RUNNING.value: "PROGRESS",
    JobState.SUCCEEDED.value: "SUCCESS",
    JobState.FAILED.value: "FAILURE",
}
FINAL_STATES = (JobState.SUCCEEDED.value, JobState.FAILED.value)
MESSAGES = {
    JobState.QUEUED.value: "Waiting for a free worker.",
    JobState.RUNNING.value: "Working on it.",
    JobState.SUCCEEDED.value: "Finished.",
    JobState.FAILED.value: "This could not be done. Please start it again.",
}
GONE = "This task does not exist any more. Please start a new one."


def public_state(state: str) -> str:
    """`PENDING`, `PROGRESS`, `SUCCESS` or `FAILURE`."""
    return PUBLIC_STATES[state]


def percent(current: int, total: int) -> int:
    """0 to 100; 0 while the number of steps is not known."""
    return min(100, 100 * current // total) if total > 0 else 0


def task_status(job: Job) -> dict[str, Any]:
    """The answer of the task status endpoint; `progress`, `result` and `error` only in their own state."""
    status: dict[str, Any] = {"status": public_state(job.state), "task_id": job.id, "message": _message(job)}
    if job.state == JobState.RUNNING:
        status["progress"] = _progress(job.progress_current, job.progress_total, _message(job))
    elif job.state == JobState.SUCCEEDED:
        status["result"] = job.result
    elif job.state == JobState.FAILED:
        status["error"] = _message(job)
    return status


def event_status(event: JobEvent, job: Job | None) -> dict[str, Any]:
    """One event for a stream; the final one needs its `job` and carries the result or the error."""
    status: dict[str, Any] = {
        "state": public_state(event.state),
        "progress": _progress(event.progress_current, event.progress_total, event.message),
    }
    if event.state == JobState.SUCCEEDED and job is not None:
        status["result"] = job.result
    elif event.state == JobState.FAILED:
        status["error"] = event.message
    return status


def gone_status() -> dict[str, Any]:
    """The last event of a stream whose job was deleted meanwhile."""
    return {"state": public_state(JobState.FAILED), "progress": _progress(0, 0, GONE), "error": GONE}


def job_details(job: Job) -> dict[str, Any]:
    """All that its owner may know of a job."""
    return {
        "id": job.id,
        "kind": job.kind,
        "state": public_state(job.state),
        "message": _message(job),
        "progress": _progress(job.progress_current, job.progress_total, _message(job)),
        "result": job.result,
        "error": job.error,
        "attempts": job.attempts,
        "created_at": job.created_at,
        "started_at": job.started_at,
        "finished_at": job.finished_at,
    }


def _progress(current: int, total: int, message: str) -> dict[str, Any]:
    return {"current": current, "total": total, "percent": percent(current, total), "message": message}


def _message(job: Job) -> str:
    return job.error or job.progress_message or MESSAGES[job.state]
