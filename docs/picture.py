"""Draw a finished run: owned devices in use, rented devices and the queue over time.

python docs/picture.py runs/five docs/demo.png
"""

from __future__ import annotations

import sys
from pathlib import Path

from scheduler.report.figures import usage
from scheduler.run.directory import open_run
from scheduler.run.levels import steps

STEP_S = 7_200
"""The curves are means over two hours, so that areas stay true."""

if __name__ == "__main__":
    folder, out = sys.argv[1:]
    run = open_run(folder)
    picture = usage.over_time(run, steps(run.start_s, run.end_s, STEP_S))
    picture.savefig(Path(out), dpi=200, pil_kwargs={"optimize": True})
