"""Confusion: of the rows with each label, the share that was predicted as each class."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from relabel.report import numbers
from relabel.report.drawing import COLOURS, Drawing, Table, short

STEPS = 8
"""Shades that a square may have."""

STRONGEST = 0.5
"""Opacity of a square that holds all rows of its label: letters on it stay readable, on light and on dark paper."""

MOST = 25
"""Classes beyond which no figure is readable: then there is the table alone."""

FEW, SEVERAL = 3, 6
"""Up to so many classes, squares have room for shares with a decimal, and for two numbers."""

MANY = 10
"""Rows from which on their mean is said without a decimal."""

ENOUGH = 30
"""Rows of a class from which on its share of mistakes is told."""

CELLS = {FEW: 84, SEVERAL: 56, MOST: 38}
"""Up to so many classes -> pixels of a square."""


def drawn(name: str, title: str, counts: NDArray[np.float64], classes: Sequence[str]) -> Drawing:
    """Draw a confusion matrix (C, C) of rows with label i that were predicted j."""
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1e-9)
    width = len(classes)
    cell = next(pixels for most, pixels in CELLS.items() if width <= most)

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        for i in range(width):
            for j in range(width):
                _square(axes, i, j, float(shares[i, j]), float(counts[i, j]), width=width)
        _frame(axes, classes)

    right = float(np.trace(counts) / max(counts.sum(), 1))
    return Drawing(
        name=name,
        title=title,
        says=f"{numbers.percent(right)} of the rows are predicted as they are labelled. {_worst(shares, counts, classes)}",
        table=Table(
            header=("given label", *classes),
            rows=[
                (one, *(f"{_rows(float(counts[i, j]))} ({numbers.percent(shares[i, j])})" for j in range(width)))
                for i, one in enumerate(classes)
            ],
        ),
        draw=draw,
        size=(140 + cell * width, 110 + cell * width),
    )


def _square(axes: Axes, i: int, j: int, share: float, rows: float, *, width: int) -> None:
    strength = math.ceil(share * STEPS) / STEPS * STRONGEST
    x, y = [j - 0.5, j + 0.5, j + 0.5, j - 0.5], [i - 0.5, i - 0.5, i + 0.5, i + 0.5]
    axes.fill(x, y, color=COLOURS["after" if i == j else "bad"], alpha=strength, linewidth=0)
    if not rows:
        return
    said = numbers.percent(share, 0 if width > FEW else 1)
    if width <= SEVERAL:
        said = f"{said}\n{_rows(rows)}"
    axes.text(j, i, said, ha="center", va="center", fontsize=9 if width <= SEVERAL else 7)


def _frame(axes: Axes, classes: Sequence[str]) -> None:
    width, names = len(classes), [short(each, 14) for each in classes]
    slanted = width > FEW or max(map(len, names)) > 2 * FEW
    align = "right" if slanted else "center"
    axes.set_xticks(range(width), names, rotation=50 if slanted else 0, ha=align, rotation_mode="anchor")
    axes.set_yticks(range(width), names)
    axes.set_xlim(-0.5, width - 0.5)
    axes.set_ylim(width - 0.5, -0.5)
    axes.set_xlabel("predicted")
    axes.set_ylabel("given label")
    axes.grid(visible=False)
    axes.tick_params(length=0)
    axes.set_aspect("equal")


def _rows(rows: float) -> str:
    """Say a mean number of rows; a few of them with a decimal."""
    return numbers.count(rows) if rows >= MANY or rows == round(rows) else numbers.decimal(rows, 1)


def _worst(shares: NDArray[np.float64], counts: NDArray[np.float64], classes: Sequence[str]) -> str:
    """Say which mistake takes the largest share of a class, among classes with rows enough where there are any."""
    others = shares * ~np.eye(len(classes), dtype=bool)
    if not others.any():
        return "No row is predicted as another class."
    enough = counts.sum(axis=1) >= ENOUGH
    told = others * enough[:, None]
    i, j = divmod(int((told if told.any() else others).argmax()), len(classes))
    return (
        f"The largest mistake: {numbers.percent(shares[i, j])} of {short(classes[i])} "
        f"({_rows(float(counts[i, j]))} of {_rows(float(counts[i].sum()))} rows) are taken for {short(classes[j])}."
    )
