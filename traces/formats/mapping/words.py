"""Cells of a file as the words of a trace: names, places, outcomes, and the jobs that one comes after."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from traces.arrays import Bools
from traces.formats.mapping.cells import LogCells
from traces.formats.mapping.terms import Term
from traces.schema import DEFAULTS
from traces.validate import IS_PLACES, PLACES, PLACES_ALLOWED, WORDS

BETWEEN_JOBS = " ;,&"
"""What may stand between the jobs that a job comes after."""
_ABOUT_JOBS = r"\((?:un)?fulfilled\)|\(failed\)|after[a-z]*:|\b(?:done|ended|exit)\(|\)"
"""What stands around them: afterok:1001(unfulfilled) of Slurm and PBS, done(1001) of LSF."""
OUTCOME_WORDS = {
    r"(?i)complete(d)?|success(ful)?|succeeded|pass(ed)?|done|finish(ed)?|terminated": "completed",
    r"(?i)cancel.*|killed|aborted|revoked|deleted|stopped": "cancelled",
    r"(?i)time_?out|deadline": "timeout",
    r"(?i)preempt.*|evict.*": "preempted",
    r"(?i)fail.*|node_fail|boot_fail|out_of_memory|oom|error|exit|lost": "failed",
    r"(?i)running|pending|suspended|requeued|waiting": "",
}
"""What the words for how a job ended mean, if a mapping does not say; "" is not known."""


def words_of(cells: LogCells, terms: list[Term], target: str, *, own: bool, sort: str = "") -> pa.Array:
    """Return a column of words, by default where there is none; rows with one not allowed are skipped.

    `own` are words that a trace must have as they are; `sort` is what names of places are, device or pool.
    """
    text = first_text(cells, terms, own=own)
    given = pc.not_equal(text, "")
    words = cells.mapping.words.get(target) or (OUTCOME_WORDS if target == "outcome" and not own else {})
    shown = text
    if words:
        text = _replaced(text, words)
    if sort:
        text = places(text, sort)
    if target in WORDS:
        known = pc.or_(pc.is_in(text, pa.array(WORDS[target])), pc.equal(text, ""))
        wrong = _but_not(given, known)
        if own:
            cells.rows.skip(wrong, f"{target}: not one of {', '.join(WORDS[target])}", shown)
        else:
            cells.rows.note(wrong, f"{terms[0].text}: not known", shown)
            text = pc.if_else(pa.array(wrong), "", text)
    if target in PLACES:
        wrong = _but_not(pc.not_equal(text, ""), pc.match_substring_regex(text, IS_PLACES))
        cells.rows.skip(wrong, f"{target}: not {PLACES_ALLOWED}", shown)
    return pc.if_else(pc.not_equal(text, ""), text, pa.scalar(DEFAULTS.get(target), pa.string()))


def first_text(cells: LogCells, terms: list[Term], *, own: bool = False) -> pa.StringArray:
    """Return, of each row, the text of the first term that has one; a sum is one text after the other."""
    last, *others = [_text(cells, term, own=own) for term in reversed(terms)]
    for text in others:
        last = pc.if_else(pc.not_equal(text, ""), text, last)
    return last


def _text(cells: LogCells, term: Term, *, own: bool) -> pa.StringArray:
    operands = list(term.operands())
    if not operands:
        return pa.repeat(term.text.lstrip("="), len(cells.rows))
    if own and term.single is not None and not term.single.key:
        return cells.rows.words(term.single.column)
    texts = [cells.text(operand, name=True) for operand in operands]
    return texts[0] if len(texts) == 1 else pc.binary_join_element_wise(*texts, "")


def places(text: pa.StringArray, sort: str) -> pa.StringArray:
    """Return names, several with bars, commas or blanks between them, as places of a sort."""
    return _by_word(
        text, lambda word: ",".join(f"{sort}:{name}" for name in re.split(r"[|,\s]+", word) if name)
    )


def lists_of_jobs(text: pa.StringArray) -> pa.ListArray:
    """Return the jobs that texts name, also as schedulers say it, or [1, 2] as pandas writes lists.

    Where either of several would do, it is all of them.
    """
    text = pc.replace_substring_regex(text, r"^\[(.*)\]$", r"\1")
    if pc.any(pc.match_substring_regex(text, _ABOUT_JOBS)).as_py():
        text = pc.replace_substring_regex(text, _ABOUT_JOBS, " ")
        text = pc.replace_substring_regex(text, r"[:?]|\|\|", " ")
    text = pc.utf8_trim(text, BETWEEN_JOBS)
    lists = pc.split_pattern_regex(text, f"[{BETWEEN_JOBS}]+")
    return pc.if_else(pc.equal(text, ""), pa.scalar([], lists.type), lists)


def _replaced(text: pa.StringArray, words: Mapping[str, str]) -> pa.StringArray:
    """Return the word of the first pattern that is like all of a text; what is like none stays."""
    patterns = [(re.compile(pattern), word) for pattern, word in words.items()]

    def one(word: str) -> str:
        return next((into for pattern, into in patterns if pattern.fullmatch(word)), word)

    return _by_word(text, one)


def _by_word(text: pa.StringArray, change: Callable[[str], str]) -> pa.StringArray:
    encoded = text.dictionary_encode()
    changed = pa.array([change(word) for word in encoded.dictionary.to_pylist()], pa.string())
    return changed.take(encoded.indices)


def _but_not(given: pa.BooleanArray, known: pa.BooleanArray) -> Bools:
    return np.asarray(pc.and_not(given, known).to_numpy(zero_copy_only=False))
