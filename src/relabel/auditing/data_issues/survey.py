"""All issues of data at once.

Letters: N rows, C classes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from relabel.auditing import neighbours
from relabel.auditing.data_issues import drift, imbalance, near_duplicates, outliers, overlap, slices
from relabel.auditing.data_issues.issue import Issue
from relabel.auditing.neighbours import QUICK, Search
from relabel.data.examples import Examples

NEIGHBOURS = 10
FEWEST = 3 * NEIGHBOURS
"""With fewer distinct rows there is no typical distance to compare with."""


@dataclass(frozen=True, slots=True, eq=False)
class Opinion:
    """What models that did not see a row say of it.

    probability: (N, C) of each class.
    wrong:       (N,) probability that the given label is wrong.
    """

    probability: NDArray[np.floating]
    wrong: NDArray[np.floating]


def survey(
    examples: Examples, opinion: Opinion | None = None, search: Search = QUICK, *, seed: int = 0
) -> tuple[Issue, ...]:
    """Look for every kind of issue; without an opinion, for those that need none."""
    return (*_of_inputs(examples, opinion, search, seed), imbalance.find(examples), *_of_classes(examples, opinion))


def _of_inputs(examples: Examples, opinion: Opinion | None, search: Search, seed: int) -> Iterator[Issue]:
    if examples.features is None:
        return
    view = neighbours.view(examples.features, search, seed=seed)
    rows = distinct(examples)
    if rows.size >= FEWEST:
        graph = neighbours.graph(view.points, rows, neighbours=NEIGHBOURS, search=search, seed=seed)
        yield near_duplicates.find(examples, graph, view)
        yield outliers.find(examples, graph, view)
    yield drift.find(examples, view, seed=seed)
    if opinion is not None:
        yield slices.find(examples, _counted(examples), opinion.probability, opinion.wrong, view, seed=seed)


def _of_classes(examples: Examples, opinion: Opinion | None) -> Iterator[Issue]:
    if opinion is not None:
        yield overlap.find(examples, _counted(examples), opinion.probability, opinion.wrong)


def distinct(examples: Examples) -> NDArray[np.intp]:
    """Give one row for each group of equal ones, rising: the first that is not left out."""
    order = np.argsort(examples.left_out, kind="stable")
    _, first = np.unique(examples.group[order], return_index=True)
    return np.sort(order[first])


def _counted(examples: Examples) -> NDArray[np.intp]:
    """Distinct rows that are labelled and not left out."""
    rows = distinct(examples)
    return rows[(examples.labels[rows] >= 0) & ~examples.left_out[rows]]
