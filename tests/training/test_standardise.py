"""Promises of the standardisation."""

from __future__ import annotations

import numpy as np

from relabel.data.examples import Dense
from relabel.training.member import Member
from relabel.training.standardise import moments


def test_moments_are_those_of_each_members_own_rows() -> None:
    """Mean and deviation equal numpy's on the member's rows, also far from zero, and a constant column has deviation 1."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=(9000, 3)) * [1, 1e-2, 0] + [0, 1000, 7]
    features = Dense(values.astype(np.float32))
    sets = [np.arange(9000), np.arange(0, 9000, 2), np.arange(0, 9000, 2), np.array([5, 6, 7])]
    members = [Member(rows.astype(np.int32), np.zeros(9000, int), np.ones(9000, np.float32), 0) for rows in sets]
    mean, deviation = moments(features, members)
    for m, rows in enumerate(sets):
        own = features.array[rows].astype(np.float64)
        np.testing.assert_allclose(mean[m], own.mean(axis=0), rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(deviation[m], np.where(own.std(axis=0) > 0, own.std(axis=0), 1), rtol=1e-5)
