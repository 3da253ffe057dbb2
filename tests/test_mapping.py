"""The mapping importer: what a mapping can say, told as small stories, and nights on which clocks change."""

from __future__ import annotations

import tempfile
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.cli import main
from tests.examples import examples
from traces import TRACE_SCHEMA, Trace, TraceError
from traces.formats.importing import Imported, import_trace
from traces.formats.mapping.spec import Changes, MappingError

CASES = Path(__file__).parents[1].parent / "shared" / "data" / "cases"


def read(folder: Path, text: str, *columns: str, units: tuple[str, ...] = (), **said: Any) -> Imported:
    path = folder / "log"
    path.write_text(text)
    return import_trace("csv", path, changes=Changes(columns=columns, units=units, **said))


def rows(trace: Trace, *names: str) -> list[tuple[Any, ...]]:
    return list(zip(*(trace.table.column(name).to_pylist() for name in names), strict=True))


def case(name: str) -> Path:
    if not (CASES / name).exists():
        pytest.skip(f"{name} is not at hand")
    return CASES / name


def unix(year: int, month: int, day: int, hour: int = 0, minute: int = 0, *, fold: int = 0) -> int:
    """The second from 1970 of a local time in Berlin."""
    berlin = ZoneInfo("Europe/Berlin")
    return round(datetime(year, month, day, hour, minute, tzinfo=berlin, fold=fold).timestamp())


TIMES = (
    "submit_s=Submit",
    "recorded_start_s=Start",
    "recorded_end_s=End",
    "runtime_s=End - Start",
    "gang==2",
)


def test_columns_keys_differences_and_numbers(tmp_path: Path) -> None:
    text = (
        "Id|Who|Submit|Start|End|Limit|TRES|Nodes\n"
        "7_1|ann|2026-01-05 08:00:00|2026-01-05 08:00:30|2026-01-05 10:00:30|1-02:03:04|cpu=4,gres/gpu=8|2\n"
        "7_2|bob|2026-01-05 09:00:00|2026-01-05 09:00:00|2026-01-05 09:00:07|30:00|gres/gpu:h100=3|1\n"
    )
    columns = (
        "job_id=Id",
        "owner=Who",
        *TIMES[:4],
        "estimate_s=Limit",
        "gang=TRES:gres/gpu",
        "gang=TRES:gres/gpu:*",
    )
    found = read(tmp_path, text, *columns)
    assert found.trace.epoch == datetime(2026, 1, 5, tzinfo=UTC)
    assert rows(found.trace, "name", "submit_s", "runtime_s", "gang", "estimate_s", "owner") == [
        ("7_1", 28_800, 7_200, 8, 86_400 + 2 * 3_600 + 3 * 60 + 4, "ann"),
        ("7_2", 32_400, 7, 3, 1_800, "bob"),
    ]
    assert rows(found.trace, "recorded_start_s", "recorded_end_s") == [(28_830, 36_030), (32_400, 32_407)]
    assert 'column "Nodes": not mapped, left out' in found.report.noted
    assert "Submit, Start, End: dates and times, in UTC where they name no zone" in found.report.assumed
    assert "Limit: durations, in days, hours, minutes and seconds" in found.report.assumed


def test_a_night_on_which_clocks_go_forward(tmp_path: Path) -> None:
    """On 2026-03-29 Berlin's clocks go from 02:00 to 03:00: from 01:45 to 03:45 is an hour."""
    text = "Submit,Start,End\n2026-03-29 01:30:00,2026-03-29T01:45:00,2026-03-29 03:45:00\n"
    found = read(
        tmp_path,
        text + "2026-03-29 02:30:00,2026-03-29 03:30:00,2026-03-29 03:30:05\n",
        *TIMES,
        zone="Europe/Berlin",
    )
    epoch = round(found.trace.epoch.timestamp())
    assert epoch == unix(2026, 3, 29)
    assert found.trace.first_midnight_s == 0
    assert rows(found.trace, "submit_s", "runtime_s", "recorded_end_s") == [
        (unix(2026, 3, 29, 1, 30) - epoch, 3_600, unix(2026, 3, 29, 3, 45) - epoch),
        (unix(2026, 3, 29, 3, 30) - epoch, 5, unix(2026, 3, 29, 3, 30) + 5 - epoch),
    ]
    said = "Submit: a local time that clocks going forward left out: read as if they had not yet"
    assert str(found.report.noted[said]) == 'line 3: "2026-03-29 02:30:00"'


