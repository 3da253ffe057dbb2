"""The environment: its starts are those of a replay under the same policy, and what it shows is so."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from scheduler.replay import Setup
from scheduler.scenario import Scenario
from scheduler.study.compare.differences import CompareError
from scheduler.study.gym.cluster_env import PASS, ClusterEnv, Observation
from scheduler.study.gym.rewards import RewardError
from scheduler.study.gym.stepping import SteppingError
from scheduler.study.gym.window import WINDOW
from scheduler.study.gym.worlds import scenario_worlds, suite_worlds
from tests.build import CATALOG, job, offer, pool, rows, run, scenario, trace
from traces.trace import Trace

Decide = Callable[[Observation, int], int]


@pytest.fixture
def envs() -> Iterator[list[ClusterEnv]]:
    made: list[ClusterEnv] = []
    yield made
    for each in made:
        each.close()


def head_only(seen: Observation, now_s: int) -> int:
    """The head starts, or nobody does."""
    return 1 if seen["mask"][1] else PASS


def whoever_fits(seen: Observation, now_s: int) -> int:
    """The first in order that fits starts."""
    fits = np.flatnonzero(seen["mask"][1 : WINDOW + 1])
    return 1 + int(fits[0]) if len(fits) else PASS


class PodsThenOffers:
    """The head starts on pods as long as it can, then all burst that offers have room for, then the head."""

    def __init__(self) -> None:
        self._burst_s = -1

    def __call__(self, seen: Observation, now_s: int) -> int:
        bursts = WINDOW + 1 + np.flatnonzero(seen["mask"][WINDOW + 1 :])
        if len(bursts) and (now_s == self._burst_s or not seen["mask"][1]):
            self._burst_s = now_s
            return int(bursts[0])
        return head_only(seen, now_s)


def starts(env: ClusterEnv, decide: Decide, seed: int = 1) -> list[tuple[int, int, int]]:
    seen, _ = env.reset(seed=seed)
    over = False
    while not over:
        seen, _, over, _, told = env.step(np.int64(decide(seen, env.stepping.now_s)))
        assert told["allowed"]
    return sorted((each.job_id, each.alloc_s, each.resource) for each in env.stepping.started)


def replayed(of: Scenario, over: Trace, folder: Path) -> list[tuple[int, int, int]]:
    logged = rows(run(of, over, folder), "attempts", "job_id", "alloc_s", "where")
    names = [*(each.name for each in of.pools), *(each.name for each in of.offers)]
    return sorted((number, alloc_s, names.index(name)) for number, alloc_s, name in logged)


def world(draw: np.random.Generator) -> Trace:
    """Two hundred jobs that wait for each other, some of which come after others."""
    submit_s = np.sort(draw.integers(0, 6_000, 200))
    return trace(
        *(
            job(
                int(at_s),
                int(draw.integers(1, 600)),
                int(draw.integers(1, 13)),
                after=[int(draw.integers(0, row))] if row and draw.random() < 0.1 else None,
            )
            for row, at_s in enumerate(submit_s)
        )
    )


POLICIES: dict[str, tuple[dict[str, str], Decide]] = {
    "fcfs": ({"order": "fcfs", "backfill": "none", "patience": "never"}, head_only),
    "sjf": ({"order": "sjf", "backfill": "none", "patience": "never"}, head_only),
    "greedy": ({"order": "smallest", "backfill": "greedy", "patience": "never"}, whoever_fits),
    "bursts": ({"order": "fcfs", "backfill": "none", "patience": "at_once"}, PodsThenOffers()),
}


@pytest.mark.parametrize("name", POLICIES)
@pytest.mark.parametrize("seed", range(5))
def test_a_policy_starts_the_same_jobs_there_as_in_a_replay(
    name: str, seed: int, envs: list[ClusterEnv], tmp_path: Path
) -> None:
    policy, decide = POLICIES[name]
    pools = [pool(12), pool(8, 2, name="other")][: 1 + seed % 2] if name == "bursts" else [pool(12, 2)]
    offers = [offer("cloud", 30), offer("more", 14)] if name == "bursts" else []
    of = scenario(pools, offers, policy=policy)
    jobs = world(np.random.default_rng(seed))
    envs.append(env := ClusterEnv(lambda _: Setup.of(of, jobs, CATALOG)))
    assert starts(env, decide) == replayed(of, jobs, tmp_path)


def test_gymnasium_finds_nothing_wrong(envs: list[ClusterEnv]) -> None:
    for suite in ("synthetic", "bad-weather"):
        envs.append(env := ClusterEnv(suite_worlds(suite)))
        check_env(env, skip_render_check=True)


def test_a_step_costs_the_hours_that_jobs_wait(envs: list[ClusterEnv]) -> None:
    """3 + 2 devices wait 1 h for those 4, then 2 wait 2 h for those 3."""
    jobs = trace(job(0, 3_600, 4), job(0, 7_200, 3), job(0, 60, 2))
    of = scenario([pool(4)])
    envs.append(env := ClusterEnv(lambda _: Setup.of(of, jobs, CATALOG)))
    seen, _ = env.reset(seed=1)
    assert seen["jobs"][:3, 1].tolist() == [4, 3, 2]
    assert seen["mask"].nonzero()[0].tolist() == [1, 2, 3]
    seen, worth, over, _, told = env.step(np.int64(1))
    assert (worth, over, told["now_s"]) == (-5, False, 3_600)
    assert seen["jobs"][:2, 0].tolist() == [3_600, 3_600]
    _, worth, over, _, told = env.step(np.int64(1))
    assert (worth, over, told["job_h_waited"]) == (-4, False, 2)
    _, worth, over, _, _ = env.step(np.int64(1))
    assert (worth, over) == (0, True)


def test_a_reward_weighs_waiting_and_rent(envs: list[ClusterEnv]) -> None:
    jobs, of = trace(job(0, 3_600, 4), job(0, 3_600, 4)), scenario([pool(4)], [offer("cloud")])
    weights = {"job_h_waited": 10.0, "usd_rented": 1.0}
    envs.append(env := ClusterEnv(lambda _: Setup.of(of, jobs, CATALOG), weights))
    env.reset(seed=1)
    _, worth, _, _, told = env.step(np.int64(1 + WINDOW))
    assert told["usd_rented"] > 0
    assert worth == -told["usd_rented"]


def test_what_is_not_allowed_passes_and_nobody_passes_for_ever(envs: list[ClusterEnv]) -> None:
    jobs, of = trace(job(0, 3_600, 4), job(60, 3_600, 4)), scenario([pool(4)])
    envs.append(env := ClusterEnv(lambda _: Setup.of(of, jobs, CATALOG)))
    env.reset(seed=1)
    seen, _, _, _, told = env.step(np.int64(WINDOW))
    assert (told["allowed"], told["now_s"]) == (False, 60)
    assert seen["mask"].nonzero()[0].tolist() == [1, 2]
    _, _, _, _, told = env.step(np.int64(PASS))
    assert (told["allowed"], told["now_s"]) == (False, 3_660)


def test_more_wait_than_are_seen(envs: list[ClusterEnv]) -> None:
    jobs, of = trace(*(job(0, 10, 1, priority=at) for at in range(300))), scenario([pool(1)])
    envs.append(env := ClusterEnv(lambda _: Setup.of(of, jobs, CATALOG)))
    seen, _ = env.reset(seed=1)
    assert seen["jobs"][:, 3].tolist() == list(range(WINDOW))
    seen, *_ = env.step(np.int64(5))
    assert seen["jobs"][:, 3].tolist() == [0, 1, 2, 3, *range(5, WINDOW + 1)]
    assert len(starts(env, head_only)) == 300


def test_a_seed_is_a_world(envs: list[ClusterEnv]) -> None:
    envs.append(env := ClusterEnv(suite_worlds("bad-weather")))
    assert starts(env, whoever_fits, 3) == starts(env, whoever_fits, 3) != starts(env, whoever_fits, 4)


def test_what_cannot_be_is_said_in_a_line() -> None:
    jobs = trace(job(0, 10, 1))
    with pytest.raises(SteppingError, match="has an order whose keys change"):
        ClusterEnv(scenario_worlds(scenario([pool(1)], policy={"order": "wfp3"}), jobs))
    with pytest.raises(
        RewardError,
        match=r'"usd": unknown; did you mean usd_rented. .allowed: device_h_waited, job_h_waited, usd_',
    ):
        ClusterEnv(suite_worlds("synthetic"), "usd")
    with pytest.raises(CompareError, match='suite "archive": unknown'):
        suite_worlds("archive")


def test_without_gymnasium_it_says_what_to_install() -> None:
    code = "import sys; sys.modules['gymnasium'] = None; import scheduler.study.gym.cluster_env"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.splitlines()[-1].endswith('not installed: pip install "exaburst[gym]"')
