"""Promises of the cache of vectors: nothing is embedded twice."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

from relabel.data.examples import Features
from relabel.data.ordered import Ordered
from relabel.data.room import Room
from relabel.errors import UserError
from relabel.text import cache, encoder_files, reader
from relabel.text.reader import TextInput


class Counting:
    """Stands for an encoder: gives vectors that tell texts apart, and counts what it is given."""

    def __init__(self) -> None:
        self.given: list[str] = []

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        self.given += texts
        return np.array([[len(text), sum(map(ord, text)) % 1009, 1] for text in texts], np.float32).reshape(-1, 3)


@pytest.fixture
def about(tiny_encoder) -> TextInput:
    """Describe an encoder."""
    return encoder_files.describe(tiny_encoder)


@pytest.fixture
def small(monkeypatch) -> None:
    """Let shards be of 4 texts."""
    monkeypatch.setattr(cache, "SHARD", 4)


def every(features: Features) -> np.ndarray:
    """All vectors."""
    return features.take(np.arange(features.shape[0]))


TEXTS = [f"text {n % 13}" for n in range(40)] + ["", "\ud800", "日本"]


@pytest.mark.usefixtures("small")
def test_every_text_is_embedded_once(about, tmp_path) -> None:
    """Duplicates of a run, and texts of an earlier one, are taken from the folder; vectors come in the order of the texts."""
    read = Counting()
    made = every(cache.embedded(TEXTS, about, tmp_path, load=lambda _about: read))
    assert sorted(read.given) == sorted({*TEXTS})
    np.testing.assert_array_equal(made, Counting()(TEXTS))
    again = every(cache.embedded([*reversed(TEXTS), "new"], about, tmp_path, load=lambda _about: read))
    assert read.given[-1] == "new"
    assert len(read.given) == len({*TEXTS}) + 1
    np.testing.assert_array_equal(again[:-1], made[::-1])


@pytest.mark.usefixtures("small")
def test_vectors_without_room_lie_on_disk(about, tmp_path) -> None:
    """As float16, each different text once."""
    made = cache.embedded(TEXTS, about, tmp_path, load=lambda _about: Counting(), room=Room(0))
    assert isinstance(made, Ordered)
    assert made.dtype == np.float16
    assert made.features.shape == (len({*TEXTS}), 3)
    np.testing.assert_array_equal(every(made), Counting()(TEXTS))


def test_no_encoder_is_loaded_where_all_is_kept(about, tmp_path) -> None:
    """A second run needs neither the network nor its libraries."""
    cache.embedded(TEXTS, about, tmp_path, load=lambda _about: Counting())
    cache.embedded(TEXTS[:5], about, tmp_path, load=lambda _about: pytest.fail("an encoder is loaded"))


@pytest.mark.usefixtures("small")
def test_a_run_that_was_stopped_goes_on_and_gives_the_same_bits(about, tmp_path) -> None:
    """The real encoder, stopped after two shards: what is kept is not made again, and nothing tells the results apart."""
    texts = [f"a {'good ' * (n % 7)}film {n}" for n in range(17)]
    whole = cache.embedded(texts, about, tmp_path / "whole")
    asked = iter(range(9))

    def check() -> None:
        if next(asked) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cache.embedded(texts, about, tmp_path / "stopped", check=check)
    told: list[tuple[int, int]] = []
    resumed = cache.embedded(texts, about, tmp_path / "stopped", progress=lambda *at: told.append(at))
    assert told == [(8, 17), (12, 17), (16, 17), (17, 17)]
    np.testing.assert_array_equal(every(resumed), every(whole))


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("harm", ["torn", "turned bit"])
def test_a_harmed_shard_is_made_again(about, tmp_path, caplog, harm) -> None:
    """And it is said; what else lies there stays in use."""
    cache.embedded(TEXTS, about, tmp_path, load=lambda _about: Counting())
    harmed = min(tmp_path.rglob("*.safetensors"))
    data = harmed.read_bytes()
    harmed.write_bytes(data[:-3] if harm == "torn" else data[:-3] + bytes([data[-3] ^ 1]) + data[-2:])
    read = Counting()
    made = every(cache.embedded(TEXTS, about, tmp_path, load=lambda _about: read))
    assert len(read.given) == 4
    assert "embedded again" in caplog.text
    np.testing.assert_array_equal(made, Counting()(TEXTS))


def test_shards_of_earlier_versions_are_taken(about, tmp_path) -> None:
    """They say no hash of what they hold."""
    cache.embedded(TEXTS, about, tmp_path, load=lambda _about: Counting())
    for path in tmp_path.rglob("*.safetensors"):
        safetensors.numpy.save_file(safetensors.numpy.load_file(path), path)
    cache.embedded(TEXTS, about, tmp_path, load=lambda _about: pytest.fail("an encoder is loaded"))


def test_encoders_do_not_share_vectors(tiny_encoder, tmp_path) -> None:
    """Another pooling is another encoder."""
    for pooling, count in (("mean", 3), ("max", 3), ("mean", 0)):
        read = Counting()
        cache.embedded(
            ["a", "b", "c"],
            encoder_files.describe(tiny_encoder, pooling=pooling),
            tmp_path,
            load=lambda _about, read=read: read,
        )
        assert len(read.given) == count


def test_no_texts_have_a_width(about, tmp_path) -> None:
    """That of the encoder."""
    assert cache.embedded([], about, tmp_path).shape == (0, 32)


def test_vectors_are_those_of_the_encoder(about, tmp_path) -> None:
    """To float16."""
    texts = ["good film", "bad", "good film"]
    np.testing.assert_allclose(
        every(cache.embedded(texts, about, tmp_path)), reader.load(about)(texts), rtol=1e-3, atol=1e-4
    )


def test_what_float16_does_not_hold_is_refused(about, tmp_path: Path) -> None:
    """Rather than kept as infinity."""
    with pytest.raises(UserError, match="2 of 3 vectors"):
        cache.embedded(
            ["a", "b", "c"],
            about,
            tmp_path,
            load=lambda _about: lambda texts: np.array([[1e5], [np.nan], [1]], np.float32)[: len(texts)],
        )
