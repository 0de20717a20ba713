"""Promises of linear models of texts."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relabel.data.tokens import FIRST, NOTHING, UNKNOWN, Tokens
from relabel.errors import UserError
from relabel.model import predictor, tfidf
from relabel.model.artifact import Model

TERMS = 30


def model(classes: int = 2, seed: int = 0) -> Model:
    """Make a model of TERMS terms."""
    rng = np.random.default_rng(seed)
    tensors = {
        "idf": rng.random(TERMS + FIRST).astype(np.float32) + 1,
        "weight": rng.normal(size=(TERMS + FIRST, classes)).astype(np.float32) * 3,
        "bias": rng.normal(size=classes).astype(np.float32),
    }
    return Model("tfidf", {"terms": TERMS, "classes": classes}, tensors)


texts = st.lists(st.lists(st.integers(0, TERMS + FIRST - 1), max_size=40), min_size=1, max_size=30)


@given(texts, st.sampled_from([2, 3, 11]))
def test_a_text_gets_the_same_probabilities_whatever_comes_with_it(ids, classes) -> None:
    """Alone, among others, and in small blocks, a text's probabilities are the same to the last bit."""
    loaded, every = predictor.load(model(classes)), Tokens.of(ids)
    together = loaded(every)
    for n in range(len(every)):
        assert (loaded(every.take(np.array([n])))[0] == together[n]).all()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tfidf, "BLOCK", 7)
        assert (loaded(every) == together).all()


@given(texts)
def test_probabilities_are_those_of_the_formula(ids) -> None:
    """They are the softmax of the sums of weights times (1 + log count) times idf, at length 1."""
    made = model()
    idf, weight, bias = (made.tensors[name].astype(float) for name in ("idf", "weight", "bias"))
    for own, got in zip(ids, predictor.load(made)(Tokens.of(ids)), strict=True):
        value = {n: (1 + math.log(own.count(n))) * idf[n] for n in own if n >= FIRST}
        length = math.sqrt(sum(v * v for v in value.values())) or 1
        logits = bias + sum((v / length * weight[n] for n, v in value.items()), np.zeros(2))
        expected = np.exp(logits) / np.exp(logits).sum()
        assert got == pytest.approx(expected, abs=1e-6)


def test_what_is_no_known_word_weighs_nothing() -> None:
    """Padding and unknown words change no probability, and a text of them alone gets that of the biases."""
    loaded = predictor.load(model())
    plain, noisy, none = loaded(Tokens.of([[5, 6], [5, UNKNOWN, NOTHING, 6, UNKNOWN], [UNKNOWN]]))
    bias = model().tensors["bias"]
    assert (plain == noisy).all()
    assert none == pytest.approx(np.exp(bias) / np.exp(bias).sum())


def test_a_missing_tensor_is_named() -> None:
    """Tensors that do not fit the sizes are refused, all at once."""
    made = model()
    broken = Model("tfidf", made.sizes, {"idf": made.tensors["idf"], "bias": made.tensors["bias"][:1]})
    with pytest.raises(UserError) as error:
        predictor.load(broken)
    assert [problem.split(":")[0] for problem in error.value.problems] == ["model tensor weight", "model tensor bias"]
