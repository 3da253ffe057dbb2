"""The timeline of a run, parsed with Perfetto's own protobuf classes."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.catalog import load_catalog
from scheduler.cli import main
from scheduler.report.packing import Block, packed
from scheduler.run.directory import Run
from tests import build
from tests.build import job, offer, pool, scenario

perfetto = pytest.importorskip(
    "perfetto.protos.perfetto.trace.perfetto_trace_pb2", reason="the extra `page` is not installed"
)

NS = 10**9
Span = tuple[str, int, int, str, dict[str, Any]]
"""(track, from, to, name, annotations), in seconds from the start of the run."""


def exaburst(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words], prog_name="exaburst")


class Parsed:
    """A trace as a viewer takes it: tracks, and the slices of each, begun and ended in turn."""

    def __init__(self, path: Path) -> None:
        trace = perfetto.Trace.FromString(path.read_bytes())
        self.tracks: dict[int, Any] = {}
        self.names: dict[int, str] = {}
        self.spans: list[Span] = []
        self.counts: dict[str, list[tuple[int, float]]] = {}
        self.clocks: dict[int, int] = {}
        began: dict[int, Any] = {}
        for packet in trace.packet:
            assert packet.trusted_packet_sequence_id == 1
            self.names |= {name.iid: name.name for name in packet.interned_data.debug_annotation_names}
            self.clocks |= {clock.clock_id: clock.timestamp for clock in packet.clock_snapshot.clocks}
            if packet.HasField("track_descriptor"):
                track = packet.track_descriptor
                assert track.uuid not in self.tracks
                self.tracks[track.uuid] = track
            elif packet.HasField("track_event"):
                self.event(packet, began)
        assert not began, "a slice that does not end"

    def event(self, packet: Any, began: dict[int, Any]) -> None:
        event, second = packet.track_event, packet.timestamp // NS
        assert packet.timestamp % NS == 0
        name = self.tracks[event.track_uuid].name
        if event.type == event.TYPE_COUNTER:
            value = event.WhichOneof("counter_value_field")
            self.counts.setdefault(name, []).append((second, getattr(event, value)))
        elif event.type == event.TYPE_SLICE_BEGIN:
            assert event.track_uuid not in began, "two slices at once in a lane"
            began[event.track_uuid] = (second, event)
        else:
            since, begin = began.pop(event.track_uuid)
            assert since <= second
            self.spans.append((name, since, second, begin.name, self.annotations(begin.debug_annotations)))

    def annotations(self, given: Any) -> dict[str, Any]:
        return {
            self.names[one.name_iid]: self.annotations(one.dict_entries)
            if (kind := one.WhichOneof("value")) is None
            else getattr(one, kind)
            for one in given
        }


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Two pods of 2: the first job has both and takes 112 s, as it spans them. The second may not leave, and
    waits; the third bursts at 40, and boots for 600 s."""
    folder = tmp_path_factory.mktemp("timeline")
    jobs = build.trace(
        job(0, 100, 4, kind="fsd.train", workload="fsd", residency="owned"),
        job(10, 50, 1, residency="owned", name="</script>"),
        job(20, 30, 2, owner="o"),
    )
    jobs.write(folder / "jobs.parquet")
    cloud = offer("cloud", key="nebius-h100-eu-north1")
    of = scenario([pool(2, 2, device="h100")], [cloud], policy={"patience": "after:20"})
    return build.run(of, jobs, folder / "run", load_catalog())


@pytest.fixture(scope="module")
def parsed(finished: Run) -> Parsed:
    folder = finished.folder.parent
    path = folder / "run.pftrace"
    result = exaburst("timeline", finished.folder, "-o", path, "--trace", folder / "jobs.parquet")
    assert result.exit_code == 0, result.output
    assert result.output == f"{path}: 4 slices\n"
    return Parsed(path)


def test_an_attempt_is_a_slice_on_each_pod_that_it_holds(parsed: Parsed) -> None:
    assert sorted(span[:4] for span in parsed.spans) == [
        ("cloud", 40, 670, "other 2"),
        ("own pod 0", 0, 112, "fsd.train 0"),
        ("own pod 0", 112, 162, "other </script>"),
        ("own pod 1", 0, 112, "fsd.train 0"),
    ]


