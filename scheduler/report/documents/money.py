"""The documents of money and of the catalog: ledgers, build or buy, claims, prices."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Annotated, Any

import msgspec

from scheduler.catalog import Catalog
from scheduler.catalog.arithmetic import check_arithmetic
from scheduler.money.claims.verdicts import Court
from scheduler.money.economics.comparison import Comparison, ReadingAnswer
from scheduler.money.ledger.bills import IdleBy, bills
from scheduler.report.documents.document import Document, Known, Plain, Sure, about
from scheduler.run.directory import Run
from scheduler.run.spend import adds_up, cost, spend_figures, spent_by, used_by
from traces.words import BY


class LedgerDocument(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of `ledger`."""

    run: Annotated[str, about("folder of the run")]
    by: Annotated[list[str], about("what charges are told apart by")]
    idle: Annotated[str | None, about("how what no job bears is shared out")]
    charges: Annotated[list[Plain], about("`jobs_usd` and `shared_usd` by these; without `--by` the ledger")]
    used: Annotated[
        list[Plain], about("who used what, by the first word of jobs among `by`, else by workload")
    ]
    figures: Annotated[dict[str, Known], about("sums, by their names in `scheduler/run/spend.py`")]
    expected_usd: Annotated[float, about("what pools and offers cost by themselves")]
    adds_up: Annotated[bool, about("whether the charges come to that")]
    unsure: Sure
    prices_of: Annotated[str, about("month of the oldest of its prices")]


def ledger_document(run: Run, by: Sequence[str], idle: IdleBy | None) -> LedgerDocument:
    """Return what a run spent."""
    words = [key for key in by if key in BY]
    charges: list[dict[str, Any]] = [
        {**dict(zip(by, bill.of, strict=True)), "jobs_usd": bill.jobs_usd, "shared_usd": bill.shared_usd}
        for bill in (bills(run, by, idle) if by else ())
    ]
    return LedgerDocument(
        run=str(run.folder),
        by=list(by),
        idle=idle,
        charges=charges if by else spent_by(run, ("resource", "line"))[0],
        used=used_by(run, words[0] if words else "workload"),
        figures=dict(spend_figures(run)),
        expected_usd=cost(run),
        adds_up=adds_up(run),
        unsure=run.description["unsure"],
        prices_of=run.description["prices_of"],
    )


class CatalogDocument(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of `catalog`."""

    devices: Annotated[dict[str, dict[str, Any]], about("each device, with its figures")]
    pods: Annotated[dict[str, dict[str, Any]], about("each kind of pod, likewise")]
    offers: Annotated[dict[str, dict[str, Any]], about("each offer, likewise")]
    arithmetic: Annotated[list[Plain], about("sums of parts beside what is stated for the whole")]
    sources: Annotated[dict[str, str], about("what the keys of sources stand for")]


def catalog_document(catalog: Catalog) -> CatalogDocument:
    """Return the catalog."""
    plain = msgspec.to_builtins
    return CatalogDocument(
        devices=plain(catalog.devices, str_keys=True),
        pods=plain(catalog.pods, str_keys=True),
        offers=plain(catalog.offers, str_keys=True),
        arithmetic=[finding._asdict() | {"closes": finding.closes} for finding in check_arithmetic(catalog)],
        sources=dict(catalog.sources),
    )


class ClaimsDocument(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of `claims`."""

    claims: Annotated[dict[str, str], about("the words of each claim")]
    results: Annotated[list[Plain], about("each claim under each reading: claimed, found, ratio and verdict")]


def claims_document(court: Court, key: str | None) -> ClaimsDocument:
    """Return the verdicts on all claims, or on one."""
    keys = [key] if key is not None else list(court.dossier.claims)
    return ClaimsDocument(
        claims={name: court.dossier.claims[name].text for name in keys},
        results=[
            {
                "claim": result.claim,
                "hardware": result.hardware,
                "price": result.price,
                "claimed_low": result.claimed.low,
                "claimed_high": result.claimed.high,
                "found_low": result.found.low,
                "found_high": result.found.high,
                "ratio": result.ratio,
                "verdict": result.verdict,
            }
            for name in keys
            for result in court.results.get(name, ())
        ],
    )


class EconomicsDocument(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of `economics`."""

    own: Annotated[str, about("pod to own")]
    rent: Annotated[str, about("offer to rent")]
    kind: Annotated[str, about("kind of job")]
    draws: Annotated[int, about("Monte Carlo draws")]
    owning_cheaper_share: Annotated[float, about("share of the draws in which owning is cheaper")]
    readings: Annotated[list[Plain], about("each reading of the pod, at mid: weight, costs, break-even")]
    beside: Annotated[list[Plain], about("owned GPU islands, likewise")]
    inputs: Annotated[dict[str, Any], about("inputs of each reading, with range and source")]
    out: Annotated[str | None, about("file of the draws, if they were written")]


def economics_document(asked: dict[str, str], found: Comparison, out: str | None) -> EconomicsDocument:
    """Return the answer to build or buy."""
    return EconomicsDocument(
        own=asked["pod"],
        rent=asked["offer"],
        kind=asked["kind"],
        draws=len(found.which),
        owning_cheaper_share=float(found.cheaper.mean()),
        readings=[_reading(each) for each in found.answers],
        beside=[_reading(each) for each in found.beside],
        inputs={each.reading.key: msgspec.to_builtins(dict(each.inputs)) for each in found.answers},
        out=out,
    )


def _reading(answer: ReadingAnswer) -> Plain:
    costs = {name: float(value) for name, value in dataclasses.asdict(answer.point).items()}
    share = float(answer.cheaper.mean()) if len(answer.cheaper) else None
    return {"own": answer.reading.key, "weight": answer.weight, "owning_cheaper_share": share, **costs}
