"""Known formats: jobs, device-hours, first and last second of each sample, as plain loops count them."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from datetime import datetime
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from traces import Trace, TraceError
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


def test_lsf() -> None:
    """Times are minutes of the site; the run time has the seconds."""
    jobs = []
    for row in dicts(sample("lsf/bjobs.txt"), "|"):
        if row["STAT"] in ("DONE", "EXIT") and row["START_TIME"] != "-":
            at, start, end = (
                datetime.strptime(row[f"{what}_TIME"].removesuffix(" L"), "%b %d %H:%M %Y")
                .replace(tzinfo=ZoneInfo("Europe/Berlin"))
                .timestamp()
                for what in ("SUBMIT", "START", "FINISH")
            )
            jobs.append(Job(at, start, end, int(row["SLOTS"]) * int(row["RUN_TIME"].split()[0])))
    found = import_trace("lsf", sample("lsf/bjobs.txt"), changes=Changes(zone="Europe/Berlin"))
    same(found, jobs)
    assert column(found, "name") == ["3001", "3002", "3003[1]"]
    assert column(found, "estimate_s") == [43_200, 172_800, 3_600]
    assert column(found, "outcome") == ["completed", "timeout", "completed"]


def test_pbs() -> None:
    jobs: dict[str, Job] = {}
    for line in sample("pbs/20260301").read_text().splitlines():
        _, sort, name, message = line.split(";")
        if sort in "ER":
            of = dict(pair.split("=", 1) for pair in message.split(" "))
            at, start, end = (float(of[key]) for key in ("ctime", "start", "end"))
            used = int(of["Resource_List.ngpus"]) * (end - start)
            before = jobs.get(name, Job(at, start, end, 0))
            jobs[name] = Job(at, before.start, end, before.device_s + used)
    found = import_trace("pbs", sample("pbs/20260301"))
    same(found, list(jobs.values()))
    assert column(found, "name") == ["401", "402[0]", "404"]
    assert column(found, "estimate_s") == [43_200, 3_600, 7_200]
    assert column(found, "workload") == ["vision", "other", "other"]
    assert column(found, "outcome") == ["completed", "completed", "cancelled"]


def test_pbs_counts_gpus_by_chunk_and_follows_dependencies(tmp_path: Path) -> None:
    record = "03/01/2026 08:00:00;E;{}.srv;user=ann queue=gpu ctime=100 start=200 end=500 {} Exit_status={}\n"
    log = record.format(1, "Resource_List.select=2:ncpus=8:ngpus=4+3:ncpus=1+ngpus=1", 0)
    log += record.format(2, "Resource_List.nodes=2:ppn=8:gpus=3 depend=afterok:1.srv", -29)
    (tmp_path / "log").write_text(log + record.format(3, "Resource_List.ngpus=5", 1) + "broken\n")
    found = import_trace("pbs", tmp_path / "log")
    assert column(found, "gang") == [8, 6, 5]
    assert column(found, "after") == [None, [1], None]
    assert column(found, "outcome") == ["completed", "timeout", "failed"]
    assert found.report.skipped["not a record: date;type;id;message"].line == 4


def test_philly_as_released() -> None:
    """A row an attempt: those with a start and an end are added up."""
    jobs = []
    for job in json.loads(sample("philly/cluster_job_log").read_text()):
        pacific, runs = "America/Los_Angeles", []
        for attempt in job["attempts"]:
            if attempt["start_time"] not in (None, "None") and attempt["end_time"]:
                gpus = sum(len(machine["gpus"]) for machine in attempt["detail"])
                runs.append(
                    (second(attempt["start_time"], pacific), second(attempt["end_time"], pacific), gpus)
                )
        if runs:
            used = sum(gpus * (end - start) for start, end, gpus in runs)
            jobs.append(Job(second(job["submitted_time"], pacific), runs[0][0], runs[-1][1], used))
    found = import_trace("philly", sample("philly/cluster_job_log"))
    same(found, jobs)
    assert column(found, "gang") == [8, 2, 16]
    assert column(found, "outcome") == ["completed", "failed", "completed"]


def test_alibaba_2020_by_either_table() -> None:
    """A task's GPUs are its instances times percent; a job is submitted as its own table says."""
    submitted = {row[0]: float(row[4]) for row in lists(sample("alibaba_v2020/pai_job_table.csv"))}
    tasks: dict[str, list[list[str]]] = defaultdict(list)
    for row in lists(sample("alibaba_v2020/pai_task_table.csv")):
        if row[4] and row[5]:
            tasks[row[0]].append(row)
    jobs = []
    for name, rows in tasks.items():
        run = max(float(row[5]) - float(row[4]) for row in rows)
        gpus = sum(float(row[2]) * float(row[8] or 0) * 10 for row in rows)
        start, end = min(float(row[4]) for row in rows), max(float(row[5]) for row in rows)
        jobs.append(Job(submitted[name], start, end, gpus * run))
    for table in ("job", "task"):
        found = import_trace("alibaba-2020", sample(f"alibaba_v2020/pai_{table}_table.csv"))
        same(found, jobs)
        assert column(found, "gang") == [2_500, 1_000]
        assert column(found, "owner") == ["userA", "userB"]
        assert column(found, "queue") == ["MISC", "T4"]


