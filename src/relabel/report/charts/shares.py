"""Shares of the classes in each split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from relabel.report import numbers
from relabel.report.drawing import COLOURS, Drawing, Table, short

MARKS = {"train": ("o", "before"), "dev": ("^", "doubt"), "test": ("s", "after")}
"""Split -> its mark and the name of its colour."""

MOST = 24
"""Classes that a figure has room for: the largest."""


def drawn(shares: Mapping[str, Mapping[str, float]], classes: Sequence[str]) -> Drawing:
    """Draw split -> class -> share."""
    shown = sorted(classes, key=lambda name: -shares["train"].get(name, 0.0))[:MOST]

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        for split, of in shares.items():
            mark, colour = MARKS[split]
            axes.scatter(
                [of.get(name, 0.0) for name in shown],
                range(len(shown)),
                marker=mark,
                s=34,
                color=COLOURS[colour],
                label=split,
                alpha=0.85,
            )
        axes.set_yticks(range(len(shown)), [short(name) for name in shown])
        axes.set_ylim(len(shown) - 0.4, -0.6)
        axes.set_xlim(0, 1.08 * max(max(of.values()) for of in shares.values()))
        axes.grid(visible=False, axis="y")
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.xaxis.set_major_locator(MaxNLocator(4))
        axes.xaxis.set_major_formatter(PercentFormatter(1, 0))
        axes.set_xlabel("of the rows")
        figure.legend(loc="outside upper left", ncols=3)

    left = f" Drawn are the {MOST} largest of {len(classes)} classes; the table has all." if len(classes) > MOST else ""
    return Drawing(
        name="classes",
        title="Classes in each split",
        says=f"How large a share of the rows each class has, as labelled.{left}",
        table=Table(
            header=("class", *shares),
            rows=[(name, *(numbers.percent(of.get(name)) for of in shares.values())) for name in classes],
        ),
        draw=draw,
        size=(368, 120 + 26 * max(2, len(shown))),
    )
