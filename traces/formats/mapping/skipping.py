"""Rows of a log that are no jobs, as a mapping tells them."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from traces.formats.mapping.spec import SkipRule
from traces.formats.text_table import TextRows


def skip_rows(rows: TextRows, rules: Sequence[SkipRule]) -> None:
    """Leave out the rows that a rule is about; one that stands for many jobs counts as so many rows."""
    for rule in rules:
        if rule.column in rows.names:
            text = rows.words(rule.column)
            where = pc.match_substring_regex(text, rule.matches).to_numpy(zero_copy_only=False)
            if rule.many:
                more = sum(_many(word, rule.many) - 1 for word in text.filter(pa.array(where)).to_pylist())
                rows.skip_many(where, more, rule.reason, text)
            else:
                rows.skip(where, rule.reason, text)


def _many(text: str, pattern: str) -> int:
    """Return how many numbers a list of ranges has: 6 for 1,4-6,8-9, and 3 for 0-4:2."""
    found = re.search(pattern, text)
    count = 0
    for first, last, step in re.findall(r"(\d+)(?:-(\d+))?(?::(\d+))?", found[1] if found else ""):
        count += (int(last) - int(first)) // max(int(step or 1), 1) + 1 if last else 1
    return max(count, 1)
