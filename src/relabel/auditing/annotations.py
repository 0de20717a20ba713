"""A table of labels by several annotators, one label a line, as a matrix.

Letters: n lines, N rows, M annotators, C classes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from relabel.data import labels, phrases
from relabel.errors import UserError


@dataclass(frozen=True, slots=True, eq=False)
class Annotations:
    """Who gave which row which label.

    rows:       N names of rows, in the order in which they were told or first appear.
    annotators: M names, sorted.
    classes:    C names.
    labels:     (N, M) int64 into classes, -1 where an annotator did not label a row.
    """

    rows: tuple[str, ...]
    annotators: tuple[str, ...]
    classes: tuple[str, ...]
    labels: NDArray[np.int64]


def gathered(
    rows: Sequence[str],
    annotators: Sequence[str],
    given: NDArray[np.object_],
    *,
    every: Sequence[str] | None = None,
    classes: Sequence[str] | None = None,
) -> Annotations:
    """Put the lines (n) of a table into a matrix.

    rows, annotators, given: (n,) str; the same label by the same annotator twice counts once.
    every:   names of all rows there are, labelled or not; by default those of the table.
    classes: their names; by default those that are given.

    Raises UserError with every problem at once: empty cells, rows and labels that are not known, an annotator who gave a
    row two labels, fewer than two classes.
    """
    encoded = labels.encode(given)
    names = tuple(encoded.classes if classes is None else classes)
    places = {name: n for n, name in enumerate(dict.fromkeys(rows) if every is None else every)}
    people = {name: m for m, name in enumerate(sorted({*annotators}))}
    code = {name: c for c, name in enumerate(names)}
    known = np.array([code.get(name, -1) for name in encoded.classes] + [-1], dtype=np.int64)[encoded.codes]
    n = np.array([places.get(row, -1) for row in rows], dtype=np.intp)
    m = np.array([people[name] for name in annotators], dtype=np.intp)
    problems = [*_empty(rows, annotators, given), *_unknown(rows, n, encoded, names)]
    if problems:
        raise UserError(*problems)
    matrix = np.full((len(places), len(people)), -1, dtype=np.int64)
    matrix[n, m] = known
    if (twice := np.flatnonzero(matrix[n, m] != known)).size:
        who = phrases.names(sorted({annotators[line] for line in twice.tolist()}))
        raise UserError(
            f"{phrases.counted(twice.size, 'row')} with two labels by one annotator ({who}): keep one of them"
        )
    return Annotations(tuple(places), tuple(people), names, matrix)


def _empty(rows: Sequence[str], annotators: Sequence[str], given: NDArray[np.object_]) -> Iterator[str]:
    """Cells that hold nothing."""
    if not len(rows):
        yield "no labels: the table ends with its header"
    for what, values in (("row", rows), ("annotator", annotators), ("label", given.tolist())):
        if lines := [line for line, value in enumerate(values) if not value.strip()]:
            yield f"no {what} in the line of {phrases.rows(lines)}: fill it in, or take the line out"


def _unknown(
    rows: Sequence[str], n: NDArray[np.intp], encoded: labels.Encoded, classes: Sequence[str]
) -> Iterator[str]:
    """Rows and labels that are not among those there are."""
    if (missing := np.flatnonzero(n < 0)).size:
        names = phrases.names(list(dict.fromkeys(rows[line] for line in missing.tolist())))
        yield f"the probabilities have no row {names}: give every labelled row its probabilities"
    if other := [name for name in encoded.classes if name not in classes]:
        yield f"the label {phrases.names(other)} is none of the classes {phrases.names(classes)}: name the classes as the labels do"
    if (refused := np.flatnonzero(encoded.refused)).size:
        yield f"no whole number as the label in the line of {phrases.rows(refused.tolist())}: give class names or whole numbers"
    if encoded.classes and len(classes) < 2:  # noqa: PLR2004 (two classes)
        yield f"all labels are {phrases.names(classes)}: give two classes or more"