def test_a_night_on_which_clocks_go_back(tmp_path: Path) -> None:
    """On 2026-10-25 Berlin has 02:00 to 03:00 twice: a job's times ascend, else it is the first."""
    text = (
        "Submit,Start,End\n"
        "2026-10-25 01:50:00,2026-10-25 02:45:00,2026-10-25 02:15:10\n"
        "2026-10-25 02:30:00,2026-10-25 02:10:00,2026-10-25 02:20:00\n"
        "2026-10-25 01:30:00,2026-10-25 01:45:00,2026-10-25 03:45:00\n"
    )
    found = read(tmp_path, text, *TIMES, zone="Europe/Berlin")
    epoch = round(found.trace.epoch.timestamp())
    later = unix(2026, 10, 25, 2, 10, fold=1)
    assert rows(found.trace, "submit_s", "recorded_start_s", "runtime_s", "recorded_end_s") == [
        (
            unix(2026, 10, 25, 1, 30) - epoch,
            unix(2026, 10, 25, 1, 45) - epoch,
            10_800,
            unix(2026, 10, 25, 3, 45) - epoch,
        ),
        (
            unix(2026, 10, 25, 1, 50) - epoch,
            unix(2026, 10, 25, 2, 45) - epoch,
            1_810,
            unix(2026, 10, 25, 2, 15, fold=1) + 10 - epoch,
        ),
        (unix(2026, 10, 25, 2, 30) - epoch, later - epoch, 600, later + 600 - epoch),
    ]
    assert {
        why.partition(":")[0]: str(where) for why, where in found.report.noted.items() if "twice" in why
    } == {
        "Submit": 'line 3: "2026-10-25 02:30:00"',
        "Start": 'line 2: "2026-10-25 02:45:00"',
        "End": 'line 2: "2026-10-25 02:15:10"',
    }


def test_the_run_time_tells_which_of_two_hours_it_was(tmp_path: Path) -> None:
    text = (
        "Submit,Start,End,Elapsed\n"
        "2026-10-25 01:00,2026-10-25 02:20,2026-10-25 02:30,4200\n"
        "2026-10-25 01:00,2026-10-25 02:20,2026-10-25 02:30,600\n"
        "2026-10-25 01:00,2026-10-25 02:20,2026-10-25 03:30,4200\n"
        "2026-10-25 01:00,2026-10-25 02:20,2026-10-25 03:30,7800\n"
    )
    times = [each for each in TIMES if not each.startswith("runtime_s")]
    found = read(tmp_path, text, *times, "runtime_s=Elapsed", zone="Europe/Berlin")
    first = unix(2026, 10, 25, 2, 20) - round(found.trace.epoch.timestamp())
    assert rows(found.trace, "recorded_start_s", "recorded_end_s") == [
        (first, first + 4_200),
        (first, first + 600),
        (first + 3_600, first + 7_800),
        (first, first + 7_800),
    ]


@pytest.mark.parametrize(
    "zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC", "+08:00"]
)
def test_every_hour_of_a_year_is_what_the_standard_library_says(tmp_path: Path, zone: str) -> None:
    """Local times that exist once, each at a second of its own in the hour."""
    site = ZoneInfo(zone) if ":" not in zone else datetime.fromisoformat(f"2026-01-01T00:00{zone}").tzinfo
    instants = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=3_601 * step) for step in range(8_700)]
    local = [instant.astimezone(site) for instant in instants]
    once = [
        at
        for at, moment in enumerate(local)
        if moment.replace(fold=0).utcoffset() == moment.replace(fold=1).utcoffset()
    ]
    text = "Submit\n" + "".join(f"{local[at]:%Y-%m-%dT%H:%M:%S}\n" for at in once)
    found = read(
        tmp_path,
        text,
        "submit_s=Submit",
        "runtime_s==60",
        "gang==1",
        zone=zone,
        epoch="2026-01-01T00:00+00:00",
    )
    assert found.trace.numpy("submit_s").tolist() == [3_601 * at for at in once]


