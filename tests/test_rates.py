"""One rate for each device and kind of job: the catalog's, for generator, replay and economics alike."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from scheduler.catalog import Catalog, CatalogError, load_catalog
from scheduler.cli import main
from scheduler.engine.places import ANYWHERE
from scheduler.money.economics.inputs import inputs
from scheduler.money.economics.readings import readings
from scheduler.replay import Setup
from scheduler.replay.assembly import Assembly
from scheduler.scenario import parse_scenario
from scheduler.study.cells.cell import cell_of
from scheduler.study.reference import REFERENCE_DEVICE, reference_of
from tests.build import rows, run
from traces.trace import Trace, TraceError
from workloads import Demand, demand_of, generate

FLEETS: dict[str, Any] = {"days": 3, "robots": 0, "robot_growth": 0, "tenants": 0}
TILE, H100 = "dojo-tile-case-study", "h100"
SCENARIO = {
    "name": "rates",
    "pools": [{"name": "dojo", "pod": "exapod-case-study", "pods": 1}],
    "offers": [{"name": "nebius", "offer": "nebius-h100-eu-north1", "quota": 100_000}],
}


@pytest.fixture
def slower(tmp_path: Path) -> Catalog:
    """The catalog with tiles at two thirds of their MFU on FSD, 0.30 for 0.45."""
    file = tmp_path / "ours.toml"
    file.write_text("[mfu.dojo]\nfsd = 0.30\n")
    return load_catalog(file)


def work_s(trace: Trace) -> int:
    return int((trace.numpy("gang").astype(int) * trace.numpy("runtime_s")).sum())


def test_generator_replay_and_economics_follow_the_catalog(slower: Catalog) -> None:
    """Two thirds of the MFU: half as much again device-time, and two thirds of the H100s for a tile."""
    usual = load_catalog()
    jobs = [generate(demand_of(FLEETS), reference_of(catalog)) for catalog in (usual, slower)]
    assert len(jobs[0]) == len(jobs[1])
    assert work_s(jobs[1]) == pytest.approx(1.5 * work_s(jobs[0]), rel=1e-3)
    need = []
    for trace, catalog in zip(jobs, (usual, slower), strict=True):
        assembly = Assembly(Setup.of(parse_scenario(SCENARIO), trace, catalog))
        need.append(assembly.fit(120, "fsd.evaluate", may_leave=True, places=ANYWHERE)[1][0].devices)
    # 120 tiles are 120 x 9 x 0.45 / (0.989 x 0.375) H100, in nodes of 8: 1,310.4; of the slower ones 873.6.
    assert need == [1_312, 880]
    decided = [
        inputs(catalog, reading, offer="nebius-h100-eu-north1", kind="fsd.label")
        for catalog in (usual, slower)
        for reading in readings(catalog, "exapod-case-study")
    ]
    assert [each["owned_mfu"].mid for each in decided] == [0.45, 0.30]
    assert decided[1]["owned_mfu"].mid * 9 == reference_of(slower).pflops["fsd.label"]


def test_a_job_at_the_edge_of_a_kind_has_one_rate_everywhere() -> None:
    """A kind of one's own takes the longest prefix, in replay as in economics."""
    device = load_catalog().device(TILE)
    for kind in ("fsd", "fsd.label", "fsd.label.night", "fsdx", "other"):
        (reading,) = readings(load_catalog(), "exapod-case-study")
        owned = inputs(load_catalog(), reading, offer="nebius-h100-eu-north1", kind=kind)
        assert owned["owned_mfu"].mid * device.peak_pflops == device.rate_pflops(kind)


def test_the_trace_names_its_reference_device_and_rates(tmp_path: Path) -> None:
    out = tmp_path / "demand.parquet"
    assert CliRunner().invoke(main, ["generate", "--days", "1", "-o", str(out)]).exit_code == 0
    trace, device = Trace.read(out), load_catalog().device(REFERENCE_DEVICE)
    assert trace.reference_device == REFERENCE_DEVICE
    assert trace.reference_pflops == {kind: device.rate_pflops(kind) for kind in trace.reference_pflops}
    assert set(trace.codes("kind")[1]) <= set(trace.reference_pflops)


def test_a_trace_of_other_rates_is_refused_by_every_command(slower: Catalog, tmp_path: Path) -> None:
    jobs, file = generate(demand_of(FLEETS), reference_of(slower)), tmp_path / "jobs.parquet"
    jobs.write(file)
    wrong = (
        'reference device "dojo-tile-case-study": 2.7 PFLOPS on fsd.ablation when the trace was made, '
        "4.05 in the catalog: must be the same; generate the trace anew"
    )
    for refuses in (
        lambda: Setup.of(parse_scenario(SCENARIO), jobs),
        lambda: cell_of(parse_scenario(SCENARIO), 1, file),
    ):
        with pytest.raises(CatalogError) as caught:
            refuses()
        assert str(caught.value) == wrong
    checked = CliRunner().invoke(main, ["check", str(file)])
    assert (checked.exit_code, checked.output) == (2, f"exaburst: {file}: {wrong}\n")
    assert Setup.of(parse_scenario(SCENARIO), jobs, slower).trace is jobs


@pytest.mark.parametrize("rates", [3, {"fsd": "4"}, {"fsd": 0}, {"fsd": True}])
def test_rates_that_are_none_are_an_error(rates: object, tmp_path: Path) -> None:
    one = {"submit_s": [0], "runtime_s": [1], "gang": [1]}
    trace = Trace.from_columns(one, source={"reference_pflops": rates})
    trace.write(tmp_path / "jobs.parquet")
    with pytest.raises(TraceError, match=r"reference_pflops is .*; allowed are numbers above 0 by kind"):
        Trace.read(tmp_path / "jobs.parquet")


def test_a_foundation_run_that_waits_over_a_quarter_of_its_plan_is_late(tmp_path: Path) -> None:
    """A run as generated, due 1.25 times its plan after submission, behind one that holds the only pod.

    Its planned time is what it runs. Waiting for 24% of that it is in time, waiting for 26% it is late.
    """
    demand = Demand(days=14, devices=240, load=0.9, mix={"fsd": 1})
    jobs = generate(demand, reference_of())
    codes, kinds = jobs.codes("kind")
    asked_s = jobs.numpy("deadline_s") - jobs.numpy("submit_s")
    foundation = codes == kinds.index("fsd.foundation")
    whole = foundation & (abs(asked_s - 1.25 * jobs.numpy("runtime_s")) <= 2)
    assert whole.any(), "none ran to its end"
    run_s, due_s = (int(column[whole][0]) for column in (jobs.numpy("runtime_s"), asked_s))
    for share, late in ((0.24, False), (0.26, True)):
        blocker_s = int(share * run_s)
        behind = Trace.from_columns(
            {
                "submit_s": [0, 0],
                "runtime_s": [blocker_s, run_s],
                "gang": [120, 120],
                "deadline_s": [blocker_s, due_s],
            },
            reference_device=TILE,
        )
        done = run(parse_scenario(SCENARIO | {"offers": []}), behind, tmp_path / str(share), load_catalog())
        end_s = rows(done, "jobs", "end_s")[1][0]
        assert (end_s > due_s) is late
