"""Promises of the choice of rows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relabel.errors import AlgorithmError
from relabel.loop import choosing
from relabel.loop.choosing import RANDOM, TEST, UNSURE


def pool(rows: int, seed: int = 0):
    """Draw probabilities and vectors."""
    rng = np.random.default_rng(seed)
    one = rng.random(rows)
    return np.stack([one, 1 - one], axis=1), rng.standard_normal((rows, 8)).astype(np.float32)


@given(
    rows=st.integers(5, 60),
    count=st.integers(1, 80),
    test=st.floats(0, 1),
    chance=st.floats(0, 1),
    method=st.sampled_from(["margin", "random"]),
    seed=st.integers(0, 99),
)
def test_no_row_is_chosen_twice_nor_one_that_was_asked(*, rows, count, test, chance, method, seed) -> None:
    """Whatever is asked for; test rows are of this round's traffic, and no more are chosen than asked for."""
    probability, vectors = pool(rows, seed)
    rng = np.random.default_rng(seed)
    asked, fresh = rng.random(rows) < 0.3, rng.random(rows) < 0.5
    found = choosing.choose(
        *(probability, vectors, count),
        fresh=fresh,
        asked=asked,
        test_share=test,
        random_share=chance,
        method=method,
        seed=seed,
    )
    assert len({*found.rows.tolist()}) == found.rows.size <= count
    assert not asked[found.rows].any()
    assert fresh[found.rows[found.why == TEST]].all()


def test_test_rows_are_a_draw_by_chance_that_the_model_has_no_say_in() -> None:
    """They are the same whatever the model is unsure of and whatever method chooses the others, and each row is as likely."""
    _, vectors = pool(300)
    everything = np.ones(300, np.bool_)
    drawn = np.zeros(300)
    for seed in range(100):
        rows = [
            choosing.choose(
                *(pool(300, k)[0], vectors, 60),
                fresh=everything,
                asked=~everything,
                test_share=0.5,
                method=method,
                seed=seed,
            )
            for k, method in ((1, "margin"), (2, "random"))
        ]
        test = [{*found.rows[found.why == TEST].tolist()} for found in rows]
        assert test[0] == test[1]
        drawn[[*test[0]]] += 1
    assert drawn.mean() == pytest.approx(10)
    assert ((drawn - 10) ** 2 / 9).mean() == pytest.approx(1, abs=0.25)  # as a binomial spreads


def test_unsure_rows_are_less_sure_than_those_drawn_by_chance() -> None:
    """And parts are as large as was asked for."""
    probability, vectors = pool(1000)
    everything = np.ones(1000, np.bool_)
    found = choosing.choose(
        *(probability, vectors, 100),
        fresh=everything,
        asked=~everything,
        test_share=0.2,
        random_share=0.25,
        method="margin",
        seed=0,
    )
    assert [int((found.why == part).sum()) for part in (TEST, RANDOM, UNSURE)] == [20, 20, 60]
    margin = np.abs(probability[:, 0] - probability[:, 1])
    assert margin[found.rows[found.why == UNSURE]].mean() < 0.6 * margin[found.rows[found.why == RANDOM]].mean()


def test_shapes_that_do_not_fit_are_refused() -> None:
    """With what was seen."""
    probability, vectors = pool(5)
    marks = np.ones(4, np.bool_)
    with pytest.raises(AlgorithmError, match="5 probabilities"):
        choosing.choose(
            probability, vectors, 1, fresh=marks, asked=marks, test_share=0, random_share=0, method="margin", seed=0
        )
