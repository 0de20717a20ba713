"""Rows that are alike, and what is known of each kind of them.

Letters: N rows, n rows that count.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from relabel.auditing import neighbours
from relabel.auditing.data_issues import words
from relabel.auditing.neighbours import View
from relabel.auditing.population.judged import Judged
from relabel.data.examples import Examples

MOST = 12
"""Clusters; more have names that people mix up."""

SMALLEST = 50
"""Rows of a cluster on average, at least."""

NONE = -1


@dataclass(frozen=True, slots=True, eq=False)
class Cluster:
    """Rows that are alike.

    words:    what tells their texts from the others.
    rows:     of the cluster, whatever split, labelled or not.
    flagged:  of these.
    labels:   class -> rows with this label.
    loss, accuracy, expected_wrong_labels: means over those that count; None where none does.
    """

    cluster: int
    words: list[str]
    rows: int
    loss: float | None
    accuracy: float | None
    expected_wrong_labels: float | None
    flagged: int
    labels: Mapping[str, int]


def divide(view: View, *, seed: int) -> NDArray[np.int16]:
    """Give each row (N,) its cluster, the largest being 0; NONE where there are too few rows."""
    count = len(view.points)
    wanted = min(MOST, count // SMALLEST)
    if wanted < 2:  # noqa: PLR2004 (one cluster tells nothing)
        return np.full(count, NONE, np.int16)
    found = neighbours.clusters(view.points, np.arange(count), wanted, seed=seed)
    sizes = np.bincount(found, minlength=wanted)
    place = np.empty(wanted, np.int16)
    place[np.argsort(-sizes, kind="stable")] = np.arange(wanted)
    return place[found]


def describe(
    examples: Examples, cluster: NDArray[np.int16], judged: Judged, flagged: NDArray[np.bool_], *, seed: int
) -> tuple[Cluster, ...]:
    """Describe each cluster (N,), in order.

    flagged: (N,) rows whose label is doubted.
    """
    sets = [cluster == number for number in range(int(cluster.max(initial=NONE)) + 1)]
    spoken = words.typical(examples.texts, np.arange(len(examples)), sets, seed=seed)
    return tuple(
        Cluster(number, told, int(chosen.sum()), *_means(judged, chosen), int(flagged[chosen].sum()), _labels(examples, chosen))
        for number, (chosen, told) in enumerate(zip(sets, spoken, strict=True))
    )  # fmt: skip


def _means(judged: Judged, chosen: NDArray[np.bool_]) -> tuple[float | None, float | None, float | None]:
    counts = chosen[judged.rows]
    if not counts.any():
        return None, None, None
    return (
        float(judged.loss[counts].mean()),
        float(judged.right[counts].mean()),
        float(judged.wrong[counts].mean()),
    )


def _labels(examples: Examples, chosen: NDArray[np.bool_]) -> dict[str, int]:
    own = examples.labels[chosen]
    counts = np.bincount(own[own >= 0], minlength=len(examples.classes))
    return dict(zip(examples.classes, counts.tolist(), strict=True))
