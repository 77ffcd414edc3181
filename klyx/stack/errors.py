"""What ends a start; the message is one line for people."""


class StackError(Exception):
    """The stack cannot start or go on; the message says why and what to do next."""
