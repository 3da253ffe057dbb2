"""What bad weather did to a run: goodput, outages, attempts cut short, and where device-hours went."""

from __future__ import annotations

from scheduler.run.goodput import DeviceTime
from scheduler.run.levels import DeviceLevels
from traces.numbers import count, hours, percent, share_of
from traces.tables import table


def bad_weather(levels: DeviceLevels, device_time: DeviceTime) -> str:
    """Render what happened, and what it cost in device-hours; empty if nothing did."""
    run = levels.run
    down = any(levels.down_s(pool) for pool in run.pools)
    refused = any(run.description["refused"].values())
    if not (device_time.cut_short() or down or refused or device_time.checkpoints.any()):
        return ""
    return f"{_outages(levels, device_time)}\n\n{_hours(levels, device_time)}"


def _outages(levels: DeviceLevels, device_time: DeviceTime) -> str:
    run, cut_short, rows = levels.run, device_time.cut_short(), []
    for name in (*run.pools, *run.offers):
        here = device_time.at(name)
        kept_s = int(device_time.kept[here].sum())
        attempts = [count((device_time.ended(outcome) & here).sum()) for outcome in cut_short]
        if name in run.pools:
            down_s = levels.down_s(name)
            goodput, down = percent(levels.share(kept_s, name)), percent(levels.share(down_s, name))
            used = percent(levels.utilization(name))
            rows.append([name, goodput, used, hours(down_s), down, *attempts, ""])
        else:
            goodput = share_of(kept_s, levels.held_s(name))
            rows.append([name, goodput, "", "", "", *attempts, count(run.description["refused"][name])])
    header = ["weather", "goodput", "utilization", "down device-h", "down", *cut_short, "refused"]
    return table(header, rows, numbers=range(1, len(header)))


def _hours(levels: DeviceLevels, device_time: DeviceTime) -> str:
    """Render what the hours held consist of; the parts add up."""
    run, parts = levels.run, device_time.parts()
    rows = [
        [name, *(hours(device_s[device_time.at(name)].sum()) for device_s in parts.values())]
        for name in (*run.pools, *run.offers)
    ]
    return table(["device-hours", *parts], rows, numbers=range(1, len(parts) + 1))
