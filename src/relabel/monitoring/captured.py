"""Traffic that an endpoint captured, read back: what came, what was answered, when.

SageMaker's data capture writes JSON Lines, one object for each request, below ENDPOINT/VARIANT/yyyy/mm/dd/hh/:

    {"captureData": {"endpointInput":  {"observedContentType": "text/csv", "mode": "INPUT", "data": "0.1,0.2", "encoding": "CSV"},
                     "endpointOutput": {…}},
     "eventMetadata": {"eventId": "…", "inferenceId": "…", "inferenceTime": "2026-01-31T10:00:00Z"}, "eventVersion": "0"}

Bodies are read by the endpoint's own codecs. What cannot be read is counted, never fatal, and never repeated. Letters: N rows, D width, C classes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from relabel.codecs import table
from relabel.codecs.codec import Records
from relabel.errors import UserError
from relabel.monitoring import answers, capture_files
from relabel.monitoring.capture_files import Message, Request
from relabel.monitoring.sampling import Kept, Sample
from relabel.serving.served import Served

MOST = 50_000
"""Rows that are held: 150 MB of vectors of 768 numbers."""

CHECK = "relabel-check"
"""Id of the request by which `relabel aws deploy` looks whether an endpoint answers: nobody's traffic."""

REFUSED = "a record that the endpoint refused"
NOT_READ = "a request whose content type the model does not take"
MALFORMED = "a request that cannot be read"
BAD_RECORD = "a record that cannot be read, or of another width"
NOT_FINITE = "a record that the model has no finite answer to"
NOT_SAMPLED = "a record left out by the draw"
"""Why records are passed over, beside what `capture_files` says of lines."""


@dataclass(frozen=True, slots=True, eq=False)
class Traffic:
    """Rows that came to an endpoint, in the order of their time.

    ids:         (N,) object array of str, "<inference id, else event id>/<place in the request>".
    time:        (N,) datetime64[s], UTC.
    vectors:     (N, D) float32, or None where the model reads words. Of a model that makes vectors of texts, those too.
    texts:       (N,) object array of str, None where no row came as a text; "" for rows that came as vectors.
    probability: (N, C) float32 as answered, or as the model gives it where the answer is not there or does not say it.
    label:       (N,) int64, the class predicted.
    skipped:     reason -> records, or whole requests, that are not here.
    of:          (N,) int64, how many records each row's request had; None where that is not known.
    earlier:     requests, or files of them, that came before `since`.
    lost:        of those that were skipped, the records that surely came behind `since`; what the draw left out is not among them.
    """

    ids: NDArray[np.object_]
    time: NDArray[np.datetime64]
    vectors: NDArray[np.float32] | None
    texts: NDArray[np.object_] | None
    probability: NDArray[np.float32]
    label: NDArray[np.int64]
    skipped: Mapping[str, int] = field(default_factory=dict)
    of: NDArray[np.int64] | None = None
    earlier: int = 0
    lost: int = 0

    def __len__(self) -> int:
        return int(self.ids.size)

    def take(self, rows: NDArray[np.integer] | NDArray[np.bool_]) -> Traffic:
        """Give some of the rows."""
        return replace(
            self,
            ids=self.ids[rows],
            time=self.time[rows],
            vectors=None if self.vectors is None else self.vectors[rows],
            texts=None if self.texts is None else self.texts[rows],
            probability=self.probability[rows],
            label=self.label[rows],
            of=None if self.of is None else self.of[rows],
        )


def read(
    place: Path, served: Served, *, since: np.datetime64 | None = None, most: int = MOST, seed: int = 0
) -> Traffic:
    """Read a folder of captured traffic, or one file of it; files may be gzipped.

    since: only what came at this time or later.
    most:  rows to hold. Of more a uniform draw stays, which depends on the rows' ids and `seed` alone, not on the order of files.

    Raises UserError where there is no file of captured traffic.
    """
    paths = capture_files.found(place, since)
    skipped: Counter[str] = Counter()
    sample = Sample(most, seed)
    earlier, lost = 0 if since is None else len(capture_files.found(place)) - len(paths), 0
    for path in paths:
        for line in capture_files.lines(path):
            before = skipped.total()
            if isinstance(line, str):
                skipped[line] += 1
            elif line.id == CHECK:
                continue
            elif since is None or line.time >= since:
                _gather(line, served, sample, skipped)
            else:
                earlier += 1
            if since is None or (not isinstance(line, str) and line.time > since):
                lost += skipped.total() - before
    skipped[NOT_SAMPLED] += sample.left_out
    return replace(_traffic(sample.rows(), served, skipped), earlier=earlier, lost=lost)


