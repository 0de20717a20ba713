"""Promises of the stacked learner: a member comes out as if it had been trained alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from torch import nn

from relabel.data.examples import Dense
from relabel.model import predictor
from relabel.model.networks.stacked_mlp import initial
from relabel.training import sampler
from relabel.training.learner import Hooks, Snapshot, Watch
from relabel.training.learners.stacked import CHUNK, Stacked
from relabel.training.member import Member
from relabel.training.stack import Recipe

N, D = 700, 12


def made(seed: int = 0) -> tuple[Dense, np.ndarray]:
    """Features with an offset and a scale per column, and labels that a line through them explains."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(N, D))
    labels = (x @ rng.normal(size=D) + rng.normal(size=N) > 0).astype(np.int64)
    return Dense((x * rng.uniform(0.1, 9, D) + rng.normal(size=D) * 5).astype(np.float32)), labels


def members(labels: np.ndarray, sizes: Sequence[int], first_seed: int = 0) -> list[Member]:
    """Members of unequal size, each with its own rows and seed."""
    rng = np.random.default_rng(1)
    weights = np.ones(N, np.float32)
    return [
        Member(np.sort(rng.permutation(N)[:size]).astype(np.int32), labels, weights, first_seed + m)
        for m, size in enumerate(sizes)
    ]


def witness(features: Dense, member: Member, recipe: Recipe) -> nn.Sequential:
    """The member trained alone, written plainly: nn.Linear, Adam, one batch after another, in float64."""
    x = torch.tensor(features.array, dtype=torch.float64)
    mine = x[torch.tensor(member.rows)]
    x = (x - mine.mean(0)) / mine.std(0, unbiased=False)
    layers: list[nn.Module] = []
    shapes = [(D, recipe.width), *[(recipe.width, recipe.width)] * (recipe.depth - 1), (recipe.width, 2)]
    for weight, bias in initial(member.seed, shapes):
        linear = nn.Linear(*weight.shape, dtype=torch.float64)
        linear.weight.data, linear.bias.data = torch.tensor(weight.T), torch.tensor(bias)
        layers += [linear, nn.ReLU()]
    network = nn.Sequential(*layers[:-1])
    adam = torch.optim.Adam(network.parameters(), lr=recipe.lr)
    for batch in sampler.batches(member, recipe.batch_size, recipe.max_epochs):
        adam.zero_grad()
        nn.functional.cross_entropy(network(x[batch]), torch.tensor(member.targets[batch])).backward()
        if recipe.gradient_clip:
            nn.utils.clip_grad_norm_(network.parameters(), recipe.gradient_clip)
        adam.step()
    return network


@pytest.mark.parametrize(
    "recipe", [Recipe(lr=0.01), Recipe(lr=0.01, depth=2, width=9, max_epochs=3, gradient_clip=0.05)]
)
def test_a_member_of_a_stack_is_the_member_trained_alone(recipe) -> None:
    """In float64, members of unequal size equal a plain nn.Linear network trained alone, to 1e-9."""
    features, labels = made()
    stack = members(labels, [700, 333, 512, 64])
    models = Stacked(2, recipe, "cpu", torch.float64).fit(features, stack, None, Hooks())
    for member, model in zip(stack, models, strict=True):
        alone = witness(features, member, recipe)
        linears = [layer for layer in alone if isinstance(layer, nn.Linear)]
        for n, linear in enumerate(linears):
            np.testing.assert_allclose(
                model.tensors[f"weight.{n}"], linear.weight.detach().numpy().T, rtol=0, atol=1e-9
            )
            np.testing.assert_allclose(model.tensors[f"bias.{n}"], linear.bias.detach().numpy(), rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    "recipe",
    [
        Recipe(),
        Recipe(dropout=0.3, max_epochs=2),
        Recipe(schedule="cosine", weight_decay=0.1),
        Recipe(depth=0, batch_size=7),
    ],
)
def test_company_does_not_change_a_members_predictions(recipe) -> None:
    """In float32, a member's probabilities are the same alone and in a stack, to 1e-3, whatever the recipe."""
    features, labels = made()
    stack = members(labels, [700, 333, 512])
    together = Stacked(2, recipe, "cpu").fit(features, stack, None, Hooks())
    for member, model in zip(stack, together, strict=True):
        (alone,) = Stacked(2, recipe, "cpu").fit(features, [member], None, Hooks())
        gap = predictor.load(model)(features.array) - predictor.load(alone)(features.array)
        assert np.abs(gap).max() < 1e-3


