"""Promises of the networks that read words: they learn, they repeat themselves, and stopping changes nothing."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from relabel.data.tokens import UNKNOWN, Tokens
from relabel.model import predictor
from relabel.model.artifact import Model
from relabel.model.networks import of_words, weights
from relabel.training import buckets
from relabel.training.learner import Hooks, Snapshot, Watch
from relabel.training.learners.network import CHUNK, learner
from relabel.training.learners.one_by_one import OneByOne
from relabel.training.member import Member, own_seed
from relabel.training.network_fit import WEIGHTS_STREAM, Recipe

N, WORDS = 400, 40
KINDS = tuple(of_words.NETWORKS)
QUICK = Recipe(max_epochs=6, lr=0.01, batch_size=16, gradient_clip=5.0, dropout=0.1, word_dropout=0.05)


def made(seed: int = 0) -> tuple[Tokens, np.ndarray]:
    """Texts of 1 to 30 random words; the class says whether a good word (2, 3) stands there, or a bad one (4, 5)."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, N)
    texts = [rng.integers(6, WORDS + 2, rng.integers(1, 31)) for _ in range(N)]
    for text, label in zip(texts, labels, strict=True):
        text[rng.integers(0, text.size)] = 2 + 2 * (1 - label) + rng.integers(0, 2)
    return Tokens.of(texts), labels


def members(labels: np.ndarray, *sizes: int) -> list[Member]:
    """Members of the first rows, as many as given, with the seeds 0, 1, 2 and so on."""
    weights = np.ones(N, np.float32)
    return [Member(np.arange(size, dtype=np.int32), labels, weights, m) for m, size in enumerate(sizes)]


def small(kind: str, recipe: Recipe = QUICK, **sizes: int | str) -> OneByOne:
    """A small network of two classes over the made words."""
    size = {"embedding_width": 8, "width": 12, **sizes}
    return learner(kind, classes=2, vocabulary=WORDS, recipe=recipe, device="cpu", **size)


def same(one: Model, other: Model) -> bool:
    """Whether two models have the same bits."""
    return all(np.array_equal(value, other.tensors[name]) for name, value in one.tensors.items())


@pytest.mark.parametrize(
    ("kind", "sizes"),
    [
        ("lstm", {}),
        ("lstm", {"depth": 2, "dense": 8, "pooling": "mean"}),
        ("lstm", {"pooling": "last"}),
        ("lstm", {"pooling": "max"}),
        ("pooled", {}),
        ("convolutional", {}),
    ],
)
def test_every_network_learns_a_rule(kind, sizes) -> None:
    """On texts that it never saw, a network is right in more than 95 of 100 cases."""
    tokens, labels = made()
    recipe = dataclasses.replace(QUICK, max_epochs=20)
    (model,) = small(kind, recipe, **sizes).fit(tokens, members(labels, 300), None, Hooks())
    probability = predictor.load(model)(tokens.take(np.arange(300, N)))
    assert (probability.argmax(1) == labels[300:]).mean() > 0.95


@pytest.mark.parametrize("kind", KINDS)
def test_no_result_depends_on_company(kind) -> None:
    """A member has the same bits alone and beside others, and the generator that all share is left alone."""
    tokens, labels = made()
    one, two, three = members(labels, 300, 120, 17)
    before = torch.get_rng_state()
    together = dataclasses.replace(small(kind), workers=3).fit(tokens, [one, two, three], None, Hooks())
    (alone,) = dataclasses.replace(small(kind), workers=1).fit(tokens, [two], None, Hooks())
    assert same(together[1], alone)
    assert not same(together[0], together[2])
    assert torch.equal(torch.get_rng_state(), before)


class Drawer:
    """A store in memory, and a check that raises once a fit has come to `stop` steps."""

    def __init__(self, stop: int) -> None:
        self.kept: Snapshot | None = None
        self.stop, self.done = stop, 0

    def load(self) -> Snapshot | None:
        return self.kept

    def save(self, snapshot: Snapshot) -> None:
        self.kept = snapshot

    def progress(self, done: int, total: int) -> None:
        del total
        self.done = done

    def check(self) -> None:
        if self.done >= self.stop and self.kept is None:
            raise InterruptedError


@pytest.mark.parametrize(("kind", "watched"), [("lstm", True), ("pooled", True), ("convolutional", False)])
def test_a_fit_that_was_stopped_goes_on_as_if_it_had_not_been(kind, watched) -> None:
    """Stopped between two chunks and started again, a fit ends with the same bits, with early stopping and without."""
    tokens, labels = made()
    stack = members(labels, 300, 201)
    watch = Watch(np.arange(320, N, dtype=np.int32), labels[320:]) if watched else None
    recipe = dataclasses.replace(QUICK, max_epochs=20, patience=20, weight_decay=0.01, schedule="cosine")
    unbroken = small(kind, recipe).fit(tokens, stack, watch, Hooks())
    drawer = Drawer(CHUNK)
    hooks = Hooks(check=drawer.check, store=drawer, progress=drawer.progress)
    with pytest.raises(InterruptedError):
        small(kind, recipe).fit(tokens, stack, watch, hooks)
    assert drawer.kept is not None
    resumed = small(kind, recipe).fit(tokens, stack, watch, hooks)
    assert all(map(same, unbroken, resumed))


