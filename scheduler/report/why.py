"""Why one job waited, as tables for a terminal."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import fill

from scheduler.report.causes import lacked_on_pods
from scheduler.why.causes import MEANINGS, Cause
from scheduler.why.job_story import HeldBy, JobStory
from scheduler.why.run_figures import on_pods
from scheduler.why.sooner import Sooner
from traces.numbers import count, duration, hours, minute, plural, second
from traces.tables import table

_WIDTH = 100
_MOST_ROWS = 12
_MOST_HOLDERS = 6
_SHORT_S = 120
"""Beside a span below this, instants have their seconds."""


def job_why(story: JobStory) -> str:
    """Render what one job waited for, who had the devices, who passed it and what the log says of sooner."""
    parts = [_head(story)]
    if len(story.waits.row):
        parts += [_when(story), _holders(story), _passed(story), _sooner(story)]
    return "\n\n".join(part for part in parts if part)


def _head(story: JobStory) -> str:
    at, asked = _instant(story), story.asked
    said = f"job {story.label}: {asked['kind']} of {asked['owner']}, gang {count(asked['gang'])}"
    said += f", submitted {at(asked['submit_s'])}"
    return fill(f"{said}; {_became(story)}{_waited(story)}.", _WIDTH)


def _became(story: JobStory) -> str:
    """Say when and where it began to work, or why it never did."""
    if story.state == "rejected":
        return f"rejected: {story.reason}"
    where = f" on {story.where[0]}" if story.where else ""
    if story.asked["submit_s"] >= story.run.end_s:
        return "the run ended before that"
    if story.start_s is None:
        return f"never began to work{where}"
    return f"began to work {_instant(story)(story.start_s)}{where}"


def _waited(story: JobStory) -> str:
    """Say how long it waited, from when it was ready, and how long others had to finish before that."""
    if story.state == "rejected" or story.asked["submit_s"] >= story.run.end_s:
        return ""
    causes = {cause: duration(seconds) for cause, seconds in story.by_cause.items()}
    before = causes.pop(Cause.DEPENDENCY, None)
    listed = ", ".join(f"{cause.word} {lasted}" for cause, lasted in causes.items())
    text = f"; waited {duration(story.waited_s)}: {listed}" if causes else "; did not wait"
    return text if before is None else f"{text}; before, dependency {before}"


def _when(story: JobStory) -> str:
    at, spans = _instant(story), story.spans
    longest = sorted(range(len(spans)), key=lambda row: spans[row].from_s - spans[row].to_s)[:_MOST_ROWS]
    shown = [spans[row] for row in sorted(longest)]
    columns = {
        "from": [at(one.from_s) for one in shown],
        "for": [duration(one.to_s - one.from_s) for one in shown],
        "cause": [one.cause.word for one in shown],
        "about": [one.about for one in shown],
        "first then": [one.first or "" for one in shown],
        "": [MEANINGS[one.cause] for one in shown],
    }
    if not any(columns["first then"]):
        del columns["first then"]
    text = table([*columns], [*map(list, zip(*columns.values(), strict=True))], numbers=(1,))
    rest = [one for row, one in enumerate(spans) if row not in longest]
    if rest:
        seconds = sum(one.to_s - one.from_s for one in rest)
        text += f"\n{plural(len(rest), 'more span')}, {duration(seconds)} together"
    lacked = on_pods(story.waits, story.trace)
    return text + (f"\n{lacked_on_pods(lacked)}" if lacked else "")


def _holders(story: JobStory) -> str:
    at, holders = _instant(story), story.holders
    rows = [_holder(one, at) for one in holders[:_MOST_HOLDERS]]
    if len(holders) > _MOST_HOLDERS:
        rest = holders[_MOST_HOLDERS:]
        rows.append([f"{count(len(rest))} more", "", "", "", hours(sum(one.device_s for one in rest))])
    header = [f"held {', '.join(story.pools)} then", "kind", "devices", "until", "device-h then"]
    return table(header, rows, numbers=(2, 4)) if rows else ""


def _holder(one: HeldBy, at: Callable[[int], str]) -> list[str]:
    return [one.job, one.kind, count(one.devices), at(one.until_s), hours(one.device_s)]


def _passed(story: JobStory) -> str:
    passed = [one for one in story.holders if one.passed]
    groups: dict[str, list[HeldBy]] = {}
    for one in passed:
        groups.setdefault(_why_first(story, one), []).append(one)
    rows = [
        [
            reason,
            count(len(group)),
            f"{count(min(one.devices for one in group))} to {count(max(one.devices for one in group))}",
            ", ".join(one.job for one in group[:4]) + (", ..." if len(group) > 4 else ""),
        ]
        for reason, group in groups.items()
    ]
    header = ["submitted later, started meanwhile, as", "jobs", "devices", "most device-h"]
    return table(header, rows, numbers=(1, 2)) if rows else ""


def _why_first(story: JobStory, one: HeldBy) -> str:
    policy = story.setup.scenario.policy
    if one.first_in_order:
        return f"{policy.order} puts them first"
    if one.first_in_order is None:
        return f"{policy.order} or backfill {policy.backfill} lets them"
    return f"backfill {policy.backfill} lets those pass that fit"


def _sooner(story: JobStory) -> str:
    rows = [_if(story, one) for one in story.sooner()]
    return table(["had, all else as logged,", "it could begin"], rows) if rows else ""


def _if(story: JobStory, one: Sooner) -> list[str]:
    if one.start_s is None:
        return [one.had, f"no sooner: {one.forbidden_by} forbids it" if one.forbidden_by else "no sooner"]
    gained = "" if one.sooner_s is None else f", {duration(one.sooner_s)} sooner"
    before = f"; {one.forbidden_by} forbids it before" if one.forbidden_by else ""
    return [one.had, f"{_instant(story)(one.start_s)}{gained}{before}"]


def _instant(story: JobStory) -> Callable[[int], str]:
    """Return what writes an instant: to the second where a span is so short that minutes would hide it."""
    short = any(one.to_s - one.from_s < _SHORT_S for one in story.spans)
    write = second if short else minute
    return lambda at_s: write(story.trace.instant(int(at_s)))
