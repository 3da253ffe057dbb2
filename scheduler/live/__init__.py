"""Sources of jobs that live in a run, beside its trace: each sees what became of its jobs and answers.

Read `source.py` first: what such a source is; then `sources.py`, which merges them with the trace, and
`rows.py`, the trace that comes of it.
"""
