"""Promises of a warm start."""

import dataclasses

import numpy as np
import pytest
import torch

from relabel.data.examples import Dense
from relabel.data.tokens import FIRST, Tokens
from relabel.job.fits import fit_key
from relabel.model import predictor
from relabel.model.artifact import Model
from relabel.text.preprocessing import Preprocessing
from relabel.text.reader import of_words
from relabel.text.words import Words
from relabel.training import warm_start
from relabel.training.learner import Hooks
from relabel.training.learners import network
from relabel.training.learners.boosted import Boosted
from relabel.training.learners.one_by_one import OneByOne
from relabel.training.learners.stacked import Stacked
from relabel.training.learners.tfidf import Tfidf
from relabel.training.member import Member
from relabel.training.network_fit import Recipe as NetworkRecipe
from relabel.training.stack import Recipe

RNG = np.random.default_rng(0)
OLD, NEW = (RNG.normal(3, 2, (60, 5)).astype(np.float32), RNG.normal(-1, 7, (80, 5)).astype(np.float32))
STILL = {"lr": 1e-30, "max_epochs": 1}
TEXT = of_words(Words(Preprocessing(), ("good", "bad", "film")))
TOKENS = Tokens.of([[FIRST + n % 3, FIRST + n % 2] for n in range(20)])


def member(rows: int, start: Model | None = None, classes: int = 3) -> Member:
    """Make a member that learns from the first rows."""
    return Member(np.arange(rows, dtype=np.int32), np.arange(rows) % classes, np.ones(rows, np.float32), 7, start)


def fitted(learner, inputs, *members: Member) -> list[Model]:
    """Fit members."""
    return learner.fit(inputs, members, None, Hooks())


@pytest.fixture(scope="module")
def champion() -> Model:
    """A champion of vectors, with moments of its own rows."""
    return fitted(Stacked(3, Recipe(width=6, lr=0.02, max_epochs=5), "cpu"), Dense(OLD), member(60))[0]


@pytest.mark.parametrize("standardise", [True, False])
@pytest.mark.parametrize("depth", [0, 1, 2])
def test_a_fit_that_does_not_move_is_the_model_that_it_began_with(depth, standardise) -> None:
    """Whatever the rows' own mean and deviation: the first layer takes up the difference."""
    [old] = fitted(Stacked(3, Recipe(width=6, depth=depth, lr=0.02, max_epochs=5), "cpu"), Dense(OLD), member(60))
    learner = Stacked(3, Recipe(width=6, depth=depth, standardise=standardise, **STILL), "cpu", torch.float64)
    anew, warm = fitted(learner, Dense(NEW), member(80), member(80, old))
    said = [predictor.load(model)(NEW) for model in (old, warm, anew)]
    assert np.abs(said[0] - said[1]).max() < 1e-5
    assert np.abs(said[0] - said[2]).max() > 0.01


def test_a_member_that_begins_anew_does_not_know_of_its_neighbour(champion) -> None:
    """In one stack with a member that starts from a model, it comes out as without it."""
    learner = Stacked(3, Recipe(width=6), "cpu")
    [alone] = fitted(learner, Dense(NEW), member(80))
    beside = fitted(learner, Dense(NEW), member(80), member(80, champion))[0]
    for name, value in alone.tensors.items():
        assert np.allclose(value, beside.tensors[name], atol=1e-6)


def test_a_network_of_words_begins_where_the_champion_ended() -> None:
    """A fit that does not move predicts what the champion does."""
    how = {"classes": 2, "vocabulary": 3, "embedding_width": 4, "width": 5}
    moving, still = (NetworkRecipe(lr=lr, max_epochs=1, word_dropout=0) for lr in (0.05, 1e-30))
    [old] = fitted(network.learner("pooled", recipe=moving, device="cpu", **how), TOKENS, member(20, classes=2))
    learner = network.learner("pooled", recipe=still, device="cpu", **how)
    anew, warm = fitted(learner, TOKENS, member(20, classes=2), member(20, old, classes=2))
    said = [predictor.load(model)(TOKENS) for model in (old, warm, anew)]
    assert np.abs(said[0] - said[1]).max() < 1e-6
    assert np.abs(said[0] - said[2]).max() > 1e-3
    assert not warm_start.refusal(learner, old, 0, text=TEXT, own=TEXT)
    other = dataclasses.replace(TEXT, terms=("good", "bad", "plot"))
    assert "another vocabulary" in warm_start.refusal(learner, old, 0, text=TEXT, own=other)
    order = np.array([1, 0])
    turned = predictor.load(warm_start.aligned(old, order))(TOKENS)
    assert np.allclose(turned, said[0][:, order])


def test_classes_may_stand_in_another_order(champion) -> None:
    """The weights that members begin with have the classes in the order of the job."""
    order = np.array([2, 0, 1])
    turned = warm_start.aligned(champion, order)
    assert np.allclose(predictor.load(turned)(NEW), predictor.load(champion)(NEW)[:, order])


def test_what_cannot_begin_with_a_model_says_why(champion) -> None:
    """Other kinds, other sizes, and learners for which a beginning has no meaning."""
    assert not warm_start.refusal(Stacked(3, Recipe(width=6), "cpu"), champion, 5, text=None, own=None)

    def why(learner, width=5) -> str:
        return warm_start.refusal(learner, champion, width, text=None, own=TEXT)

    assert "width 6, not 64" in why(Stacked(3, Recipe(), "cpu"))
    assert "inputs 5, not 9" in why(Stacked(3, Recipe(width=6), "cpu"), 9)
    assert "ends at the same place" in why(OneByOne(Tfidf(3, 10)))
    trees = Boosted(3, 10, max_epochs=1, depth=1, lr=0.1, weight_decay=0, patience=0)
    assert "grown from nothing" in why(OneByOne(trees))
    words = network.learner("pooled", classes=3, vocabulary=3, embedding_width=4, width=5, recipe=NetworkRecipe())
    assert "of the kind dense" in why(words)


def test_a_kept_fit_is_known_by_what_it_began_with(champion) -> None:
    """Another start is another fit; without one the name is what it was before there were any."""
    learner = Stacked(3, Recipe(width=6), "cpu")
    other = dataclasses.replace(champion, tensors={**champion.tensors, "bias.0": champion.tensors["bias.0"] + 1})
    names = {fit_key("data", learner, [member(80, start)], None) for start in (None, champion, other)}
    assert len(names) == 3
