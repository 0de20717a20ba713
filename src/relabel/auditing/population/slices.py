"""How loss and accuracy go with what is known of rows: measures of texts, columns of the data, classes, clusters, splits.

Letters: N rows, n rows that count.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from relabel.auditing.data_issues import intervals
from relabel.auditing.data_issues.slices import SMALLEST, Slice, weak
from relabel.auditing.population import bins, columns
from relabel.auditing.population.bins import Part
from relabel.auditing.population.clusters import Cluster
from relabel.auditing.population.judged import Judged
from relabel.data.examples import Examples, Split
from relabel.text import measures

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Bin:
    """Figures of some rows, with 95% intervals that hold for all bins of all measures together.

    low, high: the least and the largest number, of times seconds since 1970; None for a category.
    interval:  of the accuracy.
    """

    name: str
    low: float | None
    high: float | None
    rows: int
    loss: float
    loss_interval: Interval
    accuracy: float
    interval: Interval
    expected_wrong_labels: float


@dataclass(frozen=True, slots=True, eq=False)
class Sliced:
    """Loss and accuracy against one measure."""

    measure: str
    title: str
    kind: Literal["number", "category"]
    bins: tuple[Bin, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Worst:
    """A part of the rows on which predictions are surely right less often than overall; intervals hold for all parts looked at together."""

    measure: str
    title: str
    name: str
    rows: int
    accuracy: float
    interval: Interval
    expected_wrong_labels: float
    words: list[str]


@dataclass(frozen=True, slots=True, eq=False)
class Skipped:
    """A column of the data that cannot be sliced, and why, for people."""

    measure: str
    title: str
    why: str


@dataclass(frozen=True, slots=True, eq=False)
class Slices:
    """The slices of each measure, the columns that have none, and the worst slices of all."""

    slices: tuple[Sliced, ...]
    skipped: tuple[Skipped, ...]
    worst: tuple[Worst, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Cut:
    """A measure of the n rows that count, cut into parts.

    drawn:   those that a figure shows.
    further: others that are looked at, made one by one, read once.
    why:     for people, why a column has none that is drawn.
    """

    measure: str
    title: str
    drawn: Sequence[Part] = ()
    further: Iterable[Part] = ()
    why: str = ""


def sliced(
    examples: Examples,
    judged: Judged,
    measured: Mapping[str, NDArray[np.float32]],
    cluster: NDArray[np.int16],
    clusters: Sequence[Cluster],
) -> Slices:
    """Cut the rows that count by every measure, and find the worst parts of all.

    measured: name -> (N,), NaN where a row was not measured.
    cluster:  (N,) into clusters.

    The worst are also looked for among classes, splits, clusters, and every value of a column that stands in many rows.
    """
    cuts = [*_texts(judged, measured), *_columns(examples, judged)]
    looks = sum(len(cut.drawn) for cut in cuts)
    others = [*_kinds(examples, judged), _of_clusters(judged, cluster, clusters)]
    return Slices(
        slices=tuple(_figures(cut, judged, looks) for cut in cuts if cut.drawn),
        skipped=tuple(Skipped(cut.measure, cut.title, cut.why) for cut in cuts if cut.why),
        worst=_worst([*cuts, *others], judged, clusters),
    )


def _texts(judged: Judged, measured: Mapping[str, NDArray[np.float32]]) -> Iterator[_Cut]:
    for name, values in measured.items():
        yield _Cut(name, measures.TITLES[name], bins.of_numbers(values[judged.rows]))


def _columns(examples: Examples, judged: Judged) -> Iterator[_Cut]:
    for name, values in examples.metadata.items():
        column = columns.cut(values[judged.rows])
        yield _Cut(f"{bins.METADATA}{name}", name, column.drawn, column.further, column.why)


def _kinds(examples: Examples, judged: Judged) -> Iterator[_Cut]:
    """Classes and splits."""
    labels, split = examples.labels[judged.rows], examples.split[judged.rows]
    yield _Cut("class", "Class", further=_classes(examples.classes, labels))
    yield _Cut("split", "Split", [Part(each.name.lower(), None, None, split == each) for each in Split])


def _classes(names: Sequence[str], labels: NDArray[np.int64]) -> Iterator[Part]:
    """Give the classes one by one, for they may be many; those of few rows are left out."""
    counts = np.bincount(labels, minlength=len(names))
    return (Part(names[c], None, None, labels == c) for c in np.flatnonzero(counts >= SMALLEST).tolist())


def _of_clusters(judged: Judged, cluster: NDArray[np.int16], clusters: Sequence[Cluster]) -> _Cut:
    own = cluster[judged.rows]
    return _Cut("cluster", "Cluster", [Part(str(c.cluster), None, None, own == c.cluster) for c in clusters])


def _figures(cut: _Cut, judged: Judged, looks: int) -> Sliced:
    said = tuple(_bin(part, judged, looks) for part in cut.drawn)
    return Sliced(cut.measure, cut.title, "number" if cut.drawn[0].low is not None else "category", said)


def _bin(part: Part, judged: Judged, looks: int) -> Bin:
    loss, right = judged.loss[part.chosen], judged.right[part.chosen]
    half = intervals.z(looks) * float(loss.std()) / math.sqrt(loss.size)
    mean = float(loss.mean())
    return Bin(
        name=part.name,
        low=part.low,
        high=part.high,
        rows=loss.size,
        loss=mean,
        loss_interval=(max(0.0, mean - half), mean + half),
        accuracy=float(right.mean()),
        interval=intervals.share(int(right.sum()), right.size, looks),
        expected_wrong_labels=float(judged.wrong[part.chosen].mean()),
    )


def _worst(cuts: Sequence[_Cut], judged: Judged, clusters: Sequence[Cluster]) -> tuple[Worst, ...]:
    titles = {cut.measure: cut.title for cut in cuts}
    every = (Slice(part.name, cut.measure, part.chosen) for cut in cuts for part in chain(cut.drawn, cut.further))
    found, _ = weak(every, judged.right)
    return tuple(
        Worst(
            measure=each.slice.kind,
            title=titles[each.slice.kind],
            name=each.slice.name,
            rows=int(each.slice.chosen.sum()),
            accuracy=each.accuracy,
            interval=(each.low, each.high),
            expected_wrong_labels=float(judged.wrong[each.slice.chosen].mean()),
            words=clusters[int(each.slice.name)].words if each.slice.kind == "cluster" else [],
        )
        for each in found
    )
