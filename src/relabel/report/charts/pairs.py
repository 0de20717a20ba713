"""Before and after, a line for each thing that has both."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from relabel.report import numbers
from relabel.report.drawing import COLOURS, Drawing, Table, short

MOST = 24
"""Lines that a figure has room for."""


def drawn(
    name: str,
    title: str,
    says: str,
    lines: Sequence[tuple[str, float, float]],
    *,
    paired: bool = True,
    axis: str,
    header: tuple[str, ...],
) -> Drawing:
    """Draw shares: (what, before, after), from above to below; those that change most where there are too many.

    paired: before differs from after; else there is one mark for each, and one column in the table.
    """
    shown = lines
    if len(lines) > MOST:
        most = sorted(lines, key=lambda line: -abs(line[2] - line[1]) if paired else line[2])[:MOST]
        shown = [line for line in lines if line in most]
        which = "that change most" if paired else "that are lowest"
        says = f"{says} Drawn are the {MOST} of {len(lines)} {which}; the table has all."

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        for place, (_, before, after) in enumerate(shown):
            axes.plot([before, after], [place, place], color=COLOURS["line"], linewidth=2.5, zorder=1)
        places = range(len(shown))
        if paired:
            axes.scatter([one[1] for one in shown], places, s=38, color=COLOURS["before"], label="before", zorder=2)
        axes.scatter(
            [one[2] for one in shown], places, s=34, marker="s", color=COLOURS["after"], label="after", zorder=3
        )
        axes.set_yticks(places, [short(one[0]) for one in shown])
        axes.set_ylim(len(shown) - 0.4, -0.6)
        axes.grid(visible=False, axis="y")
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        low, high = axes.get_xlim()
        spare = max(0.0, 0.02 - (high - low)) / 2
        axes.set_xlim(low - spare, high + spare)
        axes.xaxis.set_major_locator(MaxNLocator(4))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: numbers.percent(value)))
        axes.set_xlabel(axis)
        if paired:
            figure.legend(loc="outside upper left", ncols=2)

    return Drawing(
        name=name,
        title=title,
        says=says,
        table=Table(
            header=header,
            rows=[(one, *map(numbers.percent, figures if paired else figures[1:])) for one, *figures in lines],
        ),
        draw=draw,
        size=(368, 120 + 26 * max(2, len(shown))),
    )
