"""The speed of the stock database and the screener; `python -m bench` runs it."""
