"""Answers beside their records, and how good they are: what a batch transform job says of a model on labelled data.

Letters: N records, C classes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relabel.data import labels as spelling
from relabel.errors import PlatformError, UserError
from relabel.evaluation import metrics, resampling, shares
from relabel.evaluation.comparison import Interval

RESAMPLES = 1000
LEVEL = 0.95


@dataclass(frozen=True, slots=True, eq=False)
class Joined:
    """Records with what was answered to them.

    file, row:   name of the file and number of the record in it, from 0.
    label:       (N,) int64 place among the classes, -1 where the record has none.
    probability: (N, C) float64, NaN where the record could not be read.
    """

    file: tuple[str, ...]
    row: tuple[int, ...]
    label: NDArray[np.int64]
    probability: NDArray[np.float64]
    classes: tuple[str, ...]

    @property
    def refused(self) -> int:
        """Records that the server could not read."""
        return int(np.isnan(self.probability).any(axis=1).sum())


def answers(body: bytes, classes: int, shown: str) -> NDArray[np.float64]:
    """Read one file's answers as JSON Lines: probabilities (N, C), NaN where a record was refused.

    Raises PlatformError where they are no predictions of so many classes.
    """
    found = [_probabilities(line, classes) for line in body.splitlines() if line.strip()]
    if None in found:
        raise PlatformError(f"{shown}, line {found.index(None) + 1}: no prediction of {classes} classes")
    return np.array(found, np.float64).reshape(-1, classes)


def join(parts: Iterable[tuple[str, Sequence[str], NDArray[np.float64]]], classes: Sequence[str]) -> Joined:
    """Put answers beside their records by their order, file by file: name, labels as written, answers (N, C).

    Raises PlatformError where a file has more records than answers or fewer, UserError where labels are no class of the model.
    """
    names: list[str] = []
    rows: list[int] = []
    places, blocks, strangers = [], [], set()
    for name, given, found in parts:
        if len(given) != len(found):
            raise PlatformError(
                f"{name}: {len(given):,} records and {len(found):,} answers: their order says nothing then, so nothing was scored"
            )
        known = spelling.known(given, classes)
        strangers |= {text for text, place in zip(given, known, strict=True) if text and place < 0}
        names += [name] * len(given)
        rows += range(len(given))
        places.append(np.array(known, np.int64))
        blocks.append(found)
    if strangers:
        raise UserError(
            f"{len(strangers):,} different labels are no class of the model, which has {', '.join(classes)}"
        )
    return Joined(tuple(names), tuple(rows), np.concatenate(places), np.concatenate(blocks), tuple(classes))


def score(joined: Joined) -> dict[str, Any]:
    """Score the records that have a label and an answer; {} where none has.

    Accuracy has Wilson's interval, macro F1 and log loss that of a bootstrap over records; each `[value, low, high]`.
    """
    chosen = (joined.label >= 0) & ~np.isnan(joined.probability).any(axis=1)
    label, probability = joined.label[chosen], joined.probability[chosen]
    if not label.size:
        return {}
    scores = metrics.score(label, probability)
    draws = resampling.draw(np.arange(label.size), seeds=1, resamples=RESAMPLES, seed=0)
    drawn = resampling.resampled(label, probability[None], draws, None)
    accuracy = shares.wilson(round(scores.accuracy * label.size), label.size)
    assert accuracy is not None  # noqa: S101  # of something
    return {
        **scores.as_dict(),
        "accuracy": _listed(accuracy),
        "macro_f1": _listed(_interval(drawn["macro_f1"][:, 0])),
        "log_loss": _listed(_interval(drawn["log_loss"][:, 0])),
        "classes": list(joined.classes),
    }


def table(joined: Joined) -> Iterator[dict[str, Any]]:
    """List every record: where it stands, its label, the predicted class, whether that is the label, the probabilities."""
    for n, values in enumerate(joined.probability.tolist()):
        bad = values[0] != values[0]  # NaN
        place = int(joined.label[n])
        predicted = "" if bad else joined.classes[int(np.argmax(values))]
        label = joined.classes[place] if place >= 0 else ""
        yield {
            "file": joined.file[n],
            "row": joined.row[n],
            "label": label,
            "class": predicted,
            "right": "" if bad or not label else predicted == label,
            **{f"p_{name}": "" if bad else value for name, value in zip(joined.classes, values, strict=True)},
        }


def _probabilities(line: bytes, classes: int) -> list[float] | None:
    try:
        said = json.loads(line)
        if "error" in said:
            return [float("nan")] * classes
        values = [float(value) for value in said["probabilities"]]
    except (ValueError, KeyError, TypeError):
        return None
    return values if len(values) == classes else None


def _interval(values: NDArray[np.float64]) -> Interval:
    low, high = np.quantile(values[1:], [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(float(low), float(values[0]), float(high))


def _listed(interval: Interval) -> list[float]:
    return [interval.value, interval.low, interval.high]