def lists(path: Path) -> list[list[str]]:
    with path.open() as file:
        return list(csv.reader(file))


def test_alibaba_2020_needs_both_tables(tmp_path: Path) -> None:
    (tmp_path / "pai_job_table.csv").write_text("j1,i1,u,Terminated,0.0,9.0\n")
    with pytest.raises(TraceError, match=r"pai_task_table\.csv must stand beside it"):
        import_trace("alibaba-2020", tmp_path / "pai_job_table.csv")


def test_borg_2019(tmp_path: Path) -> None:
    """Three runs: 3,600 s; 294 and 3,600 s of an instance that was evicted; 190 s of another collection."""
    found = import_trace("borg-2019", sample("borg2019/instance_events.jsonl"))
    events = [json.loads(line) for line in sample("borg2019/instance_events.jsonl").read_text().splitlines()]
    assert found.report.rows == len(events)
    schedules = [
        event["time"] / 1e6 for event in events if event["type"] == 3 and event["collection_id"] == 11
    ]
    ends = [
        event["time"] / 1e6 for event in events if event["type"] in (4, 6) and event["collection_id"] == 11
    ]
    assert column(found, "job_id") == [11, 12]
    assert column(found, "submit_s") == [600, 700]
    assert column(found, "recorded_start_s") == [min(schedules), 810]
    assert column(found, "recorded_end_s") == [max(ends), 1_000]
    assert column(found, "runtime_s") == [294 + 3_600, 190]
    assert column(found, "gang") == [200, 20]
    assert column(found, "priority") == [103, 0]
    assert column(found, "outcome") == ["completed", "cancelled"]
    assert column(found, "recorded_where") == ["100,102", "103"]
    as_text = "\n".join(
        json.dumps({key: str(value) if isinstance(value, int) else value for key, value in event.items()})
        for event in events
    )
    (tmp_path / "text.jsonl").write_text(as_text)
    assert import_trace("borg-2019", tmp_path / "text.jsonl").trace.sha256 == found.trace.sha256


def test_kueue() -> None:
    jobs = []
    for item in json.loads(sample("kueue/workloads.json").read_text())["items"]:
        at = {
            each["type"]: second(each["lastTransitionTime"])
            for each in item["status"]["conditions"]
            if each["status"] == "True"
        }
        if {"Admitted", "Finished"} <= at.keys():
            requests = [
                (pods["count"], pods["template"]["spec"]["containers"][0]["resources"]["requests"])
                for pods in item["spec"]["podSets"]
            ]
            gpus = sum(count * int(request.get("nvidia.com/gpu", 0)) for count, request in requests)
            run = at["Finished"] - at["Admitted"]
            jobs.append(
                Job(second(item["metadata"]["creationTimestamp"]), at["Admitted"], at["Finished"], gpus * run)
            )
    found = import_trace("kueue", sample("kueue/workloads.json"))
    same(found, jobs)
    assert column(found, "name") == ["team-a/job-train-a-1a2b3", "team-a/job-fail-a-0a1b2"]
    assert column(found, "outcome") == ["completed", "failed"]
    assert column(found, "priority") == [100, 100]
    assert [why for why in found.report.noted if why.startswith("evicted before")]


