"""From a scenario and a trace to a finished run.

Read `setup` first, then `replay`; `assembly` builds the engine's parts.
"""

from scheduler.replay.replay import replay
from scheduler.replay.setup import Setup

__all__ = ["Setup", "replay"]
