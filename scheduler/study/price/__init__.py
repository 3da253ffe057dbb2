"""The best price and reserve of a market, on common seeds.

Read `search.py` first.
"""
