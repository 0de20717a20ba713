"""Parts of the data on which a model is weak.

Letters: N rows, n rows that count, L looks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relabel.auditing import neighbours
from relabel.auditing.data_issues import intervals, words
from relabel.auditing.data_issues.issue import Issue, percent
from relabel.auditing.neighbours import View
from relabel.data import phrases
from relabel.data.examples import Examples

NAME = "weak_slices"

GRAINS = (8, 32)
"""Numbers of clusters: large slices show small losses, small ones show where they are."""

LENGTHS = 5
SMALLEST = 30
CLUSTER = "cluster"
LOSS = 0.02
"""A slice is weak where its accuracy is surely below the overall by more than this."""

MOST = 10
SAID = 3
SHARED = 0.5
"""A slice is not listed if more of its rows than this lie in one that is listed already."""


@dataclass(frozen=True, slots=True, eq=False)
class Slice:
    """A part of the rows.

    name:   what it is, for people; of a cluster it is only that.
    chosen: (n,) which rows that count lie in it.
    """

    name: str
    kind: str
    chosen: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Weak:
    """A slice with its accuracy and the simultaneous interval of it."""

    slice: Slice
    accuracy: float
    low: float
    high: float


def find(
    examples: Examples,
    rows: NDArray[np.intp],
    probability: NDArray[np.floating],
    wrong: NDArray[np.floating],
    view: View,
    *,
    seed: int,
) -> Issue:
    """Find clusters, classes and lengths of text on which predictions are right less often than overall.

    rows:        (n,) those that count: labelled, each group of equal rows once.
    probability: (N, C) of models that did not see the row.
    wrong:       (N,) probability that a label is wrong; its mean over a slice is among the figures, for wrong labels look like wrong
                 predictions.

    Slices are made without a look at what is right, and intervals hold for all looks together, so a slice that is listed is hardly one by
    chance. The score of a row is 1 less the probability of its label.
    """
    labels = examples.labels[rows]
    own = probability[rows, labels].astype(np.float64)
    right = probability[rows].argmax(axis=1) == labels
    found, looks = weak(_slices(examples, rows, view, seed), right)
    unnamed = [each.slice.chosen for each in found if each.slice.kind == CLUSTER]
    spoken = iter(words.typical(examples.texts, rows, unnamed, seed=seed))
    said = [_figures(each, next(spoken) if each.slice.kind == CLUSTER else [], wrong[rows]) for each in found]
    part = np.concatenate([np.empty(0, np.int64), *(np.full(e.slice.chosen.sum(), n) for n, e in enumerate(found))])
    at = np.concatenate([np.empty(0, np.intp), *(np.flatnonzero(each.slice.chosen) for each in found)])
    order = np.lexsort((at, own[at], part))
    figures = {"accuracy": float(right.mean()), "looks": looks, "weak_by_more_than": LOSS, "slices": said}
    sentence = _sentence(said, float(right.mean())) if found else f"no weak slice among {looks:,} looked at"
    return Issue(NAME, len(found), "slice", sentence, rows[at[order]], 1 - own[at[order]], part[order], figures)


def weak(slices: Iterable[Slice], right: NDArray[np.bool_]) -> tuple[list[Weak], int]:
    """Give the weak ones of slices of rows (n,), those that surely cost most first, without those that repeat another; and the L looks.

    Slices of few rows, and of all, are not looked at. Of the others only those that may be weak are held, so slices may be many.
    """
    overall = float(right.mean())
    looks, suspects = 0, []
    for one in slices:
        hits, count = int(np.count_nonzero(right & one.chosen)), int(np.count_nonzero(one.chosen))
        if SMALLEST <= count < right.size:
            looks += 1
            if intervals.share(hits, count, looks)[1] < overall - LOSS:  # with more looks it becomes wider only
                suspects.append((one, hits, count))
    each = [Weak(one, hits / count, *intervals.share(hits, count, looks)) for one, hits, count in suspects]
    each = [one_weak for one_weak in each if one_weak.high < overall - LOSS]
    each.sort(key=lambda w: -float((overall - w.high) * w.slice.chosen.sum()))
    listed: list[Weak] = []
    for one_weak in each:
        chosen = one_weak.slice.chosen
        if all((chosen & other.slice.chosen).sum() <= SHARED * chosen.sum() for other in listed):
            listed.append(one_weak)
    return listed[:MOST], looks


def _slices(examples: Examples, rows: NDArray[np.intp], view: View, seed: int) -> Iterator[Slice]:
    labels = examples.labels[rows]
    for c, name in enumerate(examples.classes):
        yield Slice(f"class {phrases.name(name)}", "class", labels == c)
    if examples.texts is not None:
        yield from _by_length(np.array([len(text) for text in examples.texts[rows]]))
    for grain in GRAINS:
        if rows.size >= 2 * SMALLEST * grain:
            cluster = neighbours.clusters(view.points, rows, grain, seed=seed)
            for number in range(grain):
                yield Slice(f"cluster {number} of {grain}", CLUSTER, cluster == number)


def _by_length(length: NDArray[np.int64]) -> Iterator[Slice]:
    """Slices of texts by their characters, of about equal size; rows without a text belong to none."""
    if not (length > 0).any():
        return
    ends = np.unique(np.quantile(length[length > 0], np.linspace(0, 1, LENGTHS + 1)).astype(np.int64))
    for start, end in zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True):
        first = start if start == ends[0] else start + 1
        yield Slice(f"texts of {first:,} to {end:,} characters", "length", (length >= first) & (length <= end))


def _figures(found: Weak, spoken: list[str], wrong: NDArray[np.floating]) -> dict[str, Any]:
    chosen = found.slice.chosen
    return {
        "name": found.slice.name,
        "kind": found.slice.kind,
        "rows": int(chosen.sum()),
        "accuracy": found.accuracy,
        "interval": [found.low, found.high],
        "expected_wrong_labels": float(wrong[chosen].mean()),
        "words": spoken,
    }


def _sentence(said: list[dict[str, Any]], overall: float) -> str:
    def one(figures: dict[str, Any]) -> str:
        spoken = f" ({', '.join(figures['words'])})" if figures["words"] else ""
        low, high = figures["interval"]
        return (
            f"{figures['name']}{spoken}: {percent(figures['accuracy'])} of {figures['rows']:,} rows "
            f"({percent(low)} to {percent(high)})"
        )

    return (
        f"{phrases.counted(len(said), 'slice')} where predictions are right less often than overall ({percent(overall)}): "
        + "; ".join(one(figures) for figures in said[:SAID])
    )
