"""Promises of explanations and of their faithfulness."""

from __future__ import annotations

import numpy as np
import pytest

from relabel.data.tokens import FIRST, Tokens
from relabel.model import explanation, faithfulness, predictor
from relabel.model.artifact import Model
from relabel.model.explanation import Explanation, explain
from relabel.text.preprocessing import Preprocessing
from relabel.text.words import Words

VOCABULARY = ("good", "bad", "film", "not", "not good", "very", *(f"w{n}" for n in range(400)))


def reader(**settings) -> Words:
    """Make a reader of words and pairs of words."""
    return Words(Preprocessing(), VOCABULARY, ngrams=2, **settings)


def linear(classes: int = 2) -> predictor.Predictor:
    """Make a linear model that knows good, bad and not good; of three classes the last is never likely."""
    weight = np.zeros((len(VOCABULARY) + FIRST, classes), np.float32)
    for term, value in (("good", 3.0), ("bad", -3.0), ("not good", -6.0)):
        weight[FIRST + VOCABULARY.index(term), 1] = value
    idf = np.ones(len(VOCABULARY) + FIRST, np.float32)
    idf[:FIRST] = 0
    bias = np.array([0.0, 0.2, -5.0][:classes], np.float32)
    sizes = {"terms": len(VOCABULARY), "classes": classes}
    return predictor.load(Model("tfidf", sizes, {"idf": idf, "weight": weight, "bias": bias}))


class Opaque:
    """A model that nothing is known of but what it answers."""

    inputs = 0

    def __init__(self, inside: predictor.Predictor) -> None:
        self._inside, self.classes = inside, inside.classes
        self.asked = 0

    def __call__(self, inputs: Tokens) -> np.ndarray:
        self.asked += len(inputs)
        return self._inside(inputs)


class Letters:
    """A reader and a model in one, of raw texts: positive where `good` stands in them, whatever else does."""

    inputs, classes = 0, 2

    def read(self, texts: list[str]) -> list[str]:
        """Give texts as they are."""
        self.seen = [*texts]
        return self.seen

    def __call__(self, inputs: list[str]) -> np.ndarray:
        positive = np.array([0.9 if "good" in text.lower() else 0.2 for text in inputs])
        return np.stack([1 - positive, positive], axis=1).astype(np.float32)


def odds(texts: list[str], label: int) -> np.ndarray:
    """Give the linear model's log odds of a class."""
    return explanation.log_odds(linear()(reader()(texts))[:, label])


@pytest.mark.parametrize(
    "text", ["A good film", "a film, not good!", "bad bad good film w1 w2 w3", "very not good not bad"]
)
def test_words_of_a_linear_model_make_up_its_log_odds(text) -> None:
    """What the words bring adds up to the log odds, less the bias; nothing is left over for pairs of words."""
    (found,) = explain([text], reader(), linear(), top=100)
    bias = 0.2 if found.label == 1 else -0.2
    assert found.method == "exact"
    assert sum(weight for _, weight in found.words) == pytest.approx(odds([text], found.label)[0] - bias, abs=1e-4)


def test_words_of_other_models_are_left_out_one_by_one() -> None:
    """A word is worth the fall of the log odds without it, wherever it stands; words that change nothing are not named."""
    text = "bad film bad w1"
    (found,) = explain([text], reader(), Opaque(linear()))
    assert found.label == 0
    assert found.method == "occlusion"
    assert found.probability == pytest.approx(linear()(reader()([text]))[0, 0])
    whole = odds([text], 0)[0]
    left = dict(zip(["bad", "film", "w1"], whole - odds(["film w1", "bad bad w1", "bad film bad"], 0), strict=True))
    assert dict(found.words) == pytest.approx(left, abs=1e-4)
    assert [word for word, _ in found.words] == sorted(left, key=lambda word: -abs(left[word]))


def test_the_class_that_is_asked_for_is_explained() -> None:
    """What speaks for a class speaks against the other one."""
    text = ["very good film"]
    (one,), (other,) = (explain(text, reader(), linear(), labels=np.array([label])) for label in (0, 1))
    assert one.probability == pytest.approx(1 - other.probability)
    assert dict(one.words) == pytest.approx({word: -weight for word, weight in other.words})


