"""The beginning of a loop: labelled rows with splits that stay, and the model that serves."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relabel import files
from relabel.data import phrases, reviews
from relabel.data.examples import Examples, Split
from relabel.data.labels import UNLABELLED
from relabel.errors import UserError
from relabel.loop import folder as folders
from relabel.loop import places
from relabel.loop import rows as stored
from relabel.loop.folder import Loop
from relabel.loop.journal import Journal, sha256
from relabel.loop.rows import Rows
from relabel.model import predictor
from relabel.model.artifact import Artifact

LABELS = "label"


def start(journal: Journal, examples: Examples, model: Path, artifact: Artifact, about: Mapping[str, Any]) -> Loop:
    """Make the folder of a loop; one that was begun is finished, one that stands stays as it is.

    examples: the labelled rows; which of them are dev and test is written down, and stays so.
    model:    folder of the model that serves, `artifact` what is in it.
    about:    seed, settings of the jobs, endpoint.

    Raises UserError where the model has other classes than the data, the data are not what it takes,
    or another loop stands in the folder.
    """
    folder = journal.folder
    reviews.check_classes(examples.classes)
    if set(artifact.classes) != set(examples.classes):
        raise UserError(
            f"the model's classes are {phrases.names(artifact.classes)}, those of the data {phrases.names(examples.classes)}: "
            "give the data that it was trained on, or a model of these"
        )
    _check_taken(artifact, examples)
    _check_same(journal, artifact, about)
    base = folder / "rounds" / "0000" / "data"
    building = base.with_name(f"data{files.TEMPORARY}")  # what stands is not touched before it is known to be the same
    shutil.rmtree(building, ignore_errors=True)
    written = [path for split in Split for path in _write(building, examples, split)]
    whole = {**about, "classes": list(artifact.classes), "data": {path.name: sha256(path) for path in written}}
    if journal.last("start") is not None:
        shutil.rmtree(building)
        loop = folders.opened(folder, journal)
        if {**loop.about, "schema": None} != {**whole, "schema": None}:
            raise UserError(f"{folder}: a loop stands there, of other data or settings: name another folder")
        return loop
    shutil.rmtree(base, ignore_errors=True)  # of a start that broke off
    building.rename(base)
    folders.write_settings(folder, whole)
    kept = places.keep(folder, model, artifact.short_hash)
    places.point(folder, current=kept, previous=None)
    rows = {split.name.lower(): int(examples.rows(split).size) for split in Split}
    journal.write("start", 0, {"model": artifact.short_hash, "rows": rows}, [folder / folders.SETTINGS, base])
    return folders.opened(folder, journal)


def labelled(loop: Loop) -> Rows:
    """Read the rows that the loop started from."""
    return stored.joined([stored.read(path) for path in sorted(loop.base.glob("*.csv"))])


def _check_taken(artifact: Artifact, examples: Examples) -> None:
    """Raise UserError where the data are not what the model takes: traffic would have nothing in common with them."""
    kind = None if artifact.text is None else artifact.text.kind
    features = examples.features
    if kind is None and features is None:
        raise UserError(
            "the model takes embeddings, and the data have texts alone: give the data with their embeddings, or a model of texts"
        )
    if kind not in (None, "encoder") and features is not None:
        raise UserError(
            "the model takes texts, and the data have embeddings: give the texts alone, or a model of embeddings"
        )
    if features is not None and features.shape[1] != (width := predictor.load(artifact.model).inputs):
        raise UserError(
            f"the model takes embeddings of width {width}, and those of the data have {features.shape[1]}: give what it was trained on"
        )


def _check_same(journal: Journal, artifact: Artifact, about: Mapping[str, Any]) -> None:
    """Raise UserError where a loop stands that another model began; an endpoint may serve by now what was promoted since."""
    if (begun := journal.last("start")) is None:
        return
    known = {str(begun.facts["model"])}
    if about.get("endpoint"):
        known.add(folders.opened(journal.folder, journal).champion().name)
    if artifact.short_hash not in known:
        raise UserError(
            f"{journal.folder}: a loop stands there that the model {begun.facts['model']} began, not {artifact.short_hash}: "
            "name another folder"
        )


def _write(base: Path, examples: Examples, split: Split) -> list[Path]:
    """Write the rows of a split, once."""
    rows = np.flatnonzero(examples.split == split)
    if not rows.size:
        return []
    vectors = None if examples.features is None else examples.features.take(rows)
    texts = None if examples.texts is None else np.array(examples.texts[rows], np.object_)
    names = np.array([*examples.classes, ""], np.object_)  # the last one names the unlabelled
    made = stored.made(examples.ids[rows], texts, vectors)
    return stored.write(base / f"{split.name.lower()}.csv", made, {LABELS: _given(examples, rows, names)})


def _given(examples: Examples, rows: NDArray[np.intp], names: NDArray[np.object_]) -> list[str]:
    assert UNLABELLED == -1  # noqa: S101  # the last name
    given: list[str] = names[examples.labels[rows]].tolist()
    return given
