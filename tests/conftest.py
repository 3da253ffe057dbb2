"""Random tests: the same worlds each time, so that a red build can be seen again; fresh ones where asked.

No time limit an example: a busy machine is no defect.
"""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("same", deadline=None, derandomize=True)
settings.register_profile("fresh", deadline=None)
settings.load_profile(os.environ.get("EXABURST_WORLDS", "same"))
