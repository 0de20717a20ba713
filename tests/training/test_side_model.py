"""Promises of the model of words that stands in for one of embeddings."""

import numpy as np
import pytest

from relabel.data.texts import Texts
from relabel.training import side_model


def drawn(rows: int = 400) -> tuple[np.ndarray, np.ndarray]:
    """Texts of six words, and what a model makes of them that sees the share of good and bad words."""
    rng = np.random.default_rng(0)
    words = np.array([*(f"good{n}" for n in range(10)), *(f"bad{n}" for n in range(10)), *(f"w{n}" for n in range(20))])
    drawn = rng.integers(0, words.size, (rows, 6))
    odds = ((drawn < 10).sum(axis=1) - ((drawn >= 10) & (drawn < 20)).sum(axis=1)) * 1.0
    positive = 1 / (1 + np.exp(-odds))
    texts = Texts.of(" ".join(words[own]) for own in drawn)
    return texts, np.stack([1 - positive, positive], axis=1)


def test_it_says_what_the_other_model_says() -> None:
    """On texts that it did not learn from it gives nearly the same log odds."""
    texts, probability = drawn()
    made = side_model.fitted(texts, probability, np.arange(300), np.arange(300, 400))
    assert made.fidelity.rows == 100
    assert made.fidelity.agreement > 0.9
    assert made.fidelity.r2 > 0.85
    assert "100 texts" in made.fidelity.sentence()


def test_it_owns_that_it_knows_nothing() -> None:
    """Where texts say nothing of the other model, its fidelity is that of chance."""
    texts, probability = drawn()
    mixed = probability[np.random.default_rng(1).permutation(400)]
    made = side_model.fitted(texts, mixed, np.arange(300), np.arange(300, 400))
    assert made.fidelity.r2 < 0.1
    assert made.fidelity.agreement < 0.7


def test_fidelity_needs_texts_to_be_measured_on() -> None:
    """With too few rows held out there is a model, and no figure."""
    texts, probability = drawn()
    made = side_model.fitted(texts, probability, np.arange(300), np.arange(300, 305))
    assert made.fidelity is None
    assert made.predictor(made.read(texts[:4])).shape == (4, 2)


def test_the_same_probabilities_agree_entirely() -> None:
    """A model compared with itself has agreement 1 and explains all of the variance."""
    _, probability = drawn()
    told = side_model.compared(probability, probability)
    assert (told.agreement, told.r2) == (1.0, pytest.approx(1.0))
