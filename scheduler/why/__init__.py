"""Why jobs waited: each second of a finished run's waits with the first cause that holds.

Causes are worked out from what the run logged and the weather it met, never while it runs. Read `causes.py`
first, which names them; then `waits.py`, which finds the spans in which jobs did not work, and `needs.py`,
which says of all that need the same what they lacked at each instant.
"""
