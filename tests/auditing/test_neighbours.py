"""Promises of the view and its neighbours."""

import numpy as np

from relabel.auditing import neighbours
from relabel.auditing.neighbours import QUICK, THOROUGH
from relabel.data.examples import Dense


def rows(n=5000, width=96, seed=0) -> np.ndarray:
    """Rows with most of their variance in a few directions, far from the origin."""
    rng = np.random.default_rng(seed)
    x = 10 + rng.standard_normal((n, 16)) @ rng.standard_normal((16, width)) + rng.standard_normal((n, width))
    return x.astype(np.float32)


def nearest(points: np.ndarray, k: int) -> np.ndarray:
    """The exact neighbours."""
    cosine = points @ points.T
    np.fill_diagonal(cosine, -2)
    return np.argsort(-cosine, axis=1, kind="stable")[:, :k]


def recall(found: np.ndarray, exact: np.ndarray) -> float:
    """Share of the exact neighbours that were found."""
    return float(np.mean([len({*a} & {*b}) / len(b) for a, b in zip(found.tolist(), exact.tolist(), strict=True)]))


def test_few_rows_have_their_exact_neighbours() -> None:
    """Nearest first, never themselves."""
    view = neighbours.view(Dense(rows(800)), QUICK, seed=0)
    graph = neighbours.graph(view.points, np.arange(800), neighbours=10, search=QUICK, seed=0)
    assert recall(graph.index, nearest(view.points, 10)) == 1
    assert (graph.index != np.arange(800)[:, None]).all()
    assert (np.diff(graph.cosine, axis=1) <= 0).all()


def test_many_rows_have_most_of_their_neighbours() -> None:
    """More than half of them through the inverted file, though these rows make no clusters; more where more is spent."""
    view = neighbours.view(Dense(rows(9000)), QUICK, seed=0)
    asked = np.arange(0, 9000, 9)
    cosine = view.points[asked] @ view.points.T
    cosine[np.arange(asked.size), asked] = -2
    exact = np.argsort(-cosine, axis=1)[:, :10]
    quick, thorough = (
        recall(neighbours.graph(view.points, np.arange(9000), neighbours=10, search=s, seed=0).index[asked], exact)
        for s in (QUICK, THOROUGH)
    )
    assert 0.5 < quick < thorough


def test_chosen_rows_are_searched_among_each_other() -> None:
    """Positions of the graph are those among the chosen rows."""
    view = neighbours.view(Dense(rows(400)), QUICK, seed=0)
    chosen = np.arange(0, 400, 3)
    graph = neighbours.graph(view.points, chosen, neighbours=5, search=QUICK, seed=0)
    assert (graph.index == nearest(view.points[chosen], 5)).all()


def test_chosen_rows_find_their_nearest_among_others() -> None:
    """As brute force does, where few are searched; themselves where they are among them; -1 where there are too few."""
    view = neighbours.view(Dense(rows(900)), QUICK, seed=0)
    asked, among = np.arange(0, 900, 7), np.arange(1, 900, 2)
    found, cosine = neighbours.nearest(view.points, asked, among, neighbours=6, search=QUICK, seed=0)
    exact = view.points[asked] @ view.points[among].T
    assert (found == among[np.argsort(-exact, axis=1, kind="stable")[:, :6]]).all()
    np.testing.assert_allclose(cosine, -np.sort(-exact, axis=1)[:, :6], atol=1e-5)
    assert (found[np.isin(asked, among), 0] == asked[np.isin(asked, among)]).all()
    few, _ = neighbours.nearest(view.points, asked, among[:3], neighbours=6, search=QUICK, seed=0)
    assert few.shape == (asked.size, 3)


def test_many_rows_are_searched_through_lists() -> None:
    """Most of the nearest are found, and the cosine is theirs."""
    view = neighbours.view(Dense(rows(9000)), QUICK, seed=0)
    asked = np.arange(0, 9000, 90)
    found, cosine = neighbours.nearest(view.points, asked, np.arange(9000), neighbours=8, search=QUICK, seed=0)
    exact = np.argsort(-(view.points[asked] @ view.points.T), axis=1)[:, :8]
    assert recall(found, exact) > 0.5
    there = np.einsum("nkd,nd->nk", view.points[found], view.points[asked])
    np.testing.assert_allclose(cosine, there, atol=1e-5)


def test_the_view_loses_no_length_in_the_whole_width() -> None:
    """Points have length 1; all of a row lies in all directions, part of it in some, and columns that never vary are nothing."""
    x = rows(500)
    x[:, 3] = 7
    whole, part = (neighbours.view(Dense(x), search, seed=0) for search in (THOROUGH, QUICK))
    assert np.allclose(np.linalg.norm(whole.points, axis=1), 1, atol=1e-5)
    assert np.allclose(whole.inside, 1, atol=1e-5)
    assert (part.inside < 1).all()
    assert np.allclose(whole.length, part.length)
    assert (whole.points[:, 3] == 0).all()


def test_of_very_many_rows_a_draw_is_looked_at(monkeypatch) -> None:
    """As many as are allowed, each once, rising, others for another seed; few rows are all looked at."""
    monkeypatch.setattr(neighbours, "MOST", 100)
    drawn = neighbours.looked_at((1000, 8), QUICK, seed=0)
    assert drawn.size == 100
    assert (np.diff(drawn) > 0).all()
    assert np.array_equal(drawn, neighbours.looked_at((1000, 8), QUICK, seed=0))
    assert not np.array_equal(drawn, neighbours.looked_at((1000, 8), QUICK, seed=1))
    assert np.array_equal(neighbours.looked_at((100, 8), QUICK, seed=0), np.arange(100))


def test_a_wide_view_holds_fewer_rows() -> None:
    """The whole width takes as much room as the rows that it leaves out."""
    wide, narrow = (neighbours.looked_at((2_000_000, 768), search, seed=0).size for search in (THOROUGH, QUICK))
    assert wide * 768 <= neighbours.NUMBERS
    assert narrow == neighbours.MOST


def test_rows_outside_a_view_can_be_seen_in_it() -> None:
    """They lie where they would lie if the view held them."""
    x = rows(600)
    view = neighbours.view(Dense(x), QUICK, seed=0, rows=np.arange(0, 600, 2))
    assert len(view.points) == 300
    assert np.allclose(view.of(x[::2]), view.points, atol=1e-5)
