"""What commands print with `--json`: one document each, whose keys, types and meanings stand here.

Read `document.py` first. `docs/json.md` shows the keys of each, and a test holds it against the types.
"""
