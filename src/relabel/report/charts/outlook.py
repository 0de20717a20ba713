"""The learning curve: what labels brought so far."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from relabel.report import numbers
from relabel.report.drawing import COLOURS, Drawing, Table

KINDS = {"curve": ("on right labels", "o", "after"), "plain": ("on labels as given", "s", "before")}
"""Part of an outlook -> what it is, its mark, its colour."""


def drawn(outlook: Mapping[str, Any]) -> Drawing:
    """Draw accuracy by how many labels models learned from."""

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        for kind, (name, mark, colour) in KINDS.items():
            rows = [one["rows"] for one in outlook[kind]]
            low, value, high = ([one["accuracy"][key] for one in outlook[kind]] for key in ("low", "value", "high"))
            axes.fill_between(rows, low, high, color=COLOURS[colour], alpha=0.2, linewidth=0)
            axes.plot(rows, value, color=COLOURS[colour], marker=mark, markersize=4, label=name)
        axes.xaxis.set_major_locator(MaxNLocator(4))
        axes.yaxis.set_major_locator(MaxNLocator(5))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda rows, _: numbers.count(rows)))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda share, _: numbers.percent(share)))
        axes.set_xlabel("labels to learn from")
        axes.set_ylabel("right")
        axes.legend(loc="lower right")

    first, last = outlook["curve"][0], outlook["curve"][-1]
    return Drawing(
        name="learning_curve",
        title="What labels brought so far",
        says=f"With {numbers.count(first['rows'])} labels {numbers.percent(first['accuracy']['value'])} are right, "
        f"with {numbers.count(last['rows'])} "
        f"{numbers.percent(last['accuracy']['value'])}, on right labels. Bands are 95% intervals.",
        table=Table(
            header=("labels", *(name for name, _, _ in KINDS.values())),
            rows=[
                (numbers.count(right["rows"]), _within(right["accuracy"]), _within(plain["accuracy"]))
                for right, plain in zip(outlook["curve"], outlook["plain"], strict=True)
            ],
        ),
        draw=draw,
    )


def _within(one: Mapping[str, float]) -> str:
    return f"{numbers.percent(one['value'])} ({numbers.within([one['low'], one['high']])})"
