"""Promises of the map."""

from __future__ import annotations

import sys
import warnings

import numpy as np
import pytest

from relabel.auditing.population import projection
from relabel.data.examples import Dense
from relabel.errors import UserError


def grouped(rows=240, width=20) -> tuple[np.ndarray, np.ndarray]:
    """Rows in three groups, far apart."""
    rng = np.random.default_rng(0)
    kind = rng.integers(0, 3, rows)
    x = 6 * rng.standard_normal((3, width))[kind] + rng.standard_normal((rows, width))
    return x.astype(np.float32), kind


def apart(points: np.ndarray, kind: np.ndarray) -> float:
    """Give the least distance of two groups' middles over the largest spread inside one."""
    middles = np.stack([points[kind == k].mean(axis=0) for k in range(3)])
    gaps = [np.linalg.norm(middles[a] - middles[b]) for a, b in ((0, 1), (0, 2), (1, 2))]
    return min(gaps) / max(points[kind == k].std(axis=0).max() for k in range(3))


@pytest.mark.parametrize("method", ["pca", "umap"])
def test_groups_come_apart_on_the_map(method) -> None:
    """Whatever the method; and the same rows make the same map."""
    if method == "umap":
        pytest.importorskip("umap")
    x, kind = grouped()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of numba
        one, other = (projection.project(Dense(x), "rows", method, seed=3) for _ in range(2))
    assert one.points.shape == (240, 2)
    assert one.points.dtype == np.float32
    assert np.array_equal(one.points, other.points)
    assert apart(one.points, kind) > 3


def test_pca_is_that_of_the_standardised_rows() -> None:
    """Up to signs, which are settled; and it says how much of the variance is seen."""
    x, _ = grouped()
    found = projection.project(Dense(x), "rows", "pca", seed=0)
    standard = (x - x.mean(axis=0)) / x.std(axis=0)
    u, s, v = np.linalg.svd(standard, full_matrices=False)
    np.testing.assert_allclose(np.abs(found.points), np.abs(u[:, :2] * s[:2]), atol=1e-2)
    np.testing.assert_allclose(found.explained, s[:2] ** 2 / (s**2).sum(), rtol=1e-3)
    for axis in range(2):
        largest = np.abs(v[axis]).argmax()
        assert np.corrcoef(found.points[:, axis], standard @ (v[axis] * np.sign(v[axis, largest])))[0, 1] > 0.99


def test_blocks_change_nothing(monkeypatch) -> None:
    """Rows are laid out some at a time."""
    x, _ = grouped()
    whole = projection.project(Dense(x), "rows", "pca", seed=0)
    monkeypatch.setattr(projection, "BLOCK", 7)
    np.testing.assert_allclose(projection.project(Dense(x), "rows", "pca", seed=0).points, whole.points, atol=1e-4)


@pytest.mark.parametrize(
    "x", [np.ones((10, 3)), np.arange(10.0)[:, None], np.zeros((1, 4))], ids=["same", "one", "row"]
)
def test_rows_that_do_not_vary_have_a_map(x) -> None:
    """In which nothing is missing; few rows are laid out by pca, whatever was asked for."""
    found = projection.project(Dense(x.astype(np.float32)), "rows", "umap", seed=0)
    assert found.method == "pca"
    assert np.isfinite(found.points).all()
    assert np.isfinite(found.explained).all()


def test_umap_that_is_not_installed_is_told_at_once(monkeypatch) -> None:
    """With what to do; pca needs nothing."""
    monkeypatch.setitem(sys.modules, "umap", None)
    projection.check("pca")
    with pytest.raises(UserError, match=r"relabel\[umap\].*pca"):
        projection.check("umap")
