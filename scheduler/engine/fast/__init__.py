"""The fast lane: the loop of fair weather over arrays, compiled where numba is installed.

Read `lane.py` first: it asks for all figures beforehand (`tables.py`), and `loop.py` then runs on integers.
"""
