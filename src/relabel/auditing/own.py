"""The audit of a person's own labels: arrays or lists in, a small result out, no files and no settings.

Letters: n rows, C classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from relabel.auditing import anchors, confident
from relabel.auditing.examine import examine, worst_first
from relabel.auditing.noise import NoiseRates
from relabel.auditing.probabilities import checked, rows_shown
from relabel.errors import UserError

TOO_GOOD = 0.995
"""Mean probability of the given labels above which probabilities hardly come from models that did not see them."""


@dataclass(frozen=True, slots=True, eq=False)
class OwnAudit:
    """Which labels are doubtful, in the person's own label values.

    classes:          the label values, in the order of the columns.
    given, suggested: (n,) label values; suggested differs from given on every flagged row.
    posterior:        (n,) float64, probability that the given label is wrong.
    flagged:          (n,) bool, the worst rows, as many as errors are expected.
    cleanlab_flagged: (n,) bool, what cleanlab's confident learning flags, beside it.
    expected:         how many labels are wrong.
    noise:            rates of given labels per true label, with intervals.
    notes:            what a careful reader should know; empty when nothing is odd.
    """

    classes: tuple[Any, ...]
    given: NDArray[Any]
    suggested: NDArray[Any]
    posterior: NDArray[np.float64]
    flagged: NDArray[np.bool_]
    cleanlab_flagged: NDArray[np.bool_]
    expected: float
    noise: NoiseRates
    notes: tuple[str, ...]
    order: NDArray[np.intp]

    def table(self, limit: int | None = None) -> list[dict[str, Any]]:
        """List the rows, or the first `limit` of them, the worst first, as plain values."""
        return [
            {
                "row": int(row),
                "given": _plain(self.given[row]),
                "suggested": _plain(self.suggested[row]),
                "posterior": float(self.posterior[row]),
                "flagged": bool(self.flagged[row]),
                "cleanlab_flagged": bool(self.cleanlab_flagged[row]),
            }
            for row in self.order[:limit]
        ]


def audit(labels: ArrayLike, probabilities: ArrayLike, *, classes: Sequence[Any] | None = None) -> OwnAudit:
    """Find doubtful labels, given what a model that did not learn from them predicts.

    labels:        (n,) class names or numbers.
    probabilities: (n, C), one column per class, *out of fold*: each row from a model that was not trained on it. That
                   cannot be seen from the numbers; with a model that knows the labels nothing would seem wrong, and
                   `notes` says so where they look too good.
    classes:       label values in the order of the columns; by default 0 to C-1 where all labels are such numbers, else
                   the sorted distinct labels.

    >>> from relabel import audit
    >>> found = audit(["cat", "dog", ...], probabilities)
    >>> found.table(limit=10)

    Raises UserError with every problem at once: lengths that differ, missing labels, labels that are no class, rows of
    probabilities that are no distribution.
    """
    values, shape = np.asarray(labels), np.shape(probabilities)
    problems = _misshapen(values, shape)
    if problems:
        raise UserError(*problems)
    names, given, problems = _numbered(values, shape[1], classes)
    try:
        predicted = checked(probabilities, *shape)
    except UserError as error:
        raise UserError(*problems, *error.problems) from None
    if problems:
        raise UserError(*problems)
    everything = np.ones(values.size, dtype=np.bool_)
    found = examine(given, anchors.estimate(given, predicted, everything), training=everything, trusted=~everything)
    return OwnAudit(
        classes=names,
        given=values,
        suggested=np.asarray(names, dtype=object if values.dtype == object else None)[found.suggested],
        posterior=found.posterior,
        flagged=found.flagged,
        cleanlab_flagged=confident.flags(given, predicted),
        expected=found.expected,
        noise=found.noise,
        notes=_notes(given, predicted),
        order=worst_first(found.doubt, np.arange(values.size)),
    )


def _misshapen(values: NDArray[Any], shape: tuple[int, ...]) -> list[str]:
    problems = []
    if values.ndim != 1 or not values.size:
        problems.append(f"labels have the shape {values.shape}: give a list of one or more labels")
    if len(shape) != 2 or shape[1] < 2:  # noqa: PLR2004 (two axes, two classes)
        problems.append(f"probabilities have the shape {shape}: give one row for each label, one column for each class")
    if not problems and shape[0] != values.size:
        problems.append(f"{values.size} labels but {shape[0]} rows of probabilities: give one row for each label")
    return problems


def _numbered(
    values: NDArray[Any], columns: int, classes: Sequence[Any] | None
) -> tuple[tuple[Any, ...], NDArray[np.int64], list[str]]:
    """The class names, the labels as places in them (n,), and what is wrong with either."""
    missing = np.array([value is None or value != value for value in values.tolist()])  # noqa: PLR0124 (NaN)
    if missing.any():
        return (), np.empty(0, np.int64), [f"{rows_shown(missing)} have no label: leave them out"]
    distinct, place = np.unique(values, return_inverse=True)
    names = tuple(classes) if classes is not None else _names(distinct, columns)
    problem = _unfit(names, columns, named=classes is not None)
    if problem:
        return names, place, [problem]
    numbers = {name: number for number, name in enumerate(names)}
    given = np.array([numbers.get(value, -1) for value in distinct.tolist()], dtype=np.int64)[place]
    unknown = given < 0
    return names, given, [f"{rows_shown(unknown)} have a label that is none of the classes"] if unknown.any() else []


def _names(distinct: NDArray[Any], columns: int) -> tuple[Any, ...]:
    """The classes that the distinct labels speak of: the numbers of the columns, or themselves."""
    if distinct.dtype.kind in "iu" and distinct[0] >= 0 and distinct[-1] < columns:
        return tuple(range(columns))
    return tuple(distinct.tolist())


def _unfit(names: tuple[Any, ...], columns: int, *, named: bool) -> str:
    if len(set(names)) != len(names):
        return "a class is named twice: give each column its own name"
    if len(names) == columns:
        return ""
    seen = f"{len(names)} classes are given" if named else f"the labels have {len(names)} distinct values"
    return (
        f"{seen}, but probabilities have {columns} columns: name one class for each column, in their order (`classes`)"
    )


def _notes(given: NDArray[np.int64], predicted: NDArray[np.float64]) -> tuple[str, ...]:
    own = float(np.take_along_axis(predicted, given[:, None], axis=1).mean())
    if own < TOO_GOOD:
        return ()
    note = f"the probabilities give the labels {own:.4f} on average, as a model does that was trained on them"
    return (f"{note}: unless they are out of fold, errors stay hidden",)


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
