"""Whatever the bytes, a reader ends in one of two ways: a valid trace, or one line saying what is wrong."""

from __future__ import annotations

import gzip
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.examples import examples, some
from traces import Trace, TraceError
from traces.formats import FORMATS
from traces.formats.importing import import_trace
from traces.validate import validate

WHOLE = {
    "swf": (
        b"; UnixStartTime: 1027839845\n"
        b" 1    0 8 314 30 31.5 -1 30 3798 -1 1 1 1 -1 -1 1 -1 -1\n"
        b" 2    8 8 310  8   -1 -1 -1   -1 -1 1 3 1 -1  2 1 -1 -1\n"
        b" 3 1790 9  -1  2   -1 -1  2 1440 -1 5 3 1 -1 -1 1 -1 -1\n"
    ),
    "philly": (
        b"timestamp,duration,num_gpus,gpu_time,cluster\n"
        b"2017-10-09 07:01:55,66.0,1,66.0,11cb48\n"
        b"2017-10-09 06:13:03,2951.0,8,2951.0,6214e9\n"
    ),
    "gavel": (
        b"A3C\tcd %s && python3 main.py\t-step\t1\t15486530\t0.000000\t1\n"
        b"LM (batch size 5)\tcd %s && python3 train.py\t-n\t1\t779751\t336541.500000\t8\n"
    ),
    "csv": (
        b"job_id,submit_s,runtime_s,gang,workload,owner,deadline_s,input_tb,after\n"
        b'1,0,100,4,fsd,"a, b",500,0.5,\n'
        b"2,60,7,1,,,,,1\n"
    ),
    "sacct": (
        b"JobID|User|Partition|Submit|Start|End|ElapsedRaw|Timelimit|AllocTRES|State\n"
        b"7_1|ann|gpu|2026-03-01T08:00:00|2026-03-01T08:05:10|2026-03-01T12:05:10|14400|1-12:00:00"
        b"|cpu=64,gres/gpu:h100=8,gres/gpu=8,mem=512G|COMPLETED\n"
        b"7_1.0|||2026-03-01T08:05:10|2026-03-01T08:05:10|2026-03-01T12:05:10|14400||cpu=64|COMPLETED\n"
        b"8|bob|gpu|2026-03-01T08:00:00|2026-03-01T08:05:10|2026-03-01T08:05:40|30|UNLIMITED"
        b"|cpu=64,gres/gpu=1|CANCELLED by 5\n"
    ),
    "helios": (
        b"job_id,user,vc,gpu_num,cpu_num,node_num,state,submit_time,start_time,end_time,duration,queue\n"
        b"1,a,v,1,1,1,COMPLETED,2020-06-09 18:41:01,2020-06-09 18:41:01,2020-06-10 04:55:09,36848,0\n"
        b"2,b,v,4,16,1,FAILED,2020-06-09 18:41:27,2020-06-09 18:45:27,2020-06-09 18:49:36,249,240\n"
    ),
    "acme": (
        b"job_id,user,gpu_num,type,state,submit_time,start_time,end_time\n"
        b"1,a,8,Other,FAILED,2023-03-01 00:18:22+08:00,2023-03-01 00:18:54+08:00,2023-03-01 00:20:51+08:00\n"
        b"x,a,64,Pretrain,COMPLETED,2023-03-01 00:23:58+08:00,2023-03-01 00:24:11+08:00,2023-03-04 01:09:04\n"
    ),
    "alibaba-2023": (
        b"name,cpu_milli,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,creation_time,deletion_time,scheduled_time\n"
        b"p0,12000,1,460,V100M16|T4,LS,Running,0,12537496,0\n"
        b"p1,88000,8,1000,,Burstable,Succeeded,9437497,10769854,9437497\n"
    ),
    "alibaba-2025": (
        b"instance_sn,role,app_name,gpu_request,creation_time,scheduled_time,deletion_time\n"
        b"i1,HN,app_0,1,,,\ni2,HN,app_1,8,1000.0,1030.0,1400.0\n"
    ),
    "lsf": (
        b"JOBID|USER|STAT|SLOTS|SUBMIT_TIME|START_TIME|FINISH_TIME|RUN_TIME|RUNTIMELIMIT|EXIT_CODE|JOB_NAME\n"
        b"1|a|DONE|8|Mar  1 08:00 2026|Mar  1 08:05 2026|Mar  1 12:05 2026 L|14400 second(s)|720.0|-|s[1]\n"
        b"2|b|EXIT|4|Mar  1 08:01 2026|Mar  1 09:00 2026|Mar  1 09:10 2026 L|600 second(s)|-|140|t\n"
    ),
    "pbs": (
        b"03/01/2026 08:00:00;Q;1.srv;queue=gpu\n"
        b"03/01/2026 08:20:00;R;1.srv;ctime=100 start=200 end=300 Resource_List.ngpus=1 Exit_status=-11\n"
        b"03/01/2026 08:55:00;E;1.srv;ctime=100 start=400 end=900 Resource_List.ngpus=1 Exit_status=0\n"
        b"03/01/2026 09:55:00;E;2.srv;user=b ctime=500 start=600 end=900 Resource_List.walltime=01:00:00"
        b" Resource_List.select=2:ncpus=4:ngpus=2 depend=afterok:1.srv Exit_status=271\n"
    ),
    "borg-2019": (
        b'{"time": 600000000, "type": 0, "collection_id": 11, "instance_index": 0}\n'
        b'{"time": 605000000, "type": "3", "collection_id": "11", "instance_index": 0, "priority": 103}\n'
        b'{"time": 606000000, "type": 3, "collection_id": 12, "resource_request": {"cpus": 0.1}}\n'
        b'{"time": 700000000, "type": 6, "collection_id": 11, "resource_request": {"cpus": 0.5}}\n'
        b'{"time": 900000000, "type": 4, "collection_id": 12, "constraint": []}\n'
    ),
    "kueue": (
        b'{"items": [{"metadata": {"name": "a", "creationTimestamp": "2026-05-01T08:00:00Z"}, "spec":\n'
        b'{"podSets": [{"count": 4, "template": {"spec": {"containers": [{"resources": {"requests":\n'
        b'{"x/gpu": "8"}}}]}}}]}, "status": {"conditions": [{"type": "Admitted", "status": "True",\n'
        b'"lastTransitionTime": "2026-05-01"}, {"type": "Finished", "status": "True",\n'
        b'"lastTransitionTime": "2026-05-02T10:01:00Z"}]}},\n'
        b'{"metadata": {"name": "b", "creationTimestamp": "2026-05-01T08:00:00Z"}, "spec": {"priority": 3,\n'
        b'"podSets": [{"template": {"spec": {"containers": [{"resources": {"limits":\n'
        b'{"x/gpu": "1"}}}]}}}]}, "status": {"conditions": [{"type": "Admitted", "status": "True",\n'
        b'"lastTransitionTime": "2026-05-01"}, {"type": "Finished", "status": "True",\n'
        b'"lastTransitionTime": "2026-05-02T10:01:00Z"}]}}]}\n'
    ),
}
PHILLY_ATTEMPTS = (
    b'[{"status": "Pass", "vc": "v", "jobid": "a", "user": null, "submitted_time": "2017-10-07 01:11:39",\n'
    b'"attempts": [{"start_time": "2017-10-07 01:12:09", "end_time": "2017-10-07 01:13:23",\n'
    b'"detail": [{"ip": "m1", "gpus": ["gpu0", "gpu1"]}]}]},\n'
    b'{"status": "Killed", "jobid": "b", "submitted_time": "2017-10-07 02:00:00", "attempts": []}]\n'
)
ALIBABA_2020 = {
    "pai_job_table.csv": b"j1,i1,u,Terminated,494316.0,505316.0\nj2,i2,u,Failed,495000.0,495600.0\n",
    "pai_task_table.csv": (
        b"j1,ps,2.0,Terminated,494319.0,505316.0,400.0,10.0,,CPU\n"
        b"j1,worker,10.0,Terminated,494325.0,505310.0,600.0,29.3,25.0,MISC\n"
        b"j2,tensorflow,1.0,Failed,495040.0,495600.0,600.0,29.3,100.0,T4\n"
    ),
}
SEPARATOR = {"swf": b" ", "gavel": b"\t", "sacct": b"|", "lsf": b"|", "pbs": b" "}
"""Of the others, a comma."""
READERS = ("swf", "philly", "gavel", "csv")
"""The others are mappings, which read numbers as csv does."""
NUMBERS = [b"9" * 26, b"1e26", b"-1e30", b"9223372036854775808", b"9007199254740993", b"1e400", b"-1", b"0.5"]
TELLING = b"0123456789-+.eE \t,;\"'\n\r\x00\x1f\xff\xc3nainf"


