"""Promises of what is measured of texts."""

from __future__ import annotations

import time
import warnings

import numpy as np
import pytest
import readability
from hypothesis import given
from hypothesis import strategies as st

from relabel.text import measures, words
from relabel.text.preprocessing import Preprocessing, Splitter

KNOWN = words.Words(Preprocessing(), ("good", "film", "good film"), ngrams=2)

EASY = "The cat sat on the mat. It was a warm day. We had a good time."
HARD = (
    "Notwithstanding considerable methodological heterogeneity, contemporary investigations unanimously corroborate "
    "environmental determinants of psychological resilience."
)
OTHERS = {
    "German": "Der Film hat uns allen sehr gut gefallen, nur das Ende war ein wenig zu lang und auch etwas traurig.",
    "French": "Ce film nous a beaucoup plu, mais la fin est un peu trop longue et les acteurs ne parlent pas assez fort.",
    "Spanish": "La película nos ha gustado mucho, pero el final es demasiado largo y los actores hablan muy bajo.",
    "Russian": "Фильм нам очень понравился, но конец был слишком длинным.",
    "Chinese": "这部电影我们都很喜欢 只是结尾有点长。",
}


def test_length_and_unknown_words_are_counted() -> None:
    """Of single words, as the model reads them; a text without words has no share, and no text has no measure."""
    found = measures.measure_plain(["Good FILM, bad plot!", "...", ""], KNOWN)
    assert [*found] == [*measures.PLAIN]
    assert found["characters"].tolist()[:2] == [20, 3]
    assert found["words"].tolist()[:2] == [4, 0]
    assert found["unknown_share"][0] == 0.5
    assert np.isnan(found["unknown_share"][1:]).all()
    assert np.isnan(found["words"][2])
    assert all(values.dtype == np.float32 for values in found.values())


def test_hard_texts_are_harder_than_easy_ones() -> None:
    """By every index; and what is said with feeling has a polarity."""
    found = measures.measure_english([EASY, HARD, "I love this wonderful film", "I hate this awful film"])
    assert [*found] == [*measures.ENGLISH]
    for name in ("automated_readability", "coleman_liau", "dale_chall", "flesch_kincaid", "gunning_fog", "smog", "lix"):
        assert found[name][0] < found[name][1], name
    assert found["flesch_reading_ease"][0] > found["flesch_reading_ease"][1]
    assert found["difficult_words"][0] <= 1 < found["difficult_words"][1]
    assert found["polarity"][2] > 0.4 > -0.4 > found["polarity"][3]
    assert found["subjectivity"][1] < found["subjectivity"][2]


@given(st.lists(st.lists(st.sampled_from([*EASY.split(), *HARD.split(), "Etc", "60", "e.g"]), min_size=1), min_size=1))
def test_indices_are_those_of_the_package(sentences) -> None:
    """Counting each word once changes no figure."""
    text = ". ".join(" ".join(sentence) for sentence in sentences)
    split = Splitter(Preprocessing(lowercase=False))
    lines = [" ".join(found) for sentence in measures.SENTENCE.split(text) if (found := split(sentence))]
    grades = readability.getmeasures("\n".join(lines), lang="en")
    of = grades["readability grades"]
    expected = [of[name] for name in ("ARI", "Coleman-Liau", "DaleChallIndex")]
    expected += [grades["sentence info"]["complex_words_dc"]]
    expected += [of[name] for name in ("Kincaid", "FleschReadingEase", "GunningFogIndex", "SMOGIndex", "LIX")]
    assert measures._Readability()(text) == pytest.approx(expected)


def test_english_is_told_from_other_languages() -> None:
    """By its function words, in sentences as in a few words."""
    assert measures.english_share([EASY, "I love this film", "Not for me, it is too long"]) > 0.3
    for language, text in OTHERS.items():
        assert measures.english_share([text]) < 0.1, language
    assert measures.english_share(["", "!"]) == 0


@pytest.mark.parametrize(
    "text",
    ["", "!?", "\ud800", "\x00\x1f", "😀" * 50, "مرحبا بالعالم", "<br /><br>", "&#9999999999;", "1 2 3", "a" * 5000],
    ids=ascii,
)
def test_strange_texts_are_measured_or_not(text) -> None:
    """They raise nothing and warn of nothing; a figure is a number or missing."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = {**measures.measure_plain([text], KNOWN), **measures.measure_english([text])}
    assert not any(np.isinf(values).any() for values in found.values())


@pytest.mark.parametrize("text", [".", "!", ". ", "\n", "<br", "<br ", "a.b.", '"', '."', "(", "not ", ":)", "U.S."])
def test_no_text_takes_long(text) -> None:
    """A megabyte of what a pattern may stumble over: below two seconds, with all measures."""
    long = text * (1_000_000 // len(text))
    measures.measure_english(["warm"])
    started = time.monotonic()
    measures.measure_plain([long], KNOWN)
    measures.measure_english([long])
    assert time.monotonic() - started < 2
