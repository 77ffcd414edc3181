from klyx.services.analysis.corrections import apply_corrections
from tests.services.analysis.builders import column, table


def test_whole_cells_of_the_three_columns_are_replaced() -> None:
    corrected = apply_corrections(
        table(
            ("Stock Name", "NSE Code", "Symbol", "Industry Name"),
            ("RELIANC", "RELIANC", "RELIANC", "RELIANC"),
            ("RELIANC Power", "RELIANCPOW", None, None),
        ),
        {"RELIANC": "RELIANCE"},
    )
    assert corrected.rows == (
        ("RELIANCE", "RELIANCE", "RELIANCE", "RELIANC"),
        ("RELIANC Power", "RELIANCPOW", None, None),
    )


def test_case_spacing_and_suffix_do_not_count() -> None:
    corrected = apply_corrections(column("NSE Code", "relianc.ns", " Relianc "), {"RELIANC": "RELIANCE"})
    assert corrected.rows == (("RELIANCE",), ("RELIANCE",))


def test_a_number_in_a_name_cell_can_be_corrected() -> None:
    assert apply_corrections(column("Stock Name", 500325.0), {"500325": "RELIANCE"}).rows == (("RELIANCE",),)


def test_a_company_name_as_replacement() -> None:
    corrected = apply_corrections(column("Stock Name", "Relianc"), {"Relianc": " RELIANCE  INDUSTRIES LTD. "})
    assert corrected.rows == (("RELIANCE INDUSTRIES LTD.",),)


def test_a_company_name_empties_the_code_and_fills_a_missing_name() -> None:
    corrected = apply_corrections(
        table(("NSE Code", "Stock Name"), ("RELIANC", "Reliance Ind."), ("RELIANC", "-")),
        {"RELIANC": "RELIANCE INDUSTRIES LTD."},
    )
    assert corrected.rows == ((None, "Reliance Ind."), (None, "RELIANCE INDUSTRIES LTD."))


def test_a_company_name_puts_its_code_into_the_code_alone() -> None:
    corrected = apply_corrections(
        table(("NSE Code", "Stock Name", "Symbol"), ("RELIANC", "Reliance Ind.", None), (None, "RELIANC", "RELIANC")),
        {"RELIANC": "RELIANCE INDUSTRIES LTD."},
        {"RELIANCE INDUSTRIES LTD.": "RELIANCE"},
    )
    name = "RELIANCE INDUSTRIES LTD."
    assert corrected.rows == (("RELIANCE", "Reliance Ind.", None), (None, name, name))


def test_replacements_are_cleaned_and_empty_ones_ignored() -> None:
    original = column("Stock Name", "A", "B")
    corrected = apply_corrections(original, {"A": "<script>X", "B": " <> ", "": "Y"})
    assert corrected.rows == (("scriptX",), ("B",))


def test_nothing_to_correct_gives_the_same_table() -> None:
    original = column("Stock Name", "Infosys")
    assert apply_corrections(original, {}) is original
    assert apply_corrections(column("Current Price", 5), {"5": "X"}).rows == ((5,),)


def test_corrections_do_not_chain() -> None:
    corrected = apply_corrections(column("Stock Name", "A", "B"), {"A": "B", "B": "C"})
    assert corrected.rows == (("B",), ("C",))
