"""What a run writes: attempts, jobs and states, a part file at a time.

Read `runlog.py` first: the loop packs a row an attempt, all else is worked out by column.
"""
