"""What bad weather did to a run: goodput, outages, attempts cut short, and where device-hours went."""

from __future__ import annotations

from scheduler.run.directory import Run
from scheduler.run.goodput import CUT_SHORT, Held
from scheduler.run.metrics import device_seconds, utilization
from traces.tables import table
from traces.times import HOUR_S


def weathering(run: Run, held: Held) -> str:
    """Render what happened, and what it cost in device-hours; empty if nothing did."""
    states, refused = run.table("states"), run.description["refused"]
    time_s = states.column("time_s").to_numpy()
    down_s = {
        name: device_seconds(time_s, states.column(f"down_{name}").to_numpy(), run.end_s)
        for name in run.pools
    }
    cut = [outcome for outcome in CUT_SHORT if held.ended(outcome).any()]
    if not (cut or any(down_s.values()) or any(refused.values()) or held.checkpoints.any()):
        return ""
    return f"{_outages(run, held, cut, down_s, refused)}\n\n{_hours(run, held, cut)}"


def _outages(run: Run, held: Held, cut: list[str], down_s: dict[str, int], refused: dict[str, int]) -> str:
    rows = []
    for name in (*run.pools, *run.offers):
        here = held.at(name)
        kept_s, held_s = int(held.kept[here].sum()), int(held.held[here].sum())
        attempts = [f"{int((held.ended(outcome) & here).sum()):,}" for outcome in cut]
        if name in run.pools:
            shares = [
                utilization(part, run.pools[name], run.end_s) for part in (kept_s, held_s, down_s[name])
            ]
            goodput, used, out = (f"{share:.1%}" for share in shares)
            rows.append([name, goodput, used, f"{down_s[name] / HOUR_S:,.0f}", out, *attempts, ""])
        else:
            goodput = f"{kept_s / held_s:.1%}" if held_s else "-"
            rows.append([name, goodput, "", "", "", *attempts, f"{refused[name]:,}"])
    header = ["weather", "goodput", "utilization", "down device-h", "down", *cut, "refused"]
    return table(header, rows, numbers=range(1, len(header)))


def _hours(run: Run, held: Held, cut: list[str]) -> str:
    """Render what the hours held consist of; the parts add up."""
    parts = {
        "held": held.held,
        "kept": held.kept,
        **{f"lost: {outcome}": held.lost * held.ended(outcome) for outcome in cut},
        "checkpoints": held.checkpoints,
        "starting": held.starting,
        "given up": held.given_up,
    }
    parts = {part: device_s for part, device_s in parts.items() if part in ("held", "kept") or device_s.any()}
    rows = []
    for name in (*run.pools, *run.offers):
        here = held.at(name)
        rows.append([name, *(f"{device_s[here].sum() / HOUR_S:,.0f}" for device_s in parts.values())])
    return table(["device-hours", *parts], rows, numbers=range(1, len(parts) + 1))
