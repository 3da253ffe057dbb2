"""Every kind of job that a demand asks for."""

from __future__ import annotations

from workloads import fsd, optimus, tenants
from workloads.kinds import Kind


def all_kinds(tasks: int, tenant_count: int) -> tuple[Kind, ...]:
    """Return every kind of job, each after those that it follows."""
    return (*fsd.KINDS, *optimus.kinds(tasks), *tenants.kinds(tenant_count))


KIND_NAMES = tuple(kind.name for kind in all_kinds(1, 1))
"""The same for every demand."""