def test_with_more_classes_words_stand_against_the_mean_of_the_others() -> None:
    """A word that speaks for one class alone brings that much."""
    (found,) = explain(["good"], reader(), linear(3))
    assert found.words == (("good", pytest.approx(3.0)),)


def test_in_long_texts_the_words_that_matter_are_found_without_asking_for_each() -> None:
    """Of 300 distinct words the one that decides is found, in far fewer predictions."""
    words = [f"w{n}" for n in range(300)]
    words.insert(217, "bad")
    model = Opaque(linear())
    (found,) = explain([" ".join(words)], reader(), model)
    assert found.words[0][0] == "bad"
    assert model.asked <= explanation.SINGLE + explanation.RUNS + 2


def test_raw_texts_keep_all_but_the_word(monkeypatch) -> None:
    """Where a model reads raw text, punctuation and spaces stay, and a word goes in every spelling."""
    monkeypatch.setattr(explanation, "PIECES_AT_ONCE", 1)
    model = Letters()
    seen: list[str] = []

    def read(texts: list[str]) -> list[str]:
        seen.extend(texts)
        return texts

    (found,) = explain(["Good, really GOOD: film!"], read, model)
    assert found.words == (("good", pytest.approx(np.log(9) + np.log(4), abs=1e-4)),)
    assert ", really : film!" in seen


@pytest.mark.parametrize("text", ["", "   ", "?!", "unheard words", "\u202e\x00\ud83d"])
def test_texts_without_known_words_have_no_reasons(text) -> None:
    """They get the class and probability that the model gives them, and no words."""
    for model in (linear(), Opaque(linear())):
        (found,) = explain([text], reader(), model)
        assert found.words == ()
        assert found.probability == pytest.approx(1 / (1 + np.exp(-0.2)))


def test_many_texts_are_explained_as_each_alone() -> None:
    """Batches change nothing."""
    texts = [f"good w{n} bad film" if n % 3 else "not good" for n in range(70)]
    together = explain(texts, reader(), Opaque(linear()))
    assert together == [explain([text], reader(), Opaque(linear()))[0] for text in texts]
    assert explain([], reader(), linear()) == []


def test_an_explanation_is_plain_json() -> None:
    """It names the class, and rounds."""
    found = Explanation(1, 0.12345678, (("good", 1.23456),), "exact")
    expected = {"label": "pos", "probability": 0.123457, "method": "exact", "words": [["good", 1.2346]]}
    assert found.as_dict(["neg", "pos"]) == expected


def test_true_reasons_are_more_faithful_than_chance() -> None:
    """Leaving out the word that decides takes the probability away, leaving out any other does not."""
    texts = [f"bad film w{n} w{n + 1} w{n + 2} w{n + 3}" for n in range(40)]
    found = explain(texts, reader(), Opaque(linear()))
    told = faithfulness.measure(texts, found, reader(), linear(), words=1)
    assert told.texts == 40
    assert told.fall == pytest.approx(told.area)
    assert told.low > 0.2
    assert told.difference == pytest.approx(told.fall - told.random)
    assert f"{told.fall:.3f}" in told.sentence()


def test_made_up_reasons_are_no_more_faithful_than_chance() -> None:
    """Words named at random have a difference whose interval holds 0."""
    rng = np.random.default_rng(0)
    texts = [f"bad film w{n} w{n + 1} w{n + 2} w{n + 3}" for n in range(40)]
    made_up = [Explanation(0, 0.9, ((str(rng.choice(text.split())), 1.0),), "occlusion") for text in texts]
    told = faithfulness.measure(texts, made_up, reader(), linear())
    assert told.low < 0 < told.high


def test_nothing_is_said_of_explanations_without_words() -> None:
    """Where no text has a word that speaks for its class, there is nothing to measure."""
    texts = ["film", "w1 w2", "bad"]
    assert faithfulness.measure(texts, explain(texts, reader(), linear()), reader(), linear()) is None
