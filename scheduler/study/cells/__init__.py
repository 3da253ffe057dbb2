"""One run of many: a cell, its key, its figures and who computes it.

Read `cell.py` first, then `runner.py`: it keeps what is done and hands out the rest, to
`workers.py` or `dask.py`.
"""
