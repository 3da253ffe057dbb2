"""Claims and verdicts as tables for a terminal: all of them, or one in detail."""

from __future__ import annotations

import re
from collections.abc import Iterable
from math import isinf
from textwrap import fill

from scheduler.catalog.certainty import UNSURE, Noted, figures_of, footer, oldest
from scheduler.catalog.models import Entry
from scheduler.money.claims.claim_file import VERDICTS, Claim, ClaimInput, Range
from scheduler.money.claims.readings import Hardware, PriceReading
from scheduler.money.claims.simulated_claims import SIMULATED_CLAIMS
from scheduler.money.claims.verdicts import Court, Result, VerdictTally, count, tallies
from traces.numbers import between, decimal, rounded_usd, significant, significant_percent
from traces.tables import table

WIDTH = 110
NAMED = 4
_YEAR = "calendar year"


def summary(court: Court) -> str:
    """Render every verdict, how each reading fares, and whether one makes the documents agree."""
    claims, tested = court.dossier.claims, {key: of for key, of in court.results.items() if of}
    head = (
        f"{len(claims)} claims in figures, {len(tested)} tested under {len(court.hardware)} readings of the "
        f"hardware x {len(court.prices)} of the prices.\n"
        "Three numbers count verdicts: holds/depends/fails."
    )
    waiting = [key for key in claims if key in SIMULATED_CLAIMS and key not in tested]
    lists = {
        "not run, give --simulate": waiting,
        "not testable": [key for key, claim in claims.items() if claim.untestable],
    }
    return "\n\n".join(
        [
            head,
            _verdicts(court, tested),
            _matrix(court),
            _answer(court),
            *(_wrapped(f"{title}: {', '.join(keys)}") for title, keys in lists.items() if keys),
            _unsure(court, tested),
            "`exaburst claims KEY` says how a claim is tested, or why it is not.",
        ]
    )


def detail(court: Court, key: str) -> str:
    """Render one claim: its words, how it is tested, from which inputs, and what was found."""
    claim = court.dossier.claim(key)
    lines = [
        f"{key}: {claim.text}",
        _wrapped(f"source: {_sourced(court, claim.source)}"),
        f"claimed: {_claimed(claim, claim.claimed, claim.stated)}",
    ]
    lines += [_wrapped(f"assumed: {claim.assumed}")] if claim.assumed else []
    if claim.untestable:
        return "\n".join([*lines, _wrapped(f"not testable: {claim.untestable}")])
    lines.append(_wrapped(f"computed: {claim.computed}"))
    parts = ["\n".join(lines)]
    if court.inputs(key):
        parts.append(_inputs(court, key))
    parts += _readings(court, key)
    if results := court.results[key]:
        parts.append(_results(claim, results))
    else:
        parts.append("not run: give --simulate")
    return "\n\n".join(parts)


def _unsure(court: Court, tested: Iterable[str]) -> str:
    """Name what is assumed or of low certainty among the inputs, and of each reading of the hardware."""
    used = dict.fromkeys(name for key in tested for name in court.inputs(key))
    inputs = {name: court.dossier.inputs[name] for name in used}
    unsure: dict[Noted, dict[str, str]] = {}
    for sure in UNSURE:
        of_inputs = [_noted(name, each) for name, each in inputs.items() if each.certainty == sure]
        whose = {"inputs": ", ".join(of_inputs)}
        for reading in court.hardware:
            figures = figures_of(_peaked(reading), ("peak_pflops",), sure)
            figures += figures_of(reading.device, ("busy_kw", "idle_kw"), sure)
            whose[reading.key] = ", ".join(figures)
        unsure[sure] = {name: figures for name, figures in whose.items() if figures}
    prices_of = oldest(reading.pod.figures.get("capital_usd") for reading in court.hardware)
    return "\n".join(map(_wrapped, footer(unsure, prices_of).splitlines()))


def _peaked(reading: Hardware) -> Entry:
    """Return whose peak the reading takes: what is stated of the whole pod, or that of its tiles."""
    return reading.pod if reading.pflops == reading.pod.peak_pflops else reading.device


def _noted(name: str, given: ClaimInput) -> str:
    source = f" ({given.source})" if given.source else ""
    return f"{name} {between(*given.range, lambda value: significant(value, 6))}{source}"


def _verdicts(court: Court, tested: dict[str, list[Result]]) -> str:
    rows = []
    for key, results in tested.items():
        claim = court.dossier.claims[key]
        row = [key, claim.source, _claimed(claim, claim.claimed, claim.stated)]
        if len(results) == 1:
            rows.append([*row, *_found(claim, results[0])])
        else:
            rows.append([*row, f"{len(results)} readings", "", "/".join(map(str, count(results)))])
    return table(["claim", "source", "claimed", "found", "ratio", "verdict"], rows, numbers=(4,))


def _matrix(court: Court) -> str:
    """One row a reading of the prices, one column a reading of the hardware."""
    by = {(tally.hardware, tally.price): tally for tally in tallies(court)}
    keys = [hardware.key for hardware in court.hardware]
    rows = [["ExaPOD, PFLOPS", "", *(decimal(hardware.pflops, 0) for hardware in court.hardware)]]
    for price in court.prices:
        cells = ("/".join(map(str, by[key, price.key].counts)) for key in keys)
        rows.append([price.key, _rent(price), *cells])
    header = ["reading", "rent, USD", *keys]
    dependent = sum(next(iter(by.values())).counts)
    title = f"The {dependent} claims that depend on the reading, under each; rent is per PFLOP-day."
    return f"{title}\n" + table(header, rows, numbers=range(1, len(header)))


