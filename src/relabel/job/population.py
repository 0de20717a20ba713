"""The stage that looks at all rows together: map, clusters, measures, slices, neighbours of the doubtful ones.

Letters: N rows, H width of the last hidden layer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from relabel.auditing.data_issues.survey import Opinion
from relabel.auditing.examine import Audit, worst_first
from relabel.auditing.population import clusters, company, judged, projection, slices, trends
from relabel.auditing.population.company import Company
from relabel.auditing.population.population import Measured, Population
from relabel.data import drawn, passes
from relabel.data.examples import Examples, Features, Inputs, Split
from relabel.data.texts import Texts
from relabel.evaluation import metrics
from relabel.job.material import Material, recipe
from relabel.job.nearness import Nearness
from relabel.model import predictor
from relabel.model.artifact import Model
from relabel.model.predictor import Hidden
from relabel.settings import TrainSettings
from relabel.text import measures, reader, words
from relabel.text.preprocessing import Preprocessing
from relabel.text.words import Words

CHARACTERS = 2_500_000
"""Characters that are read for measures which take time: about four seconds."""

ENGLISH = 0.15
"""Texts are taken for English where a larger share of their words are English function words than this."""

STREAM = 11
"""Keeps the draw of texts that are measured apart from the job's other draws."""


@dataclass(frozen=True, slots=True, eq=False)
class _HiddenLayer:
    """What a model makes of each row, as features (N, H)."""

    model: Hidden
    inputs: Inputs

    @property
    def shape(self) -> tuple[int, int]:
        return self.inputs.shape[0], self.model.hidden_width

    def take(self, rows: NDArray[np.integer]) -> NDArray[np.float32]:
        return self.model.hidden(self.inputs.take(rows))


def check(settings: TrainSettings) -> None:
    """Raise UserError where the stage cannot be done: before anything else is."""
    if settings.report == "on":
        projection.check(settings.projection)


def described(
    examples: Examples,
    material: Material,
    served: Model,
    audit: Audit,
    near: Nearness | None,
    *,
    settings: TrainSettings,
) -> Population | None:
    """Describe the rows; None where no report is wanted.

    served: whose last hidden layer is laid out on the map.
    near:   where neighbours and clusters are found.
    """
    if settings.report == "off" or near is None:
        return None
    seed = settings.seed
    some, count = near.looked.examples, len(examples)
    opinion = judged.judge(some, near.opinion(Opinion(audit.probability, audit.posterior)))
    cluster = clusters.divide(near.view, seed=seed)
    about = clusters.describe(some, cluster, opinion, audit.flagged[near.rows], seed=seed)
    measured, how = _measured(some, material, settings)
    found = slices.sliced(some, opinion, measured, cluster, about)
    return Population(
        projection=projection.project(*_projected(examples, material, served), settings.projection, seed=seed),
        cluster=drawn.spread(cluster, near.rows, count, clusters.NONE),
        clusters=about,
        loss=_loss(examples, audit),
        predicted=audit.probability.argmax(axis=1),
        measures={name: drawn.spread(values, near.rows, count, np.nan) for name, values in measured.items()},
        measured=how,
        overall=judged.overall(opinion),
        slices=found.slices,
        skipped=found.skipped,
        worst=found.worst,
        trends=trends.find(some, opinion, measured),
        company=_company(near, audit, opinion.rows, seed=seed),
        looked_at=near.said,
    )


def _company(near: Nearness, audit: Audit, labelled: NDArray[np.intp], *, seed: int) -> Company:
    """Find the company of the most doubtful rows of all, among the labelled ones that are looked at."""
    doubtful = worst_first(audit.doubt, np.flatnonzero(audit.flagged))[: company.MOST]
    view, rows, asked = near.with_rows(doubtful)
    found = company.find(view, asked, labelled, near.whole.group[rows], search=near.search, seed=seed)
    return Company(rows[found.row], rows[found.neighbour], found.similarity)


def _projected(examples: Examples, material: Material, served: Model) -> tuple[Features, str]:
    """Give what is laid out on the map, and say what it is."""
    model = predictor.with_hidden(predictor.load(served))
    if model is not None:
        said = f"the last hidden layer of the served model, {model.hidden_width:,} wide"
        return passes.through(material.inputs, lambda inputs: _HiddenLayer(model, inputs)), said
    width = material.vectors.shape[1]
    what = "the embeddings" if examples.features is not None or not material.of_texts else "vectors of the texts' words"
    return material.vectors, f"{what}, {width:,} wide: the served model has no hidden layer"


def _loss(examples: Examples, audit: Audit) -> NDArray[np.float32]:
    loss = np.full(len(examples), np.nan, np.float32)
    known = examples.labels >= 0
    loss[known] = metrics.log_losses(examples.labels[known], audit.probability[known])
    return loss


def _measured(
    examples: Examples, material: Material, settings: TrainSettings
) -> tuple[Mapping[str, NDArray[np.float32]], Measured]:
    """Measure the texts, (N,) each, and say how many of them."""
    if examples.texts is None:
        return {}, Measured(0, 0, "the rows have no texts")
    plain = measures.measure_plain(examples.texts, _known(examples, examples.texts, material, settings))
    told = np.flatnonzero(~examples.texts.blank)
    rows = _affordable(plain["characters"], told, settings.seed)
    texts = examples.texts[rows]
    share = measures.english_share(texts)
    if share < ENGLISH:
        why = f"polarity, subjectivity and readability are for English: {share:.1%} of the words are English function words, in English about 40%"
        return plain, Measured(0, told.size, why)
    spread = {name: np.full(len(examples), np.nan, np.float32) for name in measures.ENGLISH}
    for name, values in measures.measure_english(texts).items():
        spread[name][rows] = values
    why = f"polarity, subjectivity and readability take time: a uniform draw of {rows.size:,} of {told.size:,} texts was measured"
    return {**plain, **spread}, Measured(rows.size, told.size, None if rows.size == told.size else why)


def _known(examples: Examples, texts: Texts, material: Material, settings: TrainSettings) -> Words:
    """Give the words that the model knows; where it reads none, those of the training texts."""
    if material.text is not None and material.text.kind == "words":
        read = reader.load(material.text)
        assert isinstance(read, Words)  # noqa: S101  # so its kind says
        return read
    learned = texts.among(examples.rows(Split.TRAIN))
    return words.learned(learned, recipe(settings, Preprocessing), vocabulary=settings.vocabulary)


def _affordable(characters: NDArray[np.float32], told: NDArray[np.intp], seed: int) -> NDArray[np.intp]:
    """Draw texts, of those that are `told` (n,), whose characters (N,) are about CHARACTERS in all."""
    read = float(characters[told].clip(max=measures.LONGEST).sum(dtype=np.float64))
    if read <= CHARACTERS:
        return told
    count = int(told.size * CHARACTERS / read)
    return np.sort(np.random.default_rng((seed, STREAM)).permutation(told)[:count])
