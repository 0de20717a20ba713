"""How far down the list of doubtful labels one goes, and how many of them should be wrong.

Letters: N rows.
"""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, PercentFormatter
from numpy.typing import NDArray

from relabel.report import numbers
from relabel.report.drawing import COLOURS, Drawing, Table

POINTS = 200
"""Points of the line."""

STOPS = (0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0)
"""Rows of the table, in parts of the flagged ones."""

BEYOND = 2.0
"""How far the line goes, in parts of the flagged ones."""

LEAST = 20
"""Rows that it goes down in any case."""


def drawn(posterior: NDArray[np.float64], flagged: int) -> Drawing:
    """Draw the expected precision of the worst rows.

    posterior: (N,) probability that each label is wrong, in the order of the list.
    flagged:   the first rows of the list, which are flagged.
    """
    found = np.cumsum(posterior)
    last = min(posterior.size, max(LEAST, round(BEYOND * flagged)))
    looked = np.unique(np.linspace(1, last, POINTS).round().astype(np.intp))
    share = found[looked - 1] / looked

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        axes.plot(looked, share, color=COLOURS["after"])
        axes.set_ylim(0, 1.02)
        axes.set_xlim(0, last)
        axes.yaxis.set_major_formatter(PercentFormatter(1, 0))
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: numbers.count(value)))
        axes.set_xlabel("labels looked at, the most doubtful first")
        axes.set_ylabel("of these expected to be wrong")
        if flagged:
            axes.axvline(flagged, color=COLOURS["doubt"], linestyle=(0, (3, 3)), linewidth=1.2)
            axes.annotate(
                "flagged: up to here",
                (flagged, 1.0),
                xytext=(4, 0),
                textcoords="offset points",
                color=COLOURS["doubt"],
                va="top",
            )

    stops = sorted({max(1, round(stop * (flagged or LEAST))) for stop in STOPS})
    at = [stop for stop in stops if stop <= posterior.size]
    cut = (
        f"At the cut, after {numbers.count(flagged)} labels, it is {numbers.percent(found[flagged - 1] / flagged)}."
        if flagged
        else ""
    )
    return Drawing(
        name="precision",
        title="How many are wrong, by how far down the list one goes",
        says=f"The expected share of wrong labels falls from {numbers.percent(float(share[0]))} at the top. {cut}",
        table=Table(
            header=("labels looked at", "expected wrong", "share"),
            rows=[(numbers.count(n), numbers.count(found[n - 1]), numbers.percent(found[n - 1] / n)) for n in at],
        ),
        draw=draw,
    )
