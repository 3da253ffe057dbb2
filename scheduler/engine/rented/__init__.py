"""The rented side: who is out of patience, and which offer a job takes.

Read `renting.py` first; `offers.py` has the quota, the price and what a gang takes.
"""