def test_early_stopping_keeps_the_best_epoch() -> None:
    """Where there is nothing to learn, the model is an early one, and is better on the watched rows than the last."""
    tokens, labels = made()
    rng = np.random.default_rng(1)
    (member,) = members(rng.integers(0, 2, N), 100)
    watch = Watch(np.arange(200, N, dtype=np.int32), labels[200:])
    recipe = dataclasses.replace(QUICK, max_epochs=40, dropout=0.0)
    seen: list[tuple[int, int]] = []
    (last,) = small("pooled", recipe).fit(tokens, [member], None, Hooks(progress=lambda *told: seen.append(told)))
    (best,) = small("pooled", dataclasses.replace(recipe, patience=3)).fit(tokens, [member], watch, Hooks())
    losses = [
        -np.log(predictor.load(model)(tokens.take(watch.rows))[np.arange(200), watch.labels]).mean()
        for model in (best, last)
    ]
    assert losses[0] < losses[1]


def test_rows_of_weight_0_teach_nothing_and_keep_their_places() -> None:
    """Whatever their labels say, the model is the same; without their places in the batches it is another."""
    tokens, labels = made()
    other = labels.copy()
    other[:50] = 1 - other[:50]
    weights = np.ones(N, np.float32)
    weights[:50] = 0
    rows = np.arange(200, dtype=np.int32)
    one, two, without = (
        small("lstm").fit(tokens, [Member(kept, given, weights, 7)], None, Hooks())[0]
        for kept, given in ((rows, labels), (rows, other), (rows[50:], labels))
    )
    assert same(one, two)
    assert not same(one, without)


def test_probabilities_are_targets_too() -> None:
    """Classes and the same classes as probabilities give the same answers, to 1e-4; half and half pulls to the middle."""
    tokens, labels = made()
    rows, weights = np.arange(200, dtype=np.int32), np.ones(N, np.float32)
    sure = np.eye(2, dtype=np.float32)[labels]
    given = [labels, sure, np.full_like(sure, 0.5)]
    hard, soft, even = (
        predictor.load(small("convolutional").fit(tokens, [Member(rows, targets, weights, 0)], None, Hooks())[0])(
            tokens
        )
        for targets in given
    )
    np.testing.assert_allclose(hard, soft, atol=1e-4)
    assert np.abs(even - 0.5).max() < 0.1


def test_rows_that_are_no_members_are_never_trained_on() -> None:
    """Texts and targets of other rows, unlabelled ones among them, change nothing."""
    tokens, labels = made()
    others, _ = made(seed=9)
    unlabelled = np.where(np.arange(N) < 200, labels, -1)
    mixed = Tokens.of([(tokens if n < 200 else others).take(np.array([n])).ids for n in range(N)])
    (one,) = small("pooled").fit(tokens, members(labels, 200), None, Hooks())
    (two,) = small("pooled").fit(mixed, members(unlabelled, 200), None, Hooks())
    assert same(one, two)


def test_an_unknown_word_has_a_meaning() -> None:
    """Words are made unknown in training, so the unknown word moves from where it began; without that it stays."""
    tokens, labels = made()
    moved, still = (
        small("pooled", dataclasses.replace(QUICK, word_dropout=share)).fit(
            tokens, members(labels, 200), None, Hooks()
        )[0]
        for share in (0.2, 0.0)
    )
    began = of_words.drawn("pooled", small("pooled").one.sizes, own_seed(0, WEIGHTS_STREAM))
    before = weights.arrays(began)["embedding.weight"][UNKNOWN]
    assert np.array_equal(still.tensors["embedding.weight"][UNKNOWN], before)
    assert np.abs(moved.tensors["embedding.weight"][UNKNOWN] - before).max() > 0.05


def test_batches_are_of_like_lengths_and_hold_every_row_once() -> None:
    """An epoch has all rows; padding is less than a third of what it is in random batches; no two epochs are alike."""
    rng = np.random.default_rng(0)
    rows, lengths = np.arange(10, 5010, dtype=np.int32), rng.integers(1, 300, 5000)
    dealt = buckets.batches(rows, lengths, 32, 3, 0)
    assert sorted(np.concatenate(dealt)) == rows.tolist()
    assert len(dealt) == buckets.steps(rows, 32)
    spread = np.mean([np.ptp(lengths[batch - 10]) for batch in dealt])
    assert spread < np.ptp(lengths) / 3
    assert not np.array_equal(dealt[0], buckets.batches(rows, lengths, 32, 3, 1)[0])
    later = [*buckets.stream(rows, lengths, 32, seed=3, epochs=2, start=200)]
    assert np.array_equal(later[0], buckets.batches(rows, lengths, 32, 3, 1)[200 - len(dealt)])
