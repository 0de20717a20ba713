"""Promises of how much an endpoint takes on."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from relabel.serving import capacity
from relabel.serving.capacity import IDLE, MB
from relabel.settings import ServeSettings


def test_workers_follow_the_cores_and_the_memory() -> None:
    """One per core, fewer where memory is short, never none."""
    assert capacity.of(ServeSettings(), cores=4, memory=16384 * MB).workers == 4
    assert capacity.of(ServeSettings(), cores=8, memory=1024 * MB).workers < 8
    assert capacity.of(ServeSettings(), cores=8, memory=64 * MB).workers == 1


def test_what_a_person_says_is_taken() -> None:
    """Also where it is much."""
    assert capacity.of(ServeSettings(workers=7), cores=1, memory=1024 * MB).workers == 7
    assert capacity.of(ServeSettings(max_payload_mb=0), cores=1, memory=1024 * MB).limit == 1024 * MB
    assert capacity.of(ServeSettings(max_content_length=1000), cores=1, memory=1024 * MB).limit == 1000


def test_a_model_that_needs_more_memory_gets_fewer_workers() -> None:
    """What a process was measured to take counts; one that is smaller than usual gets no more than usual."""
    sizes = (10 * MB, IDLE, 1500 * MB)
    workers = [capacity.of(ServeSettings(), cores=8, memory=8192 * MB, idle=idle).workers for idle in sizes]
    assert workers[0] == workers[1] > workers[2] >= 1


def test_more_requests_may_wait_where_they_are_texts() -> None:
    """Most are small, and each takes its turn in a thread."""
    vectors, texts = (capacity.of(ServeSettings(), cores=1, memory=4096 * MB, texts=texts) for texts in (False, True))
    assert texts.waiting > vectors.waiting
    assert texts.threads == vectors.threads


@given(
    cores=st.integers(1, 256),
    memory=st.integers(64, 1 << 20),
    workers=st.integers(0, 256),
    payload=st.integers(0, 1024),
)
def test_it_is_always_something_that_can_work(cores, memory, workers, payload) -> None:
    """A worker can hold the largest body, and the platform's own bound on transforms holds."""
    chosen = capacity.of(ServeSettings(workers=workers, max_payload_mb=payload), cores=cores, memory=memory * MB)
    assert min(chosen.workers, chosen.threads, chosen.waiting) >= 1
    assert chosen.held >= chosen.limit
    told = chosen.execution_parameters()
    assert told["MaxPayloadInMB"] >= 1
    assert told["MaxConcurrentTransforms"] >= 1
    assert told["MaxConcurrentTransforms"] * told["MaxPayloadInMB"] <= max(100, told["MaxConcurrentTransforms"])
    if not workers:
        assert chosen.workers == 1 or chosen.workers * IDLE <= memory * MB


@given(
    cores=st.integers(1, 256),
    memory=st.integers(64, 1 << 20),
    share=st.floats(0.01, 0.9),
    payload=st.integers(0, 1024),
)
def test_many_models_are_served_by_one_process(cores, memory, share, payload) -> None:
    """Its threads are no more than the cores, and those beyond the first fit into what the models leave."""
    settings = ServeSettings(models_share=share, max_payload_mb=payload)
    chosen = capacity.of_many(settings, cores=cores, memory=memory * MB)
    assert chosen.workers == 1
    assert 1 <= chosen.threads <= cores
    assert chosen.held >= 2 * chosen.limit
    if chosen.threads > 1:
        assert chosen.threads * capacity.PER_BYTE * chosen.limit <= memory * MB * (capacity.SHARE - share) + 1
