"""The child's way of saying no."""


class Refused(Exception):
    """The workbook is not read. `code` names the reason, `figures` fills its message in the parent."""

    def __init__(self, code: str, **figures: int | str) -> None:
        super().__init__(code)
        self.code = code
        self.figures = figures