@pytest.mark.parametrize(
    ("unit", "size"), [("s", 1), ("ms", 1_000), ("us", 1_000_000), ("ns", 1_000_000_000)]
)
def test_unix_times_of_any_unit(tmp_path: Path, unit: str, size: int) -> None:
    begin = 1_767_600_000
    text = f"at,till\n{begin * size},{(begin + 90) * size}\n{(begin + 60) * size},{(begin + 61) * size}\n"
    found = read(tmp_path, text, "submit_s=at", "runtime_s=till - at", "gang==1")
    assert [found.trace.instant(second).timestamp() for (second,) in rows(found.trace, "submit_s")] == [
        begin,
        begin + 60,
    ]
    assert rows(found.trace, "runtime_s") == [(90,), (1,)]
    assert f"at, till: Unix times in {unit}, by their size" in found.report.assumed
    given = read(
        tmp_path,
        text,
        "submit_s=at",
        "runtime_s=till - at",
        "gang==1",
        units=(f"submit_s={unit}", f"runtime_s={unit}"),
    )
    assert [given.trace.instant(second).timestamp() for (second,) in rows(given.trace, "submit_s")] == [
        begin,
        begin + 60,
    ]
    assert rows(given.trace, "runtime_s") == [(90,), (1,)]


def test_second_0_is_where_it_is_said(tmp_path: Path) -> None:
    of_log = "at,for\n100,60\n"
    found = read(
        tmp_path,
        of_log,
        "submit_s=at",
        "runtime_s=for",
        "gang==1",
        epoch="2026-01-05T06:00",
        zone="Europe/Berlin",
    )
    assert found.trace.epoch == datetime(2026, 1, 5, 5, tzinfo=UTC)
    assert rows(found.trace, "submit_s") == [(100,)]
    dated = "at,for\n2026-01-05T06:00:10,60\n2026-01-05T05:00:10Z,60\n"
    found = read(
        tmp_path,
        dated,
        "submit_s=at",
        "runtime_s=for",
        "gang==1",
        epoch="2026-01-05T06:00",
        zone="Europe/Berlin",
    )
    assert rows(found.trace, "submit_s") == [(10,), (10,)]
    found = read(
        tmp_path, dated, "submit_s=at", "runtime_s=for", "gang==1", epoch="1970", zone="Europe/Berlin"
    )
    assert rows(found.trace, "submit_s") == [(1_767_589_210,), (1_767_589_210,)]


def test_dates_without_a_year_are_in_that_of_the_epoch(tmp_path: Path) -> None:
    text = "Submit,Start,End\nMar  1 08:00,Mar  1 08:05,Mar  1 09:00\n"
    found = read(tmp_path, text, *TIMES, epoch="2026-01-01", zone="Europe/Berlin")
    assert [found.trace.instant(second) for (second,) in rows(found.trace, "submit_s")] == [
        datetime(2026, 3, 1, 7, tzinfo=UTC)
    ]
    with pytest.raises(TraceError, match='line 2: "Mar  1 08:00": Submit: not a number'):
        read(tmp_path, text, *TIMES)


def test_a_job_over_new_year_starts_in_the_next_year(tmp_path: Path) -> None:
    text = "Submit,Start,End\nDec 31 23:00,Jan 1 01:00,Jan 1 02:00\nDec 31 23:10,Dec 31 23:30,Jan 1 00:30\n"
    found = read(tmp_path, text, *TIMES, epoch="2025-12-31", zone="UTC")
    assert rows(found.trace, "submit_s", "recorded_start_s", "recorded_end_s", "runtime_s") == [
        (82_800, 90_000, 93_600, 3_600),
        (83_400, 84_600, 88_200, 3_600),
    ]
    assert sum(of.rows for why, of in found.report.noted.items() if "without a year" in why) == 3


@pytest.mark.parametrize("first", ["60", "1:00:00"])
def test_durations_and_numbers_of_one_column_are_both_read(tmp_path: Path, first: str) -> None:
    cells = [first, "1:00:00", "60", "2 h", "soon"]
    text = "at,ran,asked\n" + "".join(f"{at},{cells[min(at, 3)]},{cell}\n" for at, cell in enumerate(cells))
    columns = ("submit_s=at", "runtime_s=ran", "estimate_s=asked", "gang==1")
    found = read(tmp_path, text, *columns, units=("runtime_s=min", "asked=min"))
    expected = [3_600, 3_600, 3_600, 7_200, 7_200]
    assert found.trace.numpy("runtime_s").tolist() == found.trace.numpy("estimate_s").tolist() == expected
    assert not found.report.skipped
    assert str(next(of for why, of in found.report.noted.items() if "left out" in why)) == 'line 6: "soon"'


