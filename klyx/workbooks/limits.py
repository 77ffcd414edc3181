"""How much one workbook may cost."""

from dataclasses import dataclass

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class WorkbookLimits:
    """Upper bounds for one workbook; every one of them leads to a refusal with its own message.

    Rows, columns and cells are those of the sheet's used rectangle, cells of the resulting table.
    `max_compression_ratio` applies to archive parts that inflate to more than a mebibyte.
    `memory_bytes` is the child's whole address space, `seconds` its processor and wall-clock time.
    """

    max_bytes: int = 10 * MEBIBYTE
    max_rows: int = 20_000
    max_columns: int = 400
    max_cells: int = 1_000_000
    max_cell_characters: int = 32_767
    max_uncompressed_bytes: int = 100 * MEBIBYTE
    max_compression_ratio: int = 100
    max_zip_entries: int = 1_000
    max_answer_bytes: int = 32 * MEBIBYTE
    memory_bytes: int = 512 * MEBIBYTE
    seconds: float = 10.0
