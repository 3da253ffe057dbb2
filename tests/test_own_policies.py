"""One's own policies from a file: how they are named, what they may look at, and where their digest goes."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from scheduler.cli import main
from scheduler.policy import own_seam
from scheduler.policy.errors import PolicyError
from scheduler.replay import Setup, replay
from scheduler.run.directory import open_run
from scheduler.scenario import read_scenario
from scheduler.study.cells.cell import cell_of
from scheduler.study.cells.policy_names import parse_policy, with_policy
from tests.build import CATALOG, job, offer, pool, rows, run, scenario, trace

MINE = """
from scheduler.policy.burst import Patience, Seconds
from scheduler.policy.order import Order

def widest() -> Order:
    return lambda job, view: -job.gang

def above(gang: int) -> "Order":
    return lambda job, view: job.gang <= gang

def patience(wait: Seconds):
    return lambda job, view: wait

def waits(wait: Seconds) -> Patience:
    return lambda job, view: wait

class oldest:
    def keys(self, jobs, view):
        return jobs.submit_s - view.now_s

def last():
    return lambda job, devices, free: max([at for at, here in enumerate(free) if here >= devices], default=-1)

def dearest():
    return lambda job, offer: -offer.cost_usd(job)

def lighter():
    return lambda waiting, running, level: waiting.gang < running.gang

def plain():
    return lambda job, view: job.gang
"""


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "mine.py"
    file.write_text(MINE)
    return file


@pytest.mark.parametrize(
    ("name", "seam"),
    [
        *(("widest", "order"), ("above:2", "order"), ("oldest", "order"), ("plain", "order")),
        *(("patience:4h", "patience"), ("waits:4h", "patience"), ("last", "place")),
        *(("dearest", "offer"), ("lighter", "preempt")),
    ],
)
def test_the_seam_is_found(mine: Path, name: str, seam: str) -> None:
    assert own_seam(f"{mine}:{name}") == seam
    assert parse_policy(f"easy+./mine.py:{name}") == {"backfill": "easy", seam: f"{mine}:{name}"}


def test_a_scenario_names_a_file_beside_it(mine: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(
        'name = "mine"\npolicy.order = "mine.py:widest"\npolicy.backfill = "none"\n[[pools]]\nname = "own"\n'
        'pods = 1\ndevice = "unit"\ndevices = 4\n'
    )
    jobs = trace(job(0, 10, 1), job(0, 10, 3), job(0, 10, 4))
    of = run(read_scenario(tmp_path / "mine.toml"), jobs, tmp_path / "r")
    assert rows(of, "jobs", "start_s") == [(10,), (10,), (0,)]
    assert of.description["policy_files"] == {str(mine): hashlib.sha256(mine.read_bytes()).hexdigest()}
    mine.unlink()
    assert open_run(tmp_path / "r").description == of.description


def test_a_seam_may_be_said(mine: Path) -> None:
    assert parse_policy("patience=./mine.py:plain") == {"patience": f"{mine}:plain"}


def test_the_key_of_a_cell_follows_the_file(mine: Path, tmp_path: Path) -> None:
    trace(job(0, 10, 1)).write(tmp_path / "trace.parquet")
    own = with_policy(scenario([pool(4, device="b200")]), parse_policy("./mine.py:widest"))
    before = cell_of(own, 1, tmp_path / "trace.parquet").key
    mine.write_text(MINE + "\n# another\n")
    assert cell_of(own, 1, tmp_path / "trace.parquet").key != before


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("./mine.py:widestt", 'no policy "widestt" there; did you mean widest?'),
        ("./none.py:widest", "none.py: no such file"),
        ("./mine.py:widest:2", "takes no argument"),
        ("./mine.py:above", "needs an argument, as in"),
        ("./mine.py:above:x", "the argument must be a whole number"),
        ("./broken.py:widest", "broken.py: SyntaxError"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(mine: Path, tmp_path: Path, spec: str, message: str) -> None:
    (tmp_path / "broken.py").write_text("def widest(:\n")
    with pytest.raises(PolicyError) as refused:
        parse_policy(spec)
    assert message in str(refused.value)


def replayed(tmp_path: Path, seam: str, code: str) -> Result:
    (tmp_path / "mine.py").write_text(f"def mine():\n    return {code}\n")
    trace(job(0, 10, 1), job(0, 10, 1)).write(tmp_path / "trace.parquet")
    (tmp_path / "mine.toml").write_text(
        f'name = "mine"\ntrace = "trace.parquet"\npolicy.{seam} = "mine.py:mine"\n[[pools]]\nname = "own"\n'
        'pods = 1\ndevice = "b200"\ndevices = 1\n'
        '[[offers]]\nname = "h100"\noffer = "aws-h100-us-east-1"\nquota = 80\n'
    )
    return CliRunner().invoke(main, ["replay", str(tmp_path / "mine.toml"), "-o", str(tmp_path / "run")])


@pytest.mark.parametrize(
    ("seam", "code", "message"),
    [
        ("order", "lambda job, view: job.runtime_s", "policy.order: job.runtime_s: is nothing that a policy"),
        ("order", "lambda job, view: view.now_s", "policy.order: looks at view.now_s"),
        ("place", "lambda job, devices, free: job.shape", "policy.place: job.shape: is nothing"),
        ("patience", "lambda job, view: view._running", "policy.patience: view._running: is nothing"),
        ("patience", "lambda job, view: setattr(job, 'gang', 1)", "job.gang: cannot be written"),
    ],
)
def test_what_may_not_be_seen_ends_the_run_in_one_line(
    tmp_path: Path, seam: str, code: str, message: str
) -> None:
    result = replayed(tmp_path, seam, code)
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert message in result.stderr


def test_prices_to_come_may_not_be_seen(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("def mine():\n    return lambda job, offer: offer.offer.stock.prices\n")
    of = scenario(
        [pool(1)], [offer("one")], policy={"offer": f"{tmp_path}/mine.py:mine", "patience": "at_once"}
    )
    with pytest.raises(PolicyError, match=r"policy.offer: offer.offer: is nothing that a policy sees"):
        replay(Setup.of(of, trace(job(0, 10, 1), job(0, 10, 1)), CATALOG), tmp_path / "run")


def test_methods_are_asked_about_the_job_itself(tmp_path: Path) -> None:
    asked = "view.predicted_wait_s(job) + view.rented_s(job)"
    assert replayed(tmp_path, "patience", f"lambda job, view: {asked}").exit_code == 0
