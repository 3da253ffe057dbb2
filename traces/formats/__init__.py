"""Readers of foreign traces, one small module a format, each with a function `read`.

Read `reader.py` first, which says what a reader hands over; `importing.py` makes a trace of it. A format that
a mapping can say has none: it is a file in `presets`, read by `mapping`.
"""

CODED = {
    "swf": "swf",
    "philly": "philly",
    "gavel": "gavel",
    "csv": "plain_csv",
    "kueue": "kueue",
    "borg-2019": "borg",
    "pbs": "pbs",
    "alibaba-2020": "alibaba_2020",
}
"""By name, as users type it, the module here that reads it."""
PRESETS = ("sacct", "helios", "acme", "alibaba-2023", "alibaba-2025", "lsf")
"""By name, mappings in `presets`."""
MAPPED = (*PRESETS, "csv", "swf", "kueue", "philly", "borg-2019", "pbs", "alibaba-2020")
"""Those that a user's mapping changes."""
FORMATS = (*CODED, *PRESETS)
EXPORTED = ("csv", "swf")
"""Those that a trace can be written in."""
