"""Dev and test rows drawn from the training rows, where none are given. Letters: N rows."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from relabel.data.dealing import deal
from relabel.data.examples import Split

STREAM = 7919
"""Keeps these draws apart from others made from the same seed."""


def draw(
    labels: NDArray[np.int64], group: NDArray[np.int64], shares: Mapping[Split, float], *, seed: int
) -> NDArray[np.uint8]:
    """Draw a stratified split, (N,) uint8, a Split of each row; a duplicate group is never divided.

    labels: (N,) classes, 0 to C-1.
    group:  (N,) duplicate groups.
    shares: of the rows, for each split to draw; the rest is train.
    """
    share = np.array([1 - sum(shares.values()), shares.get(Split.DEV, 0), shares.get(Split.TEST, 0)])
    return deal(labels, group, share, np.random.default_rng((seed, STREAM))).astype(np.uint8)
