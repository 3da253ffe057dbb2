"""The command as a user types it: what it prints, what it leaves behind, and how it goes wrong."""

from __future__ import annotations

import json
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from scheduler.cli import main
from scheduler.cli.catalog import SECTIONS
from scheduler.report import catalog
from scheduler.run.directory import open_run
from tests.build import job, trace
from traces import Trace
from traces.formats import FORMATS

EXABURST = [str(Path(sys.executable).with_name("exaburst"))]
SMALL_DEMO = ("demo", "--set", "demand.days=2", "--set", "horizon_h=48")
SCENARIO = """
name = "small"
[[pools]]
name = "pod"
device = "h100"
devices = 8
pods = 2
"""


def type_in(*words: str | Path) -> Result:
    """Run the command in this process."""
    return CliRunner().invoke(main, [str(word) for word in words], prog_name="exaburst")


def in_shell(*words: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run the command as a process of its own."""
    command = [*EXABURST, *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, **options)


def complains(result: Result, code: int, *parts: str) -> None:
    """One line on stderr, which holds the parts; nothing on stdout; the exit code."""
    lines = result.stderr.splitlines()
    assert len(lines) == 1, result.output
    assert lines[0].startswith("exaburst: ")
    assert [part for part in parts if part not in lines[0]] == [], lines[0]
    assert result.stdout == ""
    assert result.exit_code == code


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A scenario of two pods of eight devices."""
    path = tmp_path / "small.toml"
    path.write_text(SCENARIO)
    return path


@pytest.fixture
def jobs(tmp_path: Path) -> Path:
    """A trace of three jobs."""
    path = tmp_path / "jobs.parquet"
    trace(job(0, 100, 8), job(10, 50, 4), job(20, 50, 16)).write(path)
    return path


# What works


def test_demo_then_summary_prints_the_same_without_a_progress_bar(tmp_path: Path) -> None:
    demo = in_shell(*SMALL_DEMO, "-o", tmp_path / "run")
    assert (demo.returncode, demo.stderr) == (0, "")
    report, _, logs = demo.stdout.rpartition("\n\nlogs: ")
    report, _, public = report.rpartition("\n\n")
    assert public.startswith("20,000 robots at work in January 2026: far above what is public")
    assert "H100-equivalents owned, by peak: far below what is public" in public
    assert str(tmp_path / "run") in logs
    summary = in_shell("summary", tmp_path / "run")
    assert (summary.returncode, summary.stderr, summary.stdout) == (0, "", report + "\n")
    for word in ("seven-exapods", "utilization", "wait p50", "operations"):
        assert word in report


def test_a_demo_in_bad_weather_stands_beside_fair_weather(tmp_path: Path) -> None:
    words = ("demo", "bad-weather", *SMALL_DEMO[1:], "-o", tmp_path / "bad")
    demo = type_in(*words)
    assert demo.exit_code == 0
    report, _, rest = demo.stdout.partition("\n\nlogs: ")
    report = report.rpartition("\n\n")[0]
    table = rest.split("\n\n")[1]
    assert table.startswith("beside bad-fair ")
    assert f"logs: likewise in {tmp_path / 'bad-fair'}\n" in rest
    both = type_in("summary", tmp_path / "bad", "--beside", tmp_path / "bad-fair")
    assert both.stdout == f"{report}\n\n{table}\n"
    runs = [json.loads((tmp_path / name / "run.json").read_text()) for name in ("bad", "bad-fair")]
    assert [run["scenario"]["fair_weather"] for run in runs] == [False, True]
    assert [run["weather"] is None for run in runs] == [False, True]
    assert runs[0]["trace"] == runs[1]["trace"]
    calm = type_in(
        "demo", "bad-weather", *SMALL_DEMO[1:], "--set", "fair_weather=true", "-o", tmp_path / "calm"
    )
    assert "beside" not in calm.stdout
    assert not (tmp_path / "calm-fair").exists()


def test_the_third_demo_is_dear(tmp_path: Path) -> None:
    assert type_in("demo", "shortage-2023", *SMALL_DEMO[1:], "-o", tmp_path / "run").exit_code == 0
    prices = json.loads((tmp_path / "run" / "run.json").read_text())["offers"][0]["prices"]
    assert max(usd for _, usd in prices) == pytest.approx(5 * min(usd for _, usd in prices))


def test_the_fourth_demo_ends_a_program(tmp_path: Path) -> None:
    """Two pods of 120 tiles are closed on the day; the island goes on."""
    small = ("--set", "demand.days=32", "--set", "demand.cars=300000", "--set", "horizon_h=768")
    assert type_in("demo", "dojo-ends-2025", *small, "-o", tmp_path / "run").exit_code == 0
    run = open_run(tmp_path / "run")
    lines = {(row.resource, row.line) for row in run.spend.itertuples()}
    assert {("dojo", "write_off"), ("dojo", "resale"), ("cortex", "capital")} <= lines
    assert run.jobs.submit_s.max() < 32 * 86_400


def test_a_demo_that_is_none(tmp_path: Path) -> None:
    result = type_in("demo", "good-weather", "-o", tmp_path / "run")
    complains(result, 2, "good-weather", "seven-exapods, bad-weather, shortage-2023, dojo-ends-2025")
    assert not (tmp_path / "run").exists()


def test_a_reader_who_has_seen_enough_hears_no_complaint() -> None:
    with subprocess.Popen([*EXABURST, "catalog"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""


def test_the_command_line_offers_what_the_packages_have() -> None:
    assert "isoneof" + ",".join(FORMATS) in "".join(type_in("import", "--help").stdout.split())
    assert set(SECTIONS) <= set(catalog.SECTIONS)


def test_check_and_replay_a_trace(small: Path, jobs: Path, tmp_path: Path) -> None:
    assert "a valid scenario: owns 2 x 8 h100; may rent nothing" in type_in("check", small).stdout
    digest = Trace.read(jobs).sha256
    told = type_in("check", jobs).stdout
    assert "a valid trace of 3 jobs, submitted from 1970-01-01 00:00 to 1970-01-01 00:00 UTC, " in told
    assert f"reference device any, SHA-256 {digest}" in told
    out = tmp_path / "run"
    result = type_in("replay", small, "--trace", jobs, "-o", out, "--set", "policy.backfill=none")
    assert result.exit_code == 0
    assert "jobs: 3 = 3 finished + 0 unfinished + 0 rejected" in result.stdout
    description = json.loads((out / "run.json").read_text())
    assert description["trace"]["sha256"] == digest
    assert description["scenario"]["policy"]["backfill"] == "none"
    assert description["end_s"] == 156  # the third waits until second 100 for both pods, and runs at 90%
    logs = {f"{log}.parquet" for log in ("jobs", "attempts", "states", "spend")}
    assert {item.name for item in out.iterdir()} == {"run.json", *logs}


def test_a_scenario_is_checked_for_a_trace(small: Path, jobs: Path) -> None:
    """On a device of one's own only a trace can be replayed, as no demand is known in its seconds."""
    small.write_text(SCENARIO.replace('"h100"', '"mine"'))
    complains(type_in("check", small), 2, 'the speed of "mine"')
    told = type_in("check", small, "--trace", jobs)
    assert (told.exit_code, "owns 2 x 8 mine" in told.stdout) == (0, True)
    complains(type_in("check", jobs, "--trace", jobs), 2, "--trace goes with a scenario")


def test_a_scenario_names_its_trace_relative_to_itself(small: Path, jobs: Path, tmp_path: Path) -> None:
    small.write_text(f'trace = "{jobs.name}"\n{SCENARIO}')
    assert type_in("replay", small, "-o", tmp_path / "run").exit_code == 0


def test_overwrite_replaces_a_run(small: Path, jobs: Path, tmp_path: Path) -> None:
    replay = ("replay", small, "--trace", jobs, "-o", tmp_path / "run")
    assert type_in(*replay).exit_code == 0
    complains(type_in(*replay), 2, "holds a finished run", "--overwrite")
    assert type_in(*replay, "--overwrite", "--set", "name=second").stdout.startswith("second: ")


def test_generate_writes_what_check_and_replay_read(small: Path, tmp_path: Path) -> None:
    out = tmp_path / "demand.parquet"
    words = ("--days", "2", "--load", "0.5", "--devices", "16", "--mix", "fsd=0.5,optimus=0.5", "-o", out)
    result = type_in("generate", *words)
    assert result.exit_code == 0
    assert f"{len(Trace.read(out)):,} jobs, SHA-256 {Trace.read(out).sha256}" in result.stdout
    assert type_in("check", out).exit_code == 0
    assert type_in("replay", small, "--trace", out, "-o", tmp_path / "run").exit_code == 0


def test_import_says_what_it_read_and_left_out(tmp_path: Path) -> None:
    lines = ["; UnixStartTime: 1000000000", "1 0 0 60 4 -1 -1 4 120 -1 1 7 -1 -1 1 -1 -1 -1"]
    lines += ["2 5 0 -1 -1 -1 -1 -1 -1 -1 0 7 -1 -1 1 -1 -1 -1"]
    log, out = tmp_path / "log.swf", tmp_path / "out.parquet"
    log.write_text("\n".join(lines) + "\n")
    result = type_in("import", "swf", log, "-o", out)
    assert (result.exit_code, result.stderr) == (0, "")
    assert "1 jobs" in result.stdout
    assert Trace.read(out).table.select(["submit_s", "runtime_s", "gang", "estimate_s"]).to_pylist() == [
        {"submit_s": 0, "runtime_s": 60, "gang": 4, "estimate_s": 120}
    ]


@pytest.mark.parametrize("section", [(), ("devices",), ("pods",), ("offers",), ("arithmetic",)])
def test_catalog_lists(section: tuple[str, ...]) -> None:
    result = type_in("catalog", *section)
    assert result.exit_code == 0
    assert "h100" in result.stdout or section == ("arithmetic",)


def test_version_and_help_of_every_command() -> None:
    assert type_in("--version").stdout.startswith("exaburst ")
    for command in main.commands:
        help_text = type_in(command, "--help")
        assert help_text.exit_code == 0
        assert help_text.stdout.startswith(f"Usage: exaburst {command}")


# Bad traces


def _columns(**changed: Any) -> pa.Table:
    return pa.table({"submit_s": [0, 5, 9], "runtime_s": [10, 10, 10], "gang": [1, 2, 3]} | changed)


BROKEN_TABLES = {
    "unknown column": (_columns(submitt_s=[0, 1, 2]), ["submitt_s"]),
    "missing column": (_columns().drop_columns(["gang"]), ["gang", "missing"]),
    "wrong type": (_columns(gang=["one", "two", "three"]), ["gang", "int32"]),
    "negative": (_columns(runtime_s=[10, -5, 10]), ["row 1", "runtime_s", "-5"]),
    "zero devices": (_columns(gang=[1, 0, 1]), ["row 1", "gang", "0"]),
    "huge": (_columns(runtime_s=[10, 10, 2**62]), ["row 2", "runtime_s"]),
    "beyond the type": (_columns(gang=[1, 2, 2**40]), ["gang", "int32"]),
    "too much in all": (_columns(runtime_s=[10**11] * 3, gang=[10**7] * 3), ["gang x runtime_s"]),
    "not a number": (_columns(input_tb=[0.0, float("nan"), 1.0]), ["row 1", "input_tb"]),
    "null": (_columns(gang=[1, None, 1]), ["row 1", "gang"]),
    "unsorted": (_columns(submit_s=[0, 9, 5]), ["row 2", "submit_s"]),
    "duplicate ids": (_columns(job_id=[1, 2, 1]), ["row 2", "job_id"]),
    "unknown word": (
        _columns(residency=["any", "nowhere", "any"]),
        ["row 1", "nowhere", "owned"],
    ),
    "follows nobody": (_columns(after=[None, [7], None]), ["row 1", "after", "7"]),
    "cycle": (_columns(after=[[1], [2], [0]]), ["after", "cycle"]),
}


def cut(whole: bytes) -> bytes:
    return whole[: len(whole) // 2]


BROKEN_BYTES: dict[str, Callable[[bytes], bytes]] = {
    "truncated": cut,
    "binary": lambda _: bytes(range(256)) * 8,
    "text": lambda _: b"submit_s,runtime_s,gang\n0,10,1\n",
    "empty": lambda _: b"",
}


@pytest.fixture(params=[*BROKEN_TABLES, *BROKEN_BYTES, "missing", "folder"])
def bad_trace(request: pytest.FixtureRequest, tmp_path: Path, jobs: Path) -> tuple[Path, Sequence[str]]:
    """A file that is no trace, and what has to be said of it."""
    path = tmp_path / "bad.parquet"
    if request.param in BROKEN_TABLES:
        table, words = BROKEN_TABLES[request.param]
        pq.write_table(table, path)
        return path, words
    if request.param in BROKEN_BYTES:
        path.write_bytes(BROKEN_BYTES[request.param](jobs.read_bytes()))
    elif request.param == "folder":
        path.mkdir()
    return path, []


def test_a_bad_trace_is_named_in_one_line_and_nothing_runs(
    bad_trace: tuple[Path, Sequence[str]], small: Path, tmp_path: Path
) -> None:
    path, words = bad_trace
    complains(type_in("check", path), 2, str(path), *words)
    complains(type_in("replay", small, "--trace", path, "-o", tmp_path / "run"), 2, str(path), *words)
    assert not (tmp_path / "run").exists()


def test_a_bad_trace_does_not_cost_the_run_that_is_there(small: Path, jobs: Path, tmp_path: Path) -> None:
    replay = ("replay", small, "--overwrite", "-o", tmp_path / "run", "--trace")
    assert type_in(*replay, jobs).exit_code == 0
    complains(type_in(*replay, tmp_path / "missing.parquet"), 2, "missing.parquet")
    assert type_in("summary", tmp_path / "run").exit_code == 0


@pytest.mark.parametrize("broken", [*BROKEN_BYTES, "missing", "folder"])
@pytest.mark.parametrize("format_name", ["swf", "philly", "gavel", "csv"])
def test_a_bad_import_leaves_nothing(format_name: str, broken: str, jobs: Path, tmp_path: Path) -> None:
    if (format_name, broken) == ("csv", "text"):
        pytest.skip("that text is a good csv")
    path, out = tmp_path / "foreign", tmp_path / "out.parquet"
    if broken == "folder":
        path.mkdir()
    elif broken != "missing":
        path.write_bytes(BROKEN_BYTES[broken](jobs.read_bytes()))
    complains(type_in("import", format_name, path, "-o", out), 2, str(path))
    assert not list(tmp_path.glob("*out.parquet*"))


# Weather files

WINDY = SCENARIO + "[[pools.failures]]\nmtbf_h = 0.02\nrepair_h = 0.01\n"


def test_weather_from_a_file_is_that_of_the_scenario(small: Path, jobs: Path, tmp_path: Path) -> None:
    small.write_text(f"horizon_h = 1\n{WINDY}")
    file = tmp_path / "weather.parquet"
    assert type_in("weather", small, "--trace", jobs, "-o", file).exit_code == 0
    replay = ("replay", small, "--trace", jobs)
    drawn = type_in(*replay, "-o", tmp_path / "drawn")
    given = type_in(*replay, "-o", tmp_path / "given", "--weather", file)
    assert drawn.exit_code == given.exit_code == 0
    assert "\nweather " in drawn.stdout
    assert drawn.stdout.partition("\nlogs")[0] == given.stdout.partition("\nlogs")[0]
    other = type_in(*replay, "-o", tmp_path / "other", "--weather", file, "--set", "seed=2")
    assert other.stdout.partition("\nlogs")[0] == given.stdout.partition("\nlogs")[0]


@pytest.mark.parametrize("broken", [*BROKEN_BYTES, "missing", "of another cluster"])
def test_a_bad_weather_file_does_not_cost_the_run_that_is_there(
    broken: str, small: Path, jobs: Path, tmp_path: Path
) -> None:
    replay = ("replay", small, "--overwrite", "-o", tmp_path / "run", "--trace", jobs)
    assert type_in(*replay).exit_code == 0
    file, larger = tmp_path / "bad.parquet", tmp_path / "larger.toml"
    if broken == "of another cluster":
        larger.write_text("horizon_h = 1\n" + WINDY.replace("pods = 2", "pods = 3"))
        assert type_in("weather", larger, "-o", file).exit_code == 0
    elif broken != "missing":
        file.write_bytes(BROKEN_BYTES[broken](jobs.read_bytes()))
    complains(type_in(*replay, "--weather", file), 2, "bad.parquet")
    assert type_in("summary", tmp_path / "run").exit_code == 0


# Bad scenarios

OFFER = '[[offers]]\nname = "cloud"\noffer = "aws-h100-us-east-1"\nquota = 8\n'
BAD_SCENARIOS: dict[str, tuple[str, list[str]]] = {
    "empty": ("", ["name"]),
    "not TOML": ("pools = [", ["not TOML"]),
    "nothing to run on": ('name = "none"', ["pools", "offers"]),
    "unknown key": (SCENARIO + "span_eficiency = 0.9", ["span_eficiency", "span_efficiency"]),
    "unknown table": (SCENARIO + '[polcy]\norder = "sjf"', ["polcy", "did you mean policy"]),
    "unknown policy": (SCENARIO + '[policy]\norder = "fcsf"', ["fcsf", "did you mean fcfs", "smallest"]),
    "argument missing": (SCENARIO + '[policy]\npatience = "after"', ["after", "after:4h"]),
    "argument wrong": (SCENARIO + '[policy]\npatience = "after:soon"', ["after:soon", "seconds"]),
    "wrong type": (SCENARIO + 'capital_usd = "much"', ["pools[0].capital_usd", "str"]),
    "negative": (SCENARIO + "capital_usd = -1", ["pools[0].capital_usd", "0"]),
    "huge": (SCENARIO.replace("pods = 2", "pods = 9999999999"), ["pools[0].pods", "1000000"]),
    "not finite": (SCENARIO + "capital_usd = nan", ["capital_usd"]),
    "unknown pod": (
        'name = "x"\n[[pools]]\nname = "p"\npod = "exapod"\npods = 1',
        ["exapod", "did you mean"],
    ),
    "unknown offer": (SCENARIO + OFFER.replace("h100", "h1000"), ["aws-h1000-us-east-1", "did you mean"]),
    "one name twice": (SCENARIO + OFFER.replace("cloud", "pod"), ['"pod"', "two"]),
    "trace and demand": ('trace = "x"\n' + SCENARIO + "[demand]\ndays = 1", ["trace", "demand"]),
    "unknown bound": ('bound = "best"\n' + SCENARIO, ["best", "owned_only"]),
    "horizon": ("horizon_h = -3\n" + SCENARIO, ["horizon_h"]),
    "unknown demand": (SCENARIO + "[demand]\ndayz = 1", ["dayz", "days"]),
    "wrong demand": (SCENARIO + "[demand]\ndays = -1", ["days", "-1"]),
}


@pytest.mark.parametrize("name", BAD_SCENARIOS)
def test_a_bad_scenario_is_explained_in_one_line_and_nothing_runs(name: str, tmp_path: Path) -> None:
    text, words = BAD_SCENARIOS[name]
    path = tmp_path / "bad.toml"
    path.write_text(text)
    complains(type_in("check", path), 2, str(path), *words)
    complains(type_in("replay", path, "-o", tmp_path / "run"), 2, str(path), *words)
    assert not (tmp_path / "run").exists()


def test_a_scenario_that_cannot_be_read(tmp_path: Path) -> None:
    complains(type_in("check", tmp_path / "none.toml"), 2, "none.toml", "no such file")
    (tmp_path / "binary.toml").write_bytes(bytes(range(256)))
    complains(type_in("check", tmp_path / "binary.toml"), 2, "binary.toml", "not TOML")
    (tmp_path / "folder.toml").mkdir()
    complains(type_in("check", tmp_path / "folder.toml"), 2, "folder.toml", "directory")


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("policy.order", ["key=value"]),
        ("polcy.order=sjf", ["polcy", "did you mean policy"]),
        ("pools.pad.pods=3", ["pad", "pod"]),
        ("name.first=x", ["name"]),
        ("pools.pod.pods=none", ["pools[0].pods"]),
    ],
)
def test_a_bad_override(override: str, words: list[str], small: Path, jobs: Path, tmp_path: Path) -> None:
    replay = ("replay", small, "--trace", jobs, "-o", tmp_path / "run")
    complains(type_in(*replay, "--set", override), 2, *words)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (("--days", "0"), ["days", "0"]),
        (("--mix", "fsd=0.5"), ["mix"]),
        (("--mix", "fds=1"), ["fds", "fsd"]),
        (("--set", "clips_per_mille=1"), ["clips_per_mille", "clips_per_mile"]),
        (("--load", "nan"), ["load"]),
    ],
)
def test_a_bad_demand(words: tuple[str, ...], parts: list[str], tmp_path: Path) -> None:
    complains(type_in("generate", *words, "-o", tmp_path / "out.parquet"), 2, *parts)
    assert not list(tmp_path.iterdir())