def test_numpy_predicts_what_torch_trained() -> None:
    """The predictor of a model gives the witness network's probabilities, to 1e-5."""
    features, labels = made()
    (member,) = members(labels, [400])
    recipe = Recipe(lr=0.01)
    (model,) = Stacked(2, recipe, "cpu").fit(features, [member], None, Hooks())
    mine = features.array[member.rows].astype(np.float64)
    x = torch.tensor((features.array - mine.mean(0)) / mine.std(0))
    expected = torch.softmax(witness(features, member, recipe)(x), dim=1).detach().numpy()
    np.testing.assert_allclose(predictor.load(model)(features.array), expected, atol=1e-5)


def test_a_last_batch_of_one_row_is_trained_on() -> None:
    """A batch of one row, at which `squeeze` breaks the seed project, is a batch like any other."""
    features, labels = made()
    (member,) = members(labels, [33])
    recipe = Recipe(lr=0.05)
    (model,) = Stacked(2, recipe, "cpu", torch.float64).fit(features, [member], None, Hooks())
    expected = witness(features, member, recipe)
    np.testing.assert_allclose(model.tensors["weight.0"], expected[0].weight.detach().numpy().T, rtol=0, atol=1e-9)


def test_a_rows_weight_scales_its_pull() -> None:
    """Of two rows in one batch, the model fits the one of weight 9 better than it does at weight 1."""
    features, labels = made()
    pair = np.array([0, int(np.flatnonzero(labels != labels[0])[0])], dtype=np.int32)
    even, heavy = np.ones(N, np.float32), np.ones(N, np.float32)
    heavy[pair[1]] = 9
    stack = [Member(pair, labels, weights, 0) for weights in (even, heavy)]
    models = Stacked(2, Recipe(lr=0.01, max_epochs=40, depth=0), "cpu").fit(features, stack, None, Hooks())
    plain, pulled = (predictor.load(model)(features.array[pair[1:]])[0, labels[pair[1]]] for model in models)
    assert pulled > plain


def test_early_stopping_keeps_each_members_best_epoch() -> None:
    """With patience, a member's model is the one of its best epoch on the watched rows, not the last."""
    features, labels = made()
    rng = np.random.default_rng(3)
    random_labels = rng.integers(0, 2, N)  # nothing to learn: every epoch after the first few is worse
    member = Member(np.arange(100, dtype=np.int32), random_labels, np.ones(N, np.float32), 0)
    watch = Watch(np.arange(400, 700, dtype=np.int32), labels[400:])
    seen: list[tuple[int, int]] = []
    hooks = Hooks(progress=lambda done, total: seen.append((done, total)))
    (best,) = Stacked(2, Recipe(lr=0.02, max_epochs=200, patience=3), "cpu").fit(features, [member], watch, hooks)
    (last,) = Stacked(2, Recipe(lr=0.02, max_epochs=200), "cpu").fit(features, [member], None, Hooks())
    losses = [
        -np.log(predictor.load(model)(features.array[watch.rows])[np.arange(300), watch.labels]).mean()
        for model in (best, last)
    ]
    assert losses[0] < losses[1]
    assert seen[-1][0] < seen[-1][1], "it stopped before its last step"


class Drawer:
    """A store in memory, and a check that stops the fit after some chunks."""

    def __init__(self) -> None:
        self.kept: Snapshot | None = None
        self.calls = 0

    def load(self) -> Snapshot | None:
        return self.kept

    def save(self, snapshot: Snapshot) -> None:
        self.kept = snapshot

    def check(self) -> None:
        self.calls += 1
        if self.calls == 2:
            raise InterruptedError


@pytest.mark.parametrize(
    ("recipe", "watched"),
    [
        (Recipe(max_epochs=8, dropout=0.2, weight_decay=0.01), False),
        (Recipe(max_epochs=8, schedule="linear"), False),
        (Recipe(max_epochs=30, lr=0.01, patience=2), True),
    ],
)
def test_a_fit_that_was_stopped_goes_on_as_if_it_had_not_been(recipe, watched) -> None:
    """Stopped between two chunks and started again, a fit ends with the same bits."""
    features, labels = made()
    stack = members(labels, [500, 333, 410])
    watch = Watch(np.arange(600, 700, dtype=np.int32), labels[600:]) if watched else None
    learner = Stacked(2, recipe, "cpu")
    unbroken = learner.fit(features, stack, watch, Hooks())
    drawer = Drawer()
    hooks = Hooks(check=drawer.check, store=drawer)
    with pytest.raises(InterruptedError):
        learner.fit(features, stack, watch, hooks)
    assert drawer.kept is not None
    assert drawer.kept.step == 2 * CHUNK
    resumed = learner.fit(features, stack, watch, hooks)
    for one, other in zip(unbroken, resumed, strict=True):
        for name, tensor in one.tensors.items():
            np.testing.assert_array_equal(tensor, other.tensors[name])
