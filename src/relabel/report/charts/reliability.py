"""Reliability: of the rows for which the model is so sure, how many are right."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from relabel.report import numbers
from relabel.report.drawing import COLOURS, Drawing, Table

SIDES = {"before": "o", "after": "s"}
"""Marks, so that colour is not alone in telling them apart."""

TENTHS, MARGIN = 10, 0.03
"""Axes begin at a tenth, the one below all marks; and what is left around them for the marks' own size."""


def drawn(bins: Mapping[str, Sequence[Mapping[str, Any]]]) -> Drawing:
    """Draw the bins of top probabilities, before and after, or of `after` alone where there is one model."""
    bins = {side: [one for one in each if one["rows"]] for side, each in bins.items()}
    errors = {side: _error(each) for side, each in bins.items()}
    least = min(one[key] for each in bins.values() for one in each for key in ("low", "confidence", "accuracy"))
    lowest = math.floor(TENTHS * least) / TENTHS

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        axes.plot([lowest, 1], [lowest, 1], color=COLOURS["quiet"], linewidth=1, linestyle=(0, (3, 3)))
        for side, each in bins.items():
            most = max(one["rows"] for one in each)
            sizes = [12 + 90 * one["rows"] / most for one in each]
            x, y = ([one[key] for one in each] for key in ("confidence", "accuracy"))
            axes.plot(x, y, color=COLOURS[side], linewidth=1.2)
            axes.scatter(x, y, s=sizes, marker=SIDES[side], color=COLOURS[side], alpha=0.8, linewidth=0, label=side)
        axes.set_xlim(
            lowest - MARGIN, 1 + MARGIN
        )  # the same in both directions, so that the dashed line is the diagonal
        axes.set_ylim(lowest - MARGIN, 1 + MARGIN)
        axes.xaxis.set_major_formatter(PercentFormatter(1, 0))
        axes.yaxis.set_major_formatter(PercentFormatter(1, 0))
        axes.set_xlabel("how sure the model is")
        axes.set_ylabel("how often it is right")
        if len(bins) > 1:
            for handle in figure.legend(loc="outside upper left", ncols=2).legend_handles:
                handle.set_sizes([36])  # type: ignore[union-attr]

    said = ", ".join(f"{numbers.percent(error)}{f' {side}' if len(bins) > 1 else ''}" for side, error in errors.items())
    return Drawing(
        name="reliability",
        title="How far the probabilities can be trusted",
        says=f"On the dashed line a model is right as often as it says. The mean distance from it is {said}. Larger marks hold more rows.",
        table=Table(
            header=("probability", "which", "rows", "mean probability", "right"),
            rows=[
                (
                    f"{numbers.percent(one['low'], 0)} to {numbers.percent(one['high'], 0)}",
                    side,
                    numbers.count(one["rows"]),
                    numbers.percent(one["confidence"]),
                    numbers.percent(one["accuracy"]),
                )
                for side, each in bins.items()
                for one in each
            ],
        ),
        draw=draw,
        size=(368, 320),
    )


def _error(bins: Sequence[Mapping[str, Any]]) -> float:
    """Mean distance of the bins from the line, over rows."""
    gaps = math.fsum(one["rows"] * abs(one["accuracy"] - one["confidence"]) for one in bins)
    return gaps / math.fsum(one["rows"] for one in bins)
