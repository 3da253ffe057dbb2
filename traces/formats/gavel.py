"""Reader of Gavel's traces (OSDI'20): deep learning jobs on the arrivals of a Philly virtual cluster.

The code: https://github.com/stanford-futuredata/gavel (Narayanan et al., OSDI 2020, MIT licence).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from traces.arrays import Floats
from traces.formats.decoding import text_blocks
from traces.formats.reader import NO_ESTIMATE, Jobs, RowTally
from traces.formats.text_table import TextRows, as_numbers, read_rows
from traces.validate import LIMITS

_SHORT = ("type", "command", "steps argument", "needs data dir", "total steps", "arrival", "GPUs")
_BEGIN = ("type", "command", "directory", "steps argument", "needs data dir", "total steps", "GPUs")
_LATER = (*_BEGIN, "mode or priority", "SLO", "arrival")
_WITH_MODE = (*_BEGIN, "mode", "mode or priority", "SLO", "arrival")
_WITH_DURATION = (*_BEGIN, "mode", "mode or priority", "SLO", "duration", "arrival")
_FIELDS = {len(names): names for names in (_SHORT, _LATER, _WITH_MODE, _WITH_DURATION)}
"""By their number; the last two are those of Shockwave, which is built on Gavel."""

STEPS_PER_S: dict[str, float] = {
    "A3C": 8.233033211429207,
    "CycleGAN": 4.918494739402234,
    "LM (batch size 5)": 167.12285773375763,
    "LM (batch size 10)": 143.3605131584025,
    "LM (batch size 20)": 107.9508715706423,
    "LM (batch size 40)": 71.72303675816012,
    "LM (batch size 80)": 43.90361072741378,
    "Recommendation (batch size 512)": 0.33148208257478157,
    "Recommendation (batch size 1024)": 0.47997973329981225,
    "Recommendation (batch size 2048)": 0.5675318418131742,
    "Recommendation (batch size 4096)": 0.6244083613498694,
    "Recommendation (batch size 8192)": 0.6023546957515021,
    "ResNet-18 (batch size 16)": 77.31737353972872,
    "ResNet-18 (batch size 32)": 65.80540708735272,
    "ResNet-18 (batch size 64)": 48.88418054077558,
    "ResNet-18 (batch size 128)": 30.287504836881368,
    "ResNet-18 (batch size 256)": 16.98737109878475,
    "ResNet-50 (batch size 16)": 17.37438936466519,
    "ResNet-50 (batch size 32)": 9.920583420101398,
    "ResNet-50 (batch size 64)": 5.4575999796347645,
    "ResNet-50 (batch size 128)": 2.8459812117650305,
    "Transformer (batch size 16)": 12.845652425203205,
    "Transformer (batch size 32)": 12.475277737306772,
    "Transformer (batch size 64)": 9.568023720783357,
    "Transformer (batch size 128)": 5.771210833383417,
    "Transformer (batch size 256)": 1.707029875260509,
}
"""Steps a second of a job alone on one V100: Gavel's scheduler/oracle_throughputs.json, v100, "null".

Gavel made the steps of a trace's jobs from Philly's run times with these figures, for gangs of any size:
steps = floor(rate x seconds). So ceil(steps / rate) gives those run times back, to the second.
"""


def read(path: Path, tally: RowTally, steps_per_s: Mapping[str, float] = STEPS_PER_S) -> Jobs:
    """Read every job of a type in `steps_per_s` (steps a second, whatever the gang)."""
    names = _names(path)
    blocks = read_rows(path, tally, separator="\t", names=names, comments=[], remark="#")
    table = pa.concat_tables([_jobs(rows, steps_per_s) for rows in blocks])
    rates = "Gavel's own for one V100" if steps_per_s is STEPS_PER_S else f"given, {dict(steps_per_s)}"
    by_steps = f"run time: total steps at a rate of its job type ({rates}), whatever the number of GPUs"
    assumed = (
        "run time: the duration on its own cluster" if "duration" in names else by_steps,
        NO_ESTIMATE,
        "epoch: 1970, as the file names none",
    )
    return Jobs(table, None, assumed)


def _names(path: Path) -> tuple[str, ...]:
    """Return the fields, which the first line tells by their number."""
    block = next(text_blocks(path, RowTally()))
    lines = (line for line in block.split(b"\n") if line.strip())
    first = next((line for line in lines if not line.lstrip().startswith(b"#")), b"")
    return _FIELDS.get(first.count(b"\t") + 1, _SHORT)


def _jobs(rows: TextRows, steps_per_s: Mapping[str, float]) -> pa.Table:
    kind, arrival, gpus = rows.words("type"), rows.numbers("arrival"), rows.numbers("GPUs")
    runtime, source = _run_times(rows, steps_per_s)
    rows.skip(gpus != np.rint(gpus), "GPUs: not a whole number", rows.words("GPUs"))
    rows.limit(runtime, source, "runtime_s")
    rows.limit(gpus, "GPUs", "gang")
    rows.limit(np.rint(arrival), "arrival", "submit_s")
    rows.note(arrival != np.rint(arrival), "arrival: rounded to whole seconds")
    columns: dict[str, Any] = {"submit_s": arrival, "runtime_s": runtime, "gang": gpus, "kind": kind}
    if "SLO" in rows.names:
        columns |= _wishes(rows, np.rint(arrival), runtime)
    return rows.kept(**columns)


def _run_times(rows: TextRows, steps_per_s: Mapping[str, float]) -> tuple[Floats, str]:
    """Return run times in seconds, and the field that tells them."""
    if "duration" in rows.names:
        return np.maximum(np.rint(rows.numbers("duration")), 1), "duration"
    kind, steps = rows.words("type"), rows.numbers("total steps")
    encoded = kind.dictionary_encode()
    rates = np.array([steps_per_s.get(word, np.nan) for word in encoded.dictionary.to_pylist()], np.float64)
    rate = rates[np.asarray(encoded.indices)]
    rows.skip(np.isnan(rate), "type: its steps a second are not known", kind)
    rows.skip(steps < 1, "total steps: none", rows.words("total steps"))
    return np.maximum(np.ceil(steps / rate), 1), "total steps"


def _wishes(rows: TextRows, arrival: Floats, runtime: Floats) -> dict[str, Any]:
    """Return what later traces add: a weight, and an SLO, in run times from the arrival; above 0 if any."""
    slo, weight = rows.numbers("SLO"), as_numbers(rows.words("mode or priority"))
    low, high = LIMITS["priority"]
    whole = (weight == np.rint(weight)) & (weight >= low) & (weight <= high)
    rows.note(
        ~np.isnan(weight) & ~whole, "priority: not a whole number: 0 taken", rows.words("mode or priority")
    )
    deadline = np.where(slo > 0, arrival + np.rint(np.where(slo > 0, slo, 0) * runtime), np.nan)
    within = deadline <= LIMITS["deadline_s"][1]
    return {"priority": np.where(whole, weight, 0), "deadline_s": np.where(within, deadline, np.nan)}
