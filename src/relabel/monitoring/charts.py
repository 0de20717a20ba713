"""Figures over windows, drawn as the report's are, each with its table."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullLocator, PercentFormatter

from relabel.monitoring import verdict
from relabel.report import numbers
from relabel.report.drawing import COLOURS, Drawing, Table, short

Window = Mapping[str, Any]
MOST_CLASSES = 6
"""Classes that a figure has lines for: the largest; the table has all."""
STYLES = ("-", "--", ":", "-.", (0, (5, 1)), (0, (1, 1)))
TICKS = (-5, -2, 0, 2, 5, 10, 20, 50, 100, 300, 1000, 3000, 10_000, 100_000)
"""Of powers of ten."""
SIZE = (368, 264)


def drawings(
    windows: Sequence[Window], reference: Window, accuracy: Mapping[str, Any] | None, alpha: float
) -> list[Drawing]:
    """Give the figures of windows. reference: its `shares` and `confidence`."""
    drawn = [told_apart(windows), evidence(windows, alpha), shares(windows, reference), confidence(windows, reference)]
    return [*drawn, right(accuracy)] if accuracy is not None and accuracy["matched"] else drawn


def told_apart(windows: Sequence[Window]) -> Drawing:
    """Draw how well each window's rows are told from the reference's."""

    def draw(axes: Axes) -> None:
        known = [one for one in windows if "auc" in one]
        axes.plot([one["number"] for one in known], [one["auc"] for one in known], color=COLOURS["line"], zorder=1)
        _marked(axes, known, "auc")
        axes.axhline(0.5, color=COLOURS["quiet"], linestyle="--", linewidth=1)
        axes.set_ylim(0.4, 1.02)
        axes.set_ylabel("area under the curve")

    return _drawing(
        "told_apart",
        "How well windows are told from the reference",
        "The chance that a row of the window looks more like the window than one of the reference does. 0.5 (dashed) is not at all; "
        "diamonds are windows that drifted by one of the three tests.",
        draw,
        header=("window", "from", "area", "inputs p", "confidence p", "classes p", "drifted"),
        rows=[(*_name(one), numbers.decimal(one.get("auc")), *_ps(one), _yes(one["drifted"])) for one in windows],
    )


def evidence(windows: Sequence[Window], alpha: float) -> Drawing:
    """Draw the wealth of the test by betting."""
    limit = math.log10(4 / alpha)

    def draw(axes: Axes) -> None:
        axes.plot(*_points(windows, "log10_wealth"), "o-", color=COLOURS["after"], markersize=4)
        axes.axhline(limit, color=COLOURS["bad"], linestyle="--", linewidth=1)
        axes.set_yscale("symlog", linthresh=5)
        low, high = min(axes.get_ylim()[0], 0), max(limit, *(one["log10_wealth"] for one in windows))
        above = next((tick for tick in TICKS if tick > high), math.inf)  # so that the line ends below the edge
        axes.yaxis.set_minor_locator(NullLocator())
        axes.set_yticks(ticks := [tick for tick in TICKS if low <= tick <= above], [str(tick) for tick in ticks])
        axes.set_ylim(low, above if math.isfinite(above) else high * 2)
        axes.set_ylabel("powers of ten")

    return _drawing(
        "evidence",
        "Evidence of all windows together",
        "What a bet against “nothing has changed” has come to, as a power of ten. "
        f"Above {numbers.decimal(limit, 2)} (dashed) drift is proved, however often one looks.",
        draw,
        header=("window", "from", "evidence", "alarm"),
        rows=[(*_name(one), numbers.decimal(one["log10_wealth"], 2), _yes(one["alarm"])) for one in windows],
    )


def shares(windows: Sequence[Window], reference: Window) -> Drawing:
    """Draw the shares of the classes predicted."""
    classes = sorted(reference["shares"], key=lambda name: -reference["shares"][name])
    colours = ("after", "doubt", "good", "bad", "before", "quiet")

    def draw(axes: Axes) -> None:
        for name, colour, style in zip(classes[:MOST_CLASSES], colours, STYLES, strict=False):
            values = [one["shares"][name] for one in windows]
            axes.plot(
                [one["number"] for one in windows],
                values,
                color=COLOURS[colour],
                linestyle=style,
                marker="o",
                markersize=3,
                label=short(name),
            )
            axes.axhline(reference["shares"][name], color=COLOURS[colour], linestyle=":", linewidth=0.8)
        axes.yaxis.set_major_formatter(PercentFormatter(1, 0))
        axes.set_ylabel("of the rows")
        axes.legend(loc="upper left", bbox_to_anchor=(0, 1.22), ncols=3, fontsize=8)

    left = (
        f" Drawn are the {MOST_CLASSES} largest of {len(classes)}; the table has all."
        if len(classes) > MOST_CLASSES
        else ""
    )
    return _drawing(
        "shares",
        "Classes predicted",
        f"How large a share of each window is predicted as each class; dotted lines are the reference's shares.{left}",
        draw,
        header=("window", "from", *classes),
        rows=[
            ("reference", numbers.DASH, *(numbers.percent(reference["shares"][name]) for name in classes)),
            *((*_name(one), *(numbers.percent(one["shares"][name]) for name in classes)) for one in windows),
        ],
    )


def confidence(windows: Sequence[Window], reference: Window) -> Drawing:
    """Draw the mean top probability."""

    def draw(axes: Axes) -> None:
        axes.plot(*_points(windows, "confidence"), color=COLOURS["line"], zorder=1)
        _marked(axes, windows, "confidence")
        axes.axhline(reference["confidence"], color=COLOURS["quiet"], linestyle="--", linewidth=1)
        axes.yaxis.set_major_formatter(PercentFormatter(1, 0))
        axes.set_ylabel("mean top probability")

    return _drawing(
        "confidence",
        "How sure the model is",
        "The mean probability of the class predicted; the dashed line is the reference's.",
        draw,
        header=("window", "from", "mean top probability"),
        rows=[
            ("reference", numbers.DASH, numbers.percent(reference["confidence"])),
            *((*_name(one), numbers.percent(one["confidence"])) for one in windows),
        ],
    )


def right(accuracy: Mapping[str, Any]) -> Drawing:
    """Draw the accuracy by late labels."""
    windows, test = accuracy["windows"], accuracy["test"]

    def draw(axes: Axes) -> None:
        for number, one in enumerate(windows, 1):
            if one["rows"]:
                colour = COLOURS["bad" if one["fell"] else "after"]
                axes.plot([number, number], [one["low"], one["high"]], color=colour)
                axes.plot([number], [one["accuracy"]], "D" if one["fell"] else "o", color=colour, markersize=5)
        if test is not None:
            axes.axhline(test["accuracy"], color=COLOURS["quiet"], linestyle="--", linewidth=1)
            if test["low"] is not None:
                axes.axhspan(test["low"], test["high"], color=COLOURS["before"], alpha=0.15)
        axes.yaxis.set_major_formatter(PercentFormatter(1, 0))
        axes.set_ylabel("right")

    return _drawing(
        "accuracy",
        "Accuracy by labels that came later",
        "How often the label that came later is the class predicted, with 95% intervals; the band is the accuracy on the test rows. "
        "Diamonds are surely below it.",
        draw,
        header=("window", "from", "labels", "accuracy", "interval"),
        rows=[
            (
                str(number),
                _when(one["start"]),
                numbers.count(one["rows"]),
                numbers.percent(one["accuracy"]),
                _interval(one),
            )
            for number, one in enumerate(windows, 1)
        ],
    )


def _drawing(
    name: str,
    title: str,
    says: str,
    draw: Callable[[Axes], None],
    *,
    header: tuple[str, ...],
    rows: Sequence[Sequence[str]],
) -> Drawing:
    def drawn(figure: Figure) -> None:
        axes = figure.subplots()
        draw(axes)
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        axes.set_xlabel("window")

    return Drawing(name=name, title=title, says=says, table=Table(header=header, rows=rows), draw=drawn, size=SIZE)


def _marked(axes: Axes, windows: Sequence[Window], figure: str) -> None:
    """Draw points: windows that drifted as diamonds of another colour."""
    for drifted, mark, colour in ((False, "o", "after"), (True, "D", "bad")):
        some = [one for one in windows if one["drifted"] == drifted]
        axes.plot(*_points(some, figure), mark, color=COLOURS[colour], markersize=5)


def _points(windows: Sequence[Window], figure: str) -> tuple[list[int], list[float]]:
    return [one["number"] for one in windows], [one[figure] for one in windows]


def _name(one: Window) -> tuple[str, str]:
    return str(one["number"]), _when(one["start"])


def _when(moment: str) -> str:
    return moment[:16].replace("T", " ")


def _ps(one: Window) -> tuple[str, ...]:
    return tuple(
        verdict.p_value(one["p"][name]) if "p" in one else numbers.DASH for name in ("inputs", "confidence", "classes")
    )


def _interval(one: Window) -> str:
    return numbers.DASH if one["low"] is None else numbers.within((one["low"], one["high"]))


def _yes(said: bool) -> str:  # noqa: FBT001
    return "yes" if said else "no"
