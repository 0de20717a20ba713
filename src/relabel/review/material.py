"""What the page works on: the questions of a job, and what its other files say of their rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet
from numpy.typing import NDArray

from relabel.data.reviews import Answer
from relabel.results import explanations, neighbours
from relabel.results.reviewing.questions import Questions

REPORT = "report.html"


@dataclass(frozen=True, slots=True, eq=False)
class Words:
    """Words that speak for the suggested label of a row, (words, what each brings to the log odds), the strongest first.

    label: the class that they speak for. whole: the words stand in the text as they are, not their stems.
    """

    label: str
    words: tuple[tuple[str, float], ...]
    whole: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class Neighbours:
    """Nearest labelled rows of the doubtful ones. Of pairs, sorted by row, nearest first.

    row, neighbour: int64 positions in the audit table; similarity: float32, the cosine.
    """

    row: NDArray[np.int64]
    neighbour: NDArray[np.int64]
    similarity: NDArray[np.float32]

    def of(self, row: int) -> list[tuple[int, float]]:
        """Give (neighbour, similarity) of a row."""
        first, last = np.searchsorted(self.row, [row, row + 1])
        return list(zip(self.neighbour[first:last].tolist(), self.similarity[first:last].tolist(), strict=True))


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """Everything that does not change while people answer.

    questions: those of the job; wanted: (Q,) bool, those that may be asked or looked up: of the splits, not decided before the audit.
    earlier:   answers that people gave elsewhere.
    words:     row -> words behind its doubt. neighbours: None where the job wrote none.
    """

    questions: Questions
    wanted: NDArray[np.bool_]
    earlier: tuple[Answer, ...] = ()
    words: Mapping[int, Words] = field(default_factory=dict)
    neighbours: Neighbours | None = None

    def members(self, question: int) -> NDArray[np.int64]:
        """Give the rows of a question."""
        members: NDArray[np.int64] = np.flatnonzero(self.questions.question == question)
        return members


def read(
    results: Path,
    questions: Questions,
    wanted: NDArray[np.bool_],
    earlier: tuple[Answer, ...],
    figures: Mapping[str, Any],
) -> Material:
    """Read what stands beside the questions in a job's results.

    figures: the job's metrics.json.
    """
    stems = figures["settings"].get("stemming", "none") != "none"
    return Material(
        questions=questions,
        wanted=wanted & ~questions.reviewed,
        earlier=earlier,
        words=_words(results, questions, whole=not stems),
        neighbours=_neighbours(results / neighbours.NAME),
    )


def _words(results: Path, questions: Questions, *, whole: bool) -> dict[int, Words]:
    if not (results / explanations.NAME).is_file():
        return {}
    place = {place: n for n, place in enumerate(zip(questions.file, questions.row.tolist(), strict=True))}
    return {
        place[line["file"], line["row"]]: Words(
            line["label"], tuple((word, value) for word, value in line["words"]), whole
        )
        for line in explanations.read(results)
        if (line["file"], line["row"]) in place
    }


def _neighbours(path: Path) -> Neighbours | None:
    if not path.is_file():
        return None
    table = pyarrow.parquet.read_table(path)
    row, neighbour, similarity = (table[name].to_numpy() for name in ("row", "neighbour", "similarity"))
    order = np.lexsort((-similarity, row))
    return Neighbours(row[order], neighbour[order], similarity[order])
