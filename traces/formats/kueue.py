"""Reader of Kueue's workloads: the JSON of `kubectl get workloads -A -o json`, or one object a line.

The fields: https://kueue.sigs.k8s.io/docs/reference/kueue.v1beta2 (and v1beta1, which has the same of them).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from traces.formats.mapping.mapped import jobs_of
from traces.formats.mapping.spec import Changes, preset
from traces.formats.reader import Jobs, RowTally
from traces.formats.records import cell, inner, json_items, objects, rows_of, say_unread, text_of
from traces.schema import quoted

_COLUMNS = (
    *("id", "namespace", "created", "admitted", "finished", "reason", "queue", "clusterQueue", "flavors"),
    *("nodeSelector", "priority", "maximumExecutionTimeSeconds", "devices", "cpu", "pods"),
)
_SPEC = ("queueName", "priority", "podSets", "maximumExecutionTimeSeconds")
_DEVICE = re.compile(r"/.*(gpu|tpu|neuron|accelerator)", re.IGNORECASE)
"""Names of resources that are devices."""
_SCALE = {
    "m": 1e-3,
    "k": 1e3,
    "M": 1e6,
    "G": 1e9,
    "T": 1e12,
    "Ki": 2**10,
    "Mi": 2**20,
    "Gi": 2**30,
    "Ti": 2**40,
}


def read(path: Path, tally: RowTally, changes: Changes) -> Jobs:
    """Read a workload a row: it starts when it is admitted, and ends when it is finished."""
    items = list(json_items(text_of(path, tally), tally))
    say_unread(items, ("apiVersion", "kind", "metadata", "spec", "status"), tally)
    say_unread(items, _SPEC, tally, "spec")
    say_unread(items, ("conditions", "admission"), tally, "status")
    rows = [(line, _row(item, line, tally)) for line, item in items]
    return jobs_of([rows_of(_COLUMNS, rows, tally)], tally, changes.over(preset("kueue")))


def _row(item: dict[str, Any], line: int, tally: RowTally) -> dict[str, str]:
    now = {cell(each.get("type")): each for each in objects(inner(item, "status", "conditions"))}
    true = {name: each for name, each in now.items() if each.get("status") == "True"}
    if "Evicted" in now:
        why = "evicted before: Kueue keeps the last of each condition, so earlier runs are not known"
        tally.note(why, 1, line, cell(inner(item, "metadata", "name")))
    pods, total = _resources(item)
    devices = {name: count for name, count in total.items() if _DEVICE.search(name)}
    for name in total:
        if "/" in name and name not in devices:
            tally.note(f"resource {quoted(name)}: not counted", 1, line)
    admission = inner(item, "status", "admission")
    flavors = [inner(each, "flavors") for each in objects(inner(admission, "podSetAssignments"))]
    used = {cell(flavor) for each in flavors if isinstance(each, dict) for flavor in each.values()}
    return {
        "id": "/".join(filter(None, (cell(inner(item, "metadata", key)) for key in ("namespace", "name")))),
        "namespace": cell(inner(item, "metadata", "namespace")),
        "created": cell(inner(item, "metadata", "creationTimestamp")),
        "admitted": cell(inner(true.get("Admitted"), "lastTransitionTime")),
        "finished": cell(inner(true.get("Finished"), "lastTransitionTime")),
        "reason": _reason(true.get("Finished")),
        "queue": cell(inner(item, "spec", "queueName")),
        "clusterQueue": cell(inner(admission, "clusterQueue")),
        "flavors": " ".join(sorted(used)),
        "nodeSelector": ",".join(dict.fromkeys(_selectors(item))),
        "priority": cell(inner(item, "spec", "priority")),
        "maximumExecutionTimeSeconds": cell(inner(item, "spec", "maximumExecutionTimeSeconds")),
        "devices": f"{sum(devices.values()):.12g}",
        "cpu": f"{total['cpu']:.12g}",
        "pods": str(pods),
    }


def _selectors(item: dict[str, Any]) -> Iterator[str]:
    """Yield the labels that nodes must have for the pods of a workload, as name=value."""
    for pod_set in objects(inner(item, "spec", "podSets")):
        labels = inner(pod_set, "template", "spec", "nodeSelector")
        yield from (f"{name}={cell(value)}" for name, value in (labels or {}).items() if cell(value))


def _reason(finished: dict[str, Any] | None) -> str:
    """Older versions have one reason for all ends, and say in the message how it was."""
    reason = cell(inner(finished, "reason"))
    if reason == "JobFinished":
        return "Failed" if "fail" in cell(inner(finished, "message")).lower() else "Succeeded"
    return reason


def _resources(item: dict[str, Any]) -> tuple[int, Counter[str]]:
    """Return the pods of a workload, and what they request in all; where only limits are given, these."""
    total: Counter[str] = Counter()
    pods = 0
    for pod_set in objects(inner(item, "spec", "podSets")):
        count = pod_set.get("count", 1)
        count = count if isinstance(count, int) and 0 <= count <= 10**6 else 0
        pods += count
        for container in objects(inner(pod_set, "template", "spec", "containers")):
            limits, requests = (inner(container, "resources", what) for what in ("limits", "requests"))
            asked = {**(limits if isinstance(limits, dict) else {})}
            asked |= requests if isinstance(requests, dict) else {}
            for name, quantity in asked.items():
                total[name] += count * _quantity(cell(quantity))  # type: ignore[assignment]
    return pods, total


def _quantity(text: str) -> float:
    """Return a quantity of Kubernetes, as 500m or 16Gi."""
    found = re.fullmatch(r"(\d{1,15}(?:\.\d{1,15})?)(m|k|M|G|T|Ki|Mi|Gi|Ti)?", text)
    return float(found[1]) * _SCALE.get(found[2] or "", 1.0) if found else 0.0
