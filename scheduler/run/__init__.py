"""A finished run: the columns of its logs, how it is read, and every figure that is computed from it.

Read `directory` first, then `figures`: its parts are `job_figures`, `campaigns`, `goodput`, `levels` and
`spend`, and its formulas `metrics`.
"""

from scheduler.run.directory import Run, RunError, open_run

__all__ = ["Run", "RunError", "open_run"]
