"""How many pods to own, under which patience.

Read `candidates.py` first, then `search.py`, which knows nothing of simulations, and `make_plan.py`, which
leads it on by them and asks again under other demands and prices.
"""
