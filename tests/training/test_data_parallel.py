"""Promises of fits whose rows lie on several hosts: what comes out is what one host makes of all rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from relabel.auditing import neighbours
from relabel.data.examples import Dense
from relabel.data.sharded import Sharded, mixed
from relabel.model import predictor, training_rows
from relabel.training import data_parallel, folds, linear, sampler, standardise
from relabel.training.learner import Hooks, Snapshot, Watch
from relabel.training.learners.stacked import Stacked
from relabel.training.member import Member
from relabel.training.out_of_fold import out_of_fold
from relabel.training.stack import Recipe

N, D = 600, 10
X = np.random.default_rng(0).normal(size=(N, D)).astype(np.float32) * 3 + 1
LABELS = (X @ np.random.default_rng(1).normal(size=D) > 2).astype(np.int64)
ONES = np.ones(N, np.float32)
PLAN = folds.plan(LABELS, np.arange(N), np.arange(N) < 500, folds=4, repeats=1, seed=0)


def sharded(company: Any, holders: np.ndarray) -> Sharded:
    """This host's part of X, whose rows lie with these holders (N,)."""
    place = np.zeros(N, np.int32)
    for rank in range(company.size):
        place[holders == rank] = np.arange(np.count_nonzero(holders == rank))
    own = X[holders == company.rank]
    return Sharded(Dense(own), holders.astype(np.int16), place, mixed(np.arange(N) % 3), company)


def holders(size: int, *, uneven: bool = False, empty: bool = False) -> np.ndarray:
    """Who holds each row; uneven: nearly all on the first; empty: none on the last."""
    drawn = np.random.default_rng(size).integers(0, size - empty, N)
    return np.where(np.random.default_rng(9).random(N) < 0.9, 0, drawn) if uneven else drawn


def members() -> list[Member]:
    """Those of the folds, one of them of soft targets, one with rows that count for nothing."""
    made = folds.members(PLAN, LABELS, ONES)
    soft = np.eye(2, dtype=np.float32)[LABELS] * 0.8 + 0.1
    some = np.where(np.arange(N) % 5 == 0, 0, 1).astype(np.float32)
    return [*made, Member(made[0].rows[:77], soft, ONES, 5), Member(made[0].rows, LABELS, some, 6)]


def fitted(features: Any, recipe: Recipe, watch: Watch | None = None) -> list[Any]:
    """Fit in double precision, so that only what is meant to differ does."""
    return Stacked(2, recipe, "cpu", torch.float64).fit(features, members(), watch, Hooks())


@pytest.mark.parametrize(
    ("size", "shape"),
    [(2, {}), (4, {}), (2, {"uneven": True}), (3, {"empty": True})],
    ids=["2", "4", "uneven", "empty"],
)
def test_hosts_fit_what_one_host_fits(hosts, size, shape) -> None:
    """With dropout, clipping, a schedule and early stopping: the same steps, and weights to 1e-9 on every host, be one without any row."""
    recipe = Recipe(
        width=8, dropout=0.3, max_epochs=5, lr=0.02, gradient_clip=0.5, schedule="cosine", patience=1, batch_size=32
    )
    watch = Watch(np.arange(500, N, dtype=np.int32), LABELS[500:])
    alone = fitted(Dense(X), recipe, watch)
    for models in hosts(size, lambda company: fitted(sharded(company, holders(size, **shape)), recipe, watch)):
        for one, other in zip(alone, models, strict=True):
            for name, value in one.tensors.items():
                np.testing.assert_allclose(other.tensors[name], value, rtol=0, atol=1e-9)


@pytest.mark.parametrize("shape", [{}, {"uneven": True}, {"empty": True}])
def test_hosts_know_of_all_rows_what_one_host_knows(hosts, shape) -> None:
    """Moments, linear members, probabilities out of fold, neighbours' view and hashes are those of all rows, on every host."""
    model = fitted(Dense(X), Recipe(width=8))[0]

    def known(features: Any) -> list[np.ndarray]:
        sums = linear.summed(features, PLAN, LABELS, ONES, 2)
        view = neighbours.view(features, neighbours.Search(4, 4), seed=0)
        return [
            *standardise.moments(features, members()),
            linear.out_of_fold(features, sums),
            out_of_fold([predictor.load(model)] * 4, PLAN, features),
            np.abs(view.points),
            view.length,
            training_rows.collected(features, np.arange(0, N, 2)),
        ]

    one = known(Dense(X))
    for other in hosts(3, lambda company: known(sharded(company, holders(3, **shape)))):
        for mine, theirs in zip(one, other, strict=True):
            np.testing.assert_allclose(mine, theirs, rtol=0, atol=1e-5)


