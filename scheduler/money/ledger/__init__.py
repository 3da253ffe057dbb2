"""What pools and offers cost, priced from the logs and checked.

Read `ledger.py` first, then `rates.py`: what a second costs. `meter.py` prices attempts as they end, and
`audit.py` holds the rows against it. `showback.py` tells apart, when asked, whose jobs bore what.
"""