def test_units_of_times_and_shares(tmp_path: Path) -> None:
    text = "at,for,limit,gpus\n0,1.5,00:10:00,0.25\n5,2,3:00,1\n"
    columns = ("submit_s=at", "runtime_s=for", "estimate_s=limit", "gang=gpus")
    found = read(tmp_path, text, *columns, units=("runtime_s=min", "gang=milli"))
    assert rows(found.trace, "runtime_s", "estimate_s", "gang") == [(90, 600, 250), (120, 180, 1_000)]
    assert any("thousandths" in text for text in found.report.assumed)
    found = read(tmp_path, text, *columns, units=("runtime_s=h",))
    assert rows(found.trace, "runtime_s", "gang") == [(7_200, 1)]
    assert str(found.report.skipped["gang: not a whole number"]) == 'line 2: "0.25"'
    assert "gang: a share of a device; with --unit gang=milli thousandths are counted" in found.report.noted


def test_what_is_rounded_is_said(tmp_path: Path) -> None:
    text = "at,for,limit,prio\n0.4,9.6,0.2,1.5\n3,0.3,20,2\n"
    columns = ("submit_s=at", "runtime_s=for", "estimate_s=limit", "priority=prio", "gang==1")
    found = read(tmp_path, text, *columns)
    assert rows(found.trace, "submit_s", "runtime_s", "estimate_s", "priority") == [
        (0, 10, 1, 2),
        (3, 1, 20, 2),
    ]
    assert {why: str(where) for why, where in found.report.noted.items()} == {
        "run time 0: 1 s taken": "line 3",
        "priority: rounded to whole numbers": 'line 2: "1.5"',
        "runtime_s: rounded to whole seconds": 'line 2: "9.6"',
        "submit_s: rounded to whole seconds": 'line 2: "0.4"',
        "ran past the time requested: kept": "line 2",
    }


@pytest.mark.parametrize("column", TRACE_SCHEMA.names)
def test_every_column_of_a_trace_can_be_mapped(tmp_path: Path, column: str) -> None:
    """A file with the same cells under a column of another name gives the same trace as one with its own."""
    cells = {
        "after": "",
        "residency": "owned",
        "requires": "pool:own",
        "excludes": "device:h100",
        "outcome": "failed",
    }
    cell = cells.get(column, "7")
    needed = ["submit_s", "runtime_s", "gang"]
    names = [*(name for name in needed if name != column), column]
    values = ",".join(["7"] * (len(names) - 1) + [cell])
    own = read(tmp_path, f"{','.join(names)}\n{values}\n").trace
    theirs = read(tmp_path, f"{','.join(names[:-1])},Theirs\n{values}\n", f"{column}=Theirs").trace
    assert theirs.sha256 == own.sha256


def test_words_become_outcomes_and_places(tmp_path: Path) -> None:
    text = (
        "at,for,state,spec\n0,9,COMPLETED,V100M16|T4\n1,0,CANCELLED by 5,\n2,9,CANCELLED by 5,\n"
        "3,0,NODE_FAIL,T4\n4,9,odd,\n"
    )
    found = read(
        tmp_path, text, "submit_s=at", "runtime_s=for", "gang==1", "outcome=state", "requires=device:spec"
    )
    assert rows(found.trace, "submit_s", "runtime_s", "outcome", "requires") == [
        (0, 9, "completed", "device:V100M16,device:T4"),
        (2, 9, "cancelled", None),
        (3, 1, "failed", "device:T4"),
        (4, 9, None, None),
    ]
    assert {why: str(where) for why, where in found.report.skipped.items()} == {"never ran": "line 3"}
    assert str(found.report.noted["state: not known"]) == 'line 6: "odd"'
    assert str(found.report.noted["run time 0: 1 s taken"]) == "line 5"


def test_what_a_star_stands_for_is_a_word(tmp_path: Path) -> None:
    text = "at;for;TRES\n0;9;cpu=1,gres/gpu:h100=8,gres/gpu=8\n1;9;gres/gpu=2\n2;9;gres/gpu:a100=1\n"
    columns = ("submit_s=at", "runtime_s=for", "gang=TRES:gres/gpu", "gang=TRES:gres/gpu:*")
    found = read(tmp_path, text, *columns, "requires=device:TRES:gres/gpu:*")
    assert rows(found.trace, "gang", "requires") == [(8, "device:h100"), (2, None), (1, "device:a100")]


