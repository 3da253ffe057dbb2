"""Files: read only what is one, written whole or not at all, one process at a time, whatever they are called.

Files are opened here by their path, never by a library by their name, which might take it for an address.
"""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO

TEXT_BYTES = 16_000_000
"""What a file of prices or of a recording may hold, and a run's description."""
TOML_BYTES = 1_000_000
"""What a file that people write may hold: scenarios, studies, claims."""


FINISHED = "run.json"
"""The file that makes a folder a finished run."""


class PathError(ValueError):
    """A path that is something else than what is to be written there."""


_held: dict[tuple[int, int], int] = {}
"""How often this process holds a folder, by its device and number."""


def open_file(path: Path | str) -> BufferedReader:
    """Open a regular file for reading; raises OSError, also where it is a folder, a device or a pipe."""
    if "\0" in str(path):
        raise OSError(errno.EINVAL, "no file has NUL in its name", str(path))
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # a pipe must not make us wait
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode):
        return os.fdopen(descriptor, "rb")
    os.close(descriptor)
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    raise OSError(errno.EINVAL, "not a regular file", str(path))


def read_bytes(path: Path | str, most: int | None = None) -> bytes:
    """Return what a file holds; raises OSError, also where that is more than `most` bytes."""
    with open_file(path) as file:
        if most is not None and os.fstat(file.fileno()).st_size > most:
            raise OSError(errno.EFBIG, f"larger than {most:,} bytes", str(path))
        return file.read()


def read_text(path: Path | str, most: int = TEXT_BYTES) -> str:
    """Return the text of a file, without a byte-order mark.

    Raises OSError, also where it holds more than `most` bytes, and UnicodeDecodeError where it is not UTF-8.
    """
    return read_bytes(path, most).decode("utf-8-sig")


def run_around(path: Path | str) -> Path | None:
    """Return the finished run within which a path lies, however deep, if there is one."""
    target = Path(os.path.realpath(path))
    return next((folder for folder in target.parents if (folder / FINISHED).is_file()), None)


def file_behind(path: Path | str) -> Path:
    """Return the file, perhaps absent, that a path leads to; raises PathError where it is something else."""
    target = Path(os.path.realpath(path))
    if os.path.lexists(target) and not target.is_file():
        what = "a link to itself" if target.is_symlink() else "a device or a pipe"
        what = "a folder" if target.is_dir() else what
        raise PathError(f"{path}: is {what}, not a file; choose another name")
    return target


@contextmanager
def written_whole(path: Path | str) -> Iterator[BinaryIO]:
    """Give a file to write, which appears under `path` only once it is whole and on the disk.

    A link is written through. Raises OSError, leaving nothing behind, where the folder cannot be written or
    the disk is full, and PathError where `path` is something other than a file.
    """
    target = file_behind(path)
    part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            to_disk(file, target)
        part.replace(target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


_passing: set[Path] = set()


@contextmanager
def passing_folder() -> Iterator[Path]:
    """Give a folder that is removed afterwards, with all that is in it.

    What this process writes there is not waited for until it is on the disk: for a short run of a study, that
    and removing it again from there takes a fifth as long as the run.
    """
    from tempfile import TemporaryDirectory  # it costs to import

    with TemporaryDirectory(prefix="exaburst-") as name:
        folder = Path(os.path.realpath(name))
        _passing.add(folder)
        try:
            yield folder
        finally:
            _passing.remove(folder)


def to_disk(file: BinaryIO, path: Path) -> None:
    """Wait until a file is on the disk, unless its folder is a passing one."""
    if not _passing.intersection(path.parents):
        os.fsync(file.fileno())


def aside_of(name: str) -> str | None:
    """Return the name of the file that a leftover of `written_whole` was to become; None for other files."""
    stem, _, token = name.removesuffix(".part").rpartition(".")
    return stem[1:] if name.startswith(".") and name.endswith(".part") and len(token) == 8 else None


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Make a folder if need be, and keep other processes from holding it too.

    A process may hold it several times. Raises OSError, at once, where another process holds it, and
    PathError where it is a file.
    """
    target = Path(os.path.realpath(folder))
    if os.path.lexists(target) and not target.is_dir():
        what = "a link to itself" if target.is_symlink() else "a file"
        raise PathError(f"{folder}: is {what}; a folder is needed")
    target.mkdir(parents=True, exist_ok=True)
    of = folder.stat()
    key = (of.st_dev, of.st_ino)
    descriptor = None if _held.get(key) else _lock(folder)
    _held[key] = _held.get(key, 0) + 1
    try:
        yield
    finally:
        _held[key] -= 1
        if descriptor is not None:
            (folder / LOCK).unlink(missing_ok=True)
            os.close(descriptor)


LOCK = ".lock"
"""The file in a folder that whoever holds it has locked; it is gone when nobody does."""


def _lock(folder: Path) -> int:
    """Return the descriptor of the folder's lock, once it is ours."""
    while True:
        descriptor = _open_lock(folder)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(descriptor), (folder / LOCK).stat()):
                return descriptor
        except FileNotFoundError:  # whoever held it has removed it meanwhile
            pass
        except BlockingIOError:
            os.close(descriptor)
            raise OSError(errno.EBUSY, "another process is writing there", str(folder)) from None
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _open_lock(folder: Path) -> int:
    """Open the lock, which is made if absent; raises PathError where that is a file of somebody else's."""
    not_ours = PathError(f"{folder}: holds a {LOCK} that is not this program's; choose another folder")
    try:
        descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
    except OSError as error:
        raise not_ours if error.errno in (errno.ELOOP, errno.EISDIR, errno.ENXIO) else error from None
    opened = os.fstat(descriptor)
    if stat.S_ISREG(opened.st_mode) and not opened.st_size:
        return descriptor
    os.close(descriptor)
    raise not_ours
