"""What a worker runs and how it is enqueued; it calls `klyx.services`."""