def _gather(request: Request, served: Served, sample: Sample, skipped: Counter[str]) -> None:
    """Add the records of one request to the sample."""
    records = _records(request, served)
    if isinstance(records, str):
        skipped[records] += 1
        return
    skipped[BAD_RECORD] += len(records.problems)
    places = records.places()
    answered = _answered(request.answered, records.count, served)
    if answered is None:
        answered = np.full((records.count, served.predictor.classes), np.nan, np.float32)
        good = np.ones(places.size, np.bool_)
    else:
        good = np.asarray(np.isfinite(answered[places]).all(axis=1))
        skipped[REFUSED] += int((~good).sum())
    for row in np.flatnonzero(good).tolist():
        at = int(places[row])
        sample.add(Kept(f"{request.id}/{at}", request.time, records.inputs[row], answered[at], records.count))


def _records(request: Request, served: Served) -> Records | str:
    """Read the records of a request, or say why that fails. Lines of plain text are told by how many answers they got."""
    asked = request.asked
    media_type = table.of_request(asked.content_type)
    if media_type is None or media_type not in served.spoken:
        return NOT_READ
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            by_line = media_type == table.PLAIN and table.has_lines(asked.content_type, otherwise=False)
            found = table.read(asked.content_type, media_type, asked.body, served.takes, by_line)
            if media_type != table.PLAIN or by_line or request.answered is None:
                return found
            lines = table.read(asked.content_type, media_type, asked.body, served.takes, by_line=True)
    except UserError:
        return MALFORMED
    answers_given = answers.count(request.answered.content_type, request.answered.body)
    return lines if answers_given == lines.count else found


def _answered(message: Message | None, count: int, served: Served) -> NDArray[np.float32] | None:
    """Give the probabilities (n, C) that were answered, NaN for refused records; None where the model must say."""
    if message is None:
        return None
    found = answers.read(message.content_type, message.body, served.artifact.classes)
    return found if found is not None and len(found) == count else None


def _traffic(rows: list[Kept], served: Served, skipped: Counter[str]) -> Traffic:
    """Put the rows together, in order, and let the model say what no answer said."""
    of_texts = np.array([isinstance(row.input, str) for row in rows], np.bool_)
    texts = None
    if of_texts.any() or served.takes.width is None:
        texts = np.array([row.input if isinstance(row.input, str) else "" for row in rows], object)
    vectors = None if served.takes.width is None else _vectors(rows, of_texts, served)
    probability = np.empty((len(rows), served.predictor.classes), np.float32)
    for place, row in enumerate(rows):
        probability[place] = row.probability
    asked = np.flatnonzero(np.isnan(probability).any(axis=1))
    if asked.size:
        inputs = tuple(rows[row].input for row in asked.tolist()) if vectors is None else vectors[asked]
        with np.errstate(over="ignore", invalid="ignore"):
            probability[asked] = served(inputs)  # type: ignore[arg-type]  # texts, where there are no vectors
    good = np.asarray(np.isfinite(probability).all(axis=1))
    skipped[NOT_FINITE] += int((~good).sum())
    traffic = Traffic(
        ids=np.array([row.id for row in rows], object),
        time=np.array([row.time for row in rows], "datetime64[s]"),
        vectors=vectors,
        texts=texts,
        probability=probability,
        label=np.where(good, np.nan_to_num(probability).argmax(axis=1), -1),
        skipped={reason: count for reason, count in sorted(skipped.items()) if count},
        of=np.array([row.of for row in rows], np.int64),
    )
    return traffic if good.all() else traffic.take(good)


def _vectors(rows: list[Kept], of_texts: NDArray[np.bool_], served: Served) -> NDArray[np.float32]:
    """Give the vectors (N, D); what came as a text is read as the endpoint reads it."""
    assert served.takes.width is not None  # noqa: S101  # asked before
    vectors = np.empty((len(rows), served.takes.width), np.float32)
    for place, row in enumerate(rows):
        if not isinstance(row.input, str):
            vectors[place] = row.input
    if of_texts.any():
        assert served.read is not None  # noqa: S101  # texts are read by nothing else
        with served.computes:
            vectors[of_texts] = served.read([text for row in rows if isinstance(text := row.input, str)])
    return vectors