TERMS = st.lists(
    st.sampled_from([*"abc:*+-/=() .", "at", "for", " - ", " * ", "gpu", "=1", "\\d", "é"]), max_size=6
)


@settings(max_examples=examples(150), deadline=None)
@given(terms=st.lists(st.tuples(st.sampled_from(TRACE_SCHEMA.names), TERMS.map("".join)), max_size=4))
def test_whatever_is_mapped_is_a_trace_or_a_line(terms: list[tuple[str, str]]) -> None:
    columns = ["submit_s=at", "runtime_s=for", "gang=c:gpu", *("=".join(pair) for pair in terms)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log"
        path.write_text("at,for,c,a\n2026-01-05,90,gpu=1,a:2\n2026-01-06,0:01:00,gpu=8,\nx,1,gpu=1,1\n")
        try:
            found = import_trace("csv", path, changes=Changes(columns=columns))
        except (TraceError, MappingError) as error:
            assert "\n" not in str(error)
        else:
            assert (
                found.report.rows
                == 3
                == len(found.trace) + sum(at.rows for at in found.report.skipped.values())
            )


def test_rows_without_a_start_an_end_or_a_value_say_so(tmp_path: Path) -> None:
    text = (
        "Submit,Start,End\n2026-01-05,2026-01-05,2026-01-06\n2026-01-05,Unknown,Unknown\n2026-01-05,2026-01-05,None\n"
        "soon,2026-01-05,2026-01-06\n2026-01-05,2026-01-06,2026-01-05\n"
    )
    found = read(tmp_path, text, *TIMES)
    assert rows(found.trace, "runtime_s") == [(86_400,)]
    assert {why: str(where) for why, where in found.report.skipped.items()} == {
        "Start: no start: it never ran": "line 3",
        "End: no end: it had not ended": "line 4",
        "Submit: not a date and time of 1970 to 2099": 'line 5: "soon"',
        "ends before it starts": 'line 6: "-86400"',
    }


MAPPING = """
separator = ";"
zone = "Europe/Berlin"
merge = true
parts = '\\+\\d+$'

[columns]
job_id = "Job"
submit_s = "Queued"
runtime_s = "Ran"
gang = ["Gpus", "Cpus"]
queue = "Part"

[units]
Ran = "min"

[words.queue]
"g.*" = "gpu"

[[skip]]
column = "Job"
matches = '\\.'
reason = "a step"
"""


def test_a_mapping_can_be_kept(tmp_path: Path) -> None:
    """Attempts are added up in time, components in devices; options go over the file."""
    (tmp_path / "mine.toml").write_text(MAPPING)
    text = (
        "Job;Queued;Ran;Gpus;Cpus;Part\n"
        "1;2026-07-01 12:00;5;4;;gold\n1.0;x;x;x;x;x\n1;2026-07-01 13:00;7;4;;gold\n"
        "2+0;2026-07-01 12:30;3;;2;cpu\n2+1;2026-07-01 12:30;3;6;;gold\n"
    )
    found = read(tmp_path, text, file=tmp_path / "mine.toml")
    assert rows(found.trace, "job_id", "submit_s", "runtime_s", "gang", "queue") == [
        (1, 43_200, 720, 4, "gpu"),
        (2, 45_000, 180, 8, "cpu"),
    ]
    assert {why: found.report.skipped[why].rows for why in found.report.skipped} == {
        "a step": 1,
        "another attempt of a job: added to its first line": 1,
        "another component of a job: added to its first line": 1,
    }
    found = read(tmp_path, text, "gang==1", units=("Ran=s",), file=tmp_path / "mine.toml")
    assert rows(found.trace, "runtime_s", "gang") == [(12, 1), (3, 2)]
    assert found.trace.source["mapping"] == {
        "file": tomllib.loads(MAPPING),
        "columns": ["gang==1"],
        "units": ["Ran=s"],
    }


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ({"columns": ["submitt_s=at"]}, 'map "submitt_s": no column of a trace; did you mean submit_s?'),
        ({"columns": ["submit_s"]}, '--map "submit_s": must be NAME=VALUE, as submit_s=Submit'),
        ({"units": ["runtime_s=weeks"]}, "unit runtime_s=weeks: allowed are s, ms, us, ns, min, h, d"),
        ({"units": ["gang=min"]}, "unit gang=min: allowed are milli, thousandths, percent, devices"),
        (
            {"zone": "Mars/Base"},
            'zone "Mars/Base": unknown; allowed is a name as Europe/Berlin, or an offset as +08:00',
        ),
        ({"epoch": "soon"}, 'epoch "soon": must be a moment, as 2026-01-05T06:00, 1970, or midnight'),
        ({"separator": "||"}, 'separator "||": must be one character, tab or blanks'),
    ],
)
def test_a_bad_mapping_is_one_line(tmp_path: Path, said: dict[str, Any], line: str) -> None:
    (tmp_path / "log").write_text("at\n1\n")
    with pytest.raises(MappingError) as raised:
        import_trace("csv", tmp_path / "log", changes=Changes(**said))
    assert str(raised.value) == line


