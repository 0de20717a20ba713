"""A warm start: the served models fitted once more from the champion's weights, beside those that began anew.

    before, folds, trials, retraining      new weights: the evidence for the cleaning, and the audit
    warm start                             the champion's; served where it is better on the choosing half of dev

Folds must begin anew, for the champion has learned from the labels that they are to judge. The models that are compared before and after the
cleaning begin anew as well: what the champion knows is no gain of the cleaning, and errors that it learned would hide one.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from relabel.data.examples import Split
from relabel.job.champion import Champion
from relabel.job.judging import Judged
from relabel.job.material import Material
from relabel.model.artifact import Model
from relabel.training import warm_start

log = logging.getLogger(__name__)


def better(
    champion: Champion | None,
    judged: Judged,
    material: Material,
    noise: NDArray[np.float64],
    fit: Callable[[Model], list[Model]],
) -> Judged:
    """Fit from the champion's weights, and give the better of both; what began anew where that makes no sense, and the log says why.

    noise: (C, C) of the labels as given; some models, and champions, learned from treated ones.
    fit:   fits the S models after from a start.
    """
    why = "no champion is given" if champion is None else _refusal(champion, judged, material)
    if why or champion is None:
        log.warning("warm_start: %s; the fits begin anew", why)
        return judged
    found = champion.artifact
    models = fit(warm_start.aligned(found.model, champion.order))
    warm = judged.after_models(material.inputs, models, found.short_hash)
    ours, anew = warm.loss(noise), judged.loss(noise)
    log.info(
        "log loss on the choosing half of dev: %.4f from the champion's weights, %.4f from new ones; the better is served",
        ours,
        anew,
    )
    return warm if ours < anew else judged


def _refusal(champion: Champion, judged: Judged, material: Material) -> str:
    """Say why models must not or cannot begin with the champion's weights; "" where they may."""
    found, width = champion.artifact, 0 if material.of_texts else material.inputs.shape[1]
    if why := warm_start.refusal(material.learner, found.model, width, text=found.text, own=material.text):
        return f"the champion is of no use: {why}"
    if not champion.knows_its_rows:
        return "the champion does not know its training rows, so no figure of what begins with it could be trusted"
    judges = np.concatenate([judged.rows, judged.examples.rows(Split.DEV)])
    if seen := int(champion.seen(judged.examples)[judges].sum()):
        return f"the champion was trained on {seen:,} of the dev and test rows, which would flatter what begins with it"
    return ""
