"""Try mutants of some groups, and print how many are killed."""

from __future__ import annotations

import argparse
import random
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from scipy.stats import binomtest

import benchmarks.mutants
from benchmarks.mutants.changes import Mutant, sample
from benchmarks.mutants.groups import GROUPS, ROOT, all_tests, best_tests, test_files
from benchmarks.mutants.judged import KINDS, judged, key
from benchmarks.mutants.reach import Reach, reach
from benchmarks.mutants.session import prepare
from benchmarks.mutants.trial import in_order, killer

LEFT_OUT = (".*", "__pycache__", "runs", "build")


class Copies(NamedTuple):
    """Copies of the tree: as it is, one that is changed, one that notes what is reached."""

    unchanged: Path
    changed: Path
    noting: Path


class Fates(NamedTuple):
    """What became of the mutants of a group."""

    killed: int
    equivalent: Counter[str]
    """By why they are none."""
    survived: list[Mutant]

    def line(self, group: str) -> str:
        """Return them as a row of the table; the rate is of those that change anything."""
        faults = self.killed + len(self.survived)
        test = binomtest(self.killed, max(faults, 1)).proportion_ci(method="wilson")
        same = sum(self.equivalent.values())
        return (
            f"{group:<8}  {faults + same:7}  {self.killed:6}  {same:10}  {len(self.survived):8}  "
            f"{self.killed / max(faults, 1):6.1%}  {test.low:.1%} to {test.high:.1%}"
        )


def campaign(copies: Copies, group: str, asked: argparse.Namespace) -> Fates:
    """Try so many mutants of a group; print each with its fate."""
    best = best_tests(copies.unchanged, group)
    files = [file for file in best if asked.only in (None, str(file.relative_to(copies.unchanged)))]
    mutants = sample(copies.unchanged, files, asked.count, random.Random(f"{asked.seed}/{group}"))
    names = test_files(asked.tests) if asked.tests else all_tests(group)
    reached = reach(copies.unchanged, copies.noting, names, ROOT / "build" / "mutants")
    known = judged()
    fates = Fates(0, Counter(), [])
    for mutant in mutants:
        if (judgement := known.get(key(mutant))) is not None:
            fates.equivalent[judgement.kind] += 1
            print(f"{mutant}\n    no fault: {judgement.because}", flush=True)
            continue
        killed_by = fate(copies, mutant, reached, best[copies.unchanged / mutant.file])
        if killed_by:
            fates = fates._replace(killed=fates.killed + 1)
        else:
            fates.survived.append(mutant)
        print(f"{mutant}\n    {killed_by or 'SURVIVED'}", flush=True)
    return fates


def fate(copies: Copies, mutant: Mutant, reached: dict[str, Reach], best: list[str]) -> str:
    """Return the test that kills a mutant, if any."""
    stages = in_order(mutant, reached, best)
    return killer(copies.changed, mutant, stages, copies.changed.parent / "session.log")


def table(fates: dict[str, Fates]) -> Iterable[str]:
    """Yield the lines of the table, why some are no faults, and what survives."""
    yield f"\n{'group':<8}  mutants  killed  equivalent  survived    rate  95% interval"
    yield from (of.line(group) for group, of in fates.items())
    kinds = sum((of.equivalent for of in fates.values()), Counter[str]())
    yield from (f"equivalent: {kinds[kind]} {why}" for kind, why in KINDS.items() if kinds[kind])
    yield from (str(mutant) for of in fates.values() for mutant in of.survived)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.mutants",
        description=benchmarks.mutants.__doc__,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    parser.add_argument(
        "groups", nargs="*", metavar="GROUP", help=f"of {', '.join(GROUPS)}; all unless given"
    )
    parser.add_argument("--count", type=int, default=10, help="mutants a group (10)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", help="the file to change instead of all of a group")
    parser.add_argument("--tests", help="the tests to run instead of a group's, as in 'stories lineup'")
    asked = parser.parse_args()
    if unknown := set(asked.groups) - set(GROUPS):
        parser.error(f"{', '.join(sorted(unknown))}: unknown (allowed: {', '.join(GROUPS)})")
    prepare()
    with tempfile.TemporaryDirectory() as folder:
        copies = Copies(*(Path(folder) / name for name in Copies._fields))
        for copy in copies:
            shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(*LEFT_OUT))
        fates = {group: campaign(copies, group, asked) for group in asked.groups or GROUPS}
    print(*table(fates), sep="\n")


if __name__ == "__main__":
    main()