def test_kueue_reads_a_workload_a_line_and_says_what_it_does_not_count(tmp_path: Path) -> None:
    def workload(name: str, requests: dict[str, str], count: int) -> str:
        conditions = [
            {"type": "Admitted", "status": "True", "lastTransitionTime": "2026-05-01T08:00:05Z"},
            {
                "type": "Finished",
                "status": "True",
                "reason": "JobFinished",
                "message": "Job finished successfully",
                "lastTransitionTime": "2026-05-01T08:01:05Z",
            },
        ]
        containers = [{"resources": {"requests": requests}}]
        labels = {"nvidia.com/gpu.product": "H100", "zone": "a"} if name == "a" else None
        pods = [{"count": count, "template": {"spec": {"containers": containers, "nodeSelector": labels}}}]
        about = {"name": name, "namespace": "n", "creationTimestamp": "2026-05-01T08:00:00Z"}
        spec = {"podSets": pods, "maximumExecutionTimeSeconds": 90}
        return json.dumps({"metadata": about, "spec": spec, "status": {"conditions": conditions}})

    first = workload("a", {"amd.com/gpu": "4", "rdma/hca": "1", "cpu": "1500m"}, 2)
    (tmp_path / "log").write_text(f"{first}\n{workload('b', {'google.com/tpu': '1k'}, 1)}\n[1]\n")
    found = import_trace("kueue", tmp_path / "log")
    assert column(found, "gang") == [8, 1_000]
    assert column(found, "runtime_s") == [60, 60]
    assert column(found, "estimate_s") == [90, 90]
    assert column(found, "outcome") == ["completed", "completed"]
    assert found.report.noted['resource "rdma/hca": not counted'].rows == 1
    selected = ("requires=device:nodeSelector:nvidia.com/gpu.product",)
    asked = import_trace("kueue", tmp_path / "log", changes=Changes(columns=selected))
    assert column(asked, "requires") == ["device:H100", None]
    assert found.report.skipped["not an object"].line == 3


SLURM = """JobID|Submit|Start|End|ElapsedRaw|Timelimit|AllocTRES|ReqTRES|Constraints|State|Dependency
1|2026-03-01T08:00:00|2026-03-01T08:00:00|2026-03-01T08:01:00|60|00:10:00|gres/gpu=1|gres/gpu:h100=1|h100|COMPLETED|
2|2026-03-01T08:00:01|2026-03-01T08:00:02|2026-03-01T08:01:00|58|00:10:00|gres/gpu=1|gres/gpu:a100=1|h100|a100|COMPLETED|
3|2026-03-01T08:00:02|2026-03-01T08:02:00|2026-03-01T08:03:00|60|00:10:00|gres/gpu=1|gres/gpu=1||COMPLETED|{}
"""
LSF = """JOBID|USER|STAT|SLOTS|SUBMIT_TIME|START_TIME|FINISH_TIME|RUN_TIME|JOB_NAME|EXEC_HOST|DEPENDENCY
1|ann|DONE|1|Mar  1 08:00 2026|Mar  1 08:05 2026|Mar  1 08:06 2026|60|a|n1|
2|ann|DONE|1|Mar  1 08:00 2026|Mar  1 08:05 2026|Mar  1 08:06 2026|60|b|n2|-
3|ann|DONE|1|Mar  1 08:00 2026|Mar  1 08:07 2026|Mar  1 08:08 2026|60|c|n3|done(1) && ended(2)
"""


@pytest.mark.parametrize(
    ("dependency", "after"),
    [
        ("afterok:1:2", [1, 2]),
        ("afterok:1(unfulfilled),afterany:2(failed)", [1, 2]),
        ("afterany:1?afternotok:2", [1, 2]),
        ("singleton", None),
        ("2", [2]),
    ],
)
def test_slurm_says_what_jobs_wait_for_and_on_which_devices(
    tmp_path: Path, dependency: str, after: list[int] | None
) -> None:
    """Both as it was asked for: a type in the request, or features of nodes, one of which will do."""
    (tmp_path / "dump").write_text(SLURM.replace("h100|a100", "h100,a100").format(dependency))
    found = import_trace("sacct", tmp_path / "dump")
    assert column(found, "after") == [None, None, after]
    assert column(found, "estimate_s") == [600] * 3
    for term, requires in (
        ("device:ReqTRES:gres/gpu:*", ["device:h100", "device:a100", None]),
        ("device:Constraints", ["device:h100", "device:h100,device:a100", None]),
    ):
        asked = import_trace("sacct", tmp_path / "dump", changes=Changes(columns=(f"requires={term}",)))
        assert column(asked, "requires") == requires


def test_lsf_says_what_jobs_wait_for_and_where_they_ran(tmp_path: Path) -> None:
    (tmp_path / "jobs").write_text(LSF)
    found = import_trace("lsf", tmp_path / "jobs")
    assert column(found, "after") == [None, None, [1, 2]]
    assert column(found, "recorded_where") == ["n1", "n2", "n3"]


def test_openb_pods_require_one_of_the_models_that_they_name(tmp_path: Path) -> None:
    head = "name,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,creation_time,deletion_time,scheduled_time\n"
    (tmp_path / "pods.csv").write_text(
        head + "a,1,1000,V100M16|V100M32,LS,Succeeded,0,9,1\nb,1,500,,BE,Failed,2,9,3\n"
    )
    found = import_trace("alibaba-2023", tmp_path / "pods.csv")
    assert column(found, "requires") == ["device:V100M16,device:V100M32", None]
    assert column(found, "recorded_start_s") == [1, 3]
