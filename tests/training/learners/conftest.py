"""Texts with known classes, and runs that nobody stops."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest

from relabel.data.tokens import FIRST, Tokens
from relabel.training.member import Member


@dataclass
class Run:
    """A run that ends its fit at a step, or never, and notes how far it came."""

    ends_at: int = -1
    kept: None = None
    told: list[tuple[int, int]] = field(default_factory=list)
    figures: dict[str, float] = field(default_factory=dict)

    def safe_point(self, done, total, snapshot) -> None:
        """Note the step."""
        del snapshot
        self.told.append((done, total))
        if done == self.ends_at:
            raise KeyboardInterrupt


@dataclass(frozen=True)
class Texts:
    """Texts of 20 terms, of which some speak for a class each.

    The first half of the rows is for training, the second for looking at what was learned.
    """

    inputs: Tokens
    labels: np.ndarray
    terms: int = 60

    @property
    def training(self) -> np.ndarray:
        """The first half of the rows."""
        return np.arange(self.labels.size // 2)

    @property
    def unseen(self) -> np.ndarray:
        """The second half of the rows."""
        return np.arange(self.labels.size // 2, self.labels.size)

    def member(self, targets=None, rows=None, weights=None, seed=0) -> Member:
        """Make a member, of the first half and the labels where nothing else is said."""
        return Member(
            (self.training if rows is None else rows).astype(np.int32),
            self.labels if targets is None else targets,
            np.ones(self.labels.size, np.float32) if weights is None else weights.astype(np.float32),
            seed,
        )


def drawn(classes: int, rows: int = 400) -> Texts:
    """Draw texts."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, classes, rows)
    speaking, word = rng.random((rows, 20)) < 0.3, rng.integers(0, 60, (rows, 20))
    ids = np.where(speaking, labels[:, None] * 5 + word % 5, 20 + word % 40)
    return Texts(Tokens.of(list((ids + FIRST).astype(np.int32))), labels)


@pytest.fixture(params=[2, 3])
def texts(request) -> Texts:
    """Give texts of two and of three classes."""
    return drawn(request.param)


@pytest.fixture
def two() -> Texts:
    """Give texts of two classes."""
    return drawn(2)


@pytest.fixture
def run() -> Run:
    """Give a run that nobody stops."""
    return Run()


@pytest.fixture
def stopped() -> Run:
    """Give a run that ends its fit at step 2."""
    return Run(ends_at=2)