def _answer(court: Court) -> str:
    """Say which reading makes the documents agree with themselves, and how the best of them fares."""
    ranked = tallies(court)
    best, most = ranked[0], max(tally.holds for tally in ranked)
    fewest = [tally for tally in ranked if tally.counts == best.counts]
    richest = [tally for tally in ranked if tally.holds == most]
    once = [r for of in court.results.values() for r in of if not r.hardware and not r.price]
    lines = [
        f"{'No' if best.fails else 'A'} reading makes the documents agree with themselves.",
        f"Fewest of the {sum(best.counts)} claims fail, {best.fails}, under {_pairs(fewest)}.",
        f"Most hold, {most}, under {_pairs(richest)}.",
        "Of the {} that depend on no reading {} hold, {} depend and {} fail.".format(len(once), *count(once)),
    ]
    return "\n".join(map(_wrapped, lines)) + f"\n\n{_fares(court, best)}"


def _fares(court: Court, reading: VerdictTally) -> str:
    """The claims that depend on the reading, under one of them, by verdict."""
    results = [r for of in court.results.values() for r in of if r.hardware or r.price]
    under = [r for r in results if r.under(reading.hardware, reading.price)]
    rows = []
    for result in sorted(under, key=lambda r: VERDICTS.index(r.verdict)):
        claim = court.dossier.claims[result.claim]
        rows.append([result.claim, _claimed(claim, result.claimed, result.stated), *_found(claim, result)])
    header = [f"{reading.hardware} x {reading.price}", "claimed", "found", "ratio", "verdict"]
    return table(header, rows, numbers=(3,))


def _pairs(tied: Iterable[VerdictTally]) -> str:
    """The first few by name."""
    names = [f"{tally.hardware} x {tally.price}" for tally in tied]
    more = [f"{len(names) - NAMED} more"] if len(names) > NAMED else []
    return ", ".join(names[:NAMED] + more)


def _inputs(court: Court, key: str) -> str:
    """The inputs of a claim, and in full those of their sources that the claim's own does not name."""
    rows = [_input(name, court.dossier.inputs[name]) for name in court.inputs(key)]
    told = dict.fromkeys(re.findall(r"[\w-]+", " ".join(row[-1] for row in rows)))
    named = court.dossier.claims[key].source
    lines = [
        _wrapped(f"{word}: {court.dossier.sources[word]}")
        for word in told
        if word in court.dossier.sources and word not in named
    ]
    return "\n".join([table(["input", "value", "unit", "source"], rows), *lines])


def _input(name: str, given: ClaimInput) -> list[str]:
    low, high = given.range
    source = f"{given.source} (low)" if given.certainty == "low" else given.source or given.certainty
    return [name, between(low, high, significant), given.unit, source]


def _readings(court: Court, key: str) -> list[str]:
    """Say what the readings are that the claim depends on."""
    by_hardware, by_price = court.axes(key)
    parts = []
    if by_hardware:
        hardware = [[each.key, significant(each.pflops), each.text] for each in court.hardware]
        parts.append(table(["hardware", "PFLOPS", "an ExaPOD is"], hardware, numbers=(1,)))
    if by_price:
        prices = [[each.key, _rent(each), each.text] for each in court.prices]
        parts.append(table(["price", "USD/PFLOP-day", "rent is"], prices, numbers=(1,)))
    return parts


def _results(claim: Claim, results: list[Result]) -> str:
    """One row a reading, which is named as far as the claim depends on it."""
    axes = [axis for axis in ("hardware", "price") if getattr(results[0], axis)]
    rows = [
        [*(getattr(r, axis) for axis in axes), _claimed(claim, r.claimed, r.stated), *_found(claim, r)]
        for r in results
    ]
    return table([*axes, "claimed", "found", "ratio", "verdict"], rows, numbers=(len(axes) + 2,))


def _found(claim: Claim, result: Result) -> list[str]:
    ratio = "" if claim.unit == _YEAR else significant(result.ratio, 2)
    return [_range(result.found, claim.unit), ratio, result.verdict]


def _claimed(claim: Claim, claimed: Range, stated: float) -> str:
    """The figure, range or open end, with its unit."""
    if claim.about is not None:
        text = _figure(stated, claim.unit)
    elif isinf(claimed.low):
        text = f"at most {_figure(claimed.high, claim.unit)}"
    elif isinf(claimed.high):
        text = f"at least {_figure(claimed.low, claim.unit)}"
    else:
        text = _range(claimed, claim.unit)
    unit = claim.unit.removeprefix("USD")
    if unit in ("", "share", "x", _YEAR):
        return text
    return text + unit if unit.startswith("/") else f"{text} {unit}"


def _range(of: Range, unit: str) -> str:
    return between(*of, lambda end: _figure(end, unit))


def _figure(value: float, unit: str) -> str:
    """Two significant digits of shares and factors, three of all else; units only as %, x and $."""
    if isinf(value):
        return "never"
    if unit == "share":
        return significant_percent(value)
    if unit.startswith("USD"):
        return f"${rounded_usd(value)}"
    if unit == _YEAR:
        quarter = round(4 * (value - int(value))) + 1
        return f"{int(value)}Q{quarter}" if quarter > 1 else f"{int(value)}"
    return f"{significant(value, 2)}x" if unit == "x" else significant(value)


def _rent(price: PriceReading) -> str:
    return between(*price.rented, lambda usd: decimal(usd, 2 if usd < 10 else 0))


def _wrapped(line: str) -> str:
    return fill(line, WIDTH, subsequent_indent="  ", break_on_hyphens=False)


def _sourced(court: Court, source: str) -> str:
    full = [court.dossier.sources[key] for key in source.split(", ") if key in court.dossier.sources]
    return f"{source} ({'; '.join(full)})" if full else source
