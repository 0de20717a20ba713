"""The one training protocol: a list of members in, a list of models out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from relabel.data.examples import Inputs
from relabel.model.artifact import Model
from relabel.training.member import Member


@dataclass(frozen=True, slots=True, eq=False)
class Watch:
    """Rows that decide when a member stops early.

    rows:   (n,) int32, never trained on.
    labels: (n,) int64.
    """

    rows: NDArray[np.int32]
    labels: NDArray[np.int64]


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


@dataclass(frozen=True, slots=True)
class Hooks:
    """What a fit asks of the world around it, at safe points between chunks of steps.

    check:    raises whatever must end the fit; the fit saves a snapshot first.
    due:      whether it is time to save a snapshot.
    store:    where snapshots go, or None.
    progress: told (steps done, steps in all).
    """

    check: Callable[[], None] = lambda: None
    due: Callable[[], bool] = lambda: False
    store: Store | None = None
    progress: Callable[[int, int], None] = lambda _done, _total: None


class Learner(Protocol):
    """Fits members of one kind of model."""

    def identity(self) -> Mapping[str, Any]:
        """Give, as JSON values, all of the learner that decides what a fit gives: kind of model, classes, recipe."""
        ...

    def fit(self, inputs: Inputs, members: Sequence[Member], watch: Watch | None, hooks: Hooks) -> list[Model]:
        """Fit every member; models come in the members' order."""
        ...
