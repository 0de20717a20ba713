"""Promises of the frames that figures have: nothing is cut, and equal directions have equal axes."""

from __future__ import annotations

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from relabel.report.charts import intervals, reliability
from relabel.report.drawing import INCH, Drawing
from relabel.report.numbers import Interval


def figure_of(drawing: Drawing) -> Figure:
    """Draw a figure at its size."""
    figure = Figure(figsize=tuple(side / INCH for side in drawing.size), layout="constrained")
    drawing.draw(figure)
    FigureCanvasAgg(figure).draw()
    return figure


@pytest.mark.parametrize("name", ["1", "a long name of a class → another"])
def test_what_stands_below_an_axis_is_whole(name) -> None:
    """A long sentence below the axis lies inside the figure, however narrow names make the axis."""
    drawing = intervals.drawn(
        "made",
        "Made",
        "made",
        [intervals.Line(name=name, interval=Interval(0.1, 0.2, 0.3), says="made")],
        axis="of the rows that are truly of the first class",
        ticks=lambda value, _: f"{value:.1f}",
        header=("a", "b"),
    )
    figure = figure_of(drawing)
    label = figure.axes[0].xaxis.label.get_window_extent()
    assert figure.bbox.x0 <= label.x0 < label.x1 <= figure.bbox.x1
    assert figure.bbox.y0 <= label.y0


@pytest.mark.parametrize("accuracy", [0.0, 0.62])
def test_the_line_of_the_reliable_is_the_diagonal(accuracy) -> None:
    """Both axes have the same limits, and every mark lies inside them."""
    bins = [
        {"low": 0.6, "high": 0.667, "rows": 5, "confidence": 0.65, "accuracy": accuracy},
        {"low": 0.933, "high": 1.0, "rows": 50, "confidence": 0.97, "accuracy": 0.99},
    ]
    (axes,) = figure_of(reliability.drawn({"after": bins})).axes
    assert axes.get_xlim() == axes.get_ylim()
    assert axes.get_ylim()[0] <= accuracy < 0.99 <= axes.get_ylim()[1]
