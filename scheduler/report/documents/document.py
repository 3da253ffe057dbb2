"""A document: plain data with documented keys, as one line of JSON; a number that is not known is null."""

from __future__ import annotations

import json
from math import isfinite
from typing import Annotated, Any

import msgspec
import numpy as np
from msgspec import Meta, Struct

Known = int | float | None
Plain = dict[str, str | int | float | bool | None]


def about(meaning: str) -> Meta:
    """Return what says what a key of a document is."""
    return Meta(description=meaning)


Sure = Annotated[
    dict[str, dict[str, str]],
    about("figures that are `assumed`, of `low` certainty, and `undated` prices if any, by what they are of"),
]
Out = Annotated[str | None, about("file or folder of what was written, if anything was")]


class Document(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a command found."""

    def text(self) -> str:
        """Return it as JSON."""
        return json.dumps(
            _plain(msgspec.to_builtins(self, enc_hook=_of_numpy, str_keys=True)), ensure_ascii=False
        )


def _of_numpy(value: Any) -> Any:
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise TypeError(type(value).__name__)


def _plain(value: Any) -> Any:
    """Return data without numbers that JSON does not have."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return None if isinstance(value, float) and not isfinite(value) else value
