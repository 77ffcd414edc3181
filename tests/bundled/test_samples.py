"""The sample workbooks, read as an upload is."""

import zipfile
from pathlib import Path

import pytest

from klyx.bundled import read_starter_list, sample_workbook_paths
from klyx.bundled.make_samples import NOTE, write_samples
from klyx.services.analysis.table import Table
from klyx.workbooks import WorkbookLimits, read_workbook

PATHS = sample_workbook_paths()
EXPORTS = Path(__file__).resolve().parents[3] / "shared" / "samples"


def read(path: Path) -> Table:
    return read_workbook(path, path.name, WorkbookLimits())


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("samples")
    write_samples(folder)
    return folder


def columns_of(table: Table) -> dict[str, list[object]]:
    return {name: [row[place] for row in table.rows] for place, name in enumerate(table.columns)}


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.name)
def test_the_file_has_the_cells_that_the_script_writes(path: Path, fresh: Path) -> None:
    assert read(path) == read(fresh / path.name)


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.name)
def test_writing_twice_gives_the_same_bytes(path: Path, fresh: Path, tmp_path: Path) -> None:
    write_samples(tmp_path)
    assert (tmp_path / path.name).read_bytes() == (fresh / path.name).read_bytes()


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.name)
def test_agrees_with_the_starter_list(path: Path) -> None:
    columns = columns_of(read(path))
    starter = read_starter_list()
    assert columns["Stock Name"] == [row["stock_name"] for row in starter]
    assert columns["Current Price"] == [row["current_price"] for row in starter]
    crores = [value * 10_000_000 for value in columns["Market Capitalization"] if isinstance(value, int)]
    assert crores == [row["market_cap"] for row in starter]


@pytest.mark.parametrize(
    ("number", "heading", "column"),
    [
        (0, "Day RSI", "rsi"),
        (0, "Day SMA50", "sma_50"),
        (0, "Beta 1Year", "beta_1yr"),
        (2, "ROE Annual %", "roe_annual_pct"),
        (2, "Sector PE TTM", "sector_pe_ttm"),
        (2, "MF holding change QoQ %", "mf_holding_change_qoq_pct"),
        (3, "1Yr High", "week_52_high"),
        (3, "3Yr price change %", "year_3_change_pct"),
        (3, "Trendlyne Momentum Score", "momentum_score"),
    ],
)
def test_single_figures_agree_with_the_starter_list(number: int, heading: str, column: str) -> None:
    assert columns_of(read(PATHS[number]))[heading] == [row[column] for row in read_starter_list()]


def test_withheld_figures_are_written_as_exports_write_them() -> None:
    columns = columns_of(read(PATHS[1]))
    assert set(columns["Forecaster Estimates No of bullish Estimates"]) == {"Export NA"}
    targets = columns["Forecaster Estimates Target Price"]
    assert 1 <= targets.count("Export NA") <= 15
    assert None in columns["Forecaster Estimates 1Q forward EBITDA Quarter"]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.name)
def test_says_that_the_figures_are_invented(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        assert NOTE in archive.read("docProps/core.xml").decode()
        assert NOTE in archive.read("xl/sharedStrings.xml").decode()
        assert 'name="About"' in archive.read("xl/workbook.xml").decode()


@pytest.mark.skipif(not EXPORTS.is_dir(), reason="the real exports are not on this machine")
@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.name)
def test_has_the_headings_of_the_real_exports_and_not_their_figures(path: Path) -> None:
    table, export = read(path), read(EXPORTS / f"test_{path.name}")
    assert table.columns == export.columns
    prices = {row[table.columns.index("Current Price")] for row in export.rows}
    assert prices.isdisjoint(columns_of(table)["Current Price"])
