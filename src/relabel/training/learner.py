"""The one training protocol: a list of members in, a list of models out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from relabel.data.examples import Inputs
from relabel.evaluation import metrics
from relabel.model.artifact import Model
from relabel.training.member import Member


@dataclass(frozen=True, slots=True, eq=False)
class Watch:
    """Rows that decide when a member stops early.

    rows:   (n,) int32, never trained on.
    labels: (n,) int64, as they are given.
    noise:  (C, C) P(given j | true i), where members learn from treated labels and therefore say how likely each true class is; None where
            they learn from labels as given. Without it a member that has unlearned the errors of others would look worse with every epoch.
    """

    rows: NDArray[np.int32]
    labels: NDArray[np.int64]
    noise: NDArray[np.float64] | None = None

    def loss(self, probability: NDArray[np.floating]) -> float:
        """Give the mean log loss of the labels by a member's probabilities (n, C) of the rows, read through the noise."""
        read = probability if self.noise is None else probability @ self.noise
        return float(metrics.log_losses(self.labels, read).mean())


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """A running fit between two steps: all that is needed to go on as if it had never stopped.

    step:    steps done.
    tensors: name -> array: weights, Adam moments, models of members that have ended.
    facts:   JSON values: best losses, epochs without a better one.
    """

    step: int
    tensors: Mapping[str, NDArray[Any]]
    facts: Mapping[str, Any]


class Store(Protocol):
    """Where a running fit is kept."""

    def load(self) -> Snapshot | None:
        """Give the newest whole snapshot, or None."""
        ...

    def save(self, snapshot: Snapshot) -> None:
        """Keep a snapshot."""
        ...


class Curve(Protocol):
    """Takes what a fit measures of itself while it runs. No result of a fit depends on it."""

    def due(self, done: int, total: int) -> bool:
        """Say whether figures are wanted at this step: a curve has so many points, however long a fit is."""
        ...

    def add(self, figures: Mapping[str, float], step: int) -> None:
        """Take figures, of all members together: `training_log_loss`, `watched_log_loss`."""
        ...


@dataclass(frozen=True, slots=True)
class Hooks:
    """What a fit asks of the world around it, at safe points between chunks of steps.

    check:    raises whatever must end the fit; the fit saves a snapshot first.
    due:      whether it is time to save a snapshot.
    store:    where snapshots go, or None.
    progress: told (steps done, steps in all).
    curve:    told how well the fit goes, or None.
    """

    check: Callable[[], None] = lambda: None
    due: Callable[[], bool] = lambda: False
    store: Store | None = None
    progress: Callable[[int, int], None] = lambda _done, _total: None
    curve: Curve | None = None


class Learner(Protocol):
    """Fits members of one kind of model."""

    def identity(self) -> Mapping[str, Any]:
        """Give, as JSON values, all of the learner that decides what a fit gives: kind of model, classes, recipe."""
        ...

    def fit(self, inputs: Inputs, members: Sequence[Member], watch: Watch | None, hooks: Hooks) -> list[Model]:
        """Fit every member; models come in the members' order."""
        ...


class Run(Protocol):
    """One member's fit, as those around it see it.

    figures: what the fit has measured lately, for it to write into (see Curve).
    """

    figures: dict[str, float]

    @property
    def kept(self) -> Snapshot | None:
        """Where an earlier run of this member was stopped, or None: the fit goes on from there."""
        ...

    def safe_point(self, done: int, total: int, snapshot: Callable[[], Snapshot]) -> None:
        """Say between two steps how far the fit is: `done` of `total` steps.

        snapshot: makes a copy of all that later steps depend on; it is called only where it is wanted.

        Raises where the fit must end; the exception must be let through.
        """
        ...


class FitsOne(Protocol):
    """Fits members of one kind of model one at a time, in any thread; `learners/one_by_one.py` makes a Learner of it."""

    @property
    def kind(self) -> str:
        """Kind of its models (see predictor.PREDICTORS)."""
        ...

    def identity(self) -> Mapping[str, Any]:
        """Give, as JSON values, all that decides what a fit gives: kind of model, classes, recipe."""
        ...

    def fit_one(self, inputs: Any, member: Member, watch: Watch | None, run: Run) -> Model:
        """Fit a member on Tokens. The result depends on these alone: never on a generator, or a setting, that members share."""
        ...
