"""Promises of what fits say of themselves while they run."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from relabel.data.examples import Dense
from relabel.job.fits import POINTS, _Curve
from relabel.model import predictor
from relabel.training.learner import Hooks, Watch
from relabel.training.learners.stacked import Stacked
from relabel.training.member import Member
from relabel.training.stack import Recipe

RECIPE = Recipe(width=8, batch_size=16, max_epochs=8, lr=0.01, patience=8)


@dataclasses.dataclass
class Points:
    """Keeps every figure."""

    told: list = dataclasses.field(default_factory=list)

    def due(self, done, total) -> bool:
        """Want all of them."""
        assert 0 < done <= total
        return True

    def add(self, figures, step) -> None:
        """Keep them."""
        self.told.append((step, figures))


def fitted(hooks: Hooks):
    """Fit two members on a task that is easy to learn, with rows that are watched."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 400)
    x = (rng.standard_normal((400, 4)) + labels[:, None] * 2).astype(np.float32)
    rows = np.arange(300, dtype=np.int32)
    members = [Member(rows, labels, np.ones(400, np.float32), seed) for seed in (1, 2)]
    watch = Watch(np.arange(300, 400, dtype=np.int32), labels[300:])
    return Stacked(2, RECIPE).fit(Dense(x), members, watch, hooks), x, labels, watch


def test_losses_are_told_and_change_no_bit_of_a_model() -> None:
    """Both fall; the last watched loss is the mean of the members' own."""
    points = Points()
    told, x, _, watch = fitted(Hooks(curve=points))
    silent, *_ = fitted(Hooks())
    for one, other in zip(told, silent, strict=True):
        assert {k: v.tobytes() for k, v in one.tensors.items()} == {k: v.tobytes() for k, v in other.tensors.items()}
    steps = [step for step, _ in points.told]
    assert steps == sorted(set(steps))
    first, last = points.told[0][1], points.told[-1][1]
    assert last["training_log_loss"] < first["training_log_loss"] / 2
    own = [watch.loss(predictor.load(model)(x[watch.rows])) for model in told]
    assert last["watched_log_loss"] == pytest.approx(np.mean(own), rel=0.2)


def test_a_curve_has_so_many_points_however_long_a_fit_is() -> None:
    """The first step is one of them, and each is named after its fit."""
    told = []
    curve = _Curve("baseline", lambda figures, step: told.append((figures, step)))
    for step in range(1, 100_001):
        if curve.due(step, 100_000):
            curve.add({"training_log_loss": 0.5}, step)
    assert 2 < len(told) <= POINTS
    assert told[0] == ({"training_log_loss/baseline": 0.5}, 1)