def ends_well(read: Callable[[Path], Trace], data: bytes, name: str = "file") -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(data)
        try:
            trace = read(path)
        except TraceError as error:
            assert str(error).startswith(f"{path}: ")
            assert "\n" not in str(error)
        else:
            validate(trace.table)


def reader(format_name: str) -> Callable[[Path], Trace]:
    def read(path: Path) -> Trace:
        imported = import_trace(format_name, path)
        report = imported.report
        assert len(imported.trace) == report.jobs > 0
        assert report.rows == report.jobs + sum(found.rows for found in report.skipped.values())
        assert str(report)
        return imported.trace

    return read


@st.composite
def mutated(draw: st.DrawFn, whole: bytes) -> bytes:
    """Cut, repeat, overwrite or insert a few telling bytes, here and there."""
    data = bytearray(whole)
    for _ in range(draw(st.integers(1, 6))):
        at, size = draw(st.integers(0, len(data))), draw(st.integers(0, 12))
        piece = draw(
            st.just(b"")
            | st.lists(st.sampled_from(TELLING), max_size=20).map(bytes)
            | st.just(bytes(data[at : at + 40]))
            | st.sampled_from([*NUMBERS, b"nan", b"-inf", b"0" * 30, b"1e11"])
        )
        data[at : at + size] = piece
    return bytes(data)


