"""Promises of the neighbours of doubtful rows."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from relabel.auditing import neighbours
from relabel.auditing.neighbours import QUICK
from relabel.auditing.population import company
from relabel.data.examples import Dense


@given(st.integers(1, 60), st.integers(0, 2**31))
def test_each_doubtful_row_has_its_nearest_labelled_rows_of_other_groups(rows, seed) -> None:
    """As brute force finds them, in the order of the doubtful rows, the nearest first."""
    rng = np.random.default_rng(seed)
    view = neighbours.view(Dense(rng.standard_normal((rows, 5)).astype(np.float32)), QUICK, seed=0)
    group = rng.integers(0, rows, rows)
    first = np.unique(group, return_index=True)[1]
    labelled = np.sort(first[rng.random(first.size) < 0.8])
    doubtful = rng.permutation(rows)[: rows // 2]
    found = company.find(view, doubtful, labelled, group, search=QUICK, seed=0)
    expected = []
    for row in doubtful:
        others = labelled[group[labelled] != group[row]]
        cosine = view.points[others] @ view.points[row]
        expected += [(row, others[n], cosine[n]) for n in np.argsort(-cosine, kind="stable")[: company.EACH]]
    assert found.row.tolist() == [row for row, _, _ in expected]
    np.testing.assert_allclose(found.similarity, [cosine for _, _, cosine in expected], atol=1e-5)
    near = np.einsum("pd,pd->p", view.points[found.row], view.points[found.neighbour]) if expected else []
    np.testing.assert_allclose(found.similarity, near, atol=1e-5)
    assert (group[found.row] != group[found.neighbour]).all()
    assert np.isin(found.neighbour, labelled).all()


def test_of_very_many_doubtful_rows_the_worst_are_looked_at(monkeypatch) -> None:
    """They come first."""
    monkeypatch.setattr(company, "MOST", 3)
    view = neighbours.view(Dense(np.random.default_rng(0).standard_normal((50, 4)).astype(np.float32)), QUICK, seed=0)
    rows = np.arange(50)
    found = company.find(view, rows[::-1], rows, rows, search=QUICK, seed=0)
    assert np.unique(found.row).tolist() == [47, 48, 49]
    assert found.row.size == 3 * company.EACH
