"""Policies in paired differences over common seeds, and bounds beside them.

Read `compare.py` first. `statistics.py` judges the differences; `bounds.py` says what no schedule goes below.
"""
