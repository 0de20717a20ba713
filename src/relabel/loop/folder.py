"""A loop's folder: what is where in it, and how far the loop is.

    loop.json            how the loop was started
    journal.jsonl        what was done (see `journal`)
    answers.jsonl        every answer of every person (see `data.reviews`)
    serving.json         which model serves, and which did before; models/HASH/ has both
    rounds/0000/data/    the labelled rows that it started from, splits fixed
    rounds/0001/         pool.csv, .npy: new traffic; chosen.csv: what to label; data/: what is trained on; output/: the job's

A round begins with `collect` and ends with `decide`. Files of a round are written once and never changed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from relabel import files
from relabel.data import phrases, reviews
from relabel.data.reviews import Answer
from relabel.errors import UserError
from relabel.loop import rows as stored
from relabel.loop.journal import Journal
from relabel.loop.rows import Rows

SETTINGS = "loop.json"
POINTER = "serving.json"
SCHEMA = 1
STEPS = ("collect", "select", "train", "decide")
"""Of a round, in their order; people answer between the second and the third."""


@dataclass(frozen=True, slots=True)
class Loop:
    """An open loop.

    about: loop.json: classes, seed, settings of the jobs, endpoint, region.
    """

    folder: Path
    about: Mapping[str, Any]
    journal: Journal

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the labels, in order."""
        return tuple(self.about["classes"])

    @property
    def seed(self) -> int:
        """Every draw follows from it and from the round."""
        return int(self.about["seed"])

    @property
    def base(self) -> Path:
        """The labelled rows that the loop started from."""
        return self.folder / "rounds" / "0000" / "data"

    @property
    def answers_path(self) -> Path:
        """Where all answers stand."""
        return self.folder / "answers.jsonl"

    def round_folder(self, number: int) -> Path:
        """Give the folder of a round."""
        return self.folder / "rounds" / f"{number:04}"

    def at(self) -> tuple[int, str]:
        """Say in which round the loop is and what was done last in it: a step, or "" where the next round may begin."""
        done = [(each.round, each.step) for each in self.journal.events() if each.step in STEPS]
        number, step = done[-1] if done else (0, "decide")
        return (number + 1, "") if step == "decide" else (number, step)

    def done(self, step: str) -> bool:
        """Tell whether a step of the present round is done."""
        number, last = self.at()
        return bool(last) and STEPS.index(last) >= STEPS.index(step) and self.journal.last(step, number) is not None

    def needs(self, step: str) -> int:
        """Give the present round. Raises UserError where it has not come to this step yet, for want of the one before."""
        number, last = self.at()
        before = STEPS[STEPS.index(step) - 1] if step != STEPS[0] else ""
        if before and (not last or STEPS.index(last) < STEPS.index(before)):
            raise UserError(
                f"round {number}: nothing to {step} yet: run `relabel loop {SAID.get(before, before)}` first"
            )
        return number

    def pools(self) -> list[tuple[int, Rows]]:
        """Read the traffic that was collected, by round. A file only grows: what the journal does not know stands at its end."""
        told = {each.round: int(each.facts["in_round"]) for each in self.journal.events() if each.step == "collect"}
        return [
            (number, stored.read(self.round_folder(number) / "pool.csv").take(np.arange(rows)))
            for number, rows in told.items()
        ]

    def answers(self) -> tuple[Answer, ...]:
        """Read all answers."""
        return reviews.read(self.answers_path) if self.answers_path.is_file() else ()

    def champion(self) -> Path:
        """Give the folder of the model that serves."""
        return self.folder / str(self.serving()["current"])

    def serving(self) -> dict[str, Any]:
        """Read which model serves."""
        return _object(self.folder / POINTER, ("current", "previous"))


SAID = {"decide": "promote"}
"""Commands that are called otherwise than their step."""


def opened(folder: Path, journal: Journal) -> Loop:
    """Open a loop's folder. Raises UserError where it is none."""
    path = folder / SETTINGS
    if not path.is_file() or journal.last("start") is None:
        raise UserError(f"{folder}: no loop was started here: start one with `relabel loop start`")
    about = _object(path, ("schema", "classes", "seed", "settings"))
    if about["schema"] != SCHEMA:
        raise UserError(f"{path}: of another version: run the one that wrote it")
    return Loop(folder, about, journal)


def write_settings(folder: Path, about: Mapping[str, Any]) -> None:
    """Write loop.json."""
    files.write_json(folder / SETTINGS, {"schema": SCHEMA, **about})


def _object(path: Path, names: Sequence[str]) -> dict[str, Any]:
    """Read an object of a file that has these names. Raises UserError where it has not."""
    try:
        said = json.loads(path.read_bytes())
        if missing := [name for name in names if name not in said]:
            raise UserError(f"{path}: no {phrases.names(missing)} in it: put the file back as it was")
    except (OSError, ValueError, TypeError) as error:
        raise UserError(f"{path} cannot be read ({type(error).__name__}): put the file back as it was") from None
    found: dict[str, Any] = said
    return found
