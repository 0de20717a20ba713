"""What an endpoint says of the labels that records carry: how surely each is wrong, and what it should be."""

from __future__ import annotations

from collections.abc import Container, Mapping

import numpy as np
from numpy.typing import NDArray

from relabel.auditing import doubt
from relabel.codecs.codec import LabelAudit, Problem, Records, Texts, chosen, without
from relabel.data import labels, phrases
from relabel.model import training_rows
from relabel.model.artifact import Artifact


def known(records: Records, texts: Mapping[int, str], classes: tuple[str, ...]) -> tuple[Records, Mapping[int, int]]:
    """Give row -> class of labels, row -> as it was spelled.

    A label that is no class is a problem of its record, unless that has one already: the records come back with it.
    """
    bad = {problem.row for problem in records.problems}
    given = {row: text for row, text in texts.items() if row not in bad}
    codes = dict(zip(given, labels.known(given.values(), classes), strict=True))
    unknown = [row for row, code in codes.items() if code == labels.UNLABELLED]
    if not unknown:
        return records, codes
    why = f", its label is no class of this model, expected is one of {phrases.names(classes)}"
    found = without(records, [Problem(row, why) for row in unknown])
    return found, {row: code for row, code in codes.items() if code != labels.UNLABELLED}


def of(
    given: Mapping[int, int],
    records: Records,
    probabilities: NDArray[np.float32],
    refused: Container[int],
    artifact: Artifact,
) -> dict[int, LabelAudit]:
    """Audit labels, row -> class, of records that are not refused, by their probabilities (n, C).

    Where the artifact does not know the noise of its labels there is no posterior, and the predicted class is suggested.
    """
    rows = np.array([row for row in given if row not in refused], np.intp)
    if not rows.size:
        return {}
    codes = np.array([given[row] for row in rows.tolist()], np.int64)
    found = _doubt(codes, probabilities[rows], artifact)
    seen = _seen(chosen(records.inputs, np.searchsorted(records.places(), rows)), artifact)
    names = artifact.classes
    return {
        row: LabelAudit(names[code], posterior, names[suggested], in_sample)
        for row, code, posterior, suggested, in_sample in zip(rows.tolist(), codes.tolist(), *found, seen, strict=True)
    }


def _doubt(
    codes: NDArray[np.int64], probabilities: NDArray[np.float32], artifact: Artifact
) -> tuple[list[float] | list[None], list[int]]:
    if artifact.noise is None:
        return [None] * codes.size, probabilities.argmax(axis=1).tolist()
    treated = artifact.fitted_on == "treated"
    found = doubt.of(codes, probabilities, artifact.noise, temperature=artifact.temperature, treated=treated)
    return found.posterior.tolist(), found.suggested.tolist()


def _seen(inputs: NDArray[np.float32] | Texts, artifact: Artifact) -> list[bool] | list[None]:
    if artifact.training_rows is None:
        return [None] * len(inputs)
    hashed = training_rows.hashes(inputs) if isinstance(inputs, np.ndarray) else training_rows.text_hashes(inputs)
    seen: list[bool] = training_rows.known(artifact.training_rows, hashed).tolist()
    return seen
