"""The analysis of uploaded workbooks: pure functions on tables. `pipeline` composes them."""
