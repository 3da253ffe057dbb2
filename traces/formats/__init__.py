"""Readers of foreign traces, one small module a format, each with a function `read`.

Read `reader.py` first, which says what a reader hands over; `importing.py` makes a trace of it.
"""

FORMATS = {"swf": "swf", "philly": "philly", "gavel": "gavel", "csv": "plain_csv"}
"""By name, as users type it, the module here that reads it."""
