"""Files: damage is noticed, one process writes, only files are written, and names are but names."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from scheduler.cli import main
from scheduler.run.directory import Run, RunError, open_run
from scheduler.run.parts import LOGS
from tests import build
from traces.files import PathError, held, open_file, passing_folder, written_whole

WHOLE = sorted([*(f"{log}.parquet/part-00000.parquet" for log in LOGS), "run.json"])
READERS = (
    ["summary"],
    ["ledger"],
    ["ledger", "--by", "line"],
    ["ledger", "--focus", "bill.csv"],
    ["economics", "--run"],
)
"""Whatever reads a run, each other logs of it."""


def exaburst(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words], prog_name="exaburst")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run of some jobs, of which some rent."""
    trace = build.trace(
        *(build.job(10 * at, 100 + 7 * at, 1 + at % 3, owner=f"o{at % 5}") for at in range(40))
    )
    spec = build.scenario([build.pool(2, 2)], [build.offer("cloud")], policy={"patience": "after:30"})
    return build.run(spec, trace, tmp_path_factory.mktemp("run") / "run")


@pytest.fixture
def copy(finished: Run, tmp_path: Path) -> Path:
    return shutil.copytree(finished.folder, tmp_path / "copy")


def noticed(folder: Path) -> None:
    """Whatever reads a run ends in one line that names it, with exit code 2, whichever log is damaged."""
    for words in READERS:
        result = exaburst(*words, folder)
        assert result.exit_code == 2, (words, result.output)
        assert result.output.startswith(f"exaburst: {folder}"), result.output
        assert result.output.count("\n") == 1


@pytest.mark.parametrize("seed", range(60))
def test_a_flipped_bit_is_noticed(copy: Path, seed: int) -> None:
    chance = random.Random(seed)
    file = copy / WHOLE[seed % len(WHOLE)]
    content = bytearray(file.read_bytes())
    content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    file.write_bytes(content)
    with pytest.raises(RunError, match=file.name):
        open_run(copy)
    noticed(copy)


def test_damage_is_noticed_after_a_run_was_opened(finished: Run, copy: Path) -> None:
    """A notebook keeps a run open; meanwhile another may have taken its place."""
    opened = open_run(copy)
    swapped(copy)
    with pytest.raises(RunError, match="its SHA-256 is another"):
        opened.table("jobs")
    assert opened.table("states").equals(finished.table("states"))