def test_a_sample_comes_to_every_host(hosts) -> None:
    """Rows taken by all hosts are those of all files, in the order asked for, whoever holds them."""
    rows = np.random.default_rng(3).permutation(N)[:50]
    for taken in hosts(3, lambda company: sharded(company, holders(3)).take(rows)):
        assert np.array_equal(taken, X[rows])


def test_each_row_of_a_batch_is_taken_by_one_host(hosts) -> None:
    """Of each step, the hosts' parts together have every row that counts once, with its target and weight."""
    [chunk, *_] = sampler.chunks(members(), 32, 1, 8)

    def part(company: Any) -> list[tuple[int, ...]]:
        features = sharded(company, holders(3))
        own, places = data_parallel.portion(chunk, features)
        k, m, b = np.nonzero(own.weights)
        assert np.array_equal(features.local.take(own.rows[k, m, b]), X[chunk.rows[k, m, places[k, m, b]]])
        assert np.array_equal(own.weights[k, m, b], chunk.weights[k, m, places[k, m, b]])
        assert np.array_equal(own.targets[k, m, b], chunk.targets[k, m, places[k, m, b]])
        return [*zip(k.tolist(), m.tolist(), places[k, m, b].tolist(), strict=True)]

    taken = [place for own in hosts(3, part) for place in own]
    assert sorted(taken) == sorted(zip(*(axis.tolist() for axis in np.nonzero(chunk.weights)), strict=True))


def test_blocks_have_their_share_of_every_file() -> None:
    """Each block of sharded rows mixes the files by their sizes, every row comes once, and which rows these are depends on files alone."""
    file = np.repeat([0, 1, 2], [6000, 3000, 1000])
    blocks = list(sampler.order(file.size, 1, 0, block_rows=1000, mixed=mixed(file)))
    assert sorted(np.concatenate(blocks).tolist()) == list(range(file.size))
    for block in blocks:
        assert np.abs(np.bincount(file[block]) / block.size - [0.6, 0.3, 0.1]).max() < 0.01
        for number in range(3):
            inside = np.sort(block[file[block] == number])
            assert inside[-1] - inside[0] < 2 * inside.size, "of each file neighbouring rows"


class _End(BaseException):
    """A wish to end."""


class _Kept:
    """A store that has at most one snapshot."""

    def __init__(self, snapshot: Snapshot | None = None) -> None:
        self.snapshot = snapshot

    def load(self) -> Snapshot | None:
        return self.snapshot

    def save(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot


def test_only_the_first_host_copies_what_it_keeps(hosts) -> None:
    """The others are never due: they would copy every weight after each chunk, for nobody."""
    asked = Hooks(due=lambda: True, store=_Kept())
    due = hosts(3, lambda company: data_parallel.led(asked, sharded(company, holders(3))).due())
    assert due == [True, False, False]


def test_a_fit_goes_on_from_what_the_first_host_kept(hosts) -> None:
    """A stop keeps the fit on the first host alone; started again, by another number of hosts, it ends as the unbroken one."""
    recipe = Recipe(width=8, max_epochs=4, lr=0.02)
    unbroken = fitted(Dense(X), recipe)

    def stopped(company: Any) -> _Kept:
        store, steps = _Kept(), iter(range(100))

        def check() -> None:
            if next(steps) == 0:
                raise _End

        learner = Stacked(2, recipe, "cpu", torch.float64)
        with pytest.raises(_End):
            learner.fit(sharded(company, holders(2)), members(), None, Hooks(check=check, store=store))
        return store

    first, second = hosts(2, stopped)
    assert first.snapshot is not None
    assert second.snapshot is None

    def resumed(company: Any) -> list[Any]:
        hooks = Hooks(store=first if company.rank == 0 else None)
        return Stacked(2, recipe, "cpu", torch.float64).fit(sharded(company, holders(3)), members(), None, hooks)

    for models in hosts(3, resumed):
        for one, other in zip(unbroken, models, strict=True):
            for name, value in one.tensors.items():
                np.testing.assert_allclose(other.tensors[name], value, rtol=0, atol=1e-9)
