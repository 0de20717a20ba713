"""Promises of the comparison on verified rows."""

import numpy as np

from relabel.evaluation import verified


def world(rng, rows=2000):
    """Make labels, two models (1, n, 2) of which the second is better, and which rows the audit puts first."""
    labels = rng.integers(0, 2, rows)
    doubt = rng.random(rows)  # how likely a row is asked about, which is where the models differ
    right = [rng.random(rows) < 0.9, rng.random(rows) < np.where(doubt > 0.8, 0.99, 0.91)]
    sides = [np.eye(2)[np.where(good, labels, 1 - labels)][None] * 0.8 + 0.1 for good in right]
    return labels, sides[0], sides[1], np.argsort(-doubt)[: rows // 5]


def test_strata_undo_the_choice_of_rows() -> None:
    """The mean over many reviews is the gain on all test rows, the intervals hold it, and the asked rows alone flatter."""
    rng = np.random.default_rng(0)
    errors, held, flattered = [], 0, []
    for seed in range(60):
        labels, before, after, worst = world(rng)
        truth = ((after[0].argmax(1) == labels).mean()) - ((before[0].argmax(1) == labels).mean())
        rest = np.setdiff1d(np.arange(labels.size), worst)
        chance = rng.choice(rest, 300, replace=False)
        decided, drawn = (np.isin(np.arange(labels.size), rows) for rows in (np.concatenate([worst, chance]), chance))
        found = verified.verify(labels, before, after, np.arange(labels.size), decided=decided, drawn=drawn, seed=seed)
        gain = found.gain["accuracy"]
        errors.append(gain.value - truth)
        held += gain.low <= truth <= gain.high
        flattered.append(found.asked.gain["accuracy"].value - truth)
        assert found.share == 0.8
    assert abs(np.mean(errors)) < 3 * np.std(errors) / np.sqrt(60) + 1e-3
    assert held >= 54
    assert np.mean(flattered) > 0.03


def test_few_drawn_rows_say_nothing() -> None:
    """However many others were verified."""
    labels, before, after, worst = world(np.random.default_rng(0), rows=200)
    decided = np.ones(200, bool)
    drawn = np.zeros(200, bool)
    drawn[: verified.LEAST - 1] = True
    about = {"decided": decided, "seed": 0}
    assert verified.verify(labels, before, after, np.arange(200), drawn=drawn, **about) is None
    assert worst.size == 40


def test_drawn_rows_alone_are_the_whole_comparison() -> None:
    """Where nothing else was asked, the gain is that of the drawn rows, and JSON has it."""
    labels, before, after, _ = world(np.random.default_rng(1), rows=400)
    drawn = np.arange(400) < 100
    found = verified.verify(labels, before, after, np.arange(400), decided=drawn, drawn=drawn, seed=0)
    assert found.asked is None
    assert found.share == 1.0
    assert found.gain["log_loss"] == found.drawn.gain["log_loss"]
    assert found.gain["accuracy"].value == found.drawn.gain["accuracy"].value
    assert found.as_dict()["rows"] == 100


def test_drawn_rows_of_which_none_changed_do_not_rule_out_a_change() -> None:
    """Twenty unchanged rows that stand for nearly all leave room for a loss, whatever the rows say that were asked about."""
    labels = np.zeros(1000, np.int64)
    before = np.tile([0.9, 0.1], (1, 1000, 1))
    before[0, 20:30] = [0.1, 0.9]
    after = np.tile([0.9, 0.1], (1, 1000, 1))
    decided = np.arange(1000) < 60
    found = verified.verify(labels, before, after, np.arange(1000), decided=decided, drawn=np.arange(1000) < 20, seed=0)
    assert found.asked.gain["accuracy"].low > 0
    assert found.gain["accuracy"].low < -0.05
