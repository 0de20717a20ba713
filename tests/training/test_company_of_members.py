"""Promises of members that train in different companies: whoever else is in the stack, a member comes out the same to the last bit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from relabel.data.examples import Dense
from relabel.training.learner import Hooks
from relabel.training.learners.stacked import Stacked
from relabel.training.member import Member, own_seed
from relabel.training.stack import Recipe

ROWS = 200


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Let torch use so many threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def members(count: int, classes: int) -> list[Member]:
    """Members of different rows, one of which learns from probabilities."""
    rng = np.random.default_rng(count)
    labels = rng.integers(0, classes, ROWS)
    soft = rng.dirichlet(np.ones(classes), ROWS).astype(np.float32)
    weights = rng.random(ROWS).astype(np.float32) + 0.5
    rows = [np.sort(rng.choice(ROWS, ROWS - 10 - 9 * m, replace=False)).astype(np.int32) for m in range(count)]
    return [Member(each, soft if m == 1 else labels, weights, own_seed(0, m)) for m, each in enumerate(rows)]


@given(
    used=st.sampled_from([1, 2, 4]),
    shape=st.sampled_from([(768, 64, 32, 2), (33, 17, 16, 3), (300, 128, 64, 5)]),
    count=st.integers(2, 7),
    hosts=st.integers(2, 7),
    recipe=st.fixed_dictionaries(
        {
            "depth": st.integers(1, 2),
            "gradient_clip": st.sampled_from([0.0, 1.0]),
            "schedule": st.sampled_from(["constant", "cosine"]),
            "dropout": st.sampled_from([0.0, 0.1]),
        }
    ),
)
@settings(max_examples=6, deadline=None, derandomize=True)
def test_a_member_is_the_same_in_any_company(used, shape, count, hosts, recipe) -> None:
    """Every part of a stack, as hosts divide it, gives the models of the whole stack, bit for bit."""
    width, hidden, batch, classes = shape
    features = Dense(np.random.default_rng(0).normal(3, 2, (ROWS, width)).astype(np.float32))
    everyone = members(count, classes)
    learner = Stacked(classes, Recipe(width=hidden, batch_size=batch, max_epochs=1, lr=0.003, **recipe), device="cpu")
    with threads(used):
        whole = learner.fit(features, everyone, None, Hooks())
        for host in range(min(hosts, count)):
            part = learner.fit(features, everyone[host::hosts], None, Hooks())
            for model, same in zip(part, whole[host::hosts], strict=True):
                for name, tensor in model.tensors.items():
                    np.testing.assert_array_equal(tensor, same.tensors[name], err_msg=name)
