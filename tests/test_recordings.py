"""Recordings of how many nodes could be had: exactly what they say, again and again."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.stock.recordings import recorded_most
from scheduler.weather import RecordingError
from scheduler.weather.availability import availability
from scheduler.weather.recorded import Recorded
from tests.build import offer, pool, scenario
from tests.examples import examples
from tests.skies import down_s, drawn, recording, rows, stock_for

SOME = settings(max_examples=examples(60), deadline=None)
SPOT = Path(__file__).parents[1].parent / "shared" / "data" / "spot"


def test_a_recording_repeats_and_its_gaps_join_across_the_seam(tmp_path: Path) -> None:
    """Node 0 is out in the ticks of none, node 1 in those of one or none; gaps last 10, 50 and 20 s."""
    path = recording(tmp_path, [1, 2, 2, 0, 1, 1])
    spec = {"recording": path, "notice_s": 30}
    of = scenario(offers=[offer("spot", 100, key="nodes", reclaim=spec)])
    weather = drawn(of, 125)
    found = [
        tuple(row[name] for name in ("first", "devices", "from_s", "to_s"))
        for row in rows(weather, "reclaim")
    ]
    assert found == [(8, 8, 0, 10), (0, 8, 30, 40), (8, 8, 30, 70), (0, 8, 90, 100), (8, 8, 90, 125)]
    assert {row["notice_s"] for row in rows(weather, "reclaim")} == {30}
    assert {row["expected_s"] - row["from_s"] for row in rows(weather, "reclaim")} == {25}


@SOME
@given(
    data=st.lists(st.integers(0, 5), min_size=1, max_size=12).filter(any),
    share=st.integers(1, 5),
    until_s=st.integers(1, 200),
)
def test_of_any_recording_a_node_is_out_where_it_says_so(
    data: list[int], share: int, until_s: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = recording(tmp_path_factory.mktemp("recording"), data, 3)
    nodes = min(share, max(data))
    out = np.zeros((nodes, until_s), int)
    for unit, from_s, to_s in Recorded(path, nodes).spells(until_s):
        for node, begin, end in zip(unit, from_s, to_s, strict=True):
            out[node, begin:end] += 1
            assert begin == 0 or not out[node, begin - 1], "intervals are maximal"
    expected = [[data[second // 3 % len(data)] <= node for second in range(until_s)] for node in range(nodes)]
    assert out.tolist() == np.array(expected).astype(int).tolist()


@pytest.mark.parametrize(
    ("name", "gap_s"),
    [
        ("availability-16node-us-west-2a_v100_1.json", 300),
        ("availability-us-west-2a_v100_1.json", 195),
        ("preemption-4node-us-west-2c_v100_1.json", 300),
    ],
)
def test_real_recordings_come_out_to_the_second(name: str, gap_s: int) -> None:
    path = SPOT / name
    if not path.exists():
        pytest.skip(f"{name} is not at hand")
    data = json.loads(path.read_text())["data"]
    of = scenario(offers=[offer("spot", 10**6, reclaim={"recording": str(path)})])
    (spot,) = stock_for(of).offers
    assert spot.quota == max(data)
    until_s = 2 * len(data) * gap_s
    weather = drawn(of, until_s)
    weather.check(stock_for(of))
    up_s = spot.quota * until_s - down_s(weather, spot.quota).sum()
    assert up_s == 2 * sum(data) * gap_s
    assert availability(weather, "spot") == pytest.approx(sum(data) / max(data) / len(data), rel=1e-12)
    at_tick = np.zeros(2 * len(data) + 1, int)
    for row in rows(weather, "reclaim"):
        at_tick[row["from_s"] // gap_s] -= 1
        at_tick[row["to_s"] // gap_s] += 1
    assert (max(data) + np.cumsum(at_tick)[:-1]).tolist() == data * 2


BAD_RECORDINGS = [
    ("{", "not JSON"),
    ("[" * 100_000, "not JSON"),
    ("[]", "must be an object"),
    ('{"data": [1]}', "metadata"),
    ('{"metadata": {}, "data": [1]}', "gap_seconds"),
    ('{"metadata": {"gap_seconds": 300}}', "data"),
    ('{"metadata": {"gap_seconds": 300}, "data": []}', "data"),
    ('{"metadata": {"gap_seconds": 300}, "data": [0, 0]}', "data: all 0"),
    *(
        (f'{{"metadata": {{"gap_seconds": {gap}}}, "data": [1]}}', "metadata.gap_seconds")
        for gap in ("0", "-5", "1.5", '"300"', "true", "null", "10000000")
    ),
    *(
        (f'{{"metadata": {{"gap_seconds": 300}}, "data": [1, {many}]}}', "data[1]")
        for many in ("-1", "0.5", '"2"', "true", "null", "1000000000000000000000000", "{}")
    ),
    ('{"metadata": {"gap_seconds": 300}, "data": [NaN]}', "not JSON"),
    ('{"metadata": {"gap_seconds": 300}, "data": [1e999]}', "not JSON"),
    ('{"metadata": 300, "data": [1]}', "metadata"),
    ("", "not JSON"),
]


@pytest.mark.parametrize(("text", "said"), BAD_RECORDINGS)
def test_a_bad_recording_is_named_in_one_line(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.json"
    path.write_text(text)
    of = scenario(offers=[offer("spot", reclaim={"recording": str(path)})])
    with pytest.raises(RecordingError) as error:
        stock_for(of)
    line = str(error.value)
    assert line.startswith(f"{path}: ")
    assert said in line
    assert "\n" not in line


def test_a_recording_that_is_not_there_or_not_text_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=r"none\.json: no such file"):
        recorded_most(tmp_path / "none.json")
    with pytest.raises(RecordingError, match=r"is a directory"):
        recorded_most(tmp_path)
    (tmp_path / "bytes").write_bytes(b"\xff\xfe{")
    with pytest.raises(RecordingError, match=r"not JSON"):
        recorded_most(tmp_path / "bytes")


def test_a_recording_limits_the_quota_unless_it_is_lifted(tmp_path: Path) -> None:
    spec = {"recording": recording(tmp_path, [0, 3, 2])}
    for quota, expected in ((100, 24), (20, 20)):
        of = scenario(offers=[offer("spot", quota, key="nodes", reclaim=spec)])
        assert stock_for(of).offers[0].quota == expected
    lifted = scenario([pool(1)], [offer("spot", 20, reclaim=spec)], bound="rented_only")
    assert stock_for(lifted).offers[0].quota >= 10**9
