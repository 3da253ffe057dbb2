"""Known formats: jobs, device-hours, first and last second of each sample, as plain loops count them."""

from __future__ import annotations

import csv
from collections import defaultdict
from datetime import datetime
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from traces import Trace
from traces.formats.importing import Imported, import_trace
from traces.formats.mapping.spec import Changes

FORMATS = Path(__file__).parents[1].parent / "shared" / "data" / "formats"


class Job(NamedTuple):
    """What a plain loop finds: seconds from 1970 (or of the log), and devices."""

    submit: float
    start: float
    end: float
    device_s: float


def sample(name: str) -> Path:
    if not (FORMATS / name).exists():
        pytest.skip(f"{name} is not at hand")
    return FORMATS / name


def same(found: Imported, jobs: list[Job]) -> None:
    """The trace has these jobs, their device-seconds, and begins and ends with them."""
    trace = found.trace
    origin = trace.epoch.timestamp()
    assert len(trace) == len(jobs) == found.report.jobs
    assert found.report.rows == len(jobs) + sum(where.rows for where in found.report.skipped.values())
    assert device_s(trace) == round(sum(job.device_s for job in jobs))
    assert [origin + second for second in trace.numpy("submit_s")] == sorted(job.submit for job in jobs)
    assert origin + trace.numpy("recorded_start_s").min() == min(job.start for job in jobs)
    assert origin + trace.numpy("recorded_end_s").max() == max(job.end for job in jobs)


def device_s(trace: Trace) -> int:
    return int(np.dot(trace.numpy("gang").astype(np.int64), trace.numpy("runtime_s")))


def dicts(path: Path, separator: str = ",") -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file, delimiter=separator))


def second(text: str, zone: str = "UTC") -> float:
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone))).timestamp()


def column(found: Imported, name: str) -> list[object]:
    return list(found.trace.table.column(name).to_pylist())


def gpus_of(tres: str) -> int:
    return sum(int(part.split("=")[1]) for part in tres.split(",") if part.startswith("gres/gpu="))


def test_sacct() -> None:
    """Steps, pending tasks and jobs without start or end are none; attempts add up, and components too."""
    path = sample("sacct/sacct.txt")
    parts: dict[str, list[tuple[str, Job]]] = defaultdict(list)
    for row in dicts(path, "|"):
        if "." in row["JobID"] or "[" in row["JobID"] or {row["Start"], row["End"]} & {"Unknown", "None"}:
            continue
        at, start, end = (second(row[name], "Europe/Berlin") for name in ("Submit", "Start", "End"))
        assert end - start == int(row["ElapsedRaw"])
        job = Job(at, start, end, gpus_of(row["AllocTRES"]) * (end - start))
        parts[row["JobID"].partition("+")[0]].append((row["JobID"], job))
    jobs = []
    for several in parts.values():
        of = [job for _, job in several]
        total = sum(job.device_s for job in of)
        first = (min(job.submit for job in of), min(job.start for job in of))
        jobs.append(Job(*first, max(job.end for job in of), total))
    found = import_trace("sacct", path, changes=Changes(zone="Europe/Berlin"))
    same(found, jobs)
    limits = {row["JobID"]: row["TimelimitRaw"] for row in dicts(path, "|")}
    asked = (column(found, each) for each in ("name", "estimate_s", "runtime_s"))
    for name, estimate, runtime in zip(*asked, strict=True):
        limit = limits.get(str(name), limits.get(f"{name}+0", ""))
        assert estimate == (60 * int(limit) if limit.isdigit() else runtime)
    skipped = {why.rpartition(": ")[2]: where.rows for why, where in found.report.skipped.items()}
    assert skipped["tasks of an array that never ran"] == 6
    assert skipped["a step of a job"] == 8
    assert dict(zip(column(found, "name"), column(found, "outcome"), strict=True)) == {
        "1001": "completed",
        "1002": "timeout",
        "1003_1": "completed",
        "1003_2": "failed",
        "1003_3": "failed",
        "1010": "completed",
        "1014": "completed",
        "1015": "preempted",
        "1016": "completed",
        "1017": "completed",
    }


def test_sacct_never_shifts_a_row_whose_name_holds_the_delimiter() -> None:
    found = import_trace(
        "sacct", sample("sacct/sacct_pipe_in_name.txt"), changes=Changes(columns=("gang==1",))
    )
    assert column(found, "owner") == ["bob"]
    assert found.report.skipped["not 7 fields"].line == 2


@pytest.mark.parametrize(
    ("name", "file", "zone"),
    [
        ("helios", "helios/cluster_log.csv", "Asia/Shanghai"),
        ("acme", "acme/trace_seren.csv", "UTC"),
        ("acme", "acme/trace_kalos.csv", "UTC"),
    ],
)
def test_clusters_with_a_line_a_job(name: str, file: str, zone: str) -> None:
    jobs = []
    for row in dicts(sample(file)):
        if row["gpu_num"] == "0" or not row["start_time"] or row["start_time"] == row["end_time"]:
            continue
        at, start, end = (second(row[f"{what}_time"], zone) for what in ("submit", "start", "end"))
        jobs.append(Job(at, start, end, int(row["gpu_num"]) * (end - start)))
    found = import_trace(name, sample(file))
    same(found, jobs)
    assert all('column "' in why or not why.startswith("column") for why in found.report.noted)


def test_openb() -> None:
    jobs = []
    for row in dicts(sample("alibaba_v2023/openb_pod_list_head.csv")):
        milli = int(row["num_gpu"]) * int(row["gpu_milli"])
        if milli and row["scheduled_time"]:
            at, start, end = (float(row[f"{what}_time"]) for what in ("creation", "scheduled", "deletion"))
            jobs.append(Job(at, start, end, milli * (end - start)))
    same(import_trace("alibaba-2023", sample("alibaba_v2023/openb_pod_list_head.csv")), jobs)


def test_openb_pods_that_name_their_gpus(tmp_path: Path) -> None:
    head = "name,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,creation_time,deletion_time,scheduled_time\n"
    pods = "a,1,460,V100M16|V100M32,LS,Running,0,60,5\nb,8,1000,,BE,Failed,9,30,9.0\n"
    pods += "c,1,1000,T4,BE,Pending,9,30,\n"
    (tmp_path / "pods.csv").write_text(head + pods)
    found = import_trace("alibaba-2023", tmp_path / "pods.csv")
    assert column(found, "requires") == ["device:V100M16,device:V100M32", None]
    assert column(found, "gang") == [460, 8_000]
    assert column(found, "outcome") == [None, "failed"]


def test_instances_that_outlive_the_log_run_up_to_its_end() -> None:
    """The last time of the sample is 1,435,760 s: one instance stands all the time, one from 1,030 s on."""
    found = import_trace("alibaba-2025", sample("alibaba_v2025/disaggregated_DLRM_trace.csv"))
    assert column(found, "name") == ["instance_0001", "instance_0003"]
    assert column(found, "submit_s") == [0, 1_000]
    assert column(found, "runtime_s") == [1_435_760, 1_434_730]
    assert column(found, "recorded_end_s") == [None, None]
