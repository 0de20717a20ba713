"""The next model: old and new labels as the data of a job that is handed in.

Rows of a round that were drawn as test are test rows for good, beside those that the loop started from. A label that one person gave is a label
like any other, which the job's audit may doubt; what people said of doubtful labels goes to the job as answers, which it trusts.
"""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from relabel import files
from relabel.data import reviews
from relabel.data.reviews import NEITHER, Verdict
from relabel.errors import UserError
from relabel.loop import asking, standing
from relabel.loop import rows as stored
from relabel.loop.asking import Asked
from relabel.loop.choosing import DOUBTFUL, TEST
from relabel.loop.folder import Loop
from relabel.loop.starting import LABELS
from relabel.model import artifact

EVIDENCE = "champion.json"


@dataclass(frozen=True, slots=True)
class Job:
    """A training job to run.

    data:     folder of the channel `train`. reviews: file of answers, None where there are none.
    champion: folder of the model that serves. output: folder for model/ and output/data/.
    settings: of the job, by name.
    """

    data: Path
    reviews: Path | None
    champion: Path
    output: Path
    settings: Mapping[str, str]


Train = Callable[[Job], None]
"""Runs a job to its end; raises where it fails. Run again, it goes on where it was."""


def train(loop: Loop, run: Train, settings: Mapping[str, str]) -> dict[str, Any]:
    """Make the data of this round, train on them, and give what was written down.

    Done once more with the same settings and the same model that serves, it says again what was written down.

    Raises UserError where no new label is there, or the job leaves no comparison with the champion.
    """
    number = loop.needs("train")
    whole = {**loop.about["settings"], **settings}
    if (done := _done(loop, number, whole)) is not None:
        return done
    round_folder = loop.round_folder(number)
    asked = standing.asked(loop)
    verdicts = asking.verdicts(asked, loop.answers())
    if not any(map(_told, verdicts.values())):
        raise UserError(
            f"round {number}: no answers yet: `relabel loop export`, let people answer, `relabel loop import`"
        )
    data, answers = _data(loop, round_folder, asked, verdicts)
    run(Job(data, answers, loop.champion(), round_folder / "output", whole))
    results, model = round_folder / "output" / "output" / "data", round_folder / "output" / "model"
    evidence(round_folder)
    facts = {
        "challenger": artifact.load(model).short_hash,
        "champion": loop.champion().name,
        "labels": _counted(asked, data, answers),
        "settings": whole,
    }
    loop.journal.write("train", number, facts, [data, *([answers] if answers else []), results / EVIDENCE, model])
    return facts


def _done(loop: Loop, number: int, settings: Mapping[str, str]) -> dict[str, Any] | None:
    """Give what was written down of a job of these settings against the model that serves, None where there was none."""
    event = loop.journal.last("train", number)
    same = event is not None and event.facts["settings"] == settings and event.facts["champion"] == loop.champion().name
    return dict(event.facts) if event is not None and same else None


def evidence(round_folder: Path) -> dict[str, Any]:
    """Read what the job of a round found of champion and challenger. Raises UserError where it says nothing."""
    path = round_folder / "output" / "output" / "data" / EVIDENCE
    if not path.is_file():
        raise UserError(f"{path}: the job compared nothing with the champion: train this round again")
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def _counted(asked: Asked, data: Path, answers: Path | None) -> dict[str, int]:
    """Count the labels of people that were trained or tested on, by why they were asked for; some may have come since."""
    why = dict(zip(asked.hash.tolist(), asked.why.tolist(), strict=True))
    rows = [name for path in data.glob("*-asked.csv") for name in stored.read(path).hash.tolist()]
    told = asking.verdicts(asked, reviews.read(answers)) if answers else {}
    rows += [asked.hash[n] for n, verdict in told.items() if _told(verdict)]
    return dict(sorted(Counter(why[name] for name in rows).items()))


def _told(verdict: Verdict) -> bool:
    return verdict.answer not in (None, NEITHER)


def _data(loop: Loop, round_folder: Path, asked: Asked, verdicts: Mapping[int, Verdict]) -> tuple[Path, Path | None]:
    """Write the folder of data and the file of answers; as they are where a job on them was begun, for that goes on with the same."""
    data, answers = round_folder / "data", round_folder / reviews.NAME
    if not data.is_dir():
        building = round_folder / f"data{files.TEMPORARY}"
        shutil.rmtree(building, ignore_errors=True)
        building.mkdir(parents=True)
        for path in sorted(loop.base.iterdir()):
            _linked(path, building / path.name)
        pool = stored.joined([rows for _, rows in loop.pools()])
        place = {found: n for n, found in enumerate(pool.hash.tolist())}
        for name, wanted in (("train-asked", asked.why != TEST), ("test-asked", asked.why == TEST)):
            told = [
                n for n, verdict in sorted(verdicts.items()) if wanted[n] and asked.hash[n] in place and _told(verdict)
            ]
            rows = pool.take(np.array([place[asked.hash[n]] for n in told], np.intp))
            if told:
                stored.write(building / f"{name}.csv", rows, {LABELS: [str(verdicts[n].answer) for n in told]})
        doubted = {asked.hash[n] for n in np.flatnonzero(asked.why == DOUBTFUL).tolist()}
        lines = [reviews.line(answer) for answer in loop.answers() if answer.row_hash in doubted]
        files.write_text(answers, "".join(lines))
        building.rename(data)
    return data, answers if answers.stat().st_size else None


def _linked(path: Path, to: Path) -> None:
    """Give a file that never changes a second name, or copy it where that cannot be."""
    try:
        os.link(path, to)
    except OSError:
        shutil.copyfile(path, to)
