"""One window against the reference: quiet where nothing has changed, loud where something has."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relabel.evaluation.drift import window
from relabel.evaluation.drift.told_apart import told_apart
from relabel.evaluation.drift.window import CLASSES, CONFIDENCE, INPUTS, Rows

NAMES = [f"n{place}" for place in range(6)]


def made(rng, rows, *, moved=0.0, share=1.0, positive=0.5, sure=0.5) -> Rows:
    """Six normal numbers, of which a share of the rows has two that are moved, and the probabilities of two classes."""
    seen = rng.standard_normal((rows, 6), dtype=np.float32)
    seen[: int(share * rows), :2] += moved
    top = rng.uniform(sure, 1, rows)
    first = rng.random(rows) >= positive
    p = np.where(first, top, 1 - top)
    return Rows(seen, np.stack([p, 1 - p], axis=1).astype(np.float32))


def p_values(reference, rows, seed=0):
    """Give the corrected p-values of a window."""
    return window.judge(reference, rows, NAMES, np.random.default_rng(seed)).p


def test_luck_alone_is_no_drift():
    """Of windows of the reference's own population no more than the error that is allowed drift."""
    rng = np.random.default_rng(1)
    drifted = [min(p_values(made(rng, 150), made(rng, 80), n).values()) <= 0.05 for n in range(60)]
    assert np.mean(drifted) <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / 60)


def test_a_quarter_of_strange_rows_is_drift():
    """Windows of which a quarter comes from elsewhere are seen at least four times in five."""
    rng = np.random.default_rng(2)
    reference = made(rng, 400)
    seen = [p_values(reference, made(rng, 300, moved=3, share=0.25), n)[INPUTS] <= 0.05 for n in range(20)]
    assert np.mean(seen) >= 0.8


@pytest.mark.parametrize(
    ("change", "test"), [({"moved": 1.0}, INPUTS), ({"sure": 0.75}, CONFIDENCE), ({"positive": 0.75}, CLASSES)]
)
def test_each_change_has_its_test(change, test):
    """What comes in, how sure the model is and what it predicts are told apart."""
    rng = np.random.default_rng(3)
    p = p_values(made(rng, 300), made(rng, 300, **change))
    assert p[test] <= 0.01
    assert {name for name, value in p.items() if value <= 0.01} == {test}


def test_what_moved_most_is_named_first():
    """The measures that moved lead the list, and the rows that came from elsewhere are those that look strangest."""
    rng = np.random.default_rng(4)
    found = window.judge(made(rng, 400), made(rng, 300, moved=3, share=0.3), NAMES, rng)
    assert {one.name for one in found.moved[:2]} == {"n0", "n1"}
    assert (found.order[:40] < 90).mean() > 0.9
    assert found.auc > 0.6


def test_names_that_are_dealt_anew_do_as_well():
    """The p of rows that cannot be told apart is anything from 0 to 1: exact, so that it is at most 0.1 for one in ten."""
    rng = np.random.default_rng(5)
    rows = rng.standard_normal((300, 60, 4), dtype=np.float32)
    p = np.array([told_apart(one[:35], one[35:], rng, deals=39).p for one in rows])
    assert 0.05 < (p <= 0.1).mean() < 0.16
    assert 0.4 < p.mean() < 0.6


def test_numbers_that_do_not_vary_say_nothing():
    """Constant numbers, and numbers of very different sizes, are no fault."""
    rng = np.random.default_rng(6)
    rows = made(rng, 200)
    rows.seen[:, 3] = 7.0
    rows.seen[:, 4] *= 30_000
    p = p_values(rows.take(np.arange(100)), rows.take(np.arange(100, 200)))
    assert min(p.values()) > 0.01


@given(st.dictionaries(st.text(max_size=3), st.floats(0, 1), min_size=1, max_size=5))
def test_holm_only_ever_raises(plain):
    """A corrected p is not below its own, not above 1, keeps the order, and the smallest is the count times itself."""
    found = window.holm(plain)
    assert list(found) == list(plain)
    assert all(plain[name] <= found[name] <= 1 for name in plain)
    assert min(found.values()) == pytest.approx(min(1, len(plain) * min(plain.values())))
