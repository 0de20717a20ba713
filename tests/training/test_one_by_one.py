"""Promises of fitting members one by one: their results, their snapshots and their ends are their own."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch

from relabel.data.examples import Dense, Inputs
from relabel.model.artifact import Model
from relabel.training.learner import Hooks, Run, Snapshot, Watch
from relabel.training.learners.one_by_one import OneByOne
from relabel.training.member import Member

ROWS = Dense(np.arange(12, dtype=np.float32).reshape(6, 2))


class Walk:
    """Fits a random walk of as many steps as the member has rows, each step drawn from the member's seed."""

    kind = "walk"

    def __init__(self, pace: float = 0.0) -> None:
        self.pace = pace
        self.held = threading.Event()
        self.started_at: list[tuple[int, int]] = []
        self.fails: int | None = None

    def identity(self) -> Mapping[str, Any]:
        return {"kind": self.kind}

    def fit_one(self, inputs: Inputs, member: Member, watch: Watch | None, run: Run) -> Model:
        del inputs, watch
        place, first = np.zeros(2), 0
        if run.kept:
            place, first = run.kept.tensors["place"].copy(), run.kept.facts["next"]
        self.started_at.append((member.seed, first))
        for step in range(first, member.rows.size):
            place += np.random.default_rng((member.seed, step)).normal(size=2)
            if member.seed == self.fails and step == 3:
                raise ZeroDivisionError
            self.held.wait(self.pace)
            now = Snapshot(step + 1, {"place": place.copy()}, {"next": step + 1})
            run.safe_point(step + 1, member.rows.size, lambda now=now: now)
        return Model("walk", {"steps": member.rows.size}, {"place": place})


class Drawer:
    """A store in memory that counts what it is given, and a check that raises from some call on."""

    def __init__(self, stop_at: int | None = None) -> None:
        self.saved: list[Snapshot] = []
        self.stop_at = stop_at
        self.calls = 0

    def load(self) -> Snapshot | None:
        return self.saved[-1] if self.saved else None

    def save(self, snapshot: Snapshot) -> None:
        self.saved.append(snapshot)

    def check(self) -> None:
        self.calls += 1
        if self.calls == self.stop_at:
            raise InterruptedError


def members(*sizes: int) -> list[Member]:
    """Members of these sizes with the seeds 0, 1, 2 and so on."""
    targets, weights = np.zeros(6, np.int64), np.ones(6, np.float32)
    return [Member(np.arange(size, dtype=np.int32), targets, weights, m) for m, size in enumerate(sizes)]


def places(models: list[Model]) -> list[list[float]]:
    """The end of each walk."""
    return [model.tensors["place"].tolist() for model in models]


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_no_result_depends_on_the_workers(workers) -> None:
    """Models come in the members' order, with the same bits however many are fitted side by side."""
    stack = members(30, 5, 17, 1, 9)
    alone = [OneByOne(Walk(), 1).fit(ROWS, [member], None, Hooks())[0] for member in stack]
    together = OneByOne(Walk(), workers).fit(ROWS, stack, None, Hooks())
    assert places(together) == places(alone)


def test_a_fit_that_was_stopped_goes_on_as_if_it_had_not_been() -> None:
    """Ended members are not fitted again, running ones go on where they stood, and those that had not begun begin."""
    stack = members(2, 25, 30, 4, 6)
    drawer = Drawer(stop_at=3)
    hooks = Hooks(check=drawer.check, store=drawer)
    with pytest.raises(InterruptedError):
        OneByOne(Walk(0.02), 2).fit(ROWS, stack, None, hooks)
    (kept,) = drawer.saved
    assert 0 < kept.step < sum(member.rows.size for member in stack)
    second = Walk()
    resumed = OneByOne(second, 3).fit(ROWS, stack, None, hooks)
    assert places(resumed) == places(OneByOne(Walk()).fit(ROWS, stack, None, Hooks()))
    started = dict(second.started_at)
    assert 0 not in started
    assert started[1] > 0
    assert started[2] > 0
    assert started[4] == 0


def test_a_second_stop_loses_nothing_of_the_first() -> None:
    """A member that waits for its turn keeps what an earlier run left of it."""
    stack = members(40, 40, 40)
    drawer = Drawer(stop_at=2)
    hooks = Hooks(check=drawer.check, store=drawer)
    with pytest.raises(InterruptedError):
        OneByOne(Walk(0.02), 3).fit(ROWS, stack, None, hooks)
    drawer.calls = 0
    with pytest.raises(InterruptedError):
        OneByOne(Walk(0.02), 1).fit(ROWS, stack, None, hooks)
    first, second = drawer.saved
    assert second.step > first.step
    assert second.facts["2"] == first.facts["2"]


def test_snapshots_are_taken_while_members_run() -> None:
    """When a snapshot is due, every running member hands over its own, and none of them ends."""
    drawer = Drawer()
    hooks = Hooks(due=lambda: len(drawer.saved) < 2, store=drawer)
    stack = members(30, 30)
    models = OneByOne(Walk(0.02), 2).fit(ROWS, stack, None, hooks)
    assert len(drawer.saved) == 2
    assert all(set(snapshot.facts) == {"0", "1"} for snapshot in drawer.saved)
    drawer.saved.pop()
    assert places(OneByOne(Walk(), 2).fit(ROWS, stack, None, Hooks(store=drawer))) == places(models)


def test_what_a_member_raises_ends_the_others_and_comes_out() -> None:
    """The exception is the member's own, and comes at once: the first member would go on for a quarter of an hour."""
    walk = Walk(0.01)
    walk.fails = 1
    with pytest.raises(ZeroDivisionError):
        OneByOne(walk, 2).fit(ROWS, members(100_000, 10, 5), None, Hooks())


def test_progress_sums_over_members() -> None:
    """Steps done never fall, and end at the steps of all members."""
    seen: list[tuple[int, int]] = []
    OneByOne(Walk(0.01), 2).fit(ROWS, members(15, 25, 10), None, Hooks(progress=lambda *told: seen.append(told)))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert seen[-1] == (50, 50)


def test_torch_has_its_threads_again_afterwards() -> None:
    """Members have a thread each; what comes later has as many as before."""
    before = torch.get_num_threads()
    OneByOne(Walk(), 2).fit(ROWS, members(1, 2, 3), None, Hooks())
    assert torch.get_num_threads() == before
