"""Bad weather: what may befall an attempt, and what becomes of its job.

Read `storm.py` first, then `handle.py`, through which each part sees the run; absent in fair weather.
"""
