"""What numba has kept from before its room was changed is not run any more."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from scheduler.engine.fast import compiled

ROOM = Path(compiled.__file__).parent


def test_what_was_compiled_before_a_change_is_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A change of memory.py leaves the file of the loop, and what was compiled of it, as they were."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    changed_s = max(file.stat().st_mtime for file in ROOM.glob("*.py"))
    stale, fresh, foreign = (
        tmp_path / name for name in ("loop.go_on-9.nbi", "heap.push-9.nbi", "mine.f-9.nbi")
    )
    for index, at_s in ((stale, changed_s - 1), (fresh, changed_s), (foreign, changed_s - 1)):
        index.touch()
        os.utime(index, (at_s, at_s))
    assert not compiled.is_on_disk()
    compiled._forget_stale.__wrapped__()
    assert sorted(tmp_path.iterdir()) == sorted([fresh, foreign])
    os.utime(fresh.rename(stale), (changed_s, changed_s))
    assert compiled.is_on_disk()