def test_a_column_that_the_file_lacks_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        TraceError, match=r'line 1: submit_s: no column "Submit"; did you mean Submitted\?; the file has'
    ):
        read(tmp_path, "Submitted,for\n1,2\n", "submit_s=Submit", "runtime_s=for", "gang==1")
    with pytest.raises(MappingError, match="swf: its columns are fixed; --unit estimate_s=min can be given"):
        import_trace("swf", tmp_path / "log", changes=Changes(zone="UTC"))
    with pytest.raises(MappingError, match="gavel: its columns are fixed; a mapping is for "):
        import_trace("gavel", tmp_path / "log", changes=Changes(zone="UTC"))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("colums = {}", "unknown key colums; did you mean columns?"),
        ("columns = 3", "columns = 3: must be"),
        ('[[skip]]\ncolumn = "a"\nmatches = "("\nreason = "b"', '"(": no regular expression'),
        ('[words.outcome]\nx = "odd"', 'words.outcome "odd": allowed are completed, failed'),
        ("columns = [", "not TOML"),
    ],
)
def test_a_bad_mapping_file_is_one_line(tmp_path: Path, text: str, line: str) -> None:
    (tmp_path / "mine.toml").write_text(text)
    with pytest.raises(MappingError) as raised:
        read(tmp_path, "at\n1\n", file=tmp_path / "mine.toml")
    assert line in str(raised.value)
    assert "\n" not in str(raised.value)


def test_what_adding_up_needs_is_named(tmp_path: Path) -> None:
    (tmp_path / "m.toml").write_text("merge = true")
    with pytest.raises(TraceError, match=r'line 1: merge: needs job_id; no column ""'):
        read(tmp_path, "submit_s,runtime_s,gang\n1,1,1\n", file=tmp_path / "m.toml")
    (tmp_path / "m.toml").write_text("open = true")
    with pytest.raises(TraceError, match="line 1: open: needs recorded_start_s"):
        read(tmp_path, "submit_s,runtime_s,gang\n1,1,1\n", file=tmp_path / "m.toml")


def test_what_a_mapping_says_in_vain_is_said(tmp_path: Path) -> None:
    skip = "[[skip]]\ncolumn = 'Nope'\nmatches = 'x'\nreason = 'a step'\n"
    (tmp_path / "m.toml").write_text(f"{skip}[units]\nrun = 'min'\n")
    text = "at,run,limit\n1,2,00:10:00\n"
    columns = ("submit_s=at", "runtime_s=run", "estimate_s=limit", "gang=none", "gang==1")
    found = read(tmp_path, text, *columns, units=("estimate_s=h",), file=tmp_path / "m.toml")
    assert rows(found.trace, "runtime_s", "estimate_s") == [(120, 600)]
    said = ['gang: no column "none": =1 is taken', 'skip: no column "Nope" for "a step"']
    assert list(found.report.assumed[:2]) == said
    assert "limit: not numbers, so not in h" in found.report.assumed
    with pytest.raises(TraceError, match=r'owner: "\(": no regular expression'):
        read(tmp_path, text, *columns, "owner=limit:/(/")


def type_in(*words: object) -> Result:
    return CliRunner().invoke(main, ["import", *map(str, words)])