# Bad runs and folders


def test_a_run_that_is_none(tmp_path: Path, jobs: Path) -> None:
    complains(type_in("summary", tmp_path / "none"), 2, "none", "no such run")
    complains(type_in("summary", jobs), 2, jobs.name)
    (tmp_path / "empty").mkdir()
    complains(type_in("summary", tmp_path / "empty"), 2, "not a run", "run.json")


def test_a_run_that_is_damaged(small: Path, jobs: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert type_in("replay", small, "--trace", jobs, "-o", run).exit_code == 0
    complains(type_in("summary", run, "--beside", tmp_path / "none"), 2, "none", "no such run")
    part = next((run / "jobs.parquet").iterdir())
    part.write_bytes(cut(part.read_bytes()))
    complains(type_in("summary", run), 2, "jobs.parquet")
    shutil.rmtree(run / "jobs.parquet")
    complains(type_in("summary", run), 2, "jobs.parquet")
    description = (run / "run.json").read_text()
    (run / "run.json").write_text(description[:100])
    complains(type_in("summary", run), 2, "run.json")
    (run / "run.json").unlink()
    complains(type_in("summary", run), 2, "an unfinished run")


def test_a_folder_with_other_files_is_left_alone(small: Path, jobs: Path, tmp_path: Path) -> None:
    precious = tmp_path / "thesis" / "chapter.txt"
    precious.parent.mkdir()
    precious.write_text("years of work")
    replay = ("replay", small, "--trace", jobs, "--overwrite", "-o")
    complains(type_in(*replay, precious.parent), 2, "chapter.txt")
    complains(type_in(*replay, precious), 2, "is a file")
    assert precious.read_text() == "years of work"


@pytest.mark.parametrize("command", ["replay", "generate", "import", "demo"])
def test_where_nothing_can_be_written(command: str, small: Path, jobs: Path, tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    log.write_text("submit_s,runtime_s,gang\n0,10,1\n")
    words: dict[str, tuple[str | Path, ...]] = {
        "replay": ("replay", small, "--trace", jobs),
        "generate": ("generate", "--days", "1"),
        "import": ("import", "csv", log),
        "demo": SMALL_DEMO,
    }
    complains(type_in(*words[command], "-o", "/dev/null/below"), 1, "/dev/null")


def little_disk() -> None:
    """Let the process write files of at most 8 KiB: like a full disk, a write fails half-way."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (8_192, 8_192))


def test_a_full_disk_leaves_an_unfinished_run(tmp_path: Path) -> None:
    demo = in_shell(*SMALL_DEMO, "-o", tmp_path / "run", preexec_fn=little_disk)
    assert demo.returncode == 1
    assert len(demo.stderr.splitlines()) == 1, demo.stderr
    assert "too large" in demo.stderr
    assert not [path for path in tmp_path.rglob("*") if path.name == "run.json" or path.suffix == ".part"]
    assert not (tmp_path / "run" / "trace.parquet").exists()


def test_a_full_disk_below_the_report() -> None:
    with Path("/dev/full").open("w") as full:
        command = [*EXABURST, "catalog"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "exaburst: no space left on device\n"


# Cut short


@pytest.fixture(scope="module")
def long_trace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some seconds of replay: more jobs than a part of the log holds."""
    path, rows = tmp_path_factory.mktemp("long") / "long.parquet", 900_000
    columns = {"submit_s": np.arange(rows), "runtime_s": np.full(rows, 3), "gang": np.full(rows, 1)}
    Trace.from_columns(columns).write(path)
    return path


@pytest.mark.parametrize(("stop", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)])
def test_a_run_cut_short_is_unfinished_and_can_be_run_again(
    stop: signal.Signals, code: int, long_trace: Path, small: Path, jobs: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    command = [*EXABURST, "replay", str(small), "--trace", str(long_trace), "-o", str(run)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        while not list(run.glob("attempts.parquet/part-*")):
            assert process.poll() is None, "it ended before a part was written"
            time.sleep(0.02)
        process.send_signal(stop)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (code, "")
    assert err == ("exaburst: interrupted\n" if stop is signal.SIGINT else "")
    complains(type_in("summary", run), 2, "an unfinished run")
    assert type_in("replay", small, "--trace", jobs, "-o", run).exit_code == 0
    assert "jobs: 3 = 3 finished" in type_in("summary", run).stdout


def test_an_unknown_pod_is_said_before_the_trace_is_looked_for(tmp_path: Path) -> None:
    path = tmp_path / "unknown.toml"
    path.write_text('name = "small"\n[[pools]]\nname = "dojo"\npod = "exapod"\npods = 1\n')
    for words in (("replay", path, "-o", tmp_path / "run"), ("weather", path)):
        complains(type_in(*words, "--trace", tmp_path / "none.parquet"), 2, "unknown.toml", '"exapod"')
    assert not (tmp_path / "run").exists()


def test_the_weather_of_a_device_of_unknown_speed_is_shown_though_it_cannot_be_replayed(
    tmp_path: Path,
) -> None:
    path = tmp_path / "own.toml"
    path.write_text(SCENARIO.replace('"h100"', '"ours"') + "[demand]\ndays = 1\n")
    assert "fair weather" in type_in("weather", path).stdout
    complains(type_in("replay", path, "-o", tmp_path / "run"), 2, "own.toml", "speed", '"ours"')


def test_a_run_that_cannot_be_priced_leaves_the_one_that_is_there(
    small: Path, jobs: Path, tmp_path: Path
) -> None:
    run = ("replay", small, "--trace", jobs, "-o", tmp_path / "run", "--overwrite")
    assert type_in(*run).exit_code == 0
    complains(type_in(*run, "--set", "horizon_h=1e12"), 2, "years long")
    assert type_in("summary", tmp_path / "run").exit_code == 0
