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


def text_blocks(path: Path, tally: RowTally, longest: int = LONGEST_LINE) -> Iterator[bytes]:
    """Yield the lines of a file, each ended by a line feed, about `BYTES_AT_ONCE` bytes at a time.

    It may be compressed (gzip, bz2, xz, zstd, or a zip of one file), and be in UTF-8, in UTF-16 with a
    byte-order mark, or in Latin-1, as which each line is read and noted that is not UTF-8. Lines may end in
    CR, LF or both, and have `longest` bytes. Raises TraceError for what cannot be read as text.
    """
    line = 1
    try:
        with open_file(path) as file:
            for block in _whole_lines(_unified(_unpacked(file)), longest):
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


class _Joined:
    """Compressed streams, one after the other; the library's own file passes over what follows the first.

    Between those of xz may be bytes of 0, which are passed over.
    """

    def __init__(self, file: BufferedReader, decompressor: Callable[[], Any]) -> None:
        self._file, self._new = file, decompressor
        self._stream = decompressor()

    def read(self, size: int, /) -> bytes:
        """Return up to so many bytes, none at the end; raises OSError, LZMAError or EOFError for damage."""
        while True:
            given = self._file.read(BYTES_AT_ONCE) if self._stream.needs_input else b""
            if self._stream.eof:
                given = self._stream.unused_data.lstrip(b"\0")
                while not given:
                    more = self._file.read(BYTES_AT_ONCE)
                    if not more:
                        return b""
                    given = more.lstrip(b"\0")
                self._stream = self._new()
            elif not given and self._stream.needs_input:
                raise EOFError("it ends before its end mark")
            if piece := self._stream.decompress(given, size):
                return bytes(piece)


def _unzipped(file: BufferedReader) -> _Stream:
    archive = zipfile.ZipFile(file)
    members = [each for each in archive.infolist() if not each.is_dir()]
    if len(members) != 1:
        raise TraceError(f"a zip of {len(members):,} files: unpack it, and give one of them")
    return archive.open(members[0])


_PACKED: dict[bytes, Callable[[Any], _Stream]] = {
    b"\x1f\x8b": lambda file: gzip.GzipFile(fileobj=file),
    b"BZh": lambda file: _Joined(file, bz2.BZ2Decompressor),
    b"\xfd7zXZ\0": lambda file: _Joined(file, lzma.LZMADecompressor),
    b"\x28\xb5\x2f\xfd": lambda file: pa.CompressedInputStream(file, "zstd"),
    b"PK\x03\x04": _unzipped,
    b"PK\x05\x06": _unzipped,
}


def _unified(stream: _Stream) -> Iterator[bytes]:
    """Yield pieces of a stream without a byte-order mark, UTF-16 made UTF-8, and line ends made LF."""
    piece = stream.read(BYTES_AT_ONCE)
    mark = next((mark for mark in _MARKS if piece.startswith(mark)), b"")
    piece = piece[len(mark) :]
    decoder = None
    if mark and _MARKS[mark] != "utf-8":
        decoder = codecs.getincrementaldecoder(_MARKS[mark])("surrogatepass")
    held = b""
    while piece:
        text = held + (piece if decoder is None else decoder.decode(piece).encode(errors="surrogatepass"))
        piece = stream.read(BYTES_AT_ONCE)
        held = b"\r" if text.endswith(b"\r") and piece else b""  # an LF may follow
        text = text[: len(text) - len(held)]
        yield text.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in text else text
    if decoder is not None and decoder.getstate()[0]:
        raise TraceError("UTF-16 that ends within a character: cut off")


def _whole_lines(pieces: Iterator[bytes], longest: int) -> Iterator[bytes]:
    """Cut pieces at line ends; the last line is ended if it was not."""
    rest = b""
    for piece in pieces:
        cut = piece.rfind(b"\n") + 1
        if cut:
            yield rest + piece[:cut]
            rest = b""
        rest += piece[cut:]
        if len(rest) > longest:
            raise TraceError(f"longer than {longest:,} bytes: not a text table")
    yield rest + b"\n"


def _utf_8(block: bytes, first: int, tally: RowTally) -> bytes:
    """Return a block in which each line that is not UTF-8 is read as Latin-1, where each byte is a letter."""
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
                text, what = _otherwise(line)
                lines[at] = text.encode()
                tally.note(what, 1, first + at, text.strip())
        return b"\n".join(lines)
    return block


def _otherwise(line: bytes) -> tuple[str, str]:
    """Return the text of a line that is not UTF-8, and how it was read."""
    try:
        text = line.decode(errors="surrogatepass")
    except UnicodeDecodeError:
        return line.decode("latin-1"), "not UTF-8: read as Latin-1"
    return text.encode(errors="backslashreplace").decode(), "half a character of UTF-16: written out"
