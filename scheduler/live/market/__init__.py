"""Selling what is spare: customers see a price and when they would start, and buy or leave.

Read `market.py` first: what a customer is told and does; then `customers.py`, who comes, and `sales.py`, what
is logged of each.
"""
