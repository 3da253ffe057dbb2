"""The ledger as a FOCUS table: what the tools that read the bills of clouds understand.

Read `table.py` first; `text_columns.py` says in words what a charge is.
"""
