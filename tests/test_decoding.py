"""Text as it comes: packed, in other encodings, between other separators; read right, or named."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.test_formats import imported, rows
from traces.formats import decoding
from traces.formats.decoding import text_blocks
from traces.formats.quoting import joined
from traces.formats.reader import RowTally
from traces.formats.text_table import read_rows
from traces.schema import TraceError

CSV = "submit_s,runtime_s,gang,owner\n0,60,1,Jos\u00e9\n5,60,2,Jos\u00e8\n"
OWNERS = [("Jos\u00e9",), ("Jos\u00e8",)]


def zipped(content: bytes, *others: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.mkdir("folder")
        for name in ("folder/jobs.csv", *others):
            archive.writestr(name, content)
    return out.getvalue()


def zstd(content: bytes) -> bytes:
    packed: bytes = pa.compress(content, "zstd", asbytes=True)
    return packed


PACKED: dict[str, Callable[[bytes], bytes]] = {
    "plain": bytes,
    "gzip": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zip": zipped,
    "zstd": zstd,
}
ENCODED = {name: CSV.encode(name) for name in ("utf-8", "utf-8-sig", "utf-16", "latin-1")} | {
    "utf-16-be": b"\xfe\xff" + CSV.encode("utf-16-be"),
    "cr": CSV.replace("\n", "\r").encode(),
    "crlf": CSV.replace("\n", "\r\n").encode(),
}


@pytest.mark.parametrize("pack", PACKED.values(), ids=PACKED)
@pytest.mark.parametrize("content", ENCODED.values(), ids=ENCODED)
def test_all_say_the_same(tmp_path: Path, content: bytes, pack: Callable[[bytes], bytes]) -> None:
    assert rows(imported(tmp_path, "csv", pack(content)).trace, "owner") == OWNERS


@pytest.mark.parametrize("size", [1, 2, 3, 7])
@pytest.mark.parametrize("name", ["utf-8", "latin-1"])
def test_pieces_of_any_size_say_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, name: str
) -> None:
    monkeypatch.setattr(decoding, "BYTES_AT_ONCE", size)
    assert rows(imported(tmp_path, "csv", CSV.encode(name)).trace, "owner") == OWNERS


def test_latin_1_is_said_and_never_mixed_with_utf_8(tmp_path: Path) -> None:
    mixed = CSV.splitlines(keepends=True)
    found = imported(tmp_path, "csv", (mixed[0] + mixed[1]).encode() + mixed[2].encode("latin-1"))
    assert rows(found.trace, "owner") == OWNERS
    assert [(reason, of.rows, of.line) for reason, of in found.report.noted.items()] == [
        ("not UTF-8: read as Latin-1", 1, 3)
    ]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (zipped(b"a", "second.csv"), "line 1: a zip of 2 files: unpack it, and give one of them"),
        (zipped(CSV.encode())[:-40], "line 1: the compressed file is damaged or cut off"),
        (bz2.compress(CSV.encode())[:-5], "line 1: the compressed file is damaged or cut off"),
        (lzma.compress(CSV.encode())[:-5], "line 1: the compressed file is damaged or cut off"),
        (zstd(CSV.encode())[:-5], "line 1: the compressed file is damaged or cut off"),
        (CSV.encode("utf-16-le"), "line 1: holds NUL bytes: not text, or UTF-16 without its mark"),
        (b"x" * 200_000, "line 1: longer than 100,000 bytes: not a text table"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, content: bytes, words: str) -> None:
    with pytest.raises(TraceError) as raised:
        imported(tmp_path, "csv", content)
    assert str(raised.value).startswith(f"{tmp_path / 'file'}: {words}")


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_header_says_what_separates(tmp_path: Path, separator: str) -> None:
    found = imported(tmp_path, "csv", CSV.replace(",", separator))
    assert rows(found.trace, "owner", "gang") == [("Jos\u00e9", 1), ("Jos\u00e8", 2)]


def test_other_columns_are_left_out_and_said(tmp_path: Path) -> None:
    text = ",submit_s,runtime_s,gang,estimates_s,gpu,\n0,0,60,1,70,V100,\n1,5,60,2,70,V100,\n"
    found = imported(tmp_path, "csv", text)
    assert rows(found.trace, "submit_s", "estimate_s") == [(0, 60), (5, 60)]
    assert {reason: (of.rows, of.line) for reason, of in found.report.noted.items()} == {
        "column 1, without a name: not one of a trace, left out": (2, 1),
        'column "estimates_s": not one of a trace, left out; did you mean estimate_s?': (2, 1),
        'column "gpu": not one of a trace, left out': (2, 1),
        "column 7, without a name: not one of a trace, left out": (2, 1),
    }


def table(tmp_path: Path, text: str) -> tuple[list[list[str]], RowTally]:
    """The cells of a CSV file without a header, as our reader sees them."""
    tally = RowTally()
    path = tmp_path / "file"
    path.write_bytes(text.encode())
    found = [
        list(row)
        for block in read_rows(path, tally, separator=",", names=("a", "b"))
        for row in zip(block.words("a").to_pylist(), block.words("b").to_pylist(), strict=True)
    ]
    return found, tally


@pytest.mark.parametrize("size", [1, 5, 1 << 20])
def test_a_cell_in_quotes_holds_line_breaks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(decoding, "BYTES_AT_ONCE", size)
    text = 'x,"multi\nline, ""so"" it\n\nis"\n"y\n",2\n"5"" pipe",3\n6" pipe,4\n'
    found, tally = table(tmp_path, text)
    assert found == [["x", 'multi\nline, "so" it\n\nis'], ["y", "2"], ['5" pipe', "3"], ['6" pipe', "4"]]
    assert not tally.skipped


@pytest.mark.parametrize("lines", [3, 150])
def test_a_quote_that_is_never_closed_costs_one_line(tmp_path: Path, lines: int) -> None:
    found, tally = table(tmp_path, 'a,1\nb,"2\n' + "c,3\n" * lines)
    assert found == [["a", "1"], *[["c", "3"]] * lines]
    assert [(why, of.rows, of.line) for why, of in tally.skipped.items()] == [
        ("a quote that is not closed", 1, 2)
    ]
    assert tally.rows == lines + 2


@pytest.mark.parametrize("line", ['b,"2"x', 'b,"2"x,"', 'b,"2\nc,"3"', '"b" x,2', 'b,"2""x"y'])
def test_text_after_a_closing_quote_costs_the_line_it_begins_on(tmp_path: Path, line: str) -> None:
    found, tally = table(tmp_path, f'a,1\n{line}\nd,"4"\ne, "5" \n')
    first, *more = line.split("\n")
    assert found == [["a", "1"], *[[each[0], "3"] for each in more], ["d", "4"], ["e", "5"]]
    assert {why: str(of) for why, of in tally.skipped.items()} == {
        "text after a closing quote": f'line 2: "{first}"'
    }


def test_a_row_of_several_lines_is_noted(tmp_path: Path) -> None:
    """Rows that an unclosed quote has swallowed look like this, too."""
    found, tally = table(tmp_path, 'a,1\nb,"2\nc",\nd,"4\n\n"\n')
    assert found == [["a", "1"], ["d", "4"]]
    assert {why: (of.rows, of.line) for why, of in tally.noted.items()} == {
        "a cell in quotes that runs over lines": (2, 2)
    }
    assert tally.skipped["not 2 fields"].line == 2


@given(st.lists(st.lists(st.text('a,"\n', max_size=6), min_size=2, max_size=2), min_size=1, max_size=8))
def test_quotes_are_read_as_the_standard_library_does(cells: list[list[str]]) -> None:
    """What Python's csv writes is read again, whatever the cells hold."""
    import csv

    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(cells)
    lines = pa.array(out.getvalue().splitlines(keepends=True))
    tally = RowTally()
    whole = [
        line
        for block, _ in joined(iter([(lines, pa.array(range(len(lines))).to_numpy())]), ",", tally)
        for line in block.to_pylist()
    ]
    assert [next(csv.reader([line])) for line in whole] == cells
    assert not tally.skipped


