"""A finished run: its description and its logs, for reading.

run = open_run("runs/demo")
run.jobs.groupby("workload").wait_s.quantile([0.5, 0.95])
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow as pa

from scheduler.run.admissions import ADMISSIONS
from scheduler.run.assets import ASSETS
from scheduler.run.columns import ATTEMPTS, JOBS, LINES, SPEND, states
from scheduler.run.description import DIGEST, digest, read_description
from scheduler.run.live_logs import LIVE_LOGS
from scheduler.run.parts import (
    EVERY_LOG,
    LOGS,
    DamagedLogError,
    Part,
    check_columns,
    check_parts,
    sealed_demand,
    sealed_parts,
    verified_log,
)
from scheduler.run.patience_log import PATIENCE
from scheduler.scenario import Scenario, run_start_s
from scheduler.stock.stock import Stock
from traces.arrays import words_of
from traces.errors import cannot_read, first_line
from traces.files import FINISHED, read_text, written_whole
from traces.parquet import Limits
from traces.trace import Trace

if TYPE_CHECKING:
    import pandas as pd


class RunError(ValueError):
    """A run that cannot be read; names the folder or file and what is wrong."""


class Run:
    """A run directory with its run.json read."""

    def __init__(self, folder: Path, description: dict[str, Any]) -> None:
        self.folder = folder
        self.description = description
        self._parts = msgspec.convert(description["parts"], dict[str, list[Part]])

    @property
    def start_s(self) -> int:
        """The second at which the run began, from the epoch."""
        return int(self.description["run_start_s"])

    @property
    def end_s(self) -> int:
        """The second at which the run ended, from the epoch: the horizon's, or its last job's."""
        return int(self.description["end_s"])

    @property
    def length_s(self) -> int:
        """How long the run is."""
        return self.end_s - self.start_s

    @property
    def pools(self) -> dict[str, int]:
        """Devices of each pool, all that there ever are."""
        return {pool["name"]: pool["pods"] * pool["pod_devices"] for pool in self.description["pools"]}

    @property
    def coming(self) -> list[str]:
        """Names of the pools whose pods come and go."""
        return [pool["name"] for pool in self.description["pools"] if pool["batches"]]

    @property
    def offers(self) -> list[str]:
        """Names of the offers."""
        return [offer["name"] for offer in self.description["offers"]]

    @property
    def as_recorded(self) -> bool:
        """Whether it is the run as it was: nothing was simulated, and no policy asked."""
        return bool(self.description["engine"]["name"] == "record")

    @property
    def sites(self) -> list[str]:
        """Names of the sites."""
        return [site["name"] for site in self.description["sites"]]

    @property
    def fleets(self) -> list[str]:
        """Names of the fleets of parked cars."""
        return [fleet["name"] for fleet in self.description["scenario"].get("edge", ())]

    @property
    def metered(self) -> list[str]:
        """Names of the sites whose power is logged: none where pools had no end."""
        return [] if any(pool["endless"] for pool in self.description["pools"]) else self.sites

    def check(self) -> None:
        """Check that its files are just those that it wrote, to the bit; raises DamagedLogError."""
        demand = msgspec.convert(self.description["demand"], Part | None)
        check_parts(self.folder, self._parts, demand)
        columns = {"jobs": JOBS, "attempts": ATTEMPTS, "spend": SPEND}
        columns["states"] = states([*self.pools], self.offers, self.coming, self.metered)
        columns |= {"admissions": ADMISSIONS} if self.has("admissions") else {}
        columns |= {"patience": PATIENCE} if self.has("patience") else {}
        columns |= {"assets": ASSETS} if self.coming else {}
        columns |= {log: schema for log, schema in LIVE_LOGS.items() if self._parts[log]}
        if sum(part.rows for part in self._parts["jobs"]) != self.description["trace"]["jobs"]:
            raise DamagedLogError(f"{self.folder}: jobs.parquet has other jobs than {FINISHED}")
        for log, schema in columns.items():
            check_columns(self.folder, log, self._parts[log], schema)

    @property
    def logs(self) -> list[str]:
        """The logs that the run has."""
        return [log for log in EVERY_LOG if log in LOGS or self.has(log)]

    def has(self, log: str) -> bool:
        """Say whether the run has a log that not every run has."""
        return bool(self._parts[log])

    def table(self, log: str, columns: list[str] | None = None, limits: Limits | None = None) -> pa.Table:
        """Return a log, one of `LOGS`, as an Arrow table; raises RunError, also where it is damaged.

        With limits there are at least the rows within them.
        """
        try:
            table = verified_log(self.folder, log, self._parts[log], columns, limits)
        except DamagedLogError as error:
            raise RunError(str(error)) from None
        self._check_words(log, table)
        return table

    def _check_words(self, log: str, table: pa.Table) -> None:
        """Raise RunError for a resource that the run does not have, or a line that no ledger has."""
        pools = [pool["name"] for pool in self.description["pools"]]
        names = [*pools, *self.offers, *self.sites, *self.fleets]
        known = {"where": names, "resource": names, "line": LINES} if log in LOGS else {}
        for column in [name for name in known if name in table.column_names]:
            for word in words_of(table.column(column)):
                if word not in known[column]:
                    allowed = ", ".join(known[column])
                    raise RunError(
                        f'{self.folder}: {log}.parquet: {column} "{word}": no such one (allowed: {allowed})'
                    )

    @cached_property
    def jobs(self) -> pd.DataFrame:
        """jobs.parquet, one row a job."""
        return self._frame("jobs")

    @cached_property
    def attempts(self) -> pd.DataFrame:
        """attempts.parquet, one row an execution."""
        return self._frame("attempts")

    @cached_property
    def states(self) -> pd.DataFrame:
        """states.parquet, a step function."""
        return self._frame("states")

    @cached_property
    def spend(self) -> pd.DataFrame:
        """spend.parquet, the ledger."""
        return self._frame("spend")

    @cached_property
    def assets(self) -> pd.DataFrame:
        """assets.parquet, one row a batch of pods and what becomes of it; empty where none comes or goes."""
        table = self.table("assets") if self.coming else ASSETS.empty_table()
        frame: pd.DataFrame = table.to_pandas(use_threads=False)
        return frame

    def _frame(self, log: str) -> pd.DataFrame:
        frame: pd.DataFrame = self.table(log).to_pandas(use_threads=False)  # as `read_columns` reads
        return frame


def open_run(folder: Path | str) -> Run:
    """Open a finished run; raises RunError where there is none, one that did not finish, or a damaged one."""
    run = _described(Path(folder))
    try:
        run.check()
    except DamagedLogError as error:
        raise RunError(str(error)) from None
    return run


def _described(folder: Path) -> Run:
    if not folder.is_dir():
        raise RunError(f"{folder}: no such run")
    try:
        return Run(folder, read_description(read_text(folder / FINISHED)))
    except FileNotFoundError:
        logged = any((folder / f"{log}.parquet").exists() for log in LOGS)
        state = "an unfinished run: run.json is missing" if logged else "not a run: run.json is missing"
        raise RunError(f"{folder}: {state}") from None
    except OSError as error:
        raise RunError(cannot_read(folder / FINISHED, error)) from None
    except (ValueError, RecursionError) as error:
        raise RunError(f"{folder}/run.json: not a run's description: {first_line(error)}") from None


def finish(
    folder: Path,
    scenario: Scenario,
    trace: Trace,
    stock: Stock,
    end_s: int,
    told: Mapping[str, object],
) -> Run:
    """Write run.json, which makes the run a finished one; `told` holds further entries."""
    from scheduler import __version__

    plain = msgspec.to_builtins
    description: dict[str, Any] = {
        "exaburst": __version__,
        "scenario": plain(scenario),
        "seed": scenario.seed,
        "trace": {
            "sha256": trace.sha256,
            "jobs": len(trace),
            "epoch": trace.epoch.isoformat(),
            "reference_device": trace.reference_device,
            "source": trace.source,
        },
        "run_start_s": run_start_s(scenario, trace),
        "end_s": end_s,
        "pools": [plain(pool) for pool in stock.pools],
        "offers": [plain(offer) for offer in stock.offers],
        "sites": [plain(site) for site in stock.sites],
        **told,
        "parts": plain(sealed_parts(folder)),
        "demand": plain(sealed_demand(folder)),
    }
    description = json.loads(json.dumps(description))
    description[DIGEST] = digest(description)
    with written_whole(folder / FINISHED) as file:
        file.write(f"{json.dumps(description, indent=2)}\n".encode())
    return Run(folder, description)
