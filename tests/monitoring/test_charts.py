"""Figures over windows show all that they are of."""

from __future__ import annotations

import pytest
from matplotlib.figure import Figure

from relabel.monitoring import charts


@pytest.mark.parametrize("most", [0.3, 4.0, 50.0, 108.9, 90_000.0, 2e6])
def test_the_line_of_evidence_ends_below_the_upper_edge(most):
    """The axis goes to the next mark above the largest value, and to the dashed line at least."""
    windows = [
        {"number": number, "start": "2026-03-01T00:00:00", "log10_wealth": value, "alarm": value > 1.9}
        for number, value in enumerate((-0.4, most), 1)
    ]
    figure = Figure()
    charts.evidence(windows, 0.05).draw(figure)
    [axes] = figure.axes
    low, high = axes.get_ylim()
    assert low < -0.4
    assert high > max(most, 1.91)
    assert all(low <= tick <= high for tick in axes.get_yticks())
    assert len(axes.get_yticks()) > 1
