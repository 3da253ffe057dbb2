"""What a run owns and rents: the catalog's figures, prices over time and recordings, as plain data.

Read `stock.py` first. All rooms above (weather, run, money, engine) take a `Stock`; it imports none of them.
"""
