"""Writes a run as a Perfetto trace, in its protobuf; times are nanoseconds from the run's start."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
from perfetto.protos.perfetto.trace.perfetto_trace_pb2 import (
    BuiltinClock,
    DebugAnnotation,
    Trace,
    TrackDescriptor,
    TrackEvent,
)

from scheduler.report.executions import causes_before, executions, plain, tracks
from scheduler.report.packing import packed
from scheduler.report.timeline.counters import Counter, counters
from scheduler.run.directory import Run
from scheduler.why.causes import Cause
from scheduler.why.spans import Waits
from traces.files import written_whole
from traces.trace import Trace as Jobs

_NS = 10**9
_SEQUENCE = 1
_ROOT = 1
_SHOWN = ["attempt", "owner", "gang", "devices", "outcome", "spend_usd"]
_DRAWN = ["label", "kind", "workload", "alloc_s", "start_s", "end_s", *_SHOWN]
_ANNOTATIONS = [*_SHOWN, "starting_s", "waited_s", *(cause.word for cause in Cause)]


def beginning() -> bytes:
    """Return what each timeline begins with: its outermost track."""
    trace = Trace()
    packet = trace.packet.add(trusted_packet_sequence_id=_SEQUENCE)
    packet.sequence_flags = packet.SEQ_INCREMENTAL_STATE_CLEARED
    packet.track_descriptor.uuid, packet.track_descriptor.name = _ROOT, "exaburst"
    packet.track_descriptor.child_ordering = TrackDescriptor.EXPLICIT
    return bytes(trace.SerializeToString())


def write_timeline(run: Run, path: Path, waits: Waits | None = None, jobs: Jobs | None = None) -> int:
    """Write the timeline of a run, and return how many slices it has; with `waits`, of `jobs`, causes too.

    Raises OSError and PathError as `written_whole` does.
    """
    attempts = executions(run)
    causes = None if waits is None or jobs is None else causes_before(run, attempts, waits, jobs)
    with written_whole(path) as file:
        writer = _Writer(run, file)
        writer.head()
        for counter in counters(run):
            writer.count(counter)
        for track in tracks(run, attempts):
            name = track.resource if track.pod is None else f"{track.resource} pod {track.pod}"
            writer.slices(name, attempts, track.attempt, causes)
    return writer.slice_count


class _Writer:
    """Writes tracks and their events, track by track, as all of a long run would fill the memory."""

    def __init__(self, run: Run, file: BinaryIO) -> None:
        self.run, self.slice_count = run, 0
        self._file, self._trace = file, Trace()
        self._tracks, self._rank = _ROOT, 0

    def head(self) -> None:
        """Begin, give the annotations their numbers, and say at which date the run starts."""
        self._file.write(beginning())
        names = self._packet().interned_data.debug_annotation_names
        for number, name in enumerate(_ANNOTATIONS, 1):
            names.add(iid=number, name=name)
        epoch = datetime.fromisoformat(self.run.description["trace"]["epoch"])
        start = (epoch + timedelta(seconds=self.run.start_s)).timestamp()
        clocks = self._packet().clock_snapshot.clocks
        clocks.add(clock_id=BuiltinClock.BUILTIN_CLOCK_BOOTTIME, timestamp=0)
        clocks.add(clock_id=BuiltinClock.BUILTIN_CLOCK_REALTIME, timestamp=max(0, round(start)) * _NS)
        self._flush()

    def count(self, counter: Counter) -> None:
        """Add a track of a counter."""
        self._rank += 1
        track = self._track(counter.name)
        track.counter.unit_name = counter.unit
        value = "counter_value" if counter.value.dtype.kind == "i" else "double_counter_value"
        for second, level in zip(counter.time_s.tolist(), counter.value.tolist(), strict=True):
            event = self._event(second, track.uuid, TrackEvent.TYPE_COUNTER)
            setattr(event, value, level)
        self._flush()

    def slices(
        self, name: str, attempts: pa.Table, rows: Any, causes: Sequence[Mapping[Cause, int]] | None
    ) -> None:
        """Add a track of attempts, in as many lanes as there are at once, which the viewer puts together."""
        self._rank += 1
        told = plain(attempts.take(pa.array(rows)), _DRAWN)
        spans = np.array(told["alloc_s"], np.int64), np.array(told["end_s"], np.int64)
        lanes: dict[int, int] = {}
        for at, lane, _ in packed(*spans, np.ones(len(rows), np.int64)):
            if lane not in lanes:
                lanes[lane] = self._track(name).uuid
            row = {key: column[at] for key, column in told.items()}
            event = self._event(row["alloc_s"], lanes[lane], TrackEvent.TYPE_SLICE_BEGIN)
            event.name, event.categories[:] = f"{row['kind']} {row['label']}", [row["workload"]]
            _annotate(event, {key: row[key] for key in _SHOWN})
            _annotate(event, {"starting_s": row["start_s"] - row["alloc_s"]})
            if causes is not None:
                _annotate_waits(event, causes[rows[at]])
            self._event(row["end_s"], lanes[lane], TrackEvent.TYPE_SLICE_END)
            self.slice_count += 1
        self._flush()

    def _flush(self) -> None:
        """Write what there is; a trace may be written in parts."""
        self._file.write(self._trace.SerializeToString())
        self._trace.Clear()

    def _packet(self) -> Any:
        return self._trace.packet.add(trusted_packet_sequence_id=_SEQUENCE)

    def _track(self, name: str) -> Any:
        self._tracks += 1
        track = self._packet().track_descriptor
        track.uuid, track.parent_uuid, track.name = self._tracks, _ROOT, name
        track.sibling_order_rank = self._rank
        return track

    def _event(self, second: int, track: int, kind: int) -> Any:
        packet = self._packet()
        packet.timestamp = (second - self.run.start_s) * _NS
        packet.track_event.track_uuid, packet.track_event.type = track, kind
        return packet.track_event


def _annotate(event: Any, values: Mapping[str, str | int | float]) -> None:
    event.debug_annotations.extend(_annotations(values))


def _annotate_waits(event: Any, causes: Mapping[Cause, int]) -> None:
    """Add what the job waited for: seconds by cause."""
    waited = event.debug_annotations.add(name_iid=_ANNOTATIONS.index("waited_s") + 1)
    waited.dict_entries.extend(_annotations({cause.word: seconds for cause, seconds in causes.items()}))


def _annotations(values: Mapping[str, str | int | float]) -> Iterable[DebugAnnotation]:
    kinds = {str: "string_value", int: "int_value", float: "double_value"}
    for name, value in values.items():
        yield DebugAnnotation(name_iid=_ANNOTATIONS.index(name) + 1, **{kinds[type(value)]: value})
