"""When to buy how many pods, over years, and when to burst meanwhile.

Read `schedules.py`, `numbers.py` and `search.py` first, which know nothing of simulations; `quarters.py` says
which month stands for a quarter, `evaluations.py` runs these months, and `make_roadmap.py` leads the search.
"""
