from klyx.services.analysis.merging import file_order, merge_tables
from tests.services.analysis.builders import table


def test_outer_join_prefers_known_values_of_any_file() -> None:
    merged = merge_tables(
        [
            table(
                ("Stock Name", "ISIN", "Current Price"),
                ("Infosys", None, 1500),
                ("TCS", "INE467B01029", None),
            ),
            table(
                ("Stock Name", "ISIN", "Day RSI"),
                ("TCS", "other", 40),
                ("Infosys", "INE009A01021", 0),
                ("Wipro", None, 5),
            ),
        ]
    )
    assert merged.rows == (
        {"Stock Name": "Infosys", "ISIN": "INE009A01021", "Current Price": 1500, "Day RSI": 0},
        {"Stock Name": "TCS", "ISIN": "INE467B01029", "Current Price": None, "Day RSI": 40},
        {"Stock Name": "Wipro", "ISIN": None, "Current Price": None, "Day RSI": 5},
    )
    assert merged.problems == ()


def test_a_zero_gives_way_only_where_it_stands_for_unknown() -> None:
    headings = ("Stock Name", "Current Price", "ROE Annual %", "YF_TotalDebt", "Day change %", "Net Profit Annual")
    merged = merge_tables(
        [table(headings, ("Infosys", 0, 0, 0, 0, 0)), table(headings, ("Infosys", 1500, 31.8, 5, 1.2, 0))]
    )
    assert merged.rows[0] == dict(zip(headings, ("Infosys", 1500, 31.8, 0, 0, 0), strict=True))


def test_names_match_without_case_and_spacing_and_keep_the_first_spelling() -> None:
    merged = merge_tables(
        [
            table(("Stock Name", "Current Price"), ("Tata Motors Ltd.", 700)),
            table(("Stock Name", "Day RSI"), ("TATA  MOTORS LTD.", 55)),
        ]
    )
    assert merged.rows == ({"Stock Name": "Tata Motors Ltd.", "Current Price": 700, "Day RSI": 55},)


def test_duplicates_in_one_file_are_combined_and_reported() -> None:
    merged = merge_tables(
        [
            table(
                ("Stock Name", "Current Price", "Day RSI"),
                ("Infosys", 1500, None),
                ("infosys ", 1600, 44),
                ("INFOSYS", None, 45),
                ("TCS", 1, 1),
            )
        ]
    )
    assert merged.rows[0] == {"Stock Name": "Infosys", "Current Price": 1500, "Day RSI": 44}
    assert len(merged.rows) == 2
    assert 'Stocks on more than one row: 1 (the first is "Infosys")' in merged.problems[0].message


def test_rows_without_a_name_are_left_out_and_reported() -> None:
    merged = merge_tables([table(("Stock Name", "Current Price"), (None, 5), ("TCS", 6), (None, 7))])
    assert [row["Stock Name"] for row in merged.rows] == ["TCS"]
    assert "left out: 2" in merged.problems[0].message


def test_symbol_column_fills_a_missing_nse_code() -> None:
    merged = merge_tables(
        [
            table(("Stock Name", "Symbol"), ("Infosys", "infy.ns"), ("TCS", "Tata Consultancy"), ("Wipro", None)),
            table(("Stock Name", "NSE Code"), ("Wipro", "WIPRO")),
        ]
    )
    assert [row["NSE Code"] for row in merged.rows] == ["INFY", None, "WIPRO"]


def test_a_code_under_several_names_is_reported_once() -> None:
    merged = merge_tables(
        [
            table(
                ("Stock Name", "NSE Code"),
                ("Infosys", "INFY"),
                ("Infosys Ltd.", "INFY"),
                ("Infosys Limited", "INFY"),
                ("TCS", "TCS"),
                ("Unlisted", None),
                ("Private", None),
            )
        ]
    )
    assert len(merged.rows) == 6
    assert [problem.stock_name for problem in merged.problems] == ["Infosys Ltd."]
    assert 'code INFY: 3 ("Infosys", "Infosys Ltd.")' in merged.problems[0].message


def test_file_order_does_not_depend_on_upload_order() -> None:
    first, second, third = (table(("Stock Name",), source=name) for name in ("a.xlsx", "B.xlsx", "c.xlsx"))
    assert file_order([third, second, first]) == file_order([second, first, third]) == [first, second, third]


def test_nothing_merges_to_nothing() -> None:
    assert merge_tables([]).rows == ()
