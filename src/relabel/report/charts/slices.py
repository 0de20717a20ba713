"""A measure of the rows cut into slices: how large the loss is in each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from relabel.report import numbers
from relabel.report.drawing import COLOURS, Drawing, Table, short


def drawn(name: str, measure: Mapping[str, Any], overall: float | None, span: tuple[float, float]) -> Drawing:
    """Draw the mean loss of each slice with its interval; all measures have one scale, `span`.

    Slices surely above the overall loss are marked; where that is not known, none is.
    """
    bins = measure["bins"]

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        if overall is not None:
            axes.axhline(overall, color=COLOURS["quiet"], linestyle=(0, (3, 3)), linewidth=1)
        for place, one in enumerate(bins):
            low, high = one["loss_interval"]
            worse = overall is not None and low > overall
            colour = COLOURS["bad" if worse else "after"]
            axes.plot([place, place], [low, high], color=colour, solid_capstyle="round")
            axes.plot([place], [one["loss"]], "s" if worse else "o", color=colour, markersize=5)
        if measure["kind"] == "number":
            axes.plot(range(len(bins)), [one["loss"] for one in bins], color=COLOURS["after"], linewidth=0.8, alpha=0.5)
        axes.set_xlim(-0.5, len(bins) - 0.5)
        axes.set_ylim(*span)
        long = max(len(one["name"]) for one in bins) > 5 or len(bins) > 5  # noqa: PLR2004  # names that fit beside each other
        axes.set_xticks(
            range(len(bins)),
            [short(one["name"]) for one in bins],
            rotation=35 if long else 0,
            ha="right" if long else "center",
            rotation_mode="anchor",
        )
        axes.grid(visible=False, axis="x")
        axes.yaxis.set_major_locator(MaxNLocator(4))
        axes.set_ylabel("mean loss")

    worst = max(bins, key=lambda one: one["loss"])
    beside = "" if overall is None else f"; it is {numbers.decimal(overall)} overall"
    return Drawing(
        name=name,
        title=measure["title"],
        says=f"The loss is largest, {numbers.decimal(worst['loss'])}, at {worst['name']}{beside}.",
        table=Table(
            header=("slice", "rows", "mean loss", "right", "wrong labels expected"),
            rows=[
                (
                    one["name"],
                    numbers.count(one["rows"]),
                    f"{numbers.decimal(one['loss'])} ({' to '.join(map(numbers.decimal, one['loss_interval']))})",
                    f"{numbers.percent(one['accuracy'])} ({numbers.within(one['interval'])})",
                    numbers.percent(one["expected_wrong_labels"]),
                )
                for one in bins
            ],
        ),
        draw=draw,
        size=(300, 230),
    )
