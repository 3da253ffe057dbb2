"""The columns by which jobs are told apart; apart from the schema, as the help of commands names them."""

from __future__ import annotations

BY = ("workload", "kind", "owner", "queue")
