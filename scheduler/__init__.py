"""The emulator: scenarios, policies, the simulation, its logs, and what they cost."""

__version__ = "0.1.0"
