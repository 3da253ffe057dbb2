"""The two engines check each other: a finished run is run again on the other one."""

from __future__ import annotations

import msgspec

from scheduler.replay.replay import replay
from scheduler.replay.setup import Setup
from scheduler.run.directory import Run
from scheduler.scenario import Scenario
from traces.files import passing_folder
from traces.trace import Trace


class VerifyError(ValueError):
    """A run that cannot be run again here; says what is other."""


class MismatchError(RuntimeError):
    """The engines differ; names the first file that is another."""


def verified(run: Run, trace: Trace) -> tuple[str, int]:
    """Run its jobs again; return the name of the engine and the number of files that both wrote alike.

    Raises VerifyError, MismatchError, and EngineError where the other engine does not cover the scenario.
    """
    if run.as_recorded:
        raise VerifyError(f"{run.folder}: as recorded, so no engine ran it")
    scenario = msgspec.convert(run.description["scenario"], Scenario, str_keys=True)
    other = "simpy" if run.description["engine"]["name"] == "fast" else "fast"
    with passing_folder() as folder:
        again = replay(Setup.of(scenario, trace), folder / "run", engine=other)
    for what in ("pools", "offers"):
        if again.description[what] != run.description[what]:
            raise VerifyError(
                f"{run.folder}: made with other {what}, by exaburst {run.description['exaburst']}"
            )
    before, after = (one.description["parts"] for one in (run, again))
    for log, parts in before.items():
        if parts != after[log]:
            raise MismatchError(f"{run.folder}/{log}.parquet: {other} writes it otherwise")
    return other, sum(map(len, before.values()))
