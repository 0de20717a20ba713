"""The models before and after on rows that nothing touched: the comparison, and which of them is served.

Letters: S seeds, n test rows, h rows of the choosing half of dev, C classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from relabel.data.examples import Examples, Inputs, Split
from relabel.data.reviews import RANDOM
from relabel.evaluation import comparison, metrics, verified
from relabel.evaluation.comparison import Comparison
from relabel.evaluation.metrics import Scores
from relabel.evaluation.verified import Verified
from relabel.model import predictor
from relabel.model.artifact import Model
from relabel.results.findings import Predicted, Served
from relabel.training.out_of_fold import predict


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """Probabilities of the S models before and after, predicted once.

    rows:          (n,) the test rows that count; choosing: (h,) those of dev by which the served model is chosen.
    before, after: (S, n, C) on the test rows.
    dev:           (S, h, C) of the models after, on the choosing rows.
    models:        the S models after.
    best:          which of them has the least log loss there.
    treated:       whether the models after learned from other labels than those before.
    start:         short hash of the model that those after were trained on from; "" where they began anew.
    """

    examples: Examples
    rows: NDArray[np.intp]
    choosing: NDArray[np.intp]
    before: NDArray[np.float32]
    after: NDArray[np.float32]
    dev: NDArray[np.float32]
    models: Sequence[Model]
    best: int
    treated: bool
    start: str = ""

    @property
    def model(self) -> Model:
        """The model that is served."""
        return self.models[self.best]

    def loss(self, noise: NDArray[np.float64]) -> float:
        """Give the log loss of the served model on the choosing rows, as it stands or read through the noise (C, C) of their labels.

        The lesser of both, for a model says how likely given labels are or how likely true classes are, after what it learned from.
        """
        labels, dev = self.examples.labels[self.choosing], self.dev[self.best]
        return min(float(metrics.log_losses(labels, read).mean()) for read in (dev, dev @ noise))

    def after_models(self, inputs: Inputs, models: Sequence[Model], start: str) -> Judged:
        """Judge other models in the place of those after."""
        dev, after = (predicted(models, inputs, rows) for rows in (self.choosing, self.rows))
        best = _least(self.examples.labels[self.choosing], dev)
        return replace(self, after=after, dev=dev, models=models, best=best, start=start)

    def means(self) -> Predicted:
        """Give the mean of the models of each side."""
        return Predicted(self.rows, self.before.mean(axis=0), self.after.mean(axis=0))

    def compared(self, noise: NDArray[np.float64] | None, *, seed: int) -> Comparison:
        """Compare; noise: (C, C) P(given j | true i) of the labels as given, where it is known.

        Noise is undone in the labels as given: those that people mended first have less of it.
        """
        labels, group = self.examples.labels[self.rows], self.examples.group[self.rows]
        given = self.examples.as_given()[self.rows]
        found = comparison.compare(labels, self.before, self.after, group, seed=seed, noise=noise)
        known = given >= 0
        if noise is None or np.array_equal(given, labels) or not known.any():
            return found
        sides = (self.before[:, known], self.after[:, known])
        undone = comparison.compare(given[known], *sides, group[known], seed=seed, noise=noise)
        return replace(found, corrected=undone.corrected)

    def verified(self, *, seed: int) -> Verified | None:
        """Compare on rows that people verified; None where they are too few."""
        about = self.examples.reviews
        if about is None:
            return None
        labels, group = self.examples.labels[self.rows], self.examples.group[self.rows]
        asked = {"decided": about.decided[self.rows], "drawn": about.why[self.rows] == RANDOM}
        return verified.verify(labels, self.before, self.after, group, **asked, seed=seed)

    def served(self) -> Served:
        """Score the model that is served."""
        labels, best = self.examples.labels, self.best
        return Served(
            seed=best,
            fitted_on="treated" if self.treated else "given",
            before=metrics.score(labels[self.rows], self.before[best]),
            dev=metrics.score(labels[self.choosing], self.dev[best]),
            test=metrics.score(labels[self.rows], self.after[best]),
            start=self.start,
        )

    def relabelled(self, probability: NDArray[np.float64], flags: NDArray[np.bool_]) -> Scores:
        """Score as the seed does: on test labels that were flipped wherever confident learning flags them.

        probability: (N, C) out of fold; flags: (N,).
        """
        flipped = np.where(flags, probability.argmax(axis=1), self.examples.labels)[self.rows]
        return metrics.score(flipped, self.after[self.best])


def judge(
    examples: Examples, inputs: Inputs, choosing: NDArray[np.intp], before: Sequence[Model], after: Sequence[Model]
) -> Judged:
    """Predict with the S models of each side; where the two are one, once."""
    dev, rows = predicted(after, inputs, choosing), examples.rows(Split.TEST)
    first = predicted(before, inputs, rows)
    return Judged(
        examples=examples,
        rows=rows,
        choosing=choosing,
        before=first,
        after=first if after is before else predicted(after, inputs, rows),
        dev=dev,
        models=after,
        best=_least(examples.labels[choosing], dev),
        treated=after is not before,
    )


def predicted(models: Sequence[Model], inputs: Inputs, rows: NDArray[np.intp]) -> NDArray[np.float32]:
    """Give probabilities (S, n, C) of rows (n,) by each model."""
    return np.stack([predict(predictor.load(model), inputs, rows) for model in models])


def _least(labels: NDArray[np.int64], probability: NDArray[np.float32]) -> int:
    """Find the model with the least log loss, by probabilities (S, h, C) of labels (h,)."""
    return int(np.argmin([metrics.log_losses(labels, each).mean() for each in probability]))
