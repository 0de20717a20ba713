"""Figures with their intervals, one below the other."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from relabel.report.drawing import COLOURS, Drawing, Table, short
from relabel.report.numbers import Interval

ROW, FRAME = 30, 96
"""Pixels that a line takes, and that the frame takes."""

BROAD, LETTERS = 30, 14
"""Letters on a line below the axis, which is narrower than the figure, and pixels of a further line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A figure: its name, its interval, how it is written in the table, and the name of its colour.

    beside: another estimate of the same, drawn as a hollow mark.
    """

    name: str
    interval: Interval
    says: str
    colour: str = "after"
    beside: float | None = None


def drawn(
    name: str,
    title: str,
    says: str,
    lines: Sequence[Line],
    *,
    axis: str,
    ticks: Callable[[float, int | None], str],
    header: tuple[str, ...],
    zero: bool = False,
) -> Drawing:
    """Draw lines from above to below; `ticks` writes the figures of the axis, `zero` marks where nothing is gained."""
    below = textwrap.fill(axis, BROAD)
    height = FRAME + ROW * max(2, len(lines)) + LETTERS * below.count("\n")

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        for place, line in enumerate(lines):
            _line(axes, place, line)
        if zero:
            axes.axvline(0, color=COLOURS["ink"], linewidth=1)
        axes.set_yticks(range(len(lines)), [short(line.name, 24) for line in lines])
        axes.set_ylim(len(lines) - 0.4, -0.6)
        axes.grid(visible=False, axis="y")
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.xaxis.set_major_locator(MaxNLocator(5))
        axes.xaxis.set_major_formatter(FuncFormatter(ticks))
        axes.set_xlabel(below)

    table = Table(header=header, rows=[(line.name, line.says) for line in lines])
    return Drawing(name=name, title=title, says=says, table=table, draw=draw, size=(368, height))


def _line(axes: Axes, place: int, line: Line) -> None:
    colour = COLOURS[line.colour]
    axes.plot([line.interval.low, line.interval.high], [place, place], color=colour, solid_capstyle="round")
    axes.plot([line.interval.value], [place], "o", color=colour, markersize=6)
    if line.beside is not None:
        axes.plot([line.beside], [place], "D", color=COLOURS["before"], markerfacecolor="none", markersize=5)
