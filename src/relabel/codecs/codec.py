"""What every codec speaks: records in, predictions out, and one way to refuse."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple, NoReturn, Protocol

import numpy as np
from numpy.typing import NDArray

from relabel.errors import UserError

FEW = 5
"""Problems of one body that are told one by one."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Why one record cannot be used.

    row:       its place in the body, counted from 0.
    text:      what was seen and what was expected; never a value of the record.
    malformed: False where the record is well formed and a value is NaN, infinite or beyond float32.
    """

    row: int
    text: str
    malformed: bool = True

    def __str__(self) -> str:
        return f"row {self.row} (counted from 0){self.text}"


class Takes(NamedTuple):
    """What a model takes: vectors, texts or both.

    width: D, numbers of a vector; None where it takes no vectors.
    texts: whether it takes texts.
    """

    width: int | None
    texts: bool = False

    def __str__(self) -> str:
        vectors = [] if self.width is None else [f"vectors of {self.width} numbers"]
        return " or ".join(["texts"] * self.texts + vectors)


Texts = tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Records:
    """The records of one body: all are vectors, or all are texts.

    count:    n, at least 1.
    inputs:   the m records without a problem, in order: vectors (m, D) float32, every value finite, or texts. A record with a problem
              has none, so that a body of many small wrong records is no large array.
    problems: one for each of the other n - m records, by row.
    labels:   row -> the label that its record carries, as it was spelled; None where the body has no place for labels.
    words:    words of each text whose part in its prediction the body asks for; 0 is none.
    """

    count: int
    inputs: NDArray[np.float32] | Texts
    problems: tuple[Problem, ...] = ()
    labels: Mapping[int, str] | None = None
    words: int = 0

    def places(self) -> NDArray[np.intp]:
        """Give the rows (m,) of the body that the inputs stand in."""
        return np.delete(np.arange(self.count), [problem.row for problem in self.problems])

    def refuse(self) -> NoReturn:
        """Raise the problems: NotFiniteError where no record is malformed, else UserError."""
        more = len(self.problems) - FEW
        told = [str(problem) for problem in self.problems[:FEW]] + [f"and {more:,} more"] * (more > 0)
        kind = UserError if any(problem.malformed for problem in self.problems) else NotFiniteError
        raise kind(*told)


class LabelAudit(NamedTuple):
    """What is said of the label that a record carries.

    given, suggested: names of classes, the label and the likeliest true one.
    posterior:        probability that the label is wrong; None where the model does not know the noise of its labels.
    in_sample:        whether the model was trained on this record's vector; None where it does not know.
    """

    given: str
    posterior: float | None
    suggested: str
    in_sample: bool | None


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """What the model says of n records.

    probabilities: (n, C) float32.
    classes:       names of the C classes, in the order of the columns.
    refused:       row -> why there is no prediction for it; its probabilities mean nothing.
    audits:        row -> what is said of its label, for rows that have one; None where the request has no place for labels.
    words:         row -> the words that weigh most in its prediction, and their weights; None where they were not asked for.
    """

    probabilities: NDArray[np.float32]
    classes: tuple[str, ...]
    refused: Mapping[int, str] = field(default_factory=dict)
    audits: Mapping[int, LabelAudit] | None = None
    words: Mapping[int, Sequence[tuple[str, float]]] | None = None


class Codec(Protocol):
    """One media type: how records are read from a body and predictions written into one."""

    def decode(self, body: bytes, takes: Takes, /) -> Records:
        """Read the records of a body for a model. Numpy's warnings of overflow are the caller's to silence, once for many.

        Raises UserError where the body as a whole is malformed or holds no record.
        """
        ...

    def encode(self, predictions: Predictions, /) -> bytes:
        """Write predictions, in order."""
        ...


class NotFiniteError(UserError):
    """A body that is well formed, with values that no model can use."""


def finite(
    vectors: NDArray[np.float32], problems: tuple[Problem, ...] = (), labels: Mapping[int, str] | None = None
) -> Records:
    """Make records of vectors (m, D), which stand in the rows without a problem; those with NaN or infinity become problems too."""
    records = Records(len(vectors) + len(problems), vectors, problems, labels)
    if math.isfinite(np.add.reduce(vectors, axis=None)):  # as a sum never is where one value is not; the quickest look
        return records
    good = np.asarray(np.isfinite(vectors))
    whole = np.asarray(good.all(axis=1))
    if whole.all():
        return records
    places = records.places()
    found = tuple(
        Problem(int(places[n]), f", column {good[n].argmin()}: not a finite float32 number", malformed=False)
        for n in np.flatnonzero(~whole)
    )
    return without(records, found)


def without(records: Records, found: Sequence[Problem]) -> Records:
    """Give the records with further problems, of rows that had none: what these hold goes."""
    kept = ~np.isin(records.places(), [problem.row for problem in found])
    problems = tuple(sorted((*records.problems, *found), key=lambda problem: problem.row))
    return replace(records, inputs=chosen(records.inputs, np.flatnonzero(kept)), problems=problems)


def chosen(inputs: NDArray[np.float32] | Texts, rows: NDArray[np.integer]) -> NDArray[np.float32] | Texts:
    """Give some of the inputs (m,)."""
    return inputs[rows] if isinstance(inputs, np.ndarray) else tuple(inputs[row] for row in rows.tolist())
