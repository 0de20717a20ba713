"""Promises of the sampler: which rows a member sees."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from relabel.training import sampler
from relabel.training.member import Member


def member(total: int, rows: np.ndarray, seed: int) -> Member:
    """A member of some rows of a data set."""
    return Member(rows.astype(np.int32), np.arange(total) % 3, np.ones(total, np.float32), seed)


@st.composite
def drawn_members(draw: st.DrawFn) -> list[Member]:
    """Several members of one data set, each with its own share of the rows."""
    total = draw(st.integers(5, 120))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    sizes = draw(st.lists(st.integers(1, total), min_size=1, max_size=4))
    return [member(total, np.sort(rng.permutation(total)[:size]), m) for m, size in enumerate(sizes)]


@given(drawn_members(), st.integers(1, 40), st.integers(1, 3))
def test_every_row_comes_once_per_epoch(members, batch_size, epochs) -> None:
    """In each epoch a member sees each of its rows once, in whole batches but for the last."""
    for one in members:
        stream = list(sampler.batches(one, batch_size, epochs))
        per_epoch = sampler.steps(one, batch_size, 1)
        assert len(stream) == sampler.steps(one, batch_size, epochs)
        for epoch in range(epochs):
            batches = stream[epoch * per_epoch : (epoch + 1) * per_epoch]
            assert sorted(np.concatenate(batches).tolist()) == one.rows.tolist()
            assert all(batch.size == batch_size for batch in batches[:-1])


@given(drawn_members(), st.integers(1, 9), st.integers(0, 50))
def test_a_stream_can_be_entered_anywhere(members, batch_size, start) -> None:
    """Starting at a step gives the batches that an unbroken stream has from there on."""
    for one in members:
        whole = list(sampler.batches(one, batch_size, 3))
        entered = list(sampler.batches(one, batch_size, 3, start))
        assert [batch.tolist() for batch in entered] == [batch.tolist() for batch in whole[start:]]


@given(drawn_members(), st.integers(1, 9), st.integers(1, 7))
def test_chunks_hold_each_members_own_stream(members, batch_size, size) -> None:
    """A chunk has the batches of every member side by side; padding has weight 0, and a batch's weights sum to 1."""
    streams = [list(sampler.batches(one, batch_size, 2)) for one in members]
    chunks = list(sampler.chunks(members, batch_size, 2, size))
    step = 0
    for chunk in chunks:
        assert chunk.start == step
        for k, m in itertools.product(range(len(chunk.rows)), range(len(members))):
            batch = streams[m][step + k] if step + k < len(streams[m]) else np.empty(0, int)
            used = chunk.weights[k, m] > 0
            assert chunk.rows[k, m][used].tolist() == batch.tolist()
            assert chunk.targets[k, m][used].tolist() == members[m].targets[batch].tolist()
            assert np.isclose(chunk.weights[k, m].sum(), 1 if batch.size else 0)
        step += len(chunk.rows)
    assert step == max(map(len, streams))


def test_the_order_is_a_pure_function_of_seed_epoch_and_block() -> None:
    """The same seed and epoch give the same order, another seed or epoch another one; blocks come one after another."""
    first, again = (np.concatenate(list(sampler.order(1000, 1, 0, block_rows=300))) for _ in range(2))
    assert first.tolist() == again.tolist()
    assert sorted(first.tolist()) == list(range(1000))
    assert first.tolist() != np.concatenate(list(sampler.order(1000, 2, 0, block_rows=300))).tolist()
    assert first.tolist() != np.concatenate(list(sampler.order(1000, 1, 1, block_rows=300))).tolist()
    one, other = ([int(b.min()) // 300 for b in sampler.order(1000, seed, 0, block_rows=300)] for seed in (1, 2))
    assert one == other, "all members read the blocks in the same order"