@pytest.mark.parametrize("size", [1, 2, 3, 1 << 20])
def test_lines_may_end_in_any_way_and_each_in_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(decoding, "BYTES_AT_ONCE", size)
    (tmp_path / "file").write_bytes(b"a\rb\r\nc\nd\r\re\r")
    assert b"".join(text_blocks(tmp_path / "file", RowTally())).rstrip() == b"a\nb\nc\nd\n\ne"


STREAMS: dict[str, Callable[[bytes], bytes]] = {"bz2": bz2.compress, "xz": lzma.compress, "gz": gzip.compress}


@pytest.mark.parametrize("packed", STREAMS)
@pytest.mark.parametrize("size", [1, 7, 1 << 20])
def test_streams_one_after_the_other_are_one_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, packed: str, size: int
) -> None:
    monkeypatch.setattr(decoding, "BYTES_AT_ONCE", size)
    pack = STREAMS[packed]
    zeros = bytes(8) if packed == "xz" else b""
    (tmp_path / "file").write_bytes(pack(b"a\nb") + zeros + pack(b"c\n" * 1_000))
    read = b"".join(text_blocks(tmp_path / "file", RowTally()))
    assert read.split() == [b"a", b"bc", *[b"c"] * 999]


@pytest.mark.parametrize("packed", STREAMS)
@pytest.mark.parametrize("after", [b"garbage", b"B", b"\x01" * 40, "flipped", "cut"])
def test_what_follows_a_stream_is_no_silence(tmp_path: Path, packed: str, after: bytes | str) -> None:
    second = bytearray(STREAMS[packed](b"c\n" * 1_000))
    if after == "flipped":
        second[1] ^= 4
    if after == "cut":
        second = second[: len(second) // 2]
    more = after if isinstance(after, bytes) else bytes(second)
    (tmp_path / "file").write_bytes(STREAMS[packed](b"a\nb\n") + more)
    with pytest.raises(TraceError, match="the compressed file is damaged or cut off"):
        list(text_blocks(tmp_path / "file", RowTally()))


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_half_characters_of_utf_16_stay_apart_and_are_noted(tmp_path: Path, encoding: str) -> None:
    text = "\ufeffowner\na\ud800\na\ud801\n\U0001f697\n"
    (tmp_path / "file").write_bytes(text.encode(encoding, "surrogatepass"))
    tally = RowTally()
    assert b"".join(text_blocks(tmp_path / "file", tally)).decode().split("\n") == [
        *("owner", "a\\ud800", "a\\ud801", "\U0001f697", ""),
        *([""] if tally.noted else []),
    ]
    assert {why: (of.rows, of.line) for why, of in tally.noted.items()} == {
        "half a character of UTF-16: written out": (2, 2)
    }


@pytest.mark.parametrize("cut", [1, 2, 3])
def test_utf_16_that_ends_within_a_character_is_cut_off(tmp_path: Path, cut: int) -> None:
    (tmp_path / "file").write_bytes("\ufeffa\n\U0001f697".encode("utf-16-le")[:-cut])
    with pytest.raises(TraceError, match="line 2: UTF-16 that ends within a character: cut off"):
        list(text_blocks(tmp_path / "file", RowTally()))


def test_blocks_end_in_a_line_end(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"a\nb")
    assert list(text_blocks(tmp_path / "file", RowTally())) == [b"a\n", b"b\n"]
