"""The documents of what is written, checked and run again: files and what they hold."""

from __future__ import annotations

from typing import Annotated

from scheduler.report.documents.document import Document, about
from traces.submissions import submissions
from traces.trace import Trace


class FileDocument(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of what writes or checks another file: `check`, `export`, `report`, `timeline` and others with `-o`."""

    file: Annotated[str, about("the file")]
    holds: Annotated[str, about("what it is")]
    rows: Annotated[int | None, about("how many rows, jobs, spans or slices it has")]
    says: Annotated[list[str], about("what is worth a word about it, as printed")]


class TraceDocument(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of `generate`, `import` and `check TRACE`."""

    file: Annotated[str | None, about("the trace; null: a dry run wrote none")]
    jobs: Annotated[int, about("jobs")]
    submitted: Annotated[str, about("first and last submission")]
    reference_device: Annotated[str, about("the device that gangs count")]
    sha256: Annotated[str, about("digest of the jobs")]
    says: Annotated[list[str], about("what was read, skipped and changed, or how it compares, as printed")]


def trace_document(file: str | None, trace: Trace, says: str = "") -> TraceDocument:
    """Return what a trace holds."""
    return TraceDocument(
        file=file,
        jobs=len(trace),
        submitted=submissions(trace),
        reference_device=trace.reference_device,
        sha256=trace.sha256,
        says=says.splitlines(),
    )


class VerifyDocument(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of `verify`; where the logs differ it is an error and prints none."""

    run: Annotated[str, about("folder of the run")]
    engines: Annotated[list[str], about("the engine that ran it, and the other one")]
    files: Annotated[int, about("files that both wrote alike, to the bit")]
