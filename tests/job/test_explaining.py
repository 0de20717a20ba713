"""Promises of the explanation of doubtful rows."""

from __future__ import annotations

import numpy as np
import pytest

from relabel.auditing.examine import Audit
from relabel.data.examples import Examples
from relabel.data.texts import Texts
from relabel.data.tokens import Tokens
from relabel.job import explaining
from relabel.model import predictor
from relabel.model.artifact import Model
from relabel.results import explanations
from relabel.text import words
from relabel.text.preprocessing import Preprocessing
from relabel.training import folds
from relabel.training.learners.boosted import Boosted
from relabel.training.learners.tfidf import Tfidf
from relabel.training.out_of_fold import out_of_fold

TRAIN, TEST = 300, 60


class Unheard:
    """A run that nobody stops."""

    kept = None

    def safe_point(self, *_told) -> None:
        """Go on."""


@pytest.fixture(scope="module")
def examples() -> Examples:
    """Texts that say good or bad somewhere, one label in eight of them wrong, every tenth without a text."""
    rng, count = np.random.default_rng(0), TRAIN + TEST
    true = rng.integers(0, 2, count)
    rest = [" ".join(f"w{n}" for n in rng.integers(0, 60, 8)) for _ in range(count)]
    texts = np.array([f"{other} {('bad', 'good')[label]}" for other, label in zip(rest, true, strict=True)], object)
    texts[::10] = ""
    return Examples(
        features=None,
        labels=np.where(np.arange(count) % 8 == 3, 1 - true, true),
        split=np.repeat([0, 2], [TRAIN, TEST]).astype(np.uint8),
        group=np.arange(count),
        left_out=np.zeros(count, bool),
        trusted=np.zeros(count, bool),
        ids=np.array([f"id{n}" for n in range(count)], object),
        texts=Texts.of(texts),
        classes=("neg", "pos"),
        files=("train/all.csv",),
        file=np.zeros(count, np.int32),
        row=np.arange(count),
    )  # fmt: skip


@pytest.fixture(scope="module")
def read(examples) -> words.Words:
    """Give a reader of the texts' words."""
    return words.learned(examples.texts[:TRAIN], Preprocessing(), vocabulary=100)


def fitted(examples: Examples, read: words.Words, kind: str) -> tuple[folds.FoldPlan, list[Model], Tokens]:
    """Fit the members of three folds."""
    every = np.ones(len(examples), np.float32)
    training = np.arange(len(examples)) < TRAIN
    plan = folds.plan(examples.labels, examples.group, training, folds=3, repeats=1, seed=0)
    terms, inputs = len(read.terms), read(examples.texts)
    learner = Boosted(2, terms, max_epochs=20) if kind == "boosted" else Tfidf(2, terms)
    members = folds.members(plan, examples.labels, every)
    return plan, [learner.fit_one(inputs, member, None, Unheard()) for member in members], inputs


def audited(examples: Examples, probability: np.ndarray) -> Audit:
    """Flag the rows whose label is not the likeliest."""
    given = probability[np.arange(len(examples)), examples.labels]
    doubt = 0.5 - given
    nothing = {"clean": probability, "expected": 0.0, "low": 0.0, "high": 0.0, "noise": None, "verdict": None}
    return Audit(
        probability=probability,
        posterior=1 - given,
        suggested=1 - examples.labels,
        flagged=doubt > 0,
        doubt=doubt,
        **nothing,
    )


@pytest.mark.parametrize(("kind", "method"), [("linear", "exact"), ("boosted", "occlusion")])
def test_doubtful_rows_are_explained_by_a_model_that_did_not_learn_from_them(examples, read, kind, method) -> None:
    """The word that decides nearly always comes first, for the suggested label, in the order of the doubt."""
    plan, models, inputs = fitted(examples, read, kind)
    audit = audited(examples, out_of_fold([predictor.load(model) for model in models], plan, inputs))
    found = explaining.explained(examples, audit, plan, models, read, seed=0)
    assert found.of == found.rows.size == (audit.flagged & ~examples.texts.blank).sum()
    assert (np.diff(audit.doubt[found.rows]) <= 0).all()
    assert not examples.texts.blank[found.rows].any()
    assert {reason.method for reason in found.reasons} == {method}
    assert found.fidelity is None
    assert found.faithfulness.low > 0
    clear = [(row, reason) for row, reason in zip(found.rows, found.reasons, strict=True) if row % 8 == 3]
    assert len(clear) > 20
    decisive = [reason.words[0][0] == examples.texts[row].split()[-1] for row, reason in clear]
    assert np.mean(decisive) > 0.8
    for row, reason in clear:
        assert reason.label == 1 - examples.labels[row]
        if row < TRAIN:
            own = predictor.load(models[plan.fold[0, row]])(inputs.take(np.array([row])))[0]
            assert reason.probability == pytest.approx(own[reason.label], abs=1e-6)


def test_a_model_of_words_stands_in_for_one_of_embeddings(examples, read) -> None:
    """Without a reader, texts and the audit's probabilities are enough, and it is said how well the words stand in."""
    plan, models, inputs = fitted(examples, read, "linear")
    audit = audited(examples, out_of_fold([predictor.load(model) for model in models], plan, inputs))
    found = explaining.explained(examples, audit, plan, models, None, seed=0)
    assert found.side
    assert found.fidelity.agreement > 0.9
    figures = explanations.as_dict(found)
    assert (figures["model"], figures["rows"]) == ("side", found.rows.size)
    assert len(explanations.sentences(found)) == 3
    again = explaining.explained(examples, audit, plan, models, None, seed=0)
    assert again.reasons == found.reasons


def test_of_very_many_texts_a_draw_teaches_the_model_of_words(examples, read, monkeypatch) -> None:
    """As many others tell how well it does; the same rows are explained."""
    plan, models, inputs = fitted(examples, read, "linear")
    audit = audited(examples, out_of_fold([predictor.load(model) for model in models], plan, inputs))
    whole = explaining.explained(examples, audit, plan, models, None, seed=0)
    monkeypatch.setattr(explaining, "SIDE", 40)
    found, again = (explaining.explained(examples, audit, plan, models, None, seed=0) for _ in range(2))
    assert found.rows.tolist() == whole.rows.tolist()
    assert found.fidelity.rows == 40 < whole.fidelity.rows
    assert found.reasons == again.reasons != whole.reasons


def test_what_is_too_much_is_said(examples, read, monkeypatch) -> None:
    """Of more rows than can be asked about the worst are explained, and how many there are is told."""
    plan, models, inputs = fitted(examples, read, "boosted")
    audit = audited(examples, out_of_fold([predictor.load(model) for model in models], plan, inputs))
    monkeypatch.setattr(explaining, "WORDS", 500)
    found = explaining.explained(examples, audit, plan, models, read, seed=0)
    assert 0 < found.rows.size < found.of
    assert f"{found.rows.size} of {found.of}" in explanations.sentences(found)[0]


def test_nothing_to_explain(examples, read) -> None:
    """Where no doubtful row has a text there is nothing."""
    plan, models, _ = fitted(examples, read, "linear")
    sure = audited(examples, np.eye(2)[examples.labels])
    assert explaining.explained(examples, sure, plan, models, read, seed=0) is None
