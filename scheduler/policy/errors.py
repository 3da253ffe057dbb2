"""What is wrong with a policy."""

from __future__ import annotations


class PolicyError(ValueError):
    """A policy name or argument that is not one, or one's own that looks at what it may not."""
