"""The owned side: pools of pods, who waits for them in order, and where a gang goes.

Read `lineup.py` first; it asks `cluster.py`, which asks the pools.
"""
