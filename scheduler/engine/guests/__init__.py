"""Jobs that use what the others leave, behind them and never in their way.

Read `guests.py` first; `room.py` counts what they use, `notices.py` calls leases back,
`stopped.py` says what one keeps that was stopped.
"""
