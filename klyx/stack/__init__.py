"""The whole stack on one machine: starts and supervises Redis, worker, scheduler and web application."""
