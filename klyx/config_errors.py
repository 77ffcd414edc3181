"""The one error that configuration raises."""


class ConfigurationError(Exception):
    """The environment holds a setting that cannot be used; the message names it and says what to do."""
