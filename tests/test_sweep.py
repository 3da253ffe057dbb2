"""Studies from a file: which cells it names, where they go, and that no stop or failure changes a result."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.cli import main
from scheduler.policy import SEAMS
from scheduler.policy.errors import PolicyError
from scheduler.scenario import parse_scenario
from scheduler.study import compute, processes
from scheduler.study.cells.compute import KNOWN
from scheduler.study.cells.policy_names import parse_policy, with_policy
from scheduler.study.sweep.results import FIGURES, read_results
from scheduler.study.sweep.study_cells import lay_out
from scheduler.study.sweep.study_file import StudyError, StudySpec
from scheduler.study.sweep.sweep import run_study
from tests.build import job, trace
from tests.examples import examples

ROOT = Path(__file__).parents[1]

SCENARIO = """
[scenario]
name = "tiny"
horizon_h = 24
pools = [{name = "own", device = "dojo-tile-case-study", devices = 12, pods = 2, capital_usd = 1e6}]
offers = [{name = "cloud", offer = "nebius-h100-eu-north1", quota = 512}]
demand = {days = 1, devices = 24, load = 1.0}
"""

STUDY = f"""
name = "patience"
seeds = 2
[axes.policy]
"4h/or less" = "easy+after:4h"
never = {{patience = "never", order = "sjf"}}
[axes.scenario]
one = ["pools.own.pods=1"]
two = []
{SCENARIO}
"""


def written(folder: Path, text: str = STUDY) -> Path:
    file = folder / "study.toml"
    file.write_text(text, encoding="utf-8")
    return file


def type_in(*words: str | Path) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words], prog_name="exaburst")


def results_of(folder: Path) -> bytes:
    return (folder / "results.parquet").read_bytes()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The study, run in this process, one cell after the other."""
    from concurrent.futures import ThreadPoolExecutor

    from scheduler.study import Workers

    folder = tmp_path_factory.mktemp("undisturbed")
    tally = run_study(lay_out(written(folder)), folder, Workers(lambda: ThreadPoolExecutor(1), 1))
    assert tally.failures == {}
    return folder


@pytest.mark.parametrize(
    ("spec", "chosen"),
    [
        ("fcfs", {"order": "fcfs"}),
        ("easy+after:4h", {"backfill": "easy", "patience": "after:4h"}),
        (" sjf + worst_fit ", {"order": "sjf", "place": "worst_fit"}),
        ("none+owned_only", {"backfill": "none", "bound": "owned_only"}),
        ("order=fair_share+bound=none", {"order": "fair_share", "bound": "none"}),
    ],
)
def test_compact_names_say_which_seam(spec: str, chosen: dict[str, str]) -> None:
    assert parse_policy(spec) == chosen


@settings(max_examples=examples(25), deadline=None)
@given(st.fixed_dictionaries({}, optional={seam: st.sampled_from(list(SEAMS[seam])) for seam in SEAMS}))
def test_every_policy_has_a_compact_name(chosen: dict[str, str]) -> None:
    """The names of the seams do not overlap, so any choice can be written without saying the seam."""
    arguments = {"after": ":4h", "predicted": ":4h", "reserve": ":0.2", "budget": ":5000"} | dict.fromkeys(
        ("per_runtime", "per_gang", "per_work", "priority", "conservative", "spot_up_to"), ":1"
    )
    full = {seam: name + arguments.get(name, "") for seam, name in chosen.items()}
    if full:
        assert parse_policy("+".join(full.values())) == full


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("esy+after:4h", 'policy "esy+after:4h": "esy" is unknown; did you mean easy? (allowed: fcfs,'),
        ("easy+greedy", 'policy "easy+greedy": "easy" and "greedy" are both a backfill'),
        ("after", 'policy "after": patience "after": needs an argument, as in "after:4h"'),
        ("ordr=sjf", 'policy "ordr=sjf": unknown seam "ordr"; did you mean order?'),
        ("", 'policy "": "" is unknown (allowed'),
    ],
)
def test_a_wrong_compact_name_is_explained(spec: str, says: str) -> None:
    with pytest.raises(PolicyError) as error:
        parse_policy(spec)
    assert str(error.value).startswith(says)


def test_a_name_that_two_seams_share_must_say_which(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SEAMS, "place", {**SEAMS["place"], "edf": SEAMS["place"]["best_fit"]})
    with pytest.raises(PolicyError, match='"edf" is a name of order and place; say which, as in order=edf'):
        parse_policy("edf")
    assert parse_policy("place=edf") == {"place": "edf"}


