import pytest

from klyx.workbooks import display_name


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("nifty50 technicals.xlsx", "nifty50 technicals.xlsx"),
        ("../../etc/passwd.csv", "passwd.csv"),
        ("C:\\Users\\me\\list.xls", "list.xls"),
        ("a\x00b\r\n\tc.xlsx", "abc.xlsx"),
        ("<script>alert(1)</script>.xlsx", "script.xlsx"),
        ("<b>mine.csv", "bmine.csv"),
        (
            "\U0001f4c8 \U0001f468\u200d\U0001f469\u200d\U0001f467.xlsx",
            "\U0001f4c8 \U0001f468\u200d\U0001f469\u200d\U0001f467.xlsx",
        ),
        ("list\u202excod.xlsx", "listxcod.xlsx"),
        ("caf\u0065\u0301.csv", "caf\u00e9.csv"),
        ("bad\udcff.csv", "bad.csv"),
        (".xlsx", "workbook.xlsx"),
        ("...", "workbook"),
        ("", "workbook"),
        (None, "workbook"),
        ("/", "workbook"),
        ("no extension", "no extension"),
        ("results, benchmarks. final", "results, benchmarks. final"),
    ],
)
def test_display_name(raw: str | None, shown: str) -> None:
    assert display_name(raw) == shown


def test_a_long_name_keeps_its_extension() -> None:
    name = display_name("x" * 5_000 + ".xlsx")
    assert (len(name), name[-6:]) == (120, "x.xlsx")
