"""Promises of the predictor of networks: what it says of a text is what the network says of it, whatever comes along."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch

from relabel.data.tokens import Tokens
from relabel.errors import UserError
from relabel.model import neural, predictor
from relabel.model.artifact import Model
from relabel.model.networks import of_words, pooling, weights

SIZES = {"words": 50, "embedding_width": 6, "width": 9, "depth": 2, "dense": 5, "pooling": 3, "classes": 3}
KINDS = tuple(of_words.NETWORKS)


def drawn(kind: str) -> Model:
    """A model of random weights; those of the head are large, so that answers differ."""
    tensors = weights.arrays(of_words.drawn(kind, SIZES, 5))
    return Model(kind, SIZES, {**tensors, "head.weight": 10 * tensors["head.weight"]})


def texts(n: int) -> list[list[int]]:
    """Random texts, of which one is empty and one is long."""
    rng = np.random.default_rng(2)
    return [
        [],
        rng.integers(0, 50, 3000).tolist(),
        *(rng.integers(0, 50, rng.integers(1, 60)).tolist() for _ in range(n)),
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_does_not_depend_on_its_company(kind, monkeypatch) -> None:
    """Alone, in a crowd and in small batches, a text has the probabilities of the network itself, to 1e-6, in the texts' order."""
    model = drawn(kind)
    tokens = Tokens.of(texts(60))
    crowd = predictor.load(model)(tokens)
    network = of_words.filled(model)
    for n in range(len(tokens)):
        alone = tokens.take(np.array([n]))
        logits = network(torch.from_numpy(alone.padded().astype(np.int64)), torch.from_numpy(alone.lengths))
        np.testing.assert_allclose(crowd[n], logits.softmax(1)[0].numpy(), atol=1e-6)
    monkeypatch.setattr(neural, "BATCH_WORDS", 100)
    np.testing.assert_allclose(predictor.load(model)(tokens), crowd, atol=1e-6)
    assert np.ptp(crowd[:, 0]) > 0.01
    assert crowd.dtype == np.float32
    np.testing.assert_allclose(crowd.sum(1), 1, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_no_texts_have_no_answers(kind) -> None:
    """Nothing in, an array (0, C) out."""
    assert predictor.load(drawn(kind))(Tokens.of([])).shape == (0, 3)


def test_every_tensor_that_does_not_fit_is_named() -> None:
    """A missing tensor and one of another shape are said at once."""
    model = drawn("pooled")
    tensors = {**model.tensors, "head.weight": np.zeros((2, 2), np.float32)}
    del tensors["dense.bias"]
    with pytest.raises(UserError) as refused:
        predictor.load(Model("pooled", SIZES, tensors))
    assert len(refused.value.problems) == 2


def test_padding_stands_for_zero_and_pooling_for_what_it_says() -> None:
    """Each way of pooling looks at a text's own words only."""
    values = torch.tensor([[[1.0], [3.0], [9.0]], [[-2.0], [-4.0], [-6.0]]])
    lengths = torch.tensor([2, 3])
    assert pooling.last(values, lengths).tolist() == [[3.0], [-6.0]]
    assert pooling.largest(values, lengths).tolist() == [[3.0], [-2.0]]
    assert pooling.mean(values, lengths).tolist() == [[2.0], [-4.0]]


def test_other_kinds_load_no_torch() -> None:
    """An endpoint of a dense model has no torch in it, although the kinds of networks are known."""
    asked = "import sys, relabel.model.predictor; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", asked], check=False).returncode == 0


def test_a_network_without_its_library_is_refused_with_what_to_install(monkeypatch) -> None:
    """As a fault of the installation, not of the model."""
    monkeypatch.delitem(sys.modules, "relabel.model.neural")
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(
        UserError, match=r"a model of the kind lstm: torch is not installed: install 'relabel\[train,text\]'"
    ):
        predictor.load(Model("lstm", {"classes": 2}, {}))
