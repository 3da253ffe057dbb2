"""Each claim under each reading: what was found, and what that says of the claim.

A computation asks by the names of its parameters for what it needs: `hardware` and `price`, the reading;
`catalog`; `trials` and `live`, what was simulated; `market_rent`; else an input of claims.toml. What it does
not ask for, its claim does not depend on: such a claim is tested once, not for every reading.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from functools import cached_property
from itertools import product
from typing import Any, NamedTuple

from scheduler.catalog import Catalog
from scheduler.money.claims.claim_file import PER_PFLOP_DAY, VERDICTS, Dossier, Range, Verdict, verdict
from scheduler.money.claims.fleet_claims import FLEET_CLAIMS
from scheduler.money.claims.hardware_claims import HARDWARE_CLAIMS
from scheduler.money.claims.money_claims import MONEY_CLAIMS
from scheduler.money.claims.readings import Hardware, PriceReading, hardware_readings, price_readings, span
from scheduler.money.claims.simulated_claims import SIMULATED_CLAIMS, Trials

ARITHMETIC = HARDWARE_CLAIMS | MONEY_CLAIMS | FLEET_CLAIMS
COMPUTED = ARITHMETIC | SIMULATED_CLAIMS
"""All computations, by the keys of their claims."""


class Result(NamedTuple):
    """A claim held against what was found under a reading; None: whichever it is."""

    claim: str
    hardware: str | None
    price: str | None
    claimed: Range
    found: Range
    stated: float
    """The figure claimed, or the middle of the range."""

    @property
    def verdict(self) -> Verdict:
        """Whether it holds."""
        return verdict(self.claimed, self.found)

    @property
    def ratio(self) -> float:
        """Middle of what was found over what is stated; nan where that has no middle."""
        return self.found.middle / self.stated

    def under(self, hardware: str, price: str) -> bool:
        """Whether it is of this reading, or of all."""
        return self.hardware in (None, hardware) and self.price in (None, price)


class Court:
    """The claims, the readings and the inputs, against which verdicts are found."""

    def __init__(self, catalog: Catalog, dossier: Dossier, trials: Trials | None = None) -> None:
        self.catalog = catalog
        self.dossier = dossier
        self.trials = trials
        self.hardware = hardware_readings(catalog)
        self.prices = price_readings(catalog, dossier)

    @cached_property
    def results(self) -> dict[str, list[Result]]:
        """Results by claim; none of a claim that is not testable, or that waits for its simulation."""
        tested = COMPUTED if self.trials is not None else ARITHMETIC
        return {key: list(self._results(key)) if key in tested else [] for key in self.dossier.claims}

    def inputs(self, key: str) -> list[str]:
        """Return the names of the inputs that a claim's computation takes."""
        return [name for name in asked_for(key) if name in self.dossier.inputs]

    def axes(self, key: str) -> tuple[bool, bool]:
        """Say whether a claim depends on the reading of the hardware, and of the prices."""
        asked = asked_for(key)
        per_day = self.dossier.claims[key].unit == PER_PFLOP_DAY
        return "hardware" in asked, "price" in asked or per_day

    def _results(self, key: str) -> Iterable[Result]:
        claim = self.dossier.claims[key]
        by_hardware, by_price = self.axes(key)
        for hardware, price in product(
            self.hardware if by_hardware else self.hardware[:1], self.prices if by_price else self.prices[:1]
        ):
            hours = price.hours if claim.unit == PER_PFLOP_DAY else 1
            yield Result(
                key,
                hardware.key if by_hardware else None,
                price.key if by_price else None,
                claim.claimed.times(hours),
                self._range(key, hardware, price),
                claim.stated * hours,
            )

    def _range(self, key: str, hardware: Hardware, price: PriceReading) -> Range:
        given: dict[str, Any] = {name: each.range for name, each in self.dossier.inputs.items()}
        given |= {"catalog": self.catalog, "trials": self.trials, "hardware": hardware, "price": price}
        given["live"] = self.trials and self.trials.live
        given["market_rent"] = span(*(end for each in self.prices if not each.owned for end in each.rented))
        return COMPUTED[key](**{name: given[name] for name in asked_for(key)})


class VerdictTally(NamedTuple):
    """How the claims that depend on the reading fare under one of them."""

    hardware: str
    price: str
    holds: int
    depends: int
    fails: int

    @property
    def counts(self) -> tuple[int, int, int]:
        """How many hold, depend and fail."""
        return self.holds, self.depends, self.fails


def asked_for(key: str) -> list[str]:
    """Return what a claim's computation asks for."""
    return list(inspect.signature(COMPUTED[key]).parameters)


def tallies(court: Court) -> list[VerdictTally]:
    """Count verdicts for each reading, the best first: fewest that fail, then most that hold.

    A claim that depends can be true where the reading is; one that fails cannot.
    """
    results = [r for tested in court.results.values() for r in tested if r.hardware or r.price]
    counted = []
    for hardware, price in product(court.hardware, court.prices):
        under = [r for r in results if r.under(hardware.key, price.key)]
        counted.append(VerdictTally(hardware.key, price.key, *count(under)))
    return sorted(counted, key=lambda tally: (tally.fails, -tally.holds))


def count(results: Iterable[Result]) -> list[int]:
    """Return how many hold, depend and fail."""
    given = [result.verdict for result in results]
    return [given.count(word) for word in VERDICTS]