def test_what_a_policy_leaves_open_stays() -> None:
    raw = {"name": "a", "pools": [{"name": "own", "device": "x", "devices": 1, "pods": 1}]}
    scenario = parse_scenario({**raw, "policy": {"order": "sjf", "patience": "never"}})
    changed = with_policy(scenario, {"patience": "at_once", "bound": "rented_only"})
    assert (changed.policy.order, changed.policy.patience, changed.bound) == ("sjf", "at_once", "rented_only")


def test_the_product_of_the_axes(tmp_path: Path) -> None:
    laid = lay_out(written(tmp_path))
    assert [cell.place for cell in laid.cells] == [
        f"policy={policy}/scenario={scenario}/seed={seed}"
        for seed in (1, 2)
        for scenario in ("one", "two")
        for policy in ("4h%2For%20less", "never")
    ]
    first, second, third, _ = laid.cells[:4]
    assert first.scenario["policy"]["backfill"] == "easy"
    assert (second.scenario["policy"]["order"], second.scenario["policy"]["patience"]) == ("sjf", "never")
    assert (first.scenario["pools"][0]["pods"], third.scenario["pools"][0]["pods"]) == (1, 2)
    assert first.jobs_key == third.jobs_key != laid.cells[4].jobs_key


def test_cells_that_are_named(tmp_path: Path) -> None:
    rows = (
        '[[cells]]\npolicy = "never"\nscenario = "two"\nseeds = [7]\n'
        '[[cells]]\npolicy = "4h/or less"\nscenario = "two"\nseeds = {first = 8, count = 2}\n'
    )
    laid = lay_out(written(tmp_path, STUDY + rows))
    assert [(dict(cell.labels or ())["policy"], cell.seed) for cell in laid.cells] == [
        ("never", 7),
        ("4h/or less", 8),
        ("4h/or less", 9),
    ]


def test_traces_files_and_demands(tmp_path: Path) -> None:
    """A file's jobs are the same whatever the seed, so it makes one cell; a demand makes one for each."""
    trace(job(0, 10, 1)).write(tmp_path / "log.parquet")
    axes = '[axes.trace]\nlog = "log.parquet"\nbusy = {load = 2.0}\n'
    laid = lay_out(written(tmp_path, f'name = "traces"\nseeds = [5, 6]\n{axes}{SCENARIO}'))
    assert [cell.place for cell in laid.cells] == [
        "trace=log/seed=5",
        "trace=busy/seed=5",
        "trace=busy/seed=6",
    ]
    log, busy, _ = laid.cells
    assert (log.trace, log.scenario["demand"]) == (str(tmp_path / "log.parquet"), {})
    assert busy.scenario["demand"] == {"days": 1, "devices": 24, "load": 2.0}


def test_a_scenario_beside_the_study_and_its_trace(tmp_path: Path) -> None:
    (tmp_path / "base").mkdir()
    trace(job(0, 10, 1)).write(tmp_path / "base" / "log.parquet")
    pool = '[[pools]]\nname = "own"\ndevice = "any"\ndevices = 4\npods = 1\n'
    (tmp_path / "base" / "base.toml").write_text(f'name = "base"\ntrace = "log.parquet"\n{pool}')
    (cell,) = lay_out(written(tmp_path, 'name = "one"\nscenario = "base/base.toml"\n')).cells
    assert (cell.place, cell.trace) == ("seed=1", str(tmp_path / "base" / "log.parquet"))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (STUDY.replace("seeds = 2", "seed = 2"), "unknown key seed; did you mean seeds?"),
        (STUDY.replace("seeds = 2", "seeds = 0"), "seeds = 0: must be"),
        (STUDY.replace("axes.policy", "axes.polcy"), "unknown key axes.polcy; did you mean policy?"),
        (STUDY.replace('"never", ', '"nevr", '), 'policy "never", scenario "one": patience "nevr": unknown'),
        (
            STUDY.replace("own.pods=1", "won.pods=1"),
            '--set "pools.won.pods=1": no "won" there (allowed: own)',
        ),
        (STUDY.replace("days = 1", "dais = 1"), "dais"),
        (
            STUDY + '[[cells]]\npolicy = "nevr"\nscenario = "one"',
            'cells[0].policy = "nevr": not in axes.policy',
        ),
        (STUDY + '[[cells]]\npolicy = "never"', "cells[0]: needs a scenario (allowed: one, two)"),
        (STUDY + '[[cells]]\ntrace = "x"', 'cells[0].trace = "x": the study has no axes.trace'),
        (f'name = "x"\naxes.trace.log = "no.parquet"\n{SCENARIO}', 'trace "log": '),
        ("name = 3\n", "name = 3: must be `str`"),
        ('name = "x"\nscenario = "y"\naxes.scenario.log = [3]\n', "axes.scenario[...][0]: must be `str`"),
        ("name", "not TOML"),
    ],
)
def test_a_wrong_study_is_one_line(text: str, says: str, tmp_path: Path) -> None:
    file = written(tmp_path, text)
    with pytest.raises(StudyError) as error:
        lay_out(file)
    assert str(error.value).startswith(f"{file}: ")
    assert says in str(error.value)
    done = type_in("study", "run", file, "-o", tmp_path / "out")
    assert (done.exit_code, done.stdout, done.stderr) == (2, "", f"exaburst: {error.value}\n")
    assert not (tmp_path / "out").exists()


