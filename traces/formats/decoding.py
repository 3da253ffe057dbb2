"""Text files as they come, compressed or in another encoding, handed over as lines of UTF-8."""

from __future__ import annotations

import bz2
import codecs
import gzip
import lzma
import zipfile
import zlib
from collections.abc import Callable, Iterator
from io import BufferedReader
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa

from traces.errors import first_line
from traces.files import open_file
from traces.formats.reader import RowTally
from traces.schema import TraceError

BYTES_AT_ONCE = 1 << 23
"""Bytes of text held at a time."""
LONGEST_LINE = 100_000
"""Bytes after which a file without a line end is no text table."""

_DAMAGED = (EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, pa.ArrowException, RuntimeError)
_MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


class _Stream(Protocol):
    def read(self, size: int, /) -> bytes: ...


def text_blocks(path: Path, tally: RowTally) -> Iterator[bytes]:
    """Yield the lines of a file, each ended by a line feed, about `BYTES_AT_ONCE` bytes at a time.

    It may be compressed (gzip, bz2, xz, zstd, or a zip of one file), and be in UTF-8, in UTF-16 with a
    byte-order mark, or in Latin-1, as which each line is read and noted that is not UTF-8. Lines may end in
    CR, LF or both. Raises TraceError for what cannot be read as text.
    """
    line = 1
    try:
        with open_file(path) as file:
            for block in _whole_lines(_unified(_unpacked(file))):
                yield _utf_8(block, line, tally)
                line += block.count(b"\n")
    except TraceError as error:
        raise TraceError(f"line {line}: {error}") from None
    except FileNotFoundError:
        raise TraceError("no such file") from None
    except (*_DAMAGED, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise TraceError(f"cannot be read: {error.strerror}") from None
        said = first_line(error)
        raise TraceError(f"line {line}: the compressed file is damaged or cut off: {said}") from None


def _unpacked(file: BufferedReader) -> _Stream:
    """Return what a file holds, unpacked as its first bytes say."""
    begin = file.peek(6)
    for magic, opened in _PACKED.items():
        if begin.startswith(magic):
            return opened(file)
    return file


def _unzipped(file: BufferedReader) -> _Stream:
    archive = zipfile.ZipFile(file)
    members = [each for each in archive.infolist() if not each.is_dir()]
    if len(members) != 1:
        raise TraceError(f"a zip of {len(members):,} files: unpack it, and give one of them")
    return archive.open(members[0])


_PACKED: dict[bytes, Callable[[Any], _Stream]] = {
    b"\x1f\x8b": lambda file: gzip.GzipFile(fileobj=file),
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ\0": lzma.LZMAFile,
    b"\x28\xb5\x2f\xfd": lambda file: pa.CompressedInputStream(file, "zstd"),
    b"PK\x03\x04": _unzipped,
    b"PK\x05\x06": _unzipped,
}


def _unified(stream: _Stream) -> Iterator[bytes]:
    """Yield pieces of a stream without a byte-order mark, UTF-16 made UTF-8, and lone CR made LF."""
    piece = stream.read(BYTES_AT_ONCE)
    mark = next((mark for mark in _MARKS if piece.startswith(mark)), b"")
    piece = piece[len(mark) :]
    decode = None
    if mark and _MARKS[mark] != "utf-8":
        decode = codecs.getincrementaldecoder(_MARKS[mark])("replace").decode
    lone_cr = None
    while piece:
        text = piece if decode is None else decode(piece).encode()
        if lone_cr is None:
            lone_cr = b"\r" in text and b"\n" not in text
        yield text.replace(b"\r", b"\n") if lone_cr else text
        piece = stream.read(BYTES_AT_ONCE)


def _whole_lines(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Cut pieces at line ends; the last line is ended if it was not."""
    rest = b""
    for piece in pieces:
        cut = piece.rfind(b"\n") + 1
        if cut:
            yield rest + piece[:cut]
            rest = b""
        rest += piece[cut:]
        if len(rest) > LONGEST_LINE:
            raise TraceError(f"longer than {LONGEST_LINE:,} bytes: not a text table")
    yield rest + b"\n"


def _utf_8(block: bytes, first: int, tally: RowTally) -> bytes:
    """Read each line that is not UTF-8 as Latin-1, in which every byte is a letter of its own."""
    if b"\0" in block:
        raise TraceError("holds NUL bytes: not text, or UTF-16 without its mark")
    if block.isascii():
        return block
    try:
        block.decode()
    except UnicodeDecodeError:
        lines = block.split(b"\n")
        for at, line in enumerate(lines):
            try:
                line.decode()
            except UnicodeDecodeError:
                text = line.decode("latin-1")
                lines[at] = text.encode()
                tally.note("not UTF-8: read as Latin-1", 1, first + at, text.strip())
        return b"\n".join(lines)
    return block
