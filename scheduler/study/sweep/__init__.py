"""A study file: every cell once, and its results.

Read `study_file.py` first, then `study_cells.py`, which makes the cells it names, and `sweep.py`.
"""
