"""The kinds of jobs that runs consist of."""

RUN_JOB = "market_run"
BATCH_JOB = "market_batch"
