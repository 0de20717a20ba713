"""Which row of the traffic a label is of, by ids alone, and which labels are of none. N rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from relabel.data.labels import UNLABELLED
from relabel.monitoring.captured import Traffic

HINT = (
    "the id of a row is ID/PLACE: the inference id that the client gave, else the event id of the platform, and the row's place in its request; "
    "rows before --since, and those that the draw of --most left out, have no label here"
)
SAID = {
    "matched": "matched",
    "without_traffic": "of rows not in the traffic",
    "no_class": "no class of the model",
    "several_rows": "by the id of a request with several rows, where ID/PLACE is needed",
    "disputed": "with labels that differ, not used",
}
"""What is counted, and how it is said: rows that match or are disputed, ids of the file else."""


@dataclass(frozen=True, slots=True, eq=False)
class Matched:
    """Labels of rows.

    code:   (N,) int64, UNLABELLED where there is none.
    counts: what became of the labels, see `SAID`.
    """

    code: NDArray[np.int64]
    counts: dict[str, int]


def match(traffic: Traffic, known: Mapping[str, int], disputed: Collection[str]) -> Matched:
    """Find the label of each row by the row's id, or by that of its request where that had this row alone."""
    names, alone = traffic.ids.tolist(), _alone(traffic)
    rows, requests = {*names}, {name.rpartition("/")[0]: False for name in names}
    code = np.full(len(names), UNLABELLED, np.int64)
    differing = {name for name in disputed if name in rows}
    for row, name in enumerate(names):
        request = name.rpartition("/")[0]
        requests[request] |= bool(alone[row])
        own = (name, request) if alone[row] else (name,)
        codes = {known[one] for one in own if one in known}
        if len(codes) > 1 or any(one in disputed for one in own):
            differing.add(name)
        elif codes:
            code[row] = codes.pop()
    asked = [name for name in (*known, *disputed) if name not in rows]
    counts = {
        "matched": int((code != UNLABELLED).sum()),
        "without_traffic": sum(name not in requests for name in asked),
        "several_rows": sum(not requests.get(name, True) for name in asked),
        "disputed": len(differing),
    }
    return Matched(code, counts)


def said(counts: Mapping[str, int]) -> str:
    """Say what became of the labels.

    >>> said({"matched": 1200, "without_traffic": 3, "no_class": 0, "several_rows": 0, "disputed": 2})
    'labels: 1,200 matched, 3 of rows not in the traffic, 0 no class of the model, 2 with labels that differ, not used'
    """
    always = {"matched", "without_traffic", "no_class"}
    parts = [f"{counts[name]:,} {how}" for name, how in SAID.items() if name in always or counts[name]]
    return f"labels: {', '.join(parts)}"


def _alone(traffic: Traffic) -> NDArray[np.bool_]:
    """Tell (N,) which rows were their requests' only ones; by the ids where the traffic does not say."""
    if traffic.of is not None:
        return np.asarray(traffic.of == 1)
    names = traffic.ids.tolist()
    rows = Counter(name.rpartition("/")[0] for name in names)
    return np.array([name.endswith("/0") and rows[name.rpartition("/")[0]] == 1 for name in names], np.bool_)
