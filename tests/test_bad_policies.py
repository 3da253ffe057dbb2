"""Policies of one's own that are wrong, in every seam: one line names file, policy and what is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from scheduler.cli import main
from scheduler.policy import SEAMS, resolve
from scheduler.policy.answers import ASKED_ABOUT
from scheduler.policy.errors import PolicyError
from scheduler.run import open_run
from tests.build import job, trace

WRONG = {
    "order": ("None", "'a'", "float('nan')", "[1]", "10**400"),
    "first": ("None", "'b'", "0"),
    "place": ("None", "'a'", "-5", "10**9", "float('nan')"),
    "patience": ("None", "'a'", "-5", "float('nan')"),
    "offer": ("None", "'a'", "float('nan')"),
    "preempt": ("None", "'a'", "0", "float('nan')"),
    "repatriate": ("None", "'a'", "1"),
}
"""What a policy of each seam may not answer."""

KEYS = {
    "1 / 0": "line 3: ZeroDivisionError: division by zero",
    "jobs.runtime_s": "has no attribute 'runtime_s'",
    "jobs.gang.fill(1)": "read-only",
    "view.owners.append('x')": "has no attribute 'append'",
    "view._order": "policy.order: view._order: is nothing that a policy sees",
    "[1.0] * len(jobs.gang)": "gives [1.0, 1.0] for 2 jobs; must give an array of so many keys",
    "jobs.gang * 1j": "must give an array of so many keys",
    "jobs.gang * float('nan')": "gives NaN for job 0",
}
BACKFILLS = {
    "Planned(lambda w: 5)": "pick gives 5; must give what first or fit gave, or None",
    "Planned(lambda w: (next(w.in_order()), (1, 2)))": "must give what first or fit gave",
    "Planned(lambda w: next(w.in_order()).runtime_s)": "job.runtime_s: is nothing that a policy sees",
    "Planned(lambda w: setattr(w, 'now_s', 5))": "line 4: AttributeError",
    "Planned(lambda: None)": "TypeError",
    "HeadOnly(lambda n, t: 5, lambda *a: None)": "reserve gives 5; must give a Reservation",
    "HeadOnly(lambda n, t: 1 / 0, lambda *a: None)": "line 4: ZeroDivisionError",
    "HeadOnly(lambda n, t: Reservation(float('nan'), {}), lambda *a: None)": "must give a Reservation",
    "HeadOnly(lambda n, t: Reservation(float('inf'), {}), lambda *a: 5)": "renew gives 5; must give",
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    jobs = [job(0, 100, 1), job(0, 100, 2), job(1, 10, 1), job(2, 10, 2, priority=1), job(3, 50_000, 1)]
    trace(*jobs).write(tmp_path / "trace.parquet")
    return tmp_path


def lambdas(seam: str, body: str) -> str:
    return f"def mine():\n    return lambda {', '.join(ASKED_ABOUT[seam])}: {body}\n"


def replayed(folder: Path, seam: str, code: str) -> Result:
    """A run in which somebody waits, bursts, and could give way or come home."""
    (folder / "mine.py").write_text(code)
    policy = {"patience": "at_once" if seam in ("offer", "repatriate") else "after:1m", seam: "mine.py:mine"}
    lines = [f'policy.{each} = "{spec}"' for each, spec in policy.items()]
    (folder / "mine.toml").write_text(
        'name = "mine"\ntrace = "trace.parquet"\n'
        + "\n".join(lines)
        + '\n[[pools]]\nname = "own"\npods = 1\ndevice = "b200"\ndevices = 2\n'
        '[[offers]]\nname = "h100"\noffer = "aws-h100-us-east-1"\nquota = 80\n'
        '[checkpoints]\ninterval = "10m"\n'
    )
    return CliRunner().invoke(main, ["replay", "mine.toml", "-o", "run"])


def check(result: Result, message: str) -> None:
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1), result.output
    assert result.stderr.startswith("exaburst: mine.py:mine")
    assert message in result.stderr
    assert not Path("run", "run.json").exists()


@pytest.mark.parametrize("seam", SEAMS)
def test_what_makes_no_policy_of_the_seam_is_refused(folder: Path, seam: str) -> None:
    for code, message in [
        ("def mine():\n    pass\n", f"mine.py:mine: policy.{seam}: makes None; must make "),
        ("def mine():\n    return 5\n", f"mine.py:mine: policy.{seam}: makes 5; must make "),
        ("def mine():\n    return {}['x']\n", "mine.py:mine, line 2: KeyError: 'x'"),
        ("def mine():\n    raise OSError('two\\nlines')\n", "mine.py:mine, line 2: OSError: two"),
        ("def mine(job, view):\n    return 1\n", "mine.py:mine: takes (job, view); must make a policy of"),
        ("def mine(:\n", "mine.py: SyntaxError"),
        ("def other():\n    return 1\n", 'mine.py: no policy "mine" there'),
        ("import sys\nsys.exit(3)\n", "mine.py: SystemExit: 3"),
        ("raise KeyboardInterrupt\n", None),
    ]:
        (folder / "mine.py").write_text(code)
        with pytest.raises(KeyboardInterrupt if message is None else PolicyError) as refused:
            resolve(seam, "./mine.py:mine")
        assert message is None or (message in str(refused.value) and "\n" not in str(refused.value))


@pytest.mark.parametrize("seam", ASKED_ABOUT)
def test_what_is_asked_about_something_else_is_refused(folder: Path, seam: str) -> None:
    (folder / "mine.py").write_text("def mine():\n    return lambda a: 1\n")
    with pytest.raises(PolicyError) as refused:
        resolve(seam, "./mine.py:mine")
    asked = ", ".join(ASKED_ABOUT[seam])
    assert str(refused.value) == f"mine.py:mine: policy.{seam}: takes (a); must take ({asked})"


@pytest.mark.parametrize(("seam", "answer"), [(seam, each) for seam in WRONG for each in WRONG[seam]])
def test_a_wrong_answer_ends_the_run(folder: Path, seam: str, answer: str) -> None:
    check(
        replayed(folder, seam, lambdas(seam, answer)), "place: answered" if seam == "place" else "; must be "
    )


@pytest.mark.parametrize("seam", ASKED_ABOUT)
def test_what_fails_or_looks_or_writes_ends_the_run(folder: Path, seam: str) -> None:
    first = ASKED_ABOUT[seam][0]
    for body, message in [
        ("1 / 0", "mine.py:mine, line 2: ZeroDivisionError: division by zero"),
        ("exit(3)", "mine.py:mine, line 2: SystemExit: 3"),
        ("nowhere", "mine.py:mine, line 2: NameError"),
        (f"{first}.runtime_s", f"mine.py:mine: policy.{seam}: job.runtime_s: is nothing that a policy sees"),
        (f"setattr({first}, 'gang', 2)", "job.gang: cannot be written"),
        ("mine()(" + ", ".join(ASKED_ABOUT[seam]) + ")", "RecursionError"),
    ]:
        check(replayed(folder, seam, lambdas(seam, body)), message)


@pytest.mark.parametrize("keys", KEYS)
def test_wrong_keys_end_the_run(folder: Path, keys: str) -> None:
    code = f"class mine:\n    def keys(self, jobs, view):\n        return {keys}\n"
    check(replayed(folder, "order", code), KEYS[keys])


def test_keys_that_are_asked_about_something_else_are_refused(folder: Path) -> None:
    code = "class mine:\n    def keys(self):\n        return 1\n"
    check(replayed(folder, "order", code), "policy.order: keys: takes (); must take (jobs, view)")


@pytest.mark.parametrize("made", BACKFILLS)
def test_a_wrong_backfill_ends_the_run(folder: Path, made: str) -> None:
    code = (
        "from scheduler.policy.backfill import HeadOnly, Planned\n"
        f"from scheduler.policy.views import Reservation\ndef mine():\n    return {made}\n"
    )
    check(replayed(folder, "backfill", code), BACKFILLS[made])


@pytest.mark.parametrize("again", ["0", "-1", "float('nan')", "None", "1 / 0"])
def test_when_patience_wants_to_be_asked_again_is_later(folder: Path, again: str) -> None:
    code = (
        "class mine:\n    def __call__(self, job, view):\n        return 50\n"
        f"    def again_s(self, job, view):\n        return {again}\n"
    )
    wrong = "line 5: ZeroDivisionError" if "/" in again else "policy.patience: again_s gives"
    check(replayed(folder, "patience", code), wrong)


def test_a_right_backfill_of_ones_own_does_what_ours_does(folder: Path) -> None:
    code = (
        "from math import inf\nfrom scheduler.policy.backfill import Planned\n"
        "def mine():\n    return Planned(lambda waiting: waiting.first(lambda pod, devices: inf))\n"
    )
    assert replayed(folder, "backfill", code).exit_code == 0
    ours = (folder / "mine.toml").read_text().replace("mine.py:mine", "greedy")
    (folder / "ours.toml").write_text(ours)
    assert CliRunner().invoke(main, ["replay", "ours.toml", "-o", "ours"]).exit_code == 0
    assert open_run(folder / "run").table("jobs").equals(open_run(folder / "ours").table("jobs"))


def test_what_a_policy_prints_is_no_part_of_the_answer(folder: Path) -> None:
    result = replayed(folder, "order", "print('Read.')\n" + lambdas("order", "print('Asked.') or 0"))
    assert result.exit_code == 0
    again = CliRunner().invoke(main, ["summary", "run", "--json"])
    assert json.loads(again.stdout)
    assert result.stderr.startswith("Read.\nAsked.\n")
    assert "Asked." not in result.stdout