def test_results_are_what_each_cell_gives(undisturbed: Path, tmp_path: Path) -> None:
    table = read_results(undisturbed)
    study = lay_out(undisturbed / "study.toml")
    by_place = {cell.place: cell for cell in study.cells}
    assert table.num_rows == len(by_place) == 8
    rows = table.select(["policy", "scenario", "seed"]).to_pylist()
    assert rows == [
        {"policy": policy, "scenario": scenario, "seed": seed}
        for policy in ("4h/or less", "never")
        for scenario in ("one", "two")
        for seed in (1, 2)
    ]
    cell = by_place["policy=never/scenario=two/seed=2"]
    last = table.slice(7).to_pylist()[0]
    assert last["key"] == cell.key
    figures = {name: value for name, value in last.items() if name.partition(":")[0] in FIGURES}
    assert {name: value for name, value in figures.items() if value is not None} == {
        name: value for name, value in compute(cell, tmp_path).items() if value is not None
    }


def test_columns_say_their_units_and_axes_keep_their_order(undisturbed: Path) -> None:
    table = read_results(undisturbed)
    units = {"_s": "s", "usd": "USD", "device_h": "device-hour", "most_rented": "device"}
    for field in table.schema:
        said = {key.decode(): text.decode() for key, text in field.metadata.items()}
        assert said["meaning"], field.name
        name = field.name.partition(":")[0]
        unit = [unit for suffix, unit in units.items() if name.endswith(suffix)] or ["USD"] * ("usd" in name)
        assert said["unit"] == (unit or [""])[0], field.name
    assert str(table.schema.field("policy").type).startswith("dictionary")
    frame = table.to_pandas()
    assert list(frame.policy.cat.categories) == ["4h/or less", "never"]


def test_paths_are_a_hive(undisturbed: Path) -> None:
    """Any reader of such paths gets the names back, odd characters included."""
    words = pa.schema([(name, pa.string()) for name in ("policy", "scenario", "seed")])
    hive = ds.HivePartitioning(words)
    files = [file.relative_to(undisturbed) for file in undisturbed.glob("**/cell.json")]
    found = [str(hive.parse(str(file))) for file in files]
    assert len(set(found)) == 8
    assert sum('(policy == "4h/or less")' in one for one in found) == 4


def test_what_is_done_is_reused_and_gives_the_same_bytes(undisturbed: Path, tmp_path: Path) -> None:
    file = written(tmp_path)
    study = lay_out(file)
    with processes(2) as workers:
        some = study._replace(cells=study.cells[3:5])
        assert run_study(some, tmp_path, workers)[:2] == (2, 0)
        assert read_results(tmp_path).num_rows == 2
        assert run_study(study, tmp_path, workers)[:2] == (6, 2)
        assert results_of(tmp_path) == results_of(undisturbed)
        kept = run_study(some, tmp_path, workers, keep=True)
        assert kept[:2] == (2, 0), "their logs were not kept"
        assert run_study(some, tmp_path, workers, keep=True)[:2] == (0, 2)
        logs = tmp_path / some.cells[0].place / "jobs.parquet"
        assert pq.read_table(logs).num_rows > 0
        changed = lay_out(written(tmp_path, STUDY.replace("load = 1.0", "load = 1.1")))
        assert run_study(changed, tmp_path, workers)[:2] == (8, 0)
        assert not logs.exists(), "logs of other jobs than the figures beside them"


