"""Commitments of a roadmap: what they spare, which terms are cheapest, and that the ledger agrees."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.cli import main
from scheduler.replay import Setup, replay
from scheduler.run.directory import Run
from scheduler.run.rent_levels import rent_levels
from scheduler.run.spend import spend_figures
from scheduler.scenario import read_scenario
from scheduler.study.plan.candidates import PERIOD_S, Candidate, Evaluation, Sample
from scheduler.study.reference import reference_of
from scheduler.study.roadmap.commitments import (
    CommittedTerm,
    Contract,
    cheapest_terms,
    paid_usd,
    spared_by,
    spared_usd,
)
from traces.times import DAY_S, HOUR_S
from workloads import demand_of, generate

HOURS = PERIOD_S / HOUR_S


def rented(levels: list[tuple[int, float]]) -> Evaluation:
    """A quarter of one period in which so much was paid on demand, by devices held."""
    sample = Sample(
        usd=0,
        sunk_usd=0,
        rent_usd=sum(usd for _, usd in levels),
        revenue_usd=0,
        wait_s=[],
        asked_device_h=0,
        stranded_device_h=0,
        rejected=0,
        rent_levels={"cloud": levels},
    )
    return Evaluation(Candidate(1, "p"), (sample,))


def cost(terms: tuple[CommittedTerm, ...], quarters: list[Evaluation], discounts: list[float]) -> float:
    """What terms cost more than none, in present dollars."""
    return sum(
        worth * (paid_usd(terms, at, PERIOD_S) - float(spared_by(terms, at, each.samples).mean()))
        for at, (each, worth) in enumerate(zip(quarters, discounts, strict=True))
    )


@pytest.mark.parametrize(("share", "devices"), [(0.59, 0), (0.61, 8)])
def test_a_commitment_pays_exactly_from_its_break_even_utilization_on(share: float, devices: int) -> None:
    """8 devices at 3 USD an hour on demand, held for a share of the time; committed they cost 1.80, 60%."""
    quarter = rented([(8, 8 * 3 * HOURS * share)])
    terms = cheapest_terms([Contract("cloud", 3, 1.8)], [quarter], [PERIOD_S], [1.0])
    assert sum(term.devices for term in terms) == devices
    assert cost((CommittedTerm(Contract("cloud", 3, 1.8), 0, 8),), [quarter], [1.0]) == pytest.approx(
        8 * HOURS * 3 * (0.6 - share)
    )


def test_terms_that_overlap_are_worked_by_hand() -> None:
    """4, 8, 8 and 4 devices are held all the time, for 3 USD an hour; half a year costs 2, a year 2.50.

    4 from the first quarter, 4 from the second and 4 from the third, half a year each, cover all of it and
    no more: 24 device-quarters, each for 1 USD an hour less.
    """
    quarters = [rented([(held, held * 3 * HOURS)]) for held in (4, 8, 8, 4)]
    contracts = [Contract("cloud", 6, 2.0), Contract("cloud", 12, 2.5)]
    terms = cheapest_terms(contracts, quarters, [PERIOD_S] * 4, [1.0] * 4)
    assert terms == tuple(CommittedTerm(contracts[0], at, 4) for at in range(3))
    assert cost(terms, quarters, [1.0] * 4) == pytest.approx(-24 * HOURS)


levels = st.dictionaries(st.integers(1, 4), st.integers(1, 40), max_size=3)


@settings(deadline=None, max_examples=60)
@given(st.lists(levels, min_size=2, max_size=3), st.integers(1, 9), st.integers(1, 9), st.integers(5, 10))
def test_no_terms_at_all_are_cheaper(curves: list[dict[int, int]], short: int, long: int, worth: int) -> None:
    """Of all numbers of devices for all terms, none among them; prices are in tenths."""
    quarters = [rented([(held, usd * HOURS / 10) for held, usd in sorted(each.items())]) for each in curves]
    discounts = [(worth / 10) ** at for at in range(len(quarters))]
    contracts = [Contract("cloud", 3, short / 10), Contract("cloud", 6, long / 10)]
    found = cheapest_terms(contracts, quarters, [PERIOD_S] * len(quarters), discounts)
    starts = [(each, at) for each in contracts for at in range(len(quarters) - each.quarters + 1)]
    best = min(
        cost(
            tuple(CommittedTerm(each, at, n) for (each, at), n in zip(starts, devices, strict=True)),
            quarters,
            discounts,
        )
        for devices in product(range(5 if len(starts) < 4 else 3), repeat=len(starts))
    )
    assert cost(found, quarters, discounts) <= min(best, 0.0) + 1e-6


OFFER = """
name = "rents"
horizon = "4d"

