"""All issues of data at once.

Letters: N rows, C classes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from relabel.auditing import neighbours
from relabel.auditing.data_issues import drift, imbalance, near_duplicates, outliers, overlap, slices
from relabel.auditing.data_issues.issue import Issue
from relabel.auditing.neighbours import QUICK, Search, View
from relabel.data import drawn
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


@dataclass(frozen=True, slots=True, eq=False)
class Looked:
    """Rows in which it can be seen what lies near what: all N or, of very many, U that were drawn.

    rows:     (U,) rising.
    examples: these rows.
    view:     of these.
    """

    rows: NDArray[np.intp]
    examples: Examples
    view: View


def look(examples: Examples, search: Search, *, seed: int) -> Looked:
    """Look at rows that have features (N, D)."""
    assert examples.features is not None  # noqa: S101  # so it says
    rows = neighbours.looked_at(examples.features.shape, search, seed=seed)
    view = neighbours.view(examples.features, search, seed=seed, rows=rows)
    return Looked(rows, examples if rows.size == len(examples) else drawn.part_of(examples, rows), view)


def survey(
    examples: Examples,
    opinion: Opinion | None = None,
    search: Search = QUICK,
    looked: Looked | None = None,
    *,
    seed: int = 0,
) -> tuple[Issue, ...]:
    """Look for every kind of issue; without an opinion, for those that need none.

    looked: at the rows, where somebody did already.

    Of very many rows a draw is looked at for what lies near what; the issues say so.
    """
    if looked is None and examples.features is not None:
        looked = look(examples, search, seed=seed)
    of_inputs: Iterable[Issue] = ()
    if looked is not None and looked.rows.size < len(examples):
        of_inputs = _of_draw(looked, examples, opinion, search=search, seed=seed)
    elif looked is not None:
        of_inputs = _of_inputs(examples, examples, opinion, search=search, view=looked.view, seed=seed)
    return (*of_inputs, imbalance.find(examples), *_of_classes(examples, opinion))


def _of_draw(
    looked: Looked, examples: Examples, opinion: Opinion | None, *, search: Search, seed: int
) -> Iterator[Issue]:
    """Look at drawn rows (U,) alone, and say so."""
    rows = looked.rows
    own = None if opinion is None else Opinion(opinion.probability[rows], opinion.wrong[rows])
    for issue in _of_inputs(looked.examples, examples, own, search=search, view=looked.view, seed=seed):
        yield replace(
            issue,
            rows=rows[issue.rows],
            sentence=f"{issue.sentence}; looked for in a uniform draw of {rows.size:,} of {len(examples):,} rows",
            figures={**issue.figures, "looked_at": rows.size, "rows_in_all": len(examples)},
        )


def _of_inputs(
    examples: Examples, whole: Examples, opinion: Opinion | None, *, search: Search, view: View, seed: int
) -> Iterator[Issue]:
    """Look at the rows that the view holds, which may be a part of the whole."""
    rows = distinct(examples)
    if rows.size >= FEWEST:
        graph = neighbours.graph(view.points, rows, neighbours=NEIGHBOURS, search=search, seed=seed)
        yield near_duplicates.find(examples, graph, view)
        yield outliers.find(examples, graph, view)
        del graph
    yield drift.find(examples, view, whole=whole, seed=seed)
    if opinion is not None:
        yield slices.find(examples, counted(examples), opinion.probability, opinion.wrong, view, seed=seed)


def _of_classes(examples: Examples, opinion: Opinion | None) -> Iterator[Issue]:
    if opinion is not None:
        yield overlap.find(examples, counted(examples), opinion.probability, opinion.wrong)


def distinct(examples: Examples) -> NDArray[np.intp]:
    """Give one row for each group of equal ones, rising: the first that is not left out."""
    order = np.argsort(examples.left_out, kind="stable")
    _, first = np.unique(examples.group[order], return_index=True)
    return np.sort(order[first])


def counted(examples: Examples) -> NDArray[np.intp]:
    """Give the distinct rows that are labelled and not left out."""
    rows = distinct(examples)
    return rows[(examples.labels[rows] >= 0) & ~examples.left_out[rows]]
