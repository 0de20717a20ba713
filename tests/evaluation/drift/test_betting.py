"""Bets that may be looked at for ever: they rarely win by luck, and soon where something has changed."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from relabel.evaluation.drift import betting
from relabel.evaluation.drift.betting import Evidence
from relabel.evaluation.drift.window import Rows

ALPHA = 0.05


def made(rng, rows, *, strange=0.0) -> Rows:
    """Five normal numbers, of which in a share of the rows the first is 3 larger, and a probability that does not change."""
    seen = rng.standard_normal((rows, 5), dtype=np.float32)
    seen[rng.random(rows) < strange, 0] += 3
    top = rng.uniform(0.5, 1, rows).astype(np.float32)
    return Rows(seen, np.stack([top, 1 - top], axis=1))


def played(rng, reference, shares, rows=60) -> list[Evidence]:
    """Bet on batches with a share of strange rows each."""
    game, evidence, found = betting.table(reference, ALPHA), Evidence.none(), []
    for share in shares:
        evidence = betting.bet(evidence, game, made(rng, rows, strange=share))
        found.append(evidence)
    return found


def test_it_rarely_alarms_by_luck_however_often_one_looks():
    """Of 40 sequences of 25 batches without a change hardly any alarms at any time, though all meet one reference of few rows."""
    rng = np.random.default_rng(0)
    alarms = [any(one.alarms(ALPHA) for one in played(rng, made(rng, 200), [0.0] * 25)) for _ in range(40)]
    assert np.mean(alarms) <= ALPHA + 2 * np.sqrt(ALPHA * (1 - ALPHA) / 40)


def test_a_batch_without_change_wins_nothing_on_the_average():
    """Where the bound is the true share, the mean of what a bet pays is 1, and where the share is smaller it is less."""
    share, every = np.array([0.2, 0.05]), np.arange(51)[:, None]
    paid = np.exp([betting._paid(hits, 50, share) for hits in every])
    np.testing.assert_allclose((binom.pmf(every, 50, share) * paid).sum(axis=0), 1)
    fewer = (binom.pmf(every, 50, share / 2) * paid).sum(axis=0)
    assert (fewer < 1).all()


def test_a_lasting_change_is_seen_soon():
    """A third of strange rows is proved within a few batches, the second at the earliest: the first says where to look."""
    rng = np.random.default_rng(2)
    found = played(rng, made(rng, 600), [0.3] * 8)
    assert not found[0].alarms(ALPHA)
    assert found[4].alarms(ALPHA)


def test_a_quiet_past_costs_little():
    """After 60 batches without a change the same change is proved within a few batches still."""
    rng = np.random.default_rng(3)
    found = played(rng, made(rng, 600), [0.0] * 60 + [0.4] * 8)
    assert not found[59].alarms(ALPHA)
    assert found[67].alarms(ALPHA)


def test_what_is_kept_between_looks_is_all_that_counts():
    """Going on from what was kept is the same as never having stopped."""
    rng = np.random.default_rng(4)
    reference, first, second = made(rng, 300), made(rng, 80, strange=0.3), made(rng, 80, strange=0.3)
    one = betting.bet(
        betting.bet(Evidence.none(), betting.table(reference, ALPHA), first), betting.table(reference, ALPHA), second
    )
    kept = betting.bet(Evidence.none(), betting.table(reference, ALPHA), first)
    again = Evidence(kept.batches, kept.rows, np.array(kept.sums.tolist()), np.array(kept.stakes.tolist()))
    assert betting.bet(again, betting.table(reference, ALPHA), second).log_wealth == one.log_wealth


def test_bounds_hold():
    """The upper bound of a share is missed as rarely as it is said, at 0, in between and at all rows."""
    rng = np.random.default_rng(5)
    for share in (0.0, 0.03, 0.5, 1.0):
        hits = rng.binomial(40, share, 2000)
        assert np.mean(betting._upper(hits, 40, 0.1) < share - 1e-5) <= 0.1


def test_nobody_wins_more_than_there_is_to_win():
    """Wealth before any batch is 1, and rows far beyond all others are no fault."""
    assert Evidence.none().log_wealth == pytest.approx(0)
    rng = np.random.default_rng(6)
    wild = made(rng, 50)
    wild.seen[:] = 60_000
    game = betting.table(made(rng, 200), ALPHA)
    found = betting.bet(betting.bet(Evidence.none(), game, wild), game, wild)
    assert np.isfinite(found.log_wealth)
    assert found.alarms(ALPHA)
