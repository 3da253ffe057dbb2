"""Years by months: a month stands for each quarter, and goes on from who runs and waits in the one before.

Read `months.py` first, which cuts a scenario; `run_years.py` runs the months one after another;
`years_file.py` keeps and reads their quarters.
"""