def test_a_dry_run_shows_the_first_jobs_and_writes_nothing(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    log.write_text("Submit|Ran|GPUs\n2026-07-01 12:00:00|90|4\n")
    words = ("csv", log, "--map", "submit_s=Submit", "--map", "runtime_s=Ran", "--map", "gang=GPUs")
    result = type_in(*words, "--tz", "Europe/Berlin", "--unit", "runtime_s=min", "--sep", "|", "--dry-run")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-3:] == [
        "1 job, submitted from 2026-07-01 10:00 to 2026-07-01 10:00 UTC; nothing is written",
        "submitted (UTC)      job_id  submit_s  runtime_s  gang",
        "2026-07-01 10:00:00       0     43200       5400     4",
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["log.txt"]
    refused = type_in(*words)
    assert (refused.exit_code, "Missing option '-o'" in refused.output) == (2, True)
    wrong = type_in(*words, "--tz", "Mars", "--dry-run")
    assert wrong.exit_code == 2
    assert (
        wrong.output
        == 'exaburst: zone "Mars": unknown; allowed is a name as Europe/Berlin, or an offset as +08:00\n'
    )


# --- small inputs that go wrong ---


def test_iso_times_are_read_in_their_zone() -> None:
    found = import_trace("csv", case("renamed_dates.csv"), changes=Changes(zone="Europe/Berlin"))
    submitted = [found.trace.instant(second) for (second,) in rows(found.trace, "submit_s")]
    assert submitted == [datetime(2024, 3, 30, 21, tzinfo=UTC), datetime(2024, 3, 31, 0, 30, tzinfo=UTC)]


def test_shares_of_a_device_are_thousandths_or_skipped() -> None:
    found = import_trace("csv", case("fractional.csv"), changes=Changes(units=("gang=milli",)))
    assert rows(found.trace, "gang") == [(460,), (1_000,), (250,)]
    assert len(import_trace("csv", case("fractional.csv")).trace) == 1


def test_requests_in_minutes_are_read_as_that() -> None:
    """All 20 jobs ran for some 3,000 s and asked for 60: of minutes that is enough."""
    found = import_trace("swf", case("requested_in_minutes.swf"), changes=Changes(units=("estimate_s=min",)))
    assert rows(found.trace, "estimate_s") == [(3_600,)] * 20
    assert not any(why.startswith("ran past") for why in found.report.noted)


def test_text_ids_are_names() -> None:
    found = import_trace("csv", case("array_ids.csv"))
    assert rows(found.trace, "job_id", "name") == [(0, "1002_1"), (1, "1002_2"), (2, "dlctk696s0jb")]


SORTS = "J|S|R|T\n1|0|90|cpu=4,gres/gpu:a100=4,gres/gpu:h100=2\n2|5|90|gres/gpu:a100=3\n"
OF_SORTS = ("job_id=J", "submit_s=S", "runtime_s=R")


def test_devices_of_several_sorts_are_added_up(tmp_path: Path) -> None:
    (tmp_path / "log").write_text(SORTS)
    changes = Changes(columns=[*OF_SORTS, "gang=T:gres/gpu:*"], separator="|")
    found = import_trace("csv", tmp_path / "log", changes=changes)
    assert found.trace.numpy("gang").tolist() == [6, 3]


@pytest.mark.parametrize(
    ("units", "said"),
    [
        (["runtime=min"], 'unit runtime=min: no column "runtime" is read; did you mean runtime_s?'),
        (["Q=min"], 'unit Q=min: no column "Q" is read'),
        (["estimate_s=min"], 'unit estimate_s=min: no column "estimate_s" is read'),
        (["owner=min"], "unit owner=min: owner has no unit"),
        (["runtime_s=min", "R=h"], 'units of "runtime_s" and of "R": allowed is one of them'),
    ],
)
def test_a_unit_of_nothing_is_refused(tmp_path: Path, units: list[str], said: str) -> None:
    (tmp_path / "log").write_text(SORTS)
    changes = Changes(columns=[*OF_SORTS, "gang=T:gres/gpu:*"], units=units, separator="|")
    with pytest.raises((MappingError, TraceError)) as raised:
        import_trace("csv", tmp_path / "log", changes=changes)
    assert said in str(raised.value)


def test_a_pattern_that_captures_is_refused(tmp_path: Path) -> None:
    (tmp_path / "log").write_text(SORTS)
    changes = Changes(columns=[*OF_SORTS, r"gang=T:/a:(\d)/"], separator="|")
    with pytest.raises((MappingError, TraceError), match="groups must be without a capture"):
        import_trace("csv", tmp_path / "log", changes=changes)
