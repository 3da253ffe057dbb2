"""Parked cars take work from the pods, an hour at a time, and give back what they do not finish.

Read `edge.py` first; `scheduler/run/edge_worth.py` says how long a shard takes, and where they pay.
"""
