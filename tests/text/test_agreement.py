"""Promises of the check that an encoder belongs to given embeddings."""

import numpy as np
import pytest

from relabel.data.examples import Dense
from relabel.errors import UserError
from relabel.text import agreement, encoder_files, reader

TEXTS = [f"a {'good' if n % 2 else 'bad'} film {'and fine ' * (n % 5)}{n}" for n in range(90)]


@pytest.fixture(scope="module")
def read(tiny_encoder) -> reader.Reader:
    """The encoder."""
    return reader.load(encoder_files.describe(tiny_encoder))


def test_its_own_embeddings_agree(read) -> None:
    """Also when they were stored as float16; there is nothing to note."""
    assert agreement.check(TEXTS, Dense(read(TEXTS).astype(np.float16)), read) == ""


@pytest.mark.parametrize("scale", [0.5, 1.02])
def test_embeddings_of_another_length_do_not(read, scale) -> None:
    """A direction alone is not what a model was trained on."""
    with pytest.raises(UserError, match=r"48 of 48.*median cosine 1\.000"):
        agreement.check(TEXTS, Dense(read(TEXTS) * scale), read)


def test_embeddings_of_other_texts_do_not(read) -> None:
    """The message counts them, and says what to do; no text is quoted."""
    with pytest.raises(UserError, match=r"of 48 embeddings are not.*give the encoder") as caught:
        agreement.check(TEXTS, Dense(read(TEXTS)[::-1].copy()), read)
    assert "film" not in str(caught.value)


def test_another_pooling_does_not(tiny_encoder, read) -> None:
    """Neither of the same width, nor of another, which is told apart."""
    for pooling, said in (("cls", "are not what"), ("mean+max", "64 wide, and the encoder's vectors 32")):
        other = reader.load(encoder_files.describe(tiny_encoder, pooling=pooling))
        with pytest.raises(UserError, match=said):
            agreement.check(TEXTS, Dense(other(TEXTS)), read)


def test_a_few_texts_that_were_cut_before_are_noted(read) -> None:
    """And do not end a job."""
    given = read(TEXTS)
    given[[n for n in range(90) if n % 30 == 0]] = read(["other text"])[0]
    assert "embeddings are not" in agreement.check(TEXTS, Dense(given), read, seed=3)


def test_rows_without_text_are_not_looked_at(read) -> None:
    """Where no row has one there is nothing to say."""
    vectors = np.zeros((90, 32), np.float32)
    assert agreement.check([""] * 90, Dense(vectors), read) == ""
    vectors[7] = read(["good film"])[0]
    assert agreement.check([*[" "] * 7, "good film", *[""] * 82], Dense(vectors), read) == ""