def test_a_file_is_read_again_once_somebody_wrote_to_it(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody did since the run was opened: its digest is known, however young the file is."""
    monkeypatch.setattr("scheduler.run.parts._RECENT_NS", 0)
    opened = open_run(copy)
    assert len(opened.table("jobs"))
    part = copy / "jobs.parquet" / "part-00000.parquet"
    with part.open("r+b") as file:
        file.seek(100)
        file.write(b"?")
    with pytest.raises(RunError, match="its SHA-256 is another"):
        opened.table("jobs")


def swapped(folder: Path) -> None:
    jobs, spend = (folder / f"{log}.parquet" / "part-00000.parquet" for log in ("jobs", "spend"))
    jobs.rename(folder.parent / "aside")
    spend.rename(jobs)
    (folder.parent / "aside").rename(spend)


def doubled(folder: Path) -> None:
    log = folder / "attempts.parquet"
    shutil.copy(log / "part-00000.parquet", log / "part-00001.parquet")


def emptied(folder: Path) -> None:
    (folder / "jobs.parquet" / "part-00000.parquet").unlink()


def gone(folder: Path) -> None:
    shutil.rmtree(folder / "spend.parquet")


def piped(folder: Path) -> None:
    part = folder / "jobs.parquet" / "part-00000.parquet"
    part.unlink()
    os.mkfifo(part)


def hidden(folder: Path) -> None:
    log = folder / "states.parquet"
    shutil.copy(log / "part-00000.parquet", log / ".part-00001.parquet")


def nested(folder: Path) -> None:
    (folder / "states.parquet" / "more").mkdir()


def with_jobs(folder: Path) -> None:
    shutil.copy(folder / "jobs.parquet" / "part-00000.parquet", folder / "trace.parquet")


def with_a_folder(folder: Path) -> None:
    (folder / "trace.parquet").mkdir()


def with_a_dangling_link(folder: Path) -> None:
    (folder / "trace.parquet").symlink_to("nowhere")


ODD_PARTS = [swapped, doubled, emptied, gone, piped, hidden, nested]
ODD_PARTS += [with_jobs, with_a_folder, with_a_dangling_link]


@pytest.mark.parametrize("damage", ODD_PARTS)
def test_parts_are_those_of_the_run(copy: Path, damage: Callable[[Path], None]) -> None:
    damage(copy)
    noticed(copy)


def test_the_jobs_that_a_run_generated_are_its_part(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text(SCENARIO)
    run = tmp_path / "run"
    assert exaburst("replay", tmp_path / "s.toml", "-o", run).exit_code == 0
    jobs = run / "trace.parquet"
    content = jobs.read_bytes()
    assert exaburst("summary", run).exit_code == 0
    jobs.write_bytes(content[:-1])
    noticed(run)
    jobs.unlink()
    noticed(run)


@pytest.mark.parametrize(
    "text",
    ["", "[]", "7", "{}", '{"sha256": ""}', "[" * 20_000, '{"sha256": null, "end_s": "long"}', "\udcff"],
)
def test_a_description_of_another_shape_is_refused(copy: Path, text: str) -> None:
    (copy / "run.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    noticed(copy)


def forge(run: Path, at: tuple[Any, ...], value: Any) -> None:
    """Change an entry of run.json, and give it the digest that it should have then."""
    description = json.loads((run / "run.json").read_text())
    del description["sha256"]
    entry = description
    for key in at[:-1]:
        entry = entry[key]
    entry[at[-1]] = value
    digest = hashlib.sha256(json.dumps(description).encode()).hexdigest()
    (run / "run.json").write_text(json.dumps(description | {"sha256": digest}))


def test_a_ledger_that_does_not_add_up_ends_with_1(copy: Path) -> None:
    """Its rows and digests are in order, as run.md says how to make them; it is wrong all the same."""
    expected_usd = json.loads((copy / "run.json").read_text())["ledger"][-1]["expected_usd"]
    forge(copy, ("ledger", -1, "expected_usd"), expected_usd + 0.01)
    for words in (["ledger"], ["ledger", "--focus", copy.parent / "bill.csv"]):
        result = exaburst(*words, copy)
        assert result.exit_code == 1
        assert f"exaburst: {copy}: the ledger does not add up" in result.output


ODD = [
    (("end_s",), 10**30, "$.end_s"),
    (("end_s",), -1, "$.end_s"),
    (("run_start_s",), 10**9, "must be run_start_s, 1000000000, or later"),
    (("jobs",), {}, "finished"),
    (("jobs", "killed"), "none", "$.jobs.killed"),
    (("refused",), {"moon": 0}, "refused: must have the name of each offer"),
    (("parts",), {"jobs": []}, "parts: must be those of jobs, attempts, states, spend, "),
    (("trace", "epoch"), "long ago", "$.trace.epoch"),
    (("pools", 0, "pod_devices"), None, "$.pools[0].pod_devices"),
    (("pools", 0), {"name": "own"}, "$.pools[0]"),
    (("ledger",), ["rent"], "$.ledger[0]"),
    (("scenario", "money"), [], "$.scenario.money"),
    (("unsure",), [], "$.unsure"),
    (("parts",), {"jobs": 1}, "$.parts"),
    (("demand",), "all", "$.demand"),
]


@pytest.mark.parametrize(
    ("at", "value", "said"), ODD, ids=lambda part: ".".join(map(str, part)) if isinstance(part, tuple) else ""
)
def test_an_odd_description_is_a_line(copy: Path, at: tuple[Any, ...], value: Any, said: str) -> None:
    """Its digest is right, so that only its shape says that no run wrote it."""
    forge(copy, at, value)
    for words in READERS:
        result = exaburst(*words, copy)
        assert (result.exit_code, result.output.count("\n")) == (2, 1), result.output
        assert result.output.startswith(f"exaburst: {copy}/run.json: not a run's description: ")
        assert said in result.output


@pytest.mark.parametrize(
    ("at", "value"),
    [
        (("pools",), []),
        (("pools", 0, "name"), ""),
        (("pools", 0, "name"), "own2"),
        (("offers", 0, "name"), "o"),
    ],
)
def test_a_description_of_other_pools_than_the_logs_is_a_line(
    copy: Path, at: tuple[Any, ...], value: Any
) -> None:
    forge(copy, at, value)
    if at[0] == "offers":
        forge(copy, ("refused",), {"o": 0})
    noticed(copy)


BAD_WEATHER = """
[[pools.failures]]
of = "device"
mtbf_h = 100
repair_h = 5
"""
SCENARIO = """
name = "small"
horizon_h = 24
[[pools]]
name = "own"
pod = "exapod-case-study"
pods = 1
[demand]
days = 1
devices = 120
"""


SIGNALS = [signal.SIGTERM, signal.SIGHUP, signal.SIGINT]


MIND_SIGNALS = """
import signal
for number in (signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)
"""
"""What nohup or a shell's `&` starts ignores some of them."""


@contextmanager
def process(folder: Path, *words: object) -> Iterator[subprocess.Popen[str]]:
    """Run the command in a process of its own, in `folder`; it does not outlive the test."""
    start = MIND_SIGNALS + "from scheduler.cli import main; main(prog_name='exaburst')"
    with subprocess.Popen(
        [sys.executable, "-c", start, *map(str, words)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as running:
        try:
            yield running
        finally:
            running.kill()


def test_of_two_processes_in_one_folder_one_ends_at_once(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text(SCENARIO)
    command = ("replay", "s.toml", "-o", "run", "--overwrite")
    with held(tmp_path / "run"), process(tmp_path, *command) as other:
        out, err = other.communicate(timeout=60)
    assert (other.returncode, out) == (1, "")
    assert err == "exaburst: run: another process is writing there\n"
    assert not list((tmp_path / "run").iterdir())


def test_a_folder_is_held_as_long_as_somebody_in_the_process_does(tmp_path: Path) -> None:
    with held(tmp_path / "run"):
        with held(tmp_path / "run"):
            pass
        assert [path.name for path in (tmp_path / "run").iterdir()] == [".lock"]
    assert not list((tmp_path / "run").iterdir())


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_ends_a_run_in_one_line(tmp_path: Path, number: signal.Signals) -> None:
    (tmp_path / "s.toml").write_text(SCENARIO.replace("horizon_h = 24", "").replace("days = 1", "days = 200"))
    with process(tmp_path, "replay", "s.toml", "-o", "run") as running:
        while not (tmp_path / "run").exists():
            assert running.poll() is None
        running.send_signal(number)
        _, err = running.communicate(timeout=60)
    assert (running.returncode, err) == (128 + number, "exaburst: interrupted\n")
    assert not (tmp_path / "run" / "run.json").exists()


WRITERS: dict[str, list[str]] = {
    "trace": ["import", "csv", "t.csv", "-o"],
    "demand": ["generate", "--days", "1", "--load", "0.01", "-o"],
    "weather": ["weather", "bad.toml", "-o"],
    "draws": ["economics", "--draws", "100", "-o"],
    "bill": ["ledger", "run", "--focus"],
}


@pytest.fixture
def place(copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with what the commands of WRITERS read."""
    copy.rename(tmp_path / "run")
    (tmp_path / "t.csv").write_text("job_id,name,submit_s,runtime_s,gang\n1,a,0,9,1\n")
    (tmp_path / "bad.toml").write_text(SCENARIO + BAD_WEATHER)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("kind", WRITERS)
def test_only_a_file_is_replaced(place: Path, kind: str) -> None:
    os.mkfifo(place / "pipe.csv")
    (place / "folder.csv").mkdir()
    (place / "to-pipe.csv").symlink_to("pipe.csv")
    for name in ("pipe.csv", "folder.csv", "to-pipe.csv"):
        result = exaburst(*WRITERS[kind], name)
        assert (result.exit_code, result.output.count("\n")) == (2, 1)
        assert "not a file; choose another name" in result.output
    assert (place / "pipe.csv").is_fifo()
    assert not any((place / "folder.csv").iterdir())


@pytest.mark.parametrize("kind", WRITERS)
def test_an_output_replaces_its_own_kind_and_nothing_else(place: Path, kind: str) -> None:
    """Inputs, scenarios and other kinds of tables stay; so does whatever lies in a finished run."""
    for name, words in WRITERS.items():
        assert exaburst(*words, f"{name}.parquet").exit_code == 0
    again = exaburst(*WRITERS[kind], f"{kind}.parquet")
    assert again.exit_code == 0, again.output
    (place / "empty.parquet").touch()
    assert exaburst(*WRITERS[kind], "empty.parquet").exit_code == 0
    (place / "csv.parquet").write_bytes((place / "t.csv").read_bytes())
    (place / "link.parquet").symlink_to("t.csv")
    kept = contents(place)
    alike = {"trace", "demand"}
    others = [f"{name}.parquet" for name in WRITERS if name != kind and not {name, kind} <= alike]
    runs = ["run/jobs.parquet/part-00000.parquet", "run/more.parquet", "run/states.parquet/more.parquet"]
    for name in (*others, *runs, "csv.parquet", "link.parquet"):
        result = exaburst(*WRITERS[kind], name)
        assert (result.exit_code, result.output.count("\n")) == (2, 1), (name, result.output)
        assert result.output.startswith(f"exaburst: {name}: ")
    assert contents(place) == kept


def test_a_bill_as_text_replaces_such_a_bill(place: Path) -> None:
    words = WRITERS["bill"]
    assert exaburst(*words, "bill.csv").exit_code == exaburst(*words, "bill.csv").exit_code == 0
    shutil.copy("bill.csv", "bill.parquet")
    shutil.copy("t.csv", "other.csv")
    for name in ("bill.parquet", "other.csv"):
        assert exaburst(*words, name).exit_code == 2


@pytest.mark.parametrize("name", ["t.csv", "bad.toml", "run/run.json"])
def test_an_input_is_not_replaced_by_a_trace_of_it(place: Path, name: str) -> None:
    kept = contents(place)
    assert exaburst(*WRITERS["trace"], name).exit_code == 2
    assert contents(place) == kept


def test_results_of_many_runs_do_not_go_into_a_finished_run(place: Path) -> None:
    kept = contents(place)
    result = exaburst("compare", "bad.toml", "-p", "fcfs", "-p", "sjf", "-o", "run")
    assert (result.exit_code, result.output) == (
        2,
        "exaburst: run: holds a finished run, which stays as it is; choose another folder\n",
    )
    assert contents(place) == kept


def gone_in_part(table: pa.Table) -> pa.Table:
    return table.slice(1)


def without_a_column(table: pa.Table) -> pa.Table:
    return table.remove_column(table.num_columns - 1)


def as_text(table: pa.Table) -> pa.Table:
    at = table.num_columns - 1
    return table.set_column(at, table.column_names[at], pa.array(["x"] * len(table)))


def with_nulls(table: pa.Table) -> pa.Table:
    return table.set_column(0, table.column_names[0], pa.nulls(len(table), table.schema.field(0).type))


@pytest.mark.parametrize("log", LOGS)
@pytest.mark.parametrize("forged", [gone_in_part, without_a_column, as_text, with_nulls])
def test_a_log_that_no_run_writes_is_a_line(
    copy: Path, log: str, forged: Callable[[pa.Table], pa.Table]
) -> None:
    """Digest and rows are right, so that only its columns, or the number of jobs, say so."""
    part = copy / f"{log}.parquet" / "part-00000.parquet"
    table = forged(pq.read_table(part))
    pq.write_table(table, part)
    forge(copy, ("parts", log, 0, "sha256"), hashlib.sha256(part.read_bytes()).hexdigest())
    if forged is not gone_in_part or log == "jobs":
        forge(copy, ("parts", log, 0, "rows"), len(table))
    noticed(copy)


def renamed(column: str) -> Callable[[pa.Table], pa.Table]:
    def forged(table: pa.Table) -> pa.Table:
        words = pa.array(["moon"] * len(table)).dictionary_encode()
        return table.set_column(table.column_names.index(column), table.schema.field(column), words)

    return forged


def renumbered(table: pa.Table) -> pa.Table:
    ids = pa.array([2**62] * len(table))
    return table.set_column(table.column_names.index("job_id"), table.schema.field("job_id"), ids)


@pytest.mark.parametrize(
    ("log", "forged", "said"),
    [
        ("spend", renamed("resource"), 'spend.parquet: resource "moon": no such one (allowed: own'),
        ("spend", renamed("line"), 'spend.parquet: line "moon": no such one (allowed: capital, energy'),
        ("attempts", renamed("where"), 'attempts.parquet: where "moon": no such one (allowed: own'),
        ("attempts", renumbered, f"job_id {2**62}: is named in a log, and is no job of the run"),
    ],
)
def test_a_word_or_a_job_that_the_run_does_not_have_is_a_line(
    copy: Path, log: str, forged: Callable[[pa.Table], pa.Table], said: str
) -> None:
    part = copy / f"{log}.parquet" / "part-00000.parquet"
    pq.write_table(forged(pq.read_table(part)), part)
    forge(copy, ("parts", log, 0, "sha256"), hashlib.sha256(part.read_bytes()).hexdigest())
    result = exaburst("report", copy, "-o", copy.parent / "page.html")
    assert result.exit_code == 2, result.output
    assert said in result.output.splitlines()[-1]


def test_an_entry_that_stands_twice_is_a_line(copy: Path) -> None:
    text = (copy / "run.json").read_text()
    (copy / "run.json").write_text(text.replace('"end_s"', '"end_s": 5, "end_s"', 1))
    noticed(copy)


MINE = {
    "trace.parquet": "t.parquet",
    "jobs.parquet": "t.parquet",
    "cell.json": "bad.toml",
    "run.json": "t.csv",
    "notes.txt": "t.csv",
    "jobs.parquet/notes.txt": "t.csv",
    "spend.parquet/part-1.parquet": "t.parquet",
    "spend.parquet/part-00000.parquet": "t.csv",
}
"""Files of the user's own, by a name in a folder, and what they hold."""


@pytest.mark.parametrize("name", MINE)
@pytest.mark.parametrize("overwrite", [False, True])
def test_a_run_replaces_only_what_a_run_has_left(place: Path, name: str, overwrite: bool) -> None:
    assert exaburst(*WRITERS["trace"], "t.parquet").exit_code == 0
    (place / "mine" / name).parent.mkdir(parents=True)
    shutil.copy(MINE[name], place / "mine" / name)
    kept = contents(place)
    words = ["replay", "bad.toml", "-o", "mine", *(["--overwrite"] if overwrite else [])]
    result = exaburst(*words)
    assert (result.exit_code, result.output) == (
        2,
        f"exaburst: mine: holds {Path(name).parts[0]}, which is no part of a run; choose another folder\n",
    )
    assert contents(place) == kept


def test_a_run_does_not_remove_what_it_reads(place: Path) -> None:
    assert exaburst("replay", "bad.toml", "-o", "first").exit_code == 0
    kept = contents(place)
    result = exaburst("replay", "bad.toml", "--trace", "first/trace.parquet", "-o", "first", "--overwrite")
    assert (result.exit_code, result.output) == (
        2,
        "exaburst: first: holds trace.parquet, which is to be read; choose another folder\n",
    )
    assert contents(place) == kept
    assert exaburst("replay", "bad.toml", "-o", "first", "--overwrite").exit_code == 0


@pytest.mark.parametrize("within", ["run/more", "run/jobs.parquet", "run/jobs.parquet/part", "run/a/b"])
def test_nothing_is_written_below_a_finished_run(place: Path, within: str) -> None:
    kept = contents(place)
    (place / "study.toml").write_text('name = "s"\nscenario = "bad.toml"\nseeds = 2\n')
    for words in (
        ["replay", "bad.toml", "--overwrite"],
        ["compare", "bad.toml", "-p", "fcfs", "-p", "sjf"],
        ["study", "run", "study.toml"],
        ["plan", "bad.toml", "--target", "fsd.release:p95:12h"],
    ):
        result = exaburst(*words, "-o", within)
        assert result.exit_code == 2, result.output
        assert "run is a finished run, which stays as it is" in result.output
    (place / "study.toml").unlink()
    assert contents(place) == kept


def test_a_trace_beside_a_run_that_was_given_its_jobs_stays(place: Path) -> None:
    assert exaburst("replay", "bad.toml", "-o", "first").exit_code == 0
    again = ["replay", "bad.toml", "--trace", "first/trace.parquet", "-o", "second"]
    assert exaburst(*again).exit_code == 0
    shutil.copy("first/trace.parquet", "second/trace.parquet")
    result = exaburst(*again, "--overwrite")
    said = "exaburst: second: holds trace.parquet, which is no part of a run; choose another folder\n"
    assert (result.exit_code, result.output) == (2, said)


@pytest.mark.parametrize("command", ["compare", "study"])
def test_many_runs_may_be_run_again_in_their_folder(place: Path, command: str) -> None:
    (place / "study.toml").write_text('name = "s"\nscenario = "bad.toml"\nseeds = 2\n')
    words = {
        "compare": ["compare", "bad.toml", "-p", "fcfs", "-p", "sjf", "--seeds", "2", "--workers", "1"],
        "study": ["study", "run", "study.toml", "--workers", "1"],
    }[command]
    first, second = (exaburst(*words, "-o", "again") for _ in range(2))
    assert (first.exit_code, second.exit_code) == (0, 0), (first.output, second.output)


def test_results_of_somebody_else_stay(place: Path) -> None:
    (place / "mine").mkdir()
    (place / "mine" / "results.parquet").write_text("precious")
    kept = contents(place)
    result = exaburst("compare", "bad.toml", "-p", "fcfs", "-p", "sjf", "-o", "mine")
    said = (
        "exaburst: mine/results.parquet: is already there, and not of this program; choose another folder\n"
    )
    assert (result.exit_code, result.output) == (2, said)
    assert contents(place) == kept


def test_a_lock_of_somebody_else_stays(place: Path) -> None:
    for name in ("full", "link", "folder"):
        (place / name).mkdir()
    (place / "full" / ".lock").write_text("mine")
    (place / "link" / ".lock").symlink_to("../made")
    (place / "folder" / ".lock").mkdir()
    for name in ("full", "link", "folder"):
        result = exaburst("replay", "bad.toml", "-o", name)
        said = f"exaburst: {name}: holds a .lock that is not this program's; choose another folder\n"
        assert (result.exit_code, result.output) == (2, said)
    assert (place / "full" / ".lock").read_text() == "mine"
    assert not (place / "made").exists()


@pytest.mark.parametrize("key", ["offers.c.price.csv", "offers.c.reclaim.recording", "weather", "trace"])
@pytest.mark.parametrize("name", ["a\0", "\0", "no/such\0.parquet"])
def test_no_file_has_nul_in_its_name(tmp_path: Path, key: str, name: str) -> None:
    (tmp_path / "s.toml").write_text(
        'name = "s"\n[[pools]]\nname = "own"\npod = "exapod-case-study"\npods = 1\n'
        '[[offers]]\nname = "c"\noffer = "nebius-h100-eu-north1"\nquota = 8\n'
    )
    given = f"{key}={json.dumps(name)}"
    for words in (("replay", "-o", tmp_path / "run"), ("weather",), ("compare", "-p", "fcfs", "-p", "sjf")):
        result = exaburst(words[0], tmp_path / "s.toml", "--set", given, *words[1:])
        assert result.exit_code == 2, result.output
        assert "no file has nul in its name" in result.output
        assert result.output.count("\n") == 1


@pytest.mark.parametrize("name", ["run/more.swf", "run/jobs.parquet/more.swf", "t.csv", "bad.toml"])
def test_an_export_is_an_output_like_any_other(place: Path, name: str) -> None:
    assert exaburst(*WRITERS["trace"], "t.parquet").exit_code == 0
    kept = contents(place)
    result = exaburst("export", "swf", "t.parquet", "-o", name)
    assert (result.exit_code, result.output.count("\n")) == (2, 1)
    assert result.output.startswith(f"exaburst: {name}: ")
    assert contents(place) == kept
    assert [exaburst("export", "swf", "t.parquet", "-o", "t.swf").exit_code for _ in range(2)] == [0, 0]


@pytest.mark.parametrize("name", ["file", "folder"])
def test_a_link_to_itself_is_neither(tmp_path: Path, name: str) -> None:
    link = tmp_path / name
    link.symlink_to(link)
    with pytest.raises(PathError, match="a link to itself"), written_whole(link):
        pass
    with pytest.raises(PathError, match="a link to itself"), held(link):
        pass


def test_a_folder_is_made_where_a_link_points(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("there")
    with held(tmp_path / "link"):
        assert (tmp_path / "there").is_dir()


def test_links_are_written_through(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to("there/file")
    for content in (b"first", b"second"):
        with written_whole(tmp_path / "link") as file:
            file.write(content)
        assert (tmp_path / "there" / "file").read_bytes() == content
    assert (tmp_path / "link").is_symlink()


@pytest.mark.parametrize("name", ["after:4h", "s3:x", "~", "a?b=c", "gs:", os.fsdecode(b"\xff\xfe")])
def test_names_are_but_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """No name is an address, or a place elsewhere; each is written and read in this folder."""
    monkeypatch.chdir(tmp_path)
    made = exaburst("generate", "--days", "1", "--devices", "120", "-o", f"./{name}")
    assert made.exit_code == 0, made.output
    assert [path.name for path in tmp_path.iterdir()] == [name]
    read = exaburst("check", f"./{name}")
    assert "a valid trace" in read.output
    (tmp_path / "s.toml").write_text(SCENARIO)
    run = exaburst("replay", "s.toml", "-o", f"./runs-{name}")
    assert run.exit_code == 0, run.output
    assert exaburst("summary", f"./runs-{name}").exit_code == 0


@pytest.mark.parametrize("what", ["pipe", "folder"])
def test_only_a_file_is_read(tmp_path: Path, what: str) -> None:
    path = tmp_path / "it"
    (os.mkfifo if what == "pipe" else os.mkdir)(path)
    with pytest.raises(OSError, match="not a regular file" if what == "pipe" else "directory"):
        open_file(path)
    for command in (["check", path], ["replay", path, "-o", tmp_path / "run"]):
        result = exaburst(*command)
        assert (result.exit_code, result.output.count("\n")) == (2, 1), result.output


def test_nothing_half_written_is_left(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"before")
    with pytest.raises(ZeroDivisionError), written_whole(tmp_path / "file") as file:
        file.write(bytes([1 // 0]))
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("file", b"before")]


def test_a_run_needs_a_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(PathError, match="file: is a file; a folder is needed"), held(tmp_path / "file"):
        pass


def test_an_error_of_our_own_is_one_line(monkeypatch: pytest.MonkeyPatch, finished: Run) -> None:
    """Whatever escapes says how to see more; and with that, it is a traceback."""

    def fail(folder: Path) -> Run:
        raise KeyError(f"{folder}\nsecond\x1b[31m")

    monkeypatch.setattr("scheduler.run.directory.open_run", fail)
    result = exaburst("summary", finished.folder)
    assert result.exit_code == 1
    assert result.output.count("\n") == 1
    assert "KeyError" in result.output
    assert "EXABURST_DEBUG=1" in result.output
    assert "\x1b" not in result.output
    monkeypatch.setenv("EXABURST_DEBUG", "1")
    assert isinstance(exaburst("summary", finished.folder).exception, KeyError)


def test_names_cannot_break_the_line() -> None:
    result = exaburst("summary", "no\nsuch\r\x1b[31mrun\udcff")
    assert result.exit_code == 2
    assert result.output == "exaburst: no\\nsuch\\r\\x1b[31mrun\\udcff: no such run\n"


SHORT_OF_MEMORY = [
    MemoryError(),
    pa.ArrowMemoryError("malloc of size 3264 failed"),
    ImportError("_core.so: failed to map segment from shared object"),
    RuntimeError("can't start new thread"),
    OSError(12, "Cannot allocate memory"),
]


@pytest.mark.parametrize("error", SHORT_OF_MEMORY, ids=lambda error: type(error).__name__)
def test_out_of_memory_is_a_line_that_blames_no_file(
    error: Exception, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(pq.ParquetFile, "read", read)
    result = exaburst("summary", copy)
    assert (result.exit_code, result.output) == (1, "exaburst: out of memory\n")


def test_a_name_that_speaks_of_memory_is_but_a_name() -> None:
    result = exaburst("check", "cannot allocate memory.toml")
    assert (result.exit_code, result.output.count("\n")) == (2, 1)
    assert result.output.startswith("exaburst: cannot allocate memory.toml: ")


def test_a_full_disk_is_a_failure_and_no_bad_input(tmp_path: Path) -> None:
    """No file may exceed 20 kB: runs that fail for that end a comparison with 1, as they do alone."""
    (tmp_path / "s.toml").write_text(SCENARIO)
    small = """
        import resource, signal
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
        from scheduler.cli import main; main(prog_name='exaburst')
    """
    compare = ["compare", "s.toml", "-p", "never", "-p", "at_once", "--seeds", "2", "--workers", "1"]
    for words in (["replay", "s.toml", "-o", "run"], [*compare, "-o", "many"]):
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(small), *words],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
        assert "file too large" in done.stderr.lower()
    assert not (tmp_path / "run" / "run.json").exists()


def test_only_what_stays_is_waited_for_until_it_is_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[int] = []
    monkeypatch.setattr(os, "fsync", waited.append)
    with written_whole(tmp_path / "stays") as file:
        file.write(b"1")
    with passing_folder() as folder:
        (folder / "deep").mkdir()
        with written_whole(folder / "deep" / "passes") as file:
            file.write(b"2")
        assert (folder / "deep" / "passes").read_bytes() == b"2"
        assert len(waited) == 1
    assert not folder.exists()
