"""Promises of vectors of texts."""

import numpy as np
import pytest
import scipy.sparse

from relabel.data.room import Room
from relabel.data.stored import Stored
from relabel.data.tokens import FIRST, UNKNOWN, Tokens
from relabel.training import folds, latent, linear

TERMS = 200


def drawn(rows: int = 300) -> tuple[Tokens, np.ndarray]:
    """Texts of 30 terms on one of two subjects, and the subjects."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, rows)
    own = labels[:, None] * 50 + rng.integers(0, 50, (rows, 30))
    ids = np.where(rng.random((rows, 30)) < 0.3, own, rng.integers(100, TERMS, (rows, 30)))
    return Tokens.of(list((ids + FIRST).astype(np.int32))), labels


def test_directions_are_those_of_the_whole_decomposition() -> None:
    """What is found by random products is the space of the largest singular vectors."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(90, 5)) @ rng.normal(size=(5, 60)) + rng.normal(size=(90, 60)) * 0.01
    found = latent.directions(scipy.sparse.csr_matrix(rows.astype(np.float32)), 5, rng)
    exact = np.linalg.svd(rows)[2][:5]
    assert np.abs(exact @ found).diagonal() == pytest.approx(np.ones(5), abs=1e-3)


def test_linear_models_tell_subjects_from_vectors() -> None:
    """Out-of-fold classes by linear models of the vectors are right on nearly all texts."""
    tokens, labels = drawn()
    made = latent.vectors(tokens, np.arange(200), TERMS, width=32)
    plan = folds.plan(labels, np.arange(300), np.arange(300) < 200, folds=5, repeats=1, seed=0)
    sums = linear.summed(made, plan, labels, np.ones(300, np.float32), 2)
    assert (linear.out_of_fold(made, sums).argmax(axis=1) == labels).mean() > 0.95


def test_vectors_depend_on_training_texts_alone() -> None:
    """Other texts change no direction: a text's vector is the same with and without them."""
    tokens, _ = drawn()
    whole = latent.vectors(tokens, np.arange(100), TERMS, width=16).array
    part = latent.vectors(tokens.take(np.arange(150)), np.arange(100), TERMS, width=16).array
    assert whole[:150] == pytest.approx(part, abs=1e-5)
    assert np.linalg.norm(whole, axis=1) == pytest.approx(1, abs=1e-5)


def test_small_and_empty_texts_have_vectors() -> None:
    """Fewer texts than the width give fewer numbers; a text without a known word gives zeros."""
    made = latent.vectors(Tokens.of([[2, 3], [3, 4, 4], [UNKNOWN], [], [5]]), np.arange(3), 4, width=64)
    assert made.shape == (5, 3)
    assert not made.array[2:].any()  # term 5 stands in no training text
    assert np.linalg.norm(made.array[:2], axis=1) == pytest.approx(1, abs=1e-5)


def test_vectors_without_room_lie_on_disk(monkeypatch) -> None:
    """And are the same to the bit."""
    monkeypatch.setattr(latent, "BLOCK", 64)
    tokens, _ = drawn()
    memory, disk = (latent.vectors(tokens, np.arange(200), TERMS, width=16, room=room) for room in (None, Room(0)))
    assert isinstance(disk, Stored)
    np.testing.assert_array_equal(disk.take(np.arange(300)), memory.take(np.arange(300)))


def test_large_data_are_learned_from_a_share(monkeypatch) -> None:
    """With more texts than are learned from, and more terms than count, vectors are still made, the same for a seed."""
    monkeypatch.setattr(latent, "ROWS", 50)
    monkeypatch.setattr(latent, "TERMS", 120)
    monkeypatch.setattr(latent, "BLOCK", 64)
    tokens, _ = drawn()
    one, two, other = (latent.vectors(tokens, np.arange(200), TERMS, width=16, seed=seed).array for seed in (1, 1, 2))
    assert (one == two).all()
    assert not (one == other).all()
