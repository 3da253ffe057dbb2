"""The order of an instant: what happens, then arrivals, then who is asked to give way, then guests."""

from __future__ import annotations

from collections.abc import Callable

from simpy import Environment
from simpy.events import NORMAL, Event, EventPriority

ARRIVALS = EventPriority(NORMAL + 1)
"""After whatever else happens."""
ASKING = EventPriority(NORMAL + 2)
"""Once all of the own jobs is known; before guests, who are not there for them."""
GUESTS = EventPriority(NORMAL + 3)
"""Last of all."""


def come_about(env: Environment) -> Event:
    """Return an event that has come about and is yet to be scheduled, which SimPy cannot say in public."""
    event = Event(env)
    event._ok = True
    return event


def call_at(env: Environment, priority: EventPriority, delay_s: int, act: Callable[[Event], None]) -> None:
    """Call something in that part of the instant after so many seconds."""
    event = come_about(env)
    event.callbacks.append(act)
    env.schedule(event, priority, delay_s)