def test_a_failed_cell_is_told_and_stops_no_other(tmp_path: Path) -> None:
    trace(job(0, 10, 1), reference_device="abacus").write(tmp_path / "odd.parquet")
    trace(job(0, 10, 1)).write(tmp_path / "log.parquet")
    axes = '[axes.trace]\nodd = "odd.parquet"\nlog = "log.parquet"\n'
    file = written(tmp_path, f'name = "odd"\n{axes}{SCENARIO}')
    done = type_in("study", "run", file, "-o", tmp_path / "out", "--workers", "1")
    assert done.exit_code == 1
    assert done.stdout.startswith("odd: 2 cells = 1 computed + 0 reused + 1 failed\n")
    (line,) = done.stderr.splitlines()
    assert line.startswith("exaburst: trace=odd/seed=1: ")
    assert "abacus" in line
    assert read_results(tmp_path / "out").column("trace").to_pylist() == ["log"]


def test_show_prints_the_table_of_run(undisturbed: Path) -> None:
    shown = type_in("study", "show", undisturbed)
    assert shown.exit_code == 0
    head, _, heads, *rows = shown.stdout.splitlines()
    assert head == "patience: means over the seeds, 8 of 8 cells"
    assert heads.split()[:3] == ["policy", "scenario", "seeds"]
    assert [row[:12].strip() for row in rows[:4]] == ["4h/or less", "4h/or less", "never", "never"]
    table = read_results(undisturbed).to_pandas()
    mean = table[(table.policy == "never") & (table.scenario == "two")].usd_total.mean()
    assert f"{mean:,.0f}" in rows[3]
    parts = [row for row in rows if row.startswith(("scenario", "against"))]
    assert [" ".join(row.split()[:2]) for row in parts] == [
        "scenario one",
        "against 4h/or",
        "scenario two",
        "against 4h/or",
    ]


def test_the_page_lists_every_key_and_figure() -> None:
    page = (ROOT / "docs" / "studies.md").read_text(encoding="utf-8")
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in page.splitlines() if "|" in line
    ]
    figures = {row[0].strip("`"): tuple(row[1:]) for row in rows if row[0].strip("`") in FIGURES}
    assert figures == {
        name: (str(kind).replace("double", "float64"), unit, meaning)
        for name, (kind, unit, meaning) in FIGURES.items()
    }
    keys = {row[0].strip("`").partition(".")[0] for row in rows[: rows.index(["item", "holds"])]}
    assert keys - {"key", "---"} == set(StudySpec.__struct_fields__)


def test_show_and_check(undisturbed: Path, tmp_path: Path) -> None:
    nothing = type_in("study", "show", tmp_path)
    assert nothing.exit_code == 2
    assert nothing.stderr.startswith(f"exaburst: {tmp_path}: no results.parquet there")
    checked = type_in("check", undisturbed / "study.toml")
    assert checked.stdout.endswith(
        "study.toml: a valid study of 8 cells: 2 policy x 2 scenario, seeds 1 to 2\n"
    )


def started(file: Path, out: Path) -> subprocess.Popen[str]:
    code = "import sys; from scheduler.cli import main; main(sys.argv[1:])"
    command = [sys.executable, "-c", code, "study", "run", str(file), "-o", str(out), "--workers", "2"]
    return subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def kept_cells(out: Path) -> int:
    """Results in a folder; unlike a glob, a walk does not mind folders that vanish meanwhile."""
    return sum("cell.json" in files for _, _, files in os.walk(out))


def importing(study: subprocess.Popen[str]) -> bool:
    """Whether a worker has come to loading numpy, so is in its imports or past them."""
    tasks = Path(f"/proc/{study.pid}/task").glob("*/children")
    workers = [Path("/proc", child) for file in tasks for child in file.read_text().split()]
    return any(
        "spawn_main" in (worker / "cmdline").read_text() and "numpy" in (worker / "maps").read_text()
        for worker in workers
    )


def wait_until(happened: Callable[[], bool], study: subprocess.Popen[str]) -> None:
    until = time.monotonic() + 60
    while not happened() and study.poll() is None and time.monotonic() < until:
        time.sleep(0.005)


def wait_for(cells: int, out: Path, study: subprocess.Popen[str]) -> None:
    wait_until(lambda: kept_cells(out) >= cells, study)


