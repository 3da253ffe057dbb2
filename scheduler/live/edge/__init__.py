"""Parked cars take work from the pods, an hour at a time, and give back what they do not finish.

Read `edge.py` first; `worth.py` says where they pay.
"""
