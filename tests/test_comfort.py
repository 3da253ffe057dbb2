"""What a command line owes its user: scenarios by name and made by asking, lists of runs, help, progress."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from scheduler.cli import TASKS, main
from scheduler.cli.catalog import catalog
from scheduler.cli.study import study
from scheduler.cli.terminal import Heartbeat
from scheduler.scenario import read_scenario


def type_in(*words: object, answers: str = "") -> Result:
    return CliRunner().invoke(main, [*map(str, words)], prog_name="exaburst", input=answers)


def test_init_writes_what_it_was_given(tmp_path: Path) -> None:
    file = tmp_path / "ours.toml"
    words = ("init", "--name", "ours", "--device", "h100", "--nodes", 50, "--node-devices", 8, "-o", file)
    more = ("--offer", "aws-h100-us-east-1=256", "--patience", "after:2h")
    done = type_in(*words, *more)
    assert (done.exit_code, done.stderr) == (0, "")
    scenario = read_scenario(file)
    (pool,), (offer,) = scenario.pools, scenario.offers
    assert (scenario.name, pool.pods, pool.devices, pool.device) == ("ours", 50, 8, "h100")
    assert (offer.offer, offer.quota, scenario.policy.patience) == ("aws-h100-us-east-1", 256, "after:2h")
    again = type_in(*words)
    assert (again.exit_code, again.stderr) == (
        2,
        f"exaburst: {file}: is there already; choose another file\n",
    )


def test_init_asks_for_what_is_not_given(tmp_path: Path) -> None:
    file = tmp_path / "asked.toml"
    done = type_in("init", "-o", file, answers="asked\n\n3\n4\n")
    assert done.exit_code == 0, done.stderr
    (pool,) = read_scenario(file).pools
    assert (pool.pods, pool.devices, pool.device) == (3, 4, "h100")


def test_init_takes_defaults_where_nobody_answers_and_says_what_is_missing(tmp_path: Path) -> None:
    file = tmp_path / "ours.toml"
    done = type_in("init", "-o", file, "--name", "ours")
    assert (done.exit_code, file.exists()) == (2, False)
    assert "Missing option '--nodes'" in done.stderr
    assert type_in("init", "-o", file, "--name", "ours", "--nodes", 3).exit_code == 0
    (pool,) = read_scenario(file).pools
    assert (pool.pods, pool.devices, pool.device) == (3, 8, "h100")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--offer", "nobody=8"), "nobody"),
        (("--offer", "aws-h100-us-east-1"), "KEY=QUOTA"),
        (("--patience", "soon"), "soon"),
        (("--device", "foo"), 'unknown device "foo"'),
        (("--trace", "nope.parquet"), "nope.parquet: no such file"),
    ],
)
def test_a_wrong_answer_is_one_line_and_no_file(tmp_path: Path, more: tuple[str, str], said: str) -> None:
    file = tmp_path / "ours.toml"
    words = ("--name", "a", "--nodes", 1, "--node-devices", 8, "--device", "h100", *more)
    done = type_in("init", "-o", file, *words)
    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert said in done.stderr
    assert not file.exists()


def test_a_shipped_scenario_goes_by_its_name_and_runs_are_listed(tmp_path: Path) -> None:
    short = ("--set", "demand.days=1", "--set", "horizon_h=24")
    assert type_in("replay", "seven-exapods", *short, "-o", tmp_path / "a").exit_code == 0
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "run.json").write_text("{}")
    shown = type_in("runs", tmp_path).stdout.splitlines()
    assert [line.split()[:2] for line in shown[1:2]] == [[str(tmp_path / "a"), "seven-exapods"]]
    assert shown[2].startswith(f"{tmp_path}/b/run.json")
    assert type_in("runs", tmp_path / "none").exit_code == 2


def test_help_lists_every_command_under_its_task_with_an_example() -> None:
    told = [command for commands in TASKS.values() for command in commands]
    assert {command.name for command in told} == set(main.commands)
    shown = type_in("--help").stdout
    assert all(f"\n{task}:\n" in shown for task in TASKS)
    assert "..." not in shown.partition("Jobs:")[2]
    for command in told:
        if not isinstance(command, click.Group):
            assert f"Example: exaburst {command.name}" in " ".join(
                type_in(command.name, "--help").stdout.split()
            )


def test_without_a_terminal_a_line_is_said_every_half_minute(capsys: pytest.CaptureFixture[str]) -> None:
    """100 of 400 jobs in 30 s leave 90 s; nothing is said sooner, nor twice within half a minute."""
    now_s = iter([0.0, 1.0, 29.0, 31.0, 40.0, 62.0])
    say = Heartbeat(lambda: next(now_s))
    for done in (0, 50, 100, 150, 200):
        say("run", done, 400, "2026-01-05")
    assert capsys.readouterr().err.splitlines() == [
        "exaburst: run: 100 of 400 (25%), 2026-01-05, 93 s left",
        "exaburst: run: 200 of 400 (50%), 2026-01-05, 62 s left",
    ]


@pytest.mark.parametrize("group", [catalog, study])
def test_a_group_lists_whole_sentences_and_its_commands_have_examples(group: click.Group) -> None:
    """A line of help may break where its text does; "..." would leave some of it out."""
    assert "..." not in type_in(str(group.name), "--help").stdout.partition("Commands:")[2]
    for name, command in group.commands.items():
        assert f"Example: exaburst {group.name} {name} " in (command.epilog or "")