def test_levels_are_those_that_the_run_logged(finished: Run, parsed: Parsed) -> None:
    states = finished.states
    for name in set(states.columns) - {"time_s"}:
        time_s, level = zip(*parsed.counts[name.replace("_", " ", 1)], strict=True)
        at = np.searchsorted(time_s, states.time_s, "right") - 1
        assert np.array(level)[at].tolist() == states[name].tolist(), name
    assert {"spend", "power"} <= parsed.counts.keys()


def test_spend_and_power_add_up_to_the_ledger(finished: Run, parsed: Parsed) -> None:
    spend, hours = finished.spend, finished.length_s / 3_600
    ((start_s, usd_per_h),) = parsed.counts["spend"]
    ((_, kw),) = parsed.counts["power"]
    assert start_s == 0
    assert usd_per_h * hours == pytest.approx(spend.usd[spend.line != "revenue"].sum())
    assert kw * hours == pytest.approx(spend.quantity[spend.line == "energy"].sum())


def test_a_slice_says_what_its_job_waited_for(parsed: Parsed) -> None:
    told = {span[3]: span[4] for span in parsed.spans}
    assert told["fsd.train 0"]["waited_s"] == {}
    assert told["other </script>"]["waited_s"] == {"residency": 82, "too_few": 20}
    assert told["other 2"]["waited_s"] == {"too_few": 20, "starting": 600}
    assert told["other 2"] == told["other 2"] | {"attempt": 1, "owner": "o", "gang": 2, "devices": 8}
    assert told["other 2"] == told["other 2"] | {"starting_s": 600, "outcome": "finished"}


def test_a_timeline_stands_at_its_date(parsed: Parsed) -> None:
    assert parsed.clocks == {6: 0, 1: 0}


def test_without_its_jobs_a_run_still_has_a_timeline(finished: Run, tmp_path: Path) -> None:
    """The jobs that a run was handed do not lie in it."""
    path = tmp_path / "run.pftrace"
    result = exaburst("timeline", finished.folder, "-o", path)
    assert (result.exit_code, result.output.count("\n")) == (0, 2)
    assert result.output.startswith("exaburst: causes of waiting are left out: ")
    assert all("waited_s" not in span[4] for span in Parsed(path).spans)


@pytest.mark.parametrize("what", ["other file", "run"])
def test_nothing_but_a_timeline_is_replaced(finished: Run, tmp_path: Path, what: str) -> None:
    path = tmp_path / "notes.txt" if what == "other file" else finished.folder / "run.pftrace"
    if what == "other file":
        path.write_text("mine")
    result = exaburst("timeline", finished.folder, "-o", path)
    assert result.exit_code == 2
    assert result.output.count("\n") == 1
    assert path.read_text() == "mine" if what == "other file" else not path.exists()
    again = tmp_path / "run.pftrace"
    assert [exaburst("timeline", finished.folder, "-o", again).exit_code for _ in range(2)] == [0, 0]


SPANS = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 10), st.integers(1, 5)), max_size=25)


@given(SPANS)
@settings(deadline=None)
def test_packed_blocks_never_overlap_and_leave_no_place_out(spans: list[tuple[int, int, int]]) -> None:
    from_s, length_s, places = np.array(spans, np.int64).reshape(-1, 3).T
    taken: dict[int, list[int]] = {}
    for which, first, size in packed(from_s, from_s + length_s, places):
        assert size > 0
        taken.setdefault(which, []).extend(range(first, first + size))
    assert {which: len(own) for which, own in taken.items()} == dict(enumerate(places.tolist()))
    for second in range(41):
        there = np.flatnonzero((from_s <= second) & (second < from_s + length_s)).tolist()
        assert max(Counter(place for which in there for place in taken[which]).values(), default=1) == 1


def test_neighbouring_places_are_one_block() -> None:
    """The first and the third of five places are free again when two are wanted, and then three."""
    from_s, to_s = np.array([0, 0, 0, 5, 6]), np.array([5, 9, 5, 9, 9])
    places = np.array([1, 1, 1, 2, 3])
    assert list(packed(from_s, to_s, places))[3:] == [
        Block(3, 0, 1),
        Block(3, 2, 1),
        Block(4, 3, 3),
    ]
