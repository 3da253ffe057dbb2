"""One importer for tables of jobs in other people's columns: a mapping says which column is what.

`spec.py` is what a mapping may say, `terms.py` what stands for a column in it, `cells.py` reads the cells,
`mapped.py` makes jobs of them, and `checks.py` leaves out what no trace may hold. `../presets` holds the
mappings of known formats.
"""
