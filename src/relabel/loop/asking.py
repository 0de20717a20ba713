"""People are asked for labels in the files of `results.reviewing`, and their answers are checked by its rules.

No guess of the model stands beside a row that has no label yet, so that nobody is led: least of all on rows that are to test the next model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from relabel.data import reviews
from relabel.data.examples import Split
from relabel.data.formats import csv as tables
from relabel.data.reviews import Answer, Verdict
from relabel.loop.choosing import TEST
from relabel.results.reviewing.questions import Questions
from relabel.results.reviewing.queue import Queue

NAME = "chosen.csv"
COLUMNS = ("row_hash", "id", "review", "why", "given")


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """Rows (n,) that people are or were asked about, object arrays of str, in the order in which they were chosen.

    why: of `choosing`. given: the label of a doubtful row, "" of others. round: (n,) int64.
    """

    hash: NDArray[np.object_]
    id: NDArray[np.object_]
    text: NDArray[np.object_]
    why: NDArray[np.object_]
    given: NDArray[np.object_]
    round: NDArray[np.int64]

    def __len__(self) -> int:
        return int(self.hash.size)


def read(paths: Sequence[Path]) -> Asked:
    """Read the files of chosen rows; the folder of each is named for its round."""
    parts = [tables.read(path, COLUMNS).values for path in paths]
    column = {name: np.concatenate([np.empty(0, np.object_), *(part[name] for part in parts)]) for name in COLUMNS}
    numbers = [np.full(part["row_hash"].size, int(path.parent.name)) for path, part in zip(paths, parts, strict=True)]
    return Asked(
        hash=column["row_hash"],
        id=column["id"],
        text=column["review"],
        why=column["why"],
        given=column["given"],
        round=np.concatenate([np.empty(0, np.int64), *numbers]),
    )


def questions(asked: Asked, classes: tuple[str, ...]) -> Questions:
    """Make each row a question."""
    count = len(asked)
    split = np.where(asked.why == TEST, int(Split.TEST), int(Split.TRAIN)).astype(np.uint8)
    nothing = np.zeros(count, np.bool_)
    return Questions(
        file=np.array([f"rounds/{number:04}/{NAME}" for number in asked.round.tolist()], np.object_),
        row=np.arange(count),
        id=asked.id,
        row_hash=asked.hash,
        text=asked.text,
        given=np.array([label or None for label in asked.given.tolist()], np.object_),
        suggested=np.full(count, "", np.object_),
        wrong=np.zeros(count),
        question=np.arange(count),
        shown=np.arange(count),
        split=split,
        size=np.ones(count, np.int64),
        value=np.zeros(count),
        conflict=nothing,
        flagged=nothing,
        reviewed=nothing,
        classes=classes,
        data="",
    )


def verdicts(asked: Asked, answers: Sequence[Answer]) -> dict[int, Verdict]:
    """Settle the answers on each row that has any."""
    return reviews.verdicts(answers, {found: n for n, found in enumerate(asked.hash.tolist())})


def open_queue(asked: Asked, settled: dict[int, Verdict], seed: int) -> Queue:
    """List what waits for an answer: what people dispute first, all others mixed, so that a part done has some of each kind."""
    left = [n for n in range(len(asked)) if n not in settled]
    disputed = [n for n, verdict in settled.items() if verdict.answer is None]
    order = np.random.default_rng(seed).permutation(np.array(left, np.int64))
    why = (*(reviews.DISPUTED for _ in disputed), *("" for _ in left))
    return Queue(np.concatenate([np.array(sorted(disputed), np.int64), order]), why)
