"""Getting rented devices to work and results home: boots, and data over shared links."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from scheduler.engine.rented.offers import LiveOffer, Rental
from scheduler.engine.storm.handle import Handle
from scheduler.engine.storm.interruptible import Interruptible
from scheduler.engine.storm.links import Transfer, Wire
from traces.arrays import Floats


class Staging:
    """Moves data for attempts on offers that have a wire; `begun` and `home` are told when that is done.

    `output_tb` says by row of the trace what a job sends home.
    """

    def __init__(
        self,
        run: Handle,
        wires: dict[int, Wire],
        output_tb: Floats,
        begun: Callable[[Interruptible], None],
        home: Callable[[Interruptible], None],
    ) -> None:
        self._run, self._wires, self._output_tb = run, wires, output_tb
        self._begun, self._home = begun, home
        self._awaits: dict[Interruptible, int] = {}
        for wire in wires.values():
            wire.there.woken = wire.back.woken = run.woken

    def wired(self, offer: LiveOffer) -> bool:
        """Say whether data reaches the offer over a shared link."""
        return offer.index in self._wires

    def load(self, attempt: Interruptible, boot_s: int) -> None:
        """Boot the devices, with the input staged beside it."""
        attempt.linked, attempt.staged_tb = True, 0.0
        wire = self._wire(attempt)
        missing_tb = wire.missing_tb(attempt.job)
        self._awaits[attempt] = 1 + (missing_tb > 0)
        self._run.later(boot_s, partial(self._arrived, attempt))
        if missing_tb > 0:
            attempt.transfer = wire.there.start(missing_tb, partial(self._staged, attempt, missing_tb))

    def _staged(self, attempt: Interruptible, tb: float, _: Transfer) -> None:
        attempt.transfer, attempt.staged_tb = None, tb
        wire = self._wire(attempt)
        wire.store.staged(wire.region, attempt.job, 0.0)
        self._run.later(0, partial(self._arrived, attempt))

    def _arrived(self, attempt: Interruptible) -> None:
        """One of the two is done; an attempt that was stopped awaits nothing any more."""
        if attempt in self._awaits:
            self._awaits[attempt] -= 1
            if not self._awaits[attempt]:
                del self._awaits[attempt]
                self._begun(attempt)

    def bring_home(self, attempt: Interruptible) -> bool:
        """Send the output of an attempt that has done its work; say whether there is any to wait for."""
        output_tb = self._left_tb(attempt)
        if output_tb > 0:
            there = partial(self._returned, attempt, output_tb)
            attempt.transfer = self._wire(attempt).back.start(output_tb, there)
        return output_tb > 0

    def over(self, attempt: Interruptible, now_s: int) -> bool:
        """Say whether an attempt has done its work by now and brought home its output, or never had any."""
        if attempt.transfer is None or attempt in self._awaits:
            return attempt.returned_tb > 0 or (attempt.end_s <= now_s and not self._left_tb(attempt))
        self._wire(attempt).back.moved_tb(attempt.transfer)
        return attempt.transfer.final_tb is not None

    def _left_tb(self, attempt: Interruptible) -> float:
        """Return what an attempt has to send home over a link."""
        sends = attempt.linked and not attempt.returned_tb
        return float(self._output_tb[attempt.job.row]) if sends else 0.0

    def _returned(self, attempt: Interruptible, tb: float, _: Transfer) -> None:
        attempt.transfer, attempt.returned_tb = None, tb
        self._run.later(0, partial(self._home, attempt))

    def stop(self, attempt: Interruptible) -> None:
        """Let an attempt that is stopped move nothing more; what came through stays where it is."""
        if attempt.transfer is None:
            self._awaits.pop(attempt, None)
            return
        wire = self._wire(attempt)
        if self._awaits.pop(attempt, 0):
            attempt.staged_tb = wire.there.cancel(attempt.transfer)
            left_tb = attempt.transfer.tb - attempt.staged_tb
            wire.store.staged(wire.region, attempt.job, left_tb)
        else:
            attempt.returned_tb = wire.back.cancel(attempt.transfer)
        attempt.transfer = None

    def so_far(self, attempt: Interruptible) -> None:
        """Note what came through of a transfer that is cut off by the end of the run."""
        if attempt.transfer is not None:
            wire = self._wire(attempt)
            if attempt in self._awaits:
                attempt.staged_tb = wire.there.moved_tb(attempt.transfer)
            else:
                attempt.returned_tb = wire.back.moved_tb(attempt.transfer)

    def _wire(self, attempt: Interruptible) -> Wire:
        assert isinstance(attempt.need, Rental)
        return self._wires[attempt.need.offer.index]
