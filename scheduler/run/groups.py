"""Whose jobs a figure is of: all of them, or those with one word in a column, as `owner=proj-1`."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pyarrow as pa

from traces.arrays import Bools, is_word, words_of
from traces.words import BY

ALL = "all"
"""What stands for all groups together."""


class GroupError(ValueError):
    """A group of jobs that cannot be told apart; says what is allowed."""


def group_of(text: str) -> tuple[str, str]:
    """Return the column and the word of `COLUMN=WORD`; a word alone is a kind, and `all` is every job.

    Raises GroupError for an unknown column.
    """
    column, equals, word = text.partition("=")
    if not equals:
        return (ALL, "") if text == ALL else ("kind", text)
    if column not in BY:
        raise GroupError(f'"{text}": jobs have no word "{column}" (allowed: {", ".join(BY)})')
    return column, word


def figure_of(metric: str) -> str:
    """Return the figure of a metric without its part or group: `wait_p95_s` of `wait_p95_s@owner=a`."""
    return metric.partition("@")[0].partition(":")[0]


def columns_of(metrics: Iterable[str]) -> tuple[str, ...]:
    """Return the columns by whose words metrics tell jobs apart; raises GroupError for an unknown one."""
    groups = [metric.partition("@")[2].partition("=")[0] for metric in metrics if "@" in metric]
    for column in groups:
        if column not in BY:
            raise GroupError(f'"@{column}": jobs have no word "{column}" (allowed: {", ".join(BY)})')
    return tuple(sorted(set(groups)))


def named(text: str) -> str:
    """Return what the jobs of a group are called in a sentence."""
    column, word = group_of(text)
    if column == ALL:
        return "all jobs"
    return f"{word} jobs" if column == "kind" else f"jobs of {column} {word}"


def rows_in(jobs: pa.Table, text: str) -> Bools:
    """Say of each job whether it is in a group, as `group_of` reads it."""
    column, word = group_of(text)
    return np.ones(len(jobs), bool) if column == ALL else is_word(jobs.column(column), word)


def words_in(jobs: pa.Table, by: str) -> dict[str, Bools]:
    """Return the rows of each word of a column, one of `BY`."""
    words = jobs.column(by)
    return {name: is_word(words, name) for name in words_of(words)}
