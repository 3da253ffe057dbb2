"""How many pods to own, and when to burst.

Read `candidates.py` first, then `search.py`, which knows nothing of simulations, and `make_plan.py`, which
leads it on by them. `quotas.py` and `variations.py` ask again under other quotas, demands and prices.
"""
