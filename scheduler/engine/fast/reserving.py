"""What is reserved for the head: see `policy.backfill`."""

from __future__ import annotations

from scheduler.engine.fast.compiled import compiled
from scheduler.engine.fast.dues import shadow
from scheduler.engine.fast.memory import (
    ABSENT,
    DEVICES,
    DUE_LIST,
    DUES,
    FREE,
    HEAD,
    HELD_FOR,
    LINE,
    NEED_SIZE,
    NEEDS,
    NEEDS_END,
    NONE,
    PLACE_OF,
    POD_SIZE,
    PODS,
    PODS_END,
    RESERVATION,
    RESERVED,
    SEVERAL,
    SHADOW,
    SPARE,
    WHOLE,
)
from scheduler.engine.fast.pods import lasts
from scheduler.engine.fast.records import estimate_s
from scheduler.engine.fast.span_reserving import reserve_across
from traces.arrays import Ints


@compiled
def drop(memory: Ints) -> None:
    """Let nothing be reserved."""
    memory[HELD_FOR] = memory[RESERVED] = NONE
    memory[SEVERAL] = 0
    memory[RESERVATION] += 1


@compiled
def reserve(memory: Ints) -> None:
    """Reserve for the head: the earliest pods that will hold it, ties to the first."""
    drop(memory)
    head = memory[HEAD]
    line = memory[head + LINE]
    memory[HELD_FOR], memory[SHADOW] = head, ABSENT
    for need in range(memory[line + NEEDS], memory[line + NEEDS_END], NEED_SIZE):
        run_s = estimate_s(memory, head, need)
        if memory[need + WHOLE]:
            reserve_across(memory, need, run_s)
            continue
        pool, devices = memory[need + PLACE_OF], memory[need + DEVICES]
        for pod in range(memory[pool + PODS], memory[pool + PODS_END], POD_SIZE):
            soonest_s = memory[memory[pod + DUE_LIST]] if memory[pod + DUES] else 0
            if soonest_s < memory[SHADOW] or memory[pod + FREE] >= devices:
                keep_if_sooner(memory, pod, devices, memory[SHADOW], run_s)


@compiled
def look_again(memory: Ints, pod: int) -> None:
    """A gang has started or ended on a pod: renew what is reserved, or let it be made anew."""
    head, reserved = memory[HELD_FOR], memory[RESERVED]
    line = memory[head + LINE]
    for need in range(memory[line + NEEDS], memory[line + NEEDS_END], NEED_SIZE):
        pool = memory[need + PLACE_OF]
        if memory[pool + PODS] <= pod < memory[pool + PODS_END]:
            if memory[need + WHOLE] or memory[SEVERAL]:
                drop(memory)
                return
            before_s = ABSENT if pod == reserved else memory[SHADOW] + (pod < reserved)
            run_s = estimate_s(memory, head, need)
            keep_if_sooner(memory, pod, memory[need + DEVICES], before_s, run_s)


@compiled
def keep_if_sooner(memory: Ints, pod: int, devices: int, before_s: int, run_s: int) -> None:
    """Reserve on a pod if it has the devices before some instant, and lasts."""
    time_s, spare = shadow(memory, pod, devices, before_s)
    if time_s < before_s and lasts(memory, pod, time_s, run_s):
        if memory[SEVERAL]:
            memory[SEVERAL] = 0
            memory[RESERVATION] += 1
        memory[SHADOW], memory[RESERVED], memory[SPARE] = time_s, pod, spare
