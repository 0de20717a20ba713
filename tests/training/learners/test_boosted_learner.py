"""Promises of boosted trees, from the fit to the probabilities."""

import numpy as np
import pytest

from relabel.data.tokens import NOTHING, UNKNOWN, Tokens
from relabel.errors import UserError
from relabel.model import predictor
from relabel.model.artifact import Model
from relabel.training.learner import Watch
from relabel.training.learners import boosted
from relabel.training.learners.boosted import Boosted
from relabel.training.out_of_fold import predict


def learner(texts, **settings) -> Boosted:
    """Make the learner of these texts."""
    return Boosted(int(texts.labels.max()) + 1, texts.terms, **{"max_epochs": 40, **settings})


def same(one: Model, two: Model) -> bool:
    """Tell whether two models have the same bytes."""
    return one.tensors["trees"].tobytes() == two.tensors["trees"].tobytes()


def test_it_learns_what_terms_speak_for(texts, run) -> None:
    """Texts it never saw get their class; a seed gives the same bytes, and another others."""
    first, again, other = (
        learner(texts).fit_one(texts.inputs, texts.member(seed=seed), None, run) for seed in (1, 1, 2)
    )
    found = predict(predictor.load(first), texts.inputs, texts.unseen).argmax(axis=1)
    assert (found == texts.labels[texts.unseen]).mean() > 0.9
    assert same(first, again)
    assert not same(first, other)


def test_a_text_gets_the_same_probabilities_whatever_comes_with_it(texts, run) -> None:
    """Alone and among others, a text's probabilities are the same to the last bit; unknown words change nothing."""
    loaded = predictor.load(learner(texts).fit_one(texts.inputs, texts.member(), None, run))
    some = texts.inputs.take(np.arange(50))
    together = loaded(some)
    for n in range(50):
        ids = some.take(np.array([n])).ids.tolist()
        assert (loaded(Tokens.of([[UNKNOWN, *ids, NOTHING]]))[0] == together[n]).all()


def test_probabilities_are_those_of_xgboost(texts, run) -> None:
    """What is followed in numpy is what XGBoost itself makes of the stored trees."""
    model = learner(texts).fit_one(texts.inputs, texts.member(), None, run)
    xgboost = boosted.library()
    kept = xgboost.Booster(model_file=bytearray(model.tensors["trees"].tobytes()))
    expected = kept.predict(xgboost.DMatrix(boosted.bag(texts.inputs, texts.terms)))
    assert predictor.load(model)(texts.inputs) == pytest.approx(expected, abs=1e-6)


def test_sure_probabilities_are_classes(texts, run) -> None:
    """Targets of 0 and 1 give the model of the classes."""
    sure = np.eye(int(texts.labels.max()) + 1, dtype=np.float32)[texts.labels]
    models = [learner(texts).fit_one(texts.inputs, texts.member(targets), None, run) for targets in (None, sure)]
    assert same(*models)


def test_probability_targets_are_believed(two, run) -> None:
    """With targets of .7, no probability gets near 1."""
    soft = np.where(np.eye(2)[two.labels] == 1, 0.7, 0.3).astype(np.float32)
    model = learner(two).fit_one(two.inputs, two.member(soft), None, run)
    found = predict(predictor.load(model), two.inputs, two.unseen)
    assert found.max(axis=1).mean() == pytest.approx(0.7, abs=0.05)
    assert (found.argmax(axis=1) == two.labels[two.unseen]).mean() > 0.9


def test_rows_of_no_weight_count_for_nothing(two, run) -> None:
    """A row of weight 0 leaves nothing in the model."""
    weights = np.ones(two.labels.size)
    weights[:50] = 0
    with_them = learner(two).fit_one(two.inputs, two.member(weights=weights), None, run)
    assert same(with_them, learner(two).fit_one(two.inputs, two.member(rows=two.training[50:]), None, run))


def test_watched_rows_end_the_fit(two, run) -> None:
    """Where watched labels are wrong from the start, few rounds are made, and the best kept."""
    watch = Watch(two.unseen.astype(np.int32), 1 - two.labels[two.unseen])
    stopped = learner(two, patience=3).fit_one(two.inputs, two.member(), watch, run)
    assert len(run.told) < 10
    assert same(stopped, learner(two, max_epochs=1).fit_one(two.inputs, two.member(), None, run))


def test_a_fit_can_be_ended_between_rounds(two, stopped) -> None:
    """What a safe point raises comes out at once."""
    with pytest.raises(KeyboardInterrupt):
        learner(two).fit_one(two.inputs, two.member(), None, stopped)
    assert stopped.told == [(1, 40), (2, 40)]


def test_torn_and_changed_trees_are_refused_or_followed_to_an_end(two, run) -> None:
    """Whatever bytes of the stored trees are cut off or changed, they are refused, or give probabilities."""
    model = learner(two, max_epochs=3).fit_one(two.inputs, two.member(), None, run)
    whole, rng, refused = model.tensors["trees"], np.random.default_rng(0), 0
    for _ in range(300):
        changed = whole[: rng.integers(1, whole.size)].copy() if rng.random() < 0.3 else whole.copy()
        changed[rng.integers(0, changed.size, 3)] = rng.integers(0, 256, 3)
        try:
            loaded = predictor.load(Model("boosted", model.sizes, {"trees": changed}))
        except UserError:
            refused += 1
        else:
            assert loaded(two.inputs.take(np.arange(20))).sum(axis=1) == pytest.approx(1, abs=1e-5)
    assert refused > 100


@pytest.mark.parametrize("trees", [None, np.zeros(3), np.arange(90, dtype=np.uint8), np.empty(0, np.uint8)])
def test_what_is_no_model_of_xgboost_is_refused(trees) -> None:
    """A missing tensor and one of other bytes are named."""
    tensors = {} if trees is None else {"trees": trees}
    with pytest.raises(UserError, match="model tensor trees"):
        predictor.load(Model("boosted", {"terms": 4, "classes": 2}, tensors))


def test_trees_over_another_vocabulary_are_refused(two, run) -> None:
    """The number of terms that trees ask for must be that of the sizes."""
    model = learner(two).fit_one(two.inputs, two.member(), None, run)
    with pytest.raises(UserError, match="they ask for other ids"):
        predictor.load(Model("boosted", {"terms": 10, "classes": 2}, model.tensors))