[demand]
devices = 24
load = 0.8

[[pools]]
name = "own"
device = "dojo-tile-case-study"
devices = 12
pods = 1

[[offers]]
name = "cloud"
offer = "nebius-h100-eu-north1"
quota = 256
usd_per_device_h = [["2026-01-05", 2.0], ["2026-01-09", 3.0]]

[policy]
first = "rented"
"""
COMMITTED = 'commitments = [{ devices = 40, usd_per_device_h = 1.5, since = "1d", until = "3d" }]\n'


def test_what_is_spared_is_what_the_ledger_says(tmp_path: Path) -> None:
    """The same demand with 40 devices committed for two of four days, while the price on demand rises."""
    bare, bound = (_replayed(tmp_path / name, text) for name, text in (("a", ""), ("b", COMMITTED)))
    levels = rent_levels(bare, "cloud", (DAY_S, 3 * DAY_S))
    assert len(levels) > 3
    spared = spared_usd(levels, 40)
    dearer = spend_figures(bound)["usd_total"] - spend_figures(bare)["usd_total"]
    assert dearer == pytest.approx(40 * 48 * 1.5 - spared, rel=1e-3)
    assert sum(usd for _, usd in levels) == pytest.approx(
        spend_figures(bare, (DAY_S, 3 * DAY_S))["usd:on_demand"], rel=1e-3
    )


def _replayed(folder: Path, committed: str) -> Run:
    folder.mkdir()
    (folder / "rents.toml").write_text(OFFER.replace("[policy]", f"{committed}\n[policy]"))
    scenario = read_scenario(folder / "rents.toml")
    jobs = generate(demand_of({**scenario.demand, "days": 4}), reference_of())
    return replay(Setup.of(scenario, jobs), folder / "run")


def test_committed_devices_are_a_step_function_of_quarters() -> None:
    contract = Contract("cloud", 6, 1.0)
    terms = (CommittedTerm(contract, 0, 3), CommittedTerm(contract, 1, 2))
    paid = [paid_usd(terms, at, HOUR_S) for at in range(4)]
    assert paid == [3, 5, 2, 0]
    assert np.array_equal(spared_by(terms, 1, rented([(10, 50.0)]).samples), [25.0])


@pytest.mark.parametrize(
    ("commit", "said"),
    [
        ("cloud", "must be OFFER:MONTHS"),
        ("clod:12:1", 'no offer "clod" to commit to (allowed: cloud)'),
        ("cloud:10:1", "must be whole quarters"),
        ("cloud:12", "the catalog has no price for it: give one, as cloud:12:2.10"),
        ("cloud:12:free", "must have a price above 0"),
    ],
)
def test_what_cannot_be_committed_to_is_said_in_one_line(tmp_path: Path, commit: str, said: str) -> None:
    (tmp_path / "rents.toml").write_text(OFFER)
    asked = ["roadmap", str(tmp_path / "rents.toml"), "-o", str(tmp_path / "out"), "--commit", commit]
    done = CliRunner().invoke(main, [*asked, "--target", "fsd.label:p90:1h"], prog_name="exaburst")
    assert done.exit_code == 2
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
