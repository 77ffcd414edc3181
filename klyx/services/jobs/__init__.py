"""Background work as rows: the row is the truth, a queue only carries its id to a worker.

A job is queued, then running under a lease that its worker renews, then succeeded or failed. A worker that
stops renewing loses the lease, and the job is taken up again; the lease's token fences off the old worker.
"""

from klyx.services.jobs.leases import (
    Lease,
    LeaseLost,
    claim,
    complete,
    fail,
    is_held,
    release_for_retry,
    renew,
    report,
)
from klyx.services.jobs.progress import ProgressReporter, StopRequested
from klyx.services.jobs.recovery import INTERRUPTED, WaitingJob, mark_enqueued, recover_lost
from klyx.services.jobs.rows import create, delete_finished_before, events_after, find, last_event, list_own
from klyx.services.jobs.status import FINAL_STATES, job_details, public_state, task_status
from klyx.services.jobs.stream import StreamedEvent, follow
from klyx.services.jobs.suspension import (
    add_progress,
    end_children,
    hold,
    set_total,
    suspend,
    unfinished_children,
    wake,
)

__all__ = [
    "FINAL_STATES",
    "INTERRUPTED",
    "Lease",
    "LeaseLost",
    "ProgressReporter",
    "StopRequested",
    "StreamedEvent",
    "WaitingJob",
    "add_progress",
    "claim",
    "complete",
    "create",
    "delete_finished_before",
    "end_children",
    "events_after",
    "fail",
    "find",
    "follow",
    "hold",
    "is_held",
    "job_details",
    "last_event",
    "list_own",
    "mark_enqueued",
    "public_state",
    "recover_lost",
    "release_for_retry",
    "renew",
    "report",
    "set_total",
    "suspend",
    "task_status",
    "unfinished_children",
    "wake",
]
