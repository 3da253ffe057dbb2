"""The environment: an agent starts jobs on pods, bursts them to offers, or lets time pass."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from scheduler.replay.setup import Setup
from scheduler.study.gym.rewards import StepCosts, weights_of
from scheduler.study.gym.stepping import Stepping, check_steps
from scheduler.study.gym.window import JOB_COLUMNS, WINDOW
from traces.arrays import Array
from traces.times import HOUR_S

try:
    import gymnasium
    from gymnasium import spaces
except ImportError:
    raise ImportError('gymnasium is not installed: pip install "exaburst[gym]"') from None

PASS = 0
ACTIONS = 1 + 2 * WINDOW
"""Pass; start job 0, 1, ... on pods; burst job 0, 1, ...."""
_MOST, _WORLDS = 1e15, 2**31

Observation = dict[str, Array]


class ClusterEnv(gymnasium.Env[Observation, np.int64]):
    """Worlds by their seeds; `reset(seed=7)` makes world 7, without a seed one is drawn.

    A step that starts a job takes no time as long as others may start; any other lasts until somebody may
    start next, or the run is over. An action that the mask forbids passes, or where time cannot pass, is the
    first that the mask allows. `reward` names a metric of `StepCosts`, or has a weight for each of several.
    """

    metadata: dict[str, Any] = {"render_modes": []}  # noqa: RUF012  # as gymnasium declares it

    def __init__(
        self, world: Callable[[int], Setup], reward: str | Mapping[str, float] = "device_h_waited"
    ) -> None:
        self._world, self._weights = world, weights_of(reward)
        self.stepping = self._begun(1)
        """The run."""
        pods = [pool.size for pool in self.stepping.cluster.pools for _ in pool.pods]
        shapes = {
            "jobs": (WINDOW, len(JOB_COLUMNS)),
            "pods": (max(1, len(pods)), 2),
            "offers": (max(1, len(self.stepping.offers)), 2),
        }
        boxes: dict[str, spaces.Space[Any]] = {
            name: spaces.Box(-_MOST, _MOST, shape, np.float32) for name, shape in shapes.items()
        }
        seen: spaces.Space[Any] = spaces.Dict(boxes | {"mask": spaces.MultiBinary(ACTIONS)})
        self.observation_space = seen
        self.action_space = spaces.Discrete(ACTIONS)
        self._mask: Array = np.zeros(ACTIONS, np.int8)
        self._may = self._mask[PASS + 1 :].reshape(2, WINDOW)
        self._pods, self._offers = (np.zeros(shapes[each], np.float32) for each in ("pods", "offers"))
        self._pods[: len(pods), 1] = pods

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Begin the run of a world, at its first decision."""
        super().reset(seed=seed)
        world = int(self.np_random.integers(1, _WORLDS)) if seed is None else seed
        self.close()
        self.stepping = self._begun(world)
        goes_on = self.stepping.advance()
        self._look(goes_on)
        return self._seen(), {"world": world, "now_s": self.stepping.now_s}

    def step(self, action: np.int64) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Do as the action says, and go on to the next decision."""
        run, chosen = self.stepping, int(action)
        allowed = bool(self._mask[chosen] == 1)
        if not allowed:
            chosen = int(np.argmax(self._mask))
        device_s, job_s, usd = run.device_s, run.job_s, 0.0
        if chosen > WINDOW:
            usd = run.burst(chosen - WINDOW - 1)
        elif chosen != PASS:
            run.start(chosen - 1)
        goes_on = (chosen != PASS and run.any_may) or run.advance()
        self._look(goes_on)
        device_h, job_h = (run.device_s - device_s) / HOUR_S, (run.job_s - job_s) / HOUR_S
        by_device, by_job, by_usd = self._weights
        worth = -(by_device * device_h + by_job * job_h + by_usd * usd)
        told = StepCosts(device_h, job_h, usd)._asdict()
        told["now_s"], told["allowed"] = run.now_s, allowed
        return self._seen(), worth, not goes_on, False, told

    def close(self) -> None:
        """Remove what the run has written."""
        self._folder.cleanup()

    def _begun(self, world: int) -> Stepping:
        check_steps(setup := self._world(world))
        self._folder, self._priced_s = TemporaryDirectory(prefix="exaburst-"), -1
        return Stepping(setup, Path(self._folder.name))

    def action_masks(self) -> Array:
        """Return what is allowed now, as those who learn under a mask ask for it."""
        return self._mask.astype(bool)

    def _look(self, goes_on: bool) -> None:
        """Work out what is allowed; nothing but to pass where the run is over."""
        self.stepping.mark(self._may)
        self._mask[PASS] = not goes_on or self.stepping.goes_on

    def _seen(self) -> Observation:
        run = self.stepping
        if run.cluster.pools:
            self._pods[:, 0] = [free for pool in run.cluster.pools for free in pool.frees]
        if run.offers:
            self._offers[:, 0] = [offer.free for offer in run.offers]
        if run.offers and self._priced_s != run.now_s:
            prices = (offer.price(offer.stock.largest_size) for offer in run.offers)
            self._offers[:, 1] = [price.usd_per_device_h for price in prices]
            self._priced_s = run.now_s
        return {
            "jobs": run.window.columns(run.now_s),
            "pods": self._pods.copy(),
            "offers": self._offers.copy(),
            "mask": self._mask.copy(),
        }
