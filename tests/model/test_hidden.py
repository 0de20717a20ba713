"""Promises of the last hidden layer: what a model makes of a row, and what its probabilities follow from."""

from __future__ import annotations

import numpy as np
import pytest

from relabel.data.tokens import Tokens
from relabel.model import dense, predictor
from relabel.model.artifact import Model
from relabel.model.networks import of_words, weights

SIZES = {"words": 50, "embedding_width": 6, "width": 9, "depth": 2, "dense": 5, "pooling": 3, "classes": 3}
WIDTHS = {"lstm": 5, "pooled": 9, "convolutional": 27}


def perceptron(depth: int) -> Model:
    """A model of random weights."""
    rng = np.random.default_rng(depth)
    sizes = {"inputs": 4, "width": 7, "depth": depth, "classes": 3}
    tensors = {"mean": rng.normal(size=4), "scale": rng.uniform(1, 2, 4)}
    for n, (inputs, outputs) in enumerate(dense.layer_sizes(sizes)):
        tensors |= {f"weight.{n}": rng.normal(size=(inputs, outputs)), f"bias.{n}": rng.normal(size=outputs)}
    return Model("dense", sizes, {name: value.astype(np.float32) for name, value in tensors.items()})


def softmax(logits: np.ndarray) -> np.ndarray:
    """Probabilities of logits."""
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    return odds / odds.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("depth", [1, 2])
def test_probabilities_of_a_perceptron_follow_from_its_hidden_layer(depth) -> None:
    """Through the last weights and a softmax."""
    model = perceptron(depth)
    loaded = predictor.with_hidden(predictor.load(model))
    rows = np.random.default_rng(0).normal(size=(20, 4)).astype(np.float32)
    hidden = loaded.hidden(rows)
    assert hidden.shape == (20, loaded.hidden_width) == (20, 7)
    logits = hidden @ model.tensors[f"weight.{depth}"] + model.tensors[f"bias.{depth}"]
    np.testing.assert_allclose(softmax(logits), loaded(rows), atol=1e-5)


@pytest.mark.parametrize("kind", of_words.NETWORKS)
def test_probabilities_of_a_network_follow_from_the_vector_of_a_text(kind) -> None:
    """Through its head, in the order of the texts."""
    model = Model(kind, SIZES, weights.arrays(of_words.drawn(kind, SIZES, 5)))
    loaded = predictor.with_hidden(predictor.load(model))
    rng = np.random.default_rng(1)
    tokens = Tokens.of([rng.integers(0, 50, rng.integers(1, 40)).tolist() for _ in range(30)])
    hidden = loaded.hidden(tokens)
    assert hidden.dtype == np.float32
    assert hidden.shape == (30, loaded.hidden_width) == (30, WIDTHS[kind])
    logits = hidden @ model.tensors["head.weight"].T + model.tensors["head.bias"]
    np.testing.assert_allclose(softmax(logits), loaded(tokens), atol=1e-5)


def test_linear_models_have_no_hidden_layer(text_model) -> None:
    """Neither a perceptron of depth 0 nor one of words."""
    from relabel.model import artifact  # noqa: PLC0415

    assert predictor.with_hidden(predictor.load(perceptron(0))) is None
    assert predictor.with_hidden(predictor.load(artifact.load(text_model).model)) is None
