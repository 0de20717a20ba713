"""Promises of the linear learner of texts."""

import numpy as np
import pytest

from relabel.data.tokens import FIRST
from relabel.model import predictor
from relabel.model.artifact import Model
from relabel.training.learner import Watch
from relabel.training.learners.tfidf import Tfidf
from relabel.training.member import Member
from relabel.training.out_of_fold import predict


def same(one: Model, two: Model) -> bool:
    """Tell whether two models have the same bits."""
    return all((one.tensors[name] == two.tensors[name]).all() for name in one.tensors)


def learner(texts, weight_decay: float = 0.5) -> Tfidf:
    """Make the learner of these texts."""
    return Tfidf(int(texts.labels.max()) + 1, texts.terms, weight_decay)


def test_it_learns_what_terms_speak_for(texts, run) -> None:
    """Texts it never saw get their class, and the same member the same bits."""
    model = learner(texts).fit_one(texts.inputs, texts.member(), None, run)
    found = predict(predictor.load(model), texts.inputs, texts.unseen).argmax(axis=1)
    assert (found == texts.labels[texts.unseen]).mean() > 0.95
    assert same(model, learner(texts).fit_one(texts.inputs, texts.member(seed=5), None, run))


def test_sure_probabilities_are_classes(texts, run) -> None:
    """Targets of 0 and 1 give the model of the classes."""
    sure = np.eye(int(texts.labels.max()) + 1, dtype=np.float32)[texts.labels]
    models = [learner(texts).fit_one(texts.inputs, texts.member(targets), None, run) for targets in (None, sure)]
    assert same(*models)


def test_probability_targets_are_shares_of_a_row(two, run) -> None:
    """A row that is of one class by .8 tells as much as .8 of a row of that class and .2 of one of the other."""
    soft = np.where(np.eye(2)[two.labels] == 1, 0.8, 0.2).astype(np.float32)
    rows = two.training
    apart = Member(
        np.arange(2 * rows.size, dtype=np.int32),
        np.concatenate([two.labels[rows], 1 - two.labels[rows]]),
        np.repeat([0.8, 0.2], rows.size).astype(np.float32),
        0,
    )
    shared = learner(two).fit_one(two.inputs, two.member(soft), None, run)
    split = learner(two).fit_one(two.inputs.take(np.concatenate([rows, rows])), apart, None, run)
    one, other = (predict(predictor.load(model), two.inputs, two.unseen) for model in (shared, split))
    assert one == pytest.approx(other, abs=0.02)  # idf of twice the rows differs a little


def test_rows_of_no_weight_count_for_nothing(two, run) -> None:
    """A row of weight 0 leaves neither its label nor its words in the model."""
    weights = np.ones(two.labels.size)
    weights[:50] = 0
    with_them = learner(two).fit_one(two.inputs, two.member(weights=weights), None, run)
    without = learner(two).fit_one(two.inputs, two.member(rows=two.training[50:]), None, run)
    assert same(with_them, without)


def test_terms_that_it_never_saw_weigh_nothing(two, run) -> None:
    """A term of held-out texts alone has no weight, and no share in a text's length."""
    rows = np.flatnonzero(two.labels == 0)[:100]
    model = learner(two).fit_one(two.inputs, two.member(rows=rows), None, run)
    unseen = np.setdiff1d(np.arange(two.terms + FIRST), two.inputs.take(rows).ids)
    assert unseen.size > FIRST
    assert not model.tensors["idf"][unseen].any()
    assert not model.tensors["weight"][unseen].any()


def test_watched_rows_choose_the_penalty(two, run) -> None:
    """With labels wrong in three of ten rows, watched rows choose a stronger penalty, which is better."""
    wrong = np.where(np.random.default_rng(1).random(two.labels.size) < 0.3, 1 - two.labels, two.labels)
    truth = two.labels[two.unseen]
    watch = Watch(two.unseen.astype(np.int32), truth)
    losses = []
    for watched in (None, watch):
        model = learner(two, 0.01).fit_one(two.inputs, two.member(wrong), watched, run)
        probability = predict(predictor.load(model), two.inputs, two.unseen)
        losses.append(-np.log(probability[np.arange(truth.size), truth]).mean())
    assert losses[1] < losses[0]


def test_a_fit_can_be_ended_between_steps(two, stopped) -> None:
    """What a safe point raises comes out at once."""
    with pytest.raises(KeyboardInterrupt):
        learner(two).fit_one(two.inputs, two.member(), None, stopped)
    assert [done for done, _ in stopped.told] == [0, 1, 2]