def gone(study: subprocess.Popen[str]) -> bool:
    """Wait until no process of the study is left."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        try:
            os.killpg(study.pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.02)
    return False


def interrupt(study: subprocess.Popen[str]) -> None:
    """Press Ctrl-C, which reaches the study and its workers: it ends with one line, they without any."""
    os.killpg(study.pid, signal.SIGINT)
    _, complaint = study.communicate(timeout=30)
    assert (study.returncode, complaint) == (130, "exaburst: interrupted\n")
    assert gone(study)


def test_a_study_killed_half_way_goes_on(undisturbed: Path, tmp_path: Path) -> None:
    file = written(tmp_path)
    with started(file, tmp_path) as study:
        wait_for(3, tmp_path, study)
        study.kill()
    assert gone(study), "workers outlive the study"
    assert not (tmp_path / "results.parquet").exists()
    with processes(2) as workers:
        tally = run_study(lay_out(file), tmp_path, workers)
    assert tally.reused >= 3
    assert tally.failures == {}
    assert results_of(tmp_path) == results_of(undisturbed)


@pytest.mark.parametrize("name", KNOWN)
def test_a_study_killed_while_it_wrote_goes_on(name: str, undisturbed: Path, tmp_path: Path) -> None:
    """Half a file lies beside where it was to stand, in the place of a cell that is not done."""
    file = written(tmp_path)
    place = tmp_path / lay_out(file).cells[0].place
    place.mkdir(parents=True)
    (place / f".{name}.0a1b2c3d.part").write_text('{"metr')
    with processes(2) as workers:
        tally = run_study(lay_out(file), tmp_path, workers)
    assert tally.failures == {}
    assert results_of(tmp_path) == results_of(undisturbed)
    assert [path.name for path in place.iterdir()] == ["cell.json"]


def test_jobs_of_another_seed_are_made_anew(undisturbed: Path, tmp_path: Path) -> None:
    """They are sound, but not those that their name stands for."""
    shutil.copytree(undisturbed, tmp_path / "study")
    first, second = sorted((tmp_path / "study" / "traces").iterdir())[:2]
    shutil.copy(second, first)
    for cell in (tmp_path / "study").rglob("cell.json"):
        cell.unlink()
    with processes(2) as workers:
        run_study(lay_out(written(tmp_path)), tmp_path / "study", workers)
    assert results_of(tmp_path / "study") == results_of(undisturbed)


def test_ctrl_c_keeps_what_is_done(tmp_path: Path) -> None:
    with started(written(tmp_path, STUDY.replace("seeds = 2", "seeds = 50")), tmp_path) as study:
        wait_for(1, tmp_path, study)
        interrupt(study)
    done = kept_cells(tmp_path)
    assert 1 <= read_results(tmp_path).num_rows == done < 200


def test_ctrl_c_while_workers_import_is_one_line(tmp_path: Path) -> None:
    with started(written(tmp_path), tmp_path) as study:
        wait_until(lambda: importing(study), study)
        interrupt(study)
    assert read_results(tmp_path).num_rows == kept_cells(tmp_path) < 8


def test_ctrl_c_does_not_wait_for_a_long_cell(tmp_path: Path) -> None:
    long = STUDY.replace("days = 1, devices = 24", "days = 3650, devices = 96").replace(
        "horizon_h = 24", "horizon_h = 87_600"
    )
    with started(written(tmp_path, long), tmp_path) as study:  # minutes a cell
        wait_until(lambda: any(tmp_path.glob("traces/*.parquet")), study)
        interrupt(study)
    assert kept_cells(tmp_path) == 0


@pytest.mark.slow
def test_ten_kills_change_nothing(tmp_path: Path) -> None:
    """At random moments, while it starts, computes or writes; with its workers or without them."""
    rng = random.Random(9)
    file = written(tmp_path, STUDY.replace("seeds = 2", "seeds = 50"))
    with processes(2) as workers:
        run_study(lay_out(file), tmp_path / "undisturbed", workers)
    out = tmp_path / "out"
    for kill in range(10):
        with started(file, out) as study:
            if kill % 3:
                wait_for(kept_cells(out) + 1, out, study)
            time.sleep(rng.uniform(0, 0.5))
            if kill % 2:
                study.kill()
            else:
                os.killpg(study.pid, signal.SIGKILL)
        assert gone(study)
    with started(file, out) as study:
        study.communicate(timeout=60)
    assert study.returncode == 0
    assert results_of(out) == results_of(tmp_path / "undisturbed")
