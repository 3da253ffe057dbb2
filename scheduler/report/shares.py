"""How evenly those who share a cluster were served, as a table, and which of many words are shown."""

from __future__ import annotations

from collections.abc import Mapping
from math import isclose

from scheduler.run.fairness import Served, fairness
from scheduler.run.groups import ALL
from traces.numbers import count, difference, percent, ratio
from traces.tables import table

MOST_SHOWN = 20
"""So many words of a column are shown."""


def largest(words: Mapping[str, dict[str, float]]) -> dict[str, dict[str, float]]:
    """Return the figures of the words that asked for most, in their order, and of all."""
    asked = sorted((name for name in words if name != ALL), key=lambda name: -words[name]["ready_device_h"])
    return {name: words[name] for name in words if name == ALL or name in asked[:MOST_SHOWN]}


def shares(groups: Mapping[str, Served], by: str) -> str:
    """Render what each word of a column asked for, had and should have had; those that asked for most."""
    had_h = sum(group.had_h for group in groups.values())
    most = sorted(groups.items(), key=lambda each: (-each[1].asked_h, each[0]))[:MOST_SHOWN]
    rows = [
        [
            name,
            ratio(group.share),
            count(group.asked_h),
            count(group.had_h),
            count(group.due_h),
            difference(round((group.had_h - group.due_h) / had_h, 9) if had_h else 0.0, percent),
            ratio(group.slowdown),
        ]
        for name, group in most
    ]
    header = [by, "weight", "device-h asked", "done", "due", "of all done", "slowdown mean"]
    found = fairness(groups)
    hidden = len(groups) - len(rows)
    done = all(isclose(group.had_h, group.asked_h, rel_tol=1e-9) for group in groups.values())
    all_done = "; all that was asked for was done, so all had what was due" if done and had_h else ""
    parts = [
        table(header, rows, numbers=range(1, len(header))),
        f"{count(hidden)} more that asked for less" if hidden else "",
        f"Jain's index: {ratio(found['jain_due'])} of what was due, {ratio(found['jain_speed'])} of speed; "
        f"share error {percent(found['share_error'])}{all_done}",
    ]
    return "\n".join(part for part in parts if part)