def test_every_format_is_mutated() -> None:
    assert {*WHOLE, "alibaba-2020"} == set(FORMATS)


@pytest.mark.parametrize("format_name", WHOLE)
def test_the_files_that_are_mutated_are_read(format_name: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(WHOLE[format_name])
    assert len(reader(format_name)(tmp_path / "file")) == 2


@pytest.mark.parametrize(
    ("format_name", "number"),
    [(name, number) for name in WHOLE for number in (NUMBERS if name in READERS else NUMBERS[::3])],
)
def test_a_number_of_any_size_in_any_field_is_a_trace_or_a_line(format_name: str, number: bytes) -> None:
    separator, lines = SEPARATOR.get(format_name, b","), WHOLE[format_name].splitlines()
    one_in = 2 if format_name in READERS else 5
    for at, line in enumerate(lines):
        fields = line.split(None if separator == b" " else separator)
        for field in some(range(len(fields)), one_in, NUMBERS.index(number)):
            changed = separator.join([*fields[:field], number, *fields[field + 1 :]])
            ends_well(reader(format_name), b"\n".join([*lines[:at], changed, *lines[at + 1 :]]))


@pytest.mark.parametrize("format_name", WHOLE)
@settings(max_examples=examples(150), deadline=None)
@given(data=st.data())
def test_mutated_files_are_a_trace_or_a_line(format_name: str, data: st.DataObject) -> None:
    changed = data.draw(mutated(WHOLE[format_name]))
    ends_well(reader(format_name), gzip.compress(changed) if data.draw(st.booleans()) else changed)


@settings(max_examples=examples(100), deadline=None)
@given(data=st.data())
def test_mutated_attempts_of_philly_are_a_trace_or_a_line(data: st.DataObject) -> None:
    ends_well(reader("philly"), data.draw(mutated(PHILLY_ATTEMPTS)))


@pytest.mark.parametrize("changed", ALIBABA_2020)
@settings(max_examples=examples(100), deadline=None)
@given(data=st.data())
def test_mutated_tables_of_alibaba_are_a_trace_or_a_line(changed: str, data: st.DataObject) -> None:
    other = next(name for name in ALIBABA_2020 if name != changed)

    def beside(path: Path) -> Trace:
        path.with_name(other).write_bytes(ALIBABA_2020[other])
        return reader("alibaba-2020")(path)

    ends_well(beside, data.draw(mutated(ALIBABA_2020[changed])), changed)


@pytest.mark.parametrize("format_name", WHOLE)
@settings(max_examples=examples(60), deadline=None)
@given(data=st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
@example(b"\x1f\x8b")
@example(b"\xef\xbb\xbf")
@example("submit_s,runtime_s,gang\n0,1,1\n".encode("utf-16"))
def test_any_bytes_are_a_trace_or_a_line(format_name: str, data: bytes) -> None:
    ends_well(reader(format_name), data)


@pytest.mark.parametrize("format_name", WHOLE)
@settings(max_examples=examples(40), deadline=None)
@given(data=st.data())
def test_damaged_gzip_is_a_trace_or_a_line(format_name: str, data: st.DataObject) -> None:
    packed = gzip.compress(WHOLE[format_name], mtime=0)
    cut = data.draw(st.integers(0, len(packed) - 1))
    ends_well(reader(format_name), packed[:cut])
    at, bit = data.draw(st.integers(0, len(packed) - 1)), data.draw(st.integers(0, 7))
    ends_well(reader(format_name), packed[:at] + bytes([packed[at] ^ 1 << bit]) + packed[at + 1 :])


@settings(max_examples=examples(100), deadline=None)
@given(data=st.data())
def test_parquet_cut_anywhere_is_a_line(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trace.parquet"
        Trace.from_columns({"submit_s": [0, 5], "runtime_s": [1, 2], "gang": [1, 1]}).write(path)
        whole = path.read_bytes()
    ends_well(Trace.read, whole[: data.draw(st.integers(0, len(whole)))])
    ends_well(Trace.read, data.draw(st.binary(max_size=200)))
