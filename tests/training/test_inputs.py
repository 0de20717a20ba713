"""Promises of what a network takes, in memory and on disk."""

import numpy as np
import pytest
import torch

from relabel.data.examples import Dense
from relabel.data.formats import npy
from relabel.data.ordered import Ordered
from relabel.data.stored import Stored
from relabel.training import inputs
from relabel.training.inputs import Inputs
from relabel.training.learner import Hooks
from relabel.training.learners.stacked import Stacked
from relabel.training.member import Member
from relabel.training.stack import Recipe

N, D = 300, 6


@pytest.fixture
def twice(tmp_path) -> tuple[Dense, Ordered]:
    """Give the same features in memory, and as float16 on disk in another order."""
    array = np.random.default_rng(0).standard_normal((N, D)).astype(np.float16)
    order = np.random.default_rng(1).permutation(N)
    np.save(tmp_path / "a.npy", array)
    return Dense(array[order].astype(np.float32)), Ordered(Stored([npy.read(tmp_path / "a.npy").lies]), order)


@pytest.mark.parametrize("ahead", [1, 4 * D * 40, 1 << 26])
def test_steps_are_the_same_from_memory_and_from_disk(twice, monkeypatch, ahead) -> None:
    """However many are gathered at a time, and whichever block of the sampler they lie in."""
    monkeypatch.setattr(inputs, "AHEAD", ahead)
    monkeypatch.setattr(inputs, "BLOCK_ROWS", 64)
    rows = np.random.default_rng(2).integers(0, N, (7, 3, 5))
    one, other = ([*Inputs(features, torch.float32).steps(rows)] for features in twice)
    assert len(one) == len(other) == 7
    for from_memory, from_disk in zip(one, other, strict=True):
        assert from_memory.shape == (3, 5, D)
        assert torch.equal(from_memory, from_disk)


class Noting(Dense):
    """Features in memory that note what they are told."""

    said: list[tuple[str, int]] = []  # noqa: RUF012  # of one test

    def warm(self, rows: np.ndarray) -> None:
        """Note that this block will be taken."""
        self.said.append(("warm", int(rows[0]) // inputs.BLOCK_ROWS))

    def cool(self, rows: np.ndarray) -> None:
        """Note that this block is done with."""
        self.said.append(("cool", int(rows[0]) // inputs.BLOCK_ROWS))


def test_blocks_are_read_once_and_the_oldest_is_let_go(monkeypatch) -> None:
    """What is at hand is a few blocks, however many there are, and whatever is needed now."""
    monkeypatch.setattr(inputs, "BLOCK_ROWS", 50)
    monkeypatch.setattr(inputs, "BLOCKS", 2)
    array = np.zeros((N, D), np.float32)
    array.flags.writeable = False  # so that it is not shared with torch
    made = Inputs(Noting(array), torch.float32)
    for block in (3, 3, 0, 3, 5, 0, 3):
        [*made.steps(np.full((1, 1, 4), 50 * block + 7))]
    [*made.steps(np.array([[[7, 57, 107]]]))]
    assert Noting.said == [
        *(("warm", 3), ("warm", 0)),
        *(("warm", 5), ("cool", 3)),
        *(("warm", 3), ("cool", 0)),
        *(("warm", 0), ("warm", 1), ("warm", 2), ("cool", 5), ("cool", 3)),
    ]


def test_models_are_the_same_from_memory_and_from_disk(twice) -> None:
    """To the bit, standardised, with members of unequal size."""
    labels = np.random.default_rng(3).integers(0, 2, N)
    rng = np.random.default_rng(4)
    members = [
        Member(np.sort(rng.permutation(N)[:size]).astype(np.int32), labels, np.ones(N, np.float32), seed)
        for seed, size in enumerate((200, 150, 37))
    ]
    learner = Stacked(2, Recipe(width=4, max_epochs=3, dropout=0.2), device="cpu")
    inside, outside = (learner.fit(features, members, None, Hooks()) for features in twice)
    for one, other in zip(inside, outside, strict=True):
        assert {name: value.tobytes() for name, value in one.tensors.items()} == {
            name: value.tobytes() for name, value in other.tensors.items()
        }
