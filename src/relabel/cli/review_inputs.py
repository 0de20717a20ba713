"""What the commands on reviews read: questions, answers so far, and which splits are meant."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from relabel.data.reviews import Answer, Verdict
    from relabel.results.reviewing.questions import Questions

RESULTS = click.Path(exists=True, file_okay=False, path_type=Path)
READ = click.Path(exists=True, dir_okay=False, path_type=Path)
WRITTEN = click.Path(dir_okay=False, path_type=Path)
SPLITS = "train,dev,test"
DATABASE = b"SQLite format 3\0"
"""How the review page's own file begins."""


def questions(results: Path) -> Questions:
    """Read the questions of a job's results."""
    from relabel.data.reviews import check_classes
    from relabel.results.reviewing import questions

    found = questions.read(results)
    check_classes(found.classes)
    return found


def answers(path: Path | None) -> tuple[Answer, ...]:
    """Read the answers so far; where there is no file yet, none, and that is said."""
    from relabel.data import reviews

    if path is None:
        return ()
    if not path.is_file():
        click.echo(f"{path} is not there yet: no answers so far", err=True)
        return ()
    check_file(path)
    return reviews.read(path)


def check_file(path: Path) -> None:
    """Raise UserError where a file of answers is the review page's own file of decisions."""
    from relabel.data import layout
    from relabel.errors import UserError

    with path.open("rb") as file:
        if file.read(len(DATABASE)) == DATABASE:
            raise UserError(f"{path.name} is no file of answers: {layout.of_store(str(path))}")


def check_known(questions: Questions, answers: Sequence[Answer]) -> None:
    """Refuse to train again without what people said before the audit: a job takes one file of answers, and no others.

    Raises UserError.
    """
    from relabel.errors import UserError

    of_hash = questions.of_hash()
    known = {of_hash.get(answer.row_hash) for answer in answers}
    before = questions.reviewed.nonzero()[0].tolist()
    if lost := sum(question not in known for question in before):
        raise UserError(
            f"--data: {lost:,} of the {len(before):,} questions that people had decided before the audit have no answer in --reviews, and a job "
            f"from the page would forget them: give the file of answers that the job of RESULTS had (its --reviews, or reviewed/ in its --data)"
        )


def verdicts(questions: Questions, answers: Sequence[Answer]) -> dict[int, Verdict]:
    """Settle the answers by question."""
    from relabel.data import reviews

    return reviews.verdicts(answers, questions.of_hash()) if answers else {}


def wanted(questions: Questions, splits: str) -> NDArray[np.bool_]:
    """Mark the questions (Q,) of the splits that --splits names."""
    from relabel.data.examples import Split
    from relabel.errors import UserError
    from relabel.results.reviewing.questions import of_splits

    names = {split.name.lower(): split for split in Split}
    given = [name.strip().lower() for name in splits.split(",")]
    if unknown := [name for name in given if name not in names]:
        raise UserError(f"--splits names {', '.join(map(repr, unknown))}: give some of {SPLITS}, with commas between")
    return of_splits(questions, tuple(names[name] for name in given))
