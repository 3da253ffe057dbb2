"""Build or buy as a planner reads it: the answer by reading of the pod, then what it hangs on."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from math import isfinite

from scheduler.catalog import Catalog
from scheduler.catalog.certainty import UNSURE, Noted, figures_of, footer, oldest, written
from scheduler.catalog.models import DEFAULT_KIND, Certainty
from scheduler.money.economics.comparison import Asked, Comparison, ReadingAnswer
from scheduler.money.economics.readings import EXAPOD
from scheduler.report.draws import by_utilization, listed_inputs, results, share_of_draws, swings
from traces.numbers import between, count, percent, significant, significant_percent
from traces.schema import quoted
from traces.tables import table


def economics(catalog: Catalog, asked: Asked, found: Comparison) -> str:
    """Render a comparison."""
    return "\n\n".join(
        [
            f"{_title(catalog, asked, found)}\n{_verdict(found)}",
            _by_reading(found),
            listed_inputs(found),
            results(found),
            by_utilization(found),
            swings(found),
            _unsure(catalog, asked, found),
        ]
    )


def _title(catalog: Catalog, asked: Asked, found: Comparison) -> str:
    offer = catalog.offer(asked.offer)
    own = asked.pod
    if own == EXAPOD:
        own = f"an ExaPOD, in {len(found.answers)} readings of what one makes and costs"
    else:
        pod = catalog.pod(own)
        own += f", {count(pod.devices)} x {pod.device}"
    work = f"{asked.kind} work"
    if catalog.device(offer.device).mfu_key(asked.kind) == DEFAULT_KIND:
        work = f"work of kind {quoted(asked.kind)}, which has no MFU of its own: the default"
    return (
        f"own:  {own}\n"
        f"rent: {offer.key}, {offer.device}, for what such a pod delivers in {work}\n"
        "One pod, bought today and used for its life. Constant dollars, before tax."
    )


def _verdict(found: Comparison) -> str:
    """The share of draws in which owning is cheaper, over all and by reading."""
    lines = [f"Owning is cheaper in {share_of_draws(found.cheaper)} of {count(len(found.which))} draws"]
    if len(found.weighted) > 1:
        by_share: dict[str, list[str]] = {}
        for answer in found.weighted:
            by_share.setdefault(share_of_draws(answer.cheaper), []).append(answer.reading.key)
        parts = [f"  in {share} of those of {', '.join(keys)}" for share, keys in by_share.items()]
        lines = [f"{lines[0]}:", *parts]
    else:
        lines[0] += "."
    return "\n".join(lines)


def _by_reading(found: Comparison) -> str:
    rows = [_answer(each, percent(each.weight)) for each in found.answers]
    if len(found.answers) > 1:
        rows.append(_all(found))
    rows += [_answer(each, "beside") for each in found.beside]
    head = ["own", "weight", "capital, M USD", "PFLOPS", "owned", "rented", "break-even utilization"]
    head += ["owning cheaper in", "which is"]
    title = "USD per delivered PFLOP-day at mid, break-even at mid, and draws in which owning is cheaper"
    return f"{title}\n{table(head, rows, numbers=range(1, 8))}"


def _answer(answer: ReadingAnswer, weight: str) -> list[str]:
    capital, point = answer.inputs["capital_usd"], answer.point
    return [
        answer.reading.key,
        weight,
        between(capital.low / 1e6, capital.high / 1e6, significant),
        significant(answer.inputs["owned_pflops"].mid),
        significant(float(point.owned_usd_per_pflop_day)),
        significant(float(point.rented_usd_per_pflop_day)),
        _breakeven(float(point.breakeven_utilization)),
        share_of_draws(answer.cheaper),
        answer.reading.text,
    ]


def _all(found: Comparison) -> list[str]:
    """The readings together: from the least to the greatest of each figure, and all draws."""
    capital, peak = (
        [end for each in found.weighted for end in (each.inputs[name].low, each.inputs[name].high)]
        for name in ("capital_usd", "owned_pflops")
    )
    owned, rented, needed = (
        sorted(float(getattr(each.point, name)) for each in found.weighted)
        for name in ("owned_usd_per_pflop_day", "rented_usd_per_pflop_day", "breakeven_utilization")
    )
    return [
        "all readings",
        percent(1.0),
        between(min(capital) / 1e6, max(capital) / 1e6, significant),
        between(min(peak), max(peak), significant),
        between(owned[0], owned[-1], significant),
        between(rented[0], rented[-1], significant),
        between(needed[0], needed[-1], lambda share: "never" if share > 1 else significant_percent(share)),
        share_of_draws(found.cheaper),
        "",
    ]


def _breakeven(share: float) -> str:
    if share <= 1:
        return significant_percent(share)
    return f"never ({significant_percent(share)})" if isfinite(share) else "never"


def _unsure(catalog: Catalog, asked: Asked, found: Comparison) -> str:
    """Name what is assumed or of low certainty of each pod and of the offer; equal texts stand together."""
    unsure: dict[Noted, Mapping[str, str]] = {sure: _together(catalog, asked, found, sure) for sure in UNSURE}
    if not found.answers[0].inputs["usd_per_device_h"].is_set:
        undated = figures_of(catalog.offer(asked.offer), ("usd_per_device_h",), "undated")
        unsure["undated"] = {asked.offer: undated[0]} if undated else {}
    capital = (answer.reading.figures.get("capital_usd", ()) for answer in (*found.answers, *found.beside))
    rent = catalog.offer(asked.offer).figures.get("usd_per_device_h")
    return footer(unsure, oldest([*chain.from_iterable(capital), rent]))


def _together(catalog: Catalog, asked: Asked, found: Comparison, sure: Certainty) -> Mapping[str, str]:
    whose: dict[str, list[str]] = {}
    for answer in (*found.answers, *found.beside):
        figures = [each for each in answer.reading.unsure(sure) if not answer.inputs[each[0]].is_set]
        whose.setdefault(", ".join(written(*each) for each in figures), []).append(answer.reading.key)
    if not found.answers[0].inputs["usd_per_device_h"].is_set:
        rent = figures_of(catalog.offer(asked.offer), ("usd_per_device_h",), sure)
        whose.setdefault(", ".join(rent), []).append(asked.offer)
    return {", ".join(keys): figures for figures, keys in whose.items() if figures}
