"""The noise: at which rates labels are wrong, how good the flags are, and whether more labels or cleaner ones are worth more."""

from __future__ import annotations

import heapq
import itertools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relabel.report import facts as known
from relabel.report import numbers
from relabel.report.charts import intervals, outlook, precision
from relabel.report.charts.intervals import Line
from relabel.report.drawing import Drawing, short
from relabel.report.facts import Facts
from relabel.report.numbers import Interval
from relabel.report.results import Results
from relabel.report.section import Section

MOST = 12
"""Rates that are drawn: the largest."""

MATRIX = 6
"""Classes up to which all rates stand in a table."""

WORTHS = {
    "checked": "doubtful, checked",
    "relabelled": "doubtful, as suggested",
    "dropped": "doubtful, left out",
    "as_many": "as many new labels",
}


def context(results: Results) -> dict[str, Any]:
    """Give the kind of noise, the rates, and the outlook."""
    facts = known.gathered(results)
    audit = results.metrics["audit"]
    noise = audit["noise"]
    return {
        "says": facts.kind_says,
        "hidden": facts.hidden,
        "expected": facts.expected,
        "interval": (facts.low, facts.high),
        "precision": facts.precision,
        "flagged": facts.flagged,
        "cleanlab_flagged": audit["cleanlab_flagged"],
        "all_flagged": audit["flagged"],
        "rates": _matrix_said(noise) if len(results.classes) <= MATRIX else [],
        "classes": results.classes,
        "left": max(0, len(results.classes) * (len(results.classes) - 1) - MOST),
        "outlook": results.outlook,
        "trials": _trials(results.metrics["treatment"].get("choice")),
        "choice": results.metrics["treatment"].get("choice"),
    }


def drawings(results: Results) -> tuple[Drawing, ...]:
    """Draw the rates, the precision down the list, and what labels are worth."""
    facts = known.gathered(results)
    drawn = [_rates(results), precision.drawn(_listed(results, facts), facts.flagged)]
    if results.outlook is not None:
        drawn += [outlook.drawn(results.outlook), _worths(results.outlook)]
    return tuple(drawn)


def _listed(results: Results, facts: Facts) -> NDArray[np.float64]:
    """The posterior of the training rows (n,), the flagged ones first, then by how likely the label is wrong."""
    rows = known.training_rows(results.audit)
    posterior, flagged = (results.audit[name].to_numpy()[rows] for name in ("posterior", "flagged"))
    found: NDArray[np.float64] = posterior[np.lexsort((-posterior, ~flagged))]
    return found[: max(facts.rows, facts.flagged)]


def _rates(results: Results) -> Drawing:
    noise, classes = results.metrics["audit"]["noise"], results.classes
    each = itertools.permutations(range(len(classes)), 2)
    pairs = heapq.nlargest(MOST, each, key=lambda pair: noise["given_true"][pair[0]][pair[1]])
    lines = [
        Line(
            name=f"{short(classes[i], 10)} → {short(classes[j], 10)}",
            interval=Interval(noise["low"][i][j], noise["given_true"][i][j], noise["high"][i][j]),
            says=f"{numbers.percent(noise['given_true'][i][j])} ({numbers.within((noise['low'][i][j], noise['high'][i][j]))})"
            + (f"; cleanlab {numbers.percent(noise['cleanlab'][i][j])}" if noise.get("cleanlab") else ""),
            colour="doubt",
            beside=noise["cleanlab"][i][j] if noise.get("cleanlab") else None,
        )
        for i, j in pairs
    ]
    i, j = pairs[0]
    return intervals.drawn(
        "noise_rates",
        "How often a class gets another's label",
        f"Most often rows of {short(classes[i])} are labelled {short(classes[j])}: {lines[0].says}. Hollow marks are cleanlab's figures.",
        lines,
        axis="of the rows that are truly of the first class",
        ticks=lambda value, _: numbers.percent(value),
        header=("true class → given label", "rate, with its 95% interval"),
    )


def _worths(found: dict[str, Any]) -> Drawing:
    lines = [
        Line(
            name=says,
            interval=Interval.of(found[name]),
            says=numbers.points(Interval.of(found[name])),
            colour="before" if name == "as_many" else "after",
        )
        for name, says in WORTHS.items()
        if found.get(name)
    ]
    lines += [
        Line(
            name=f"{numbers.count(step['rows'])} new labels",
            interval=Interval.of(step["accuracy"]),
            says=numbers.points(Interval.of(step["accuracy"])),
            colour="before",
        )
        for step in found["more"]
    ]
    return intervals.drawn(
        "label_worth",
        "What labels are worth",
        f"The gain if the {numbers.count(found['doubtful'])} most doubtful labels are checked by people, become what is suggested "
        "or are left out; and, by the learning curve, of new labels.",
        lines,
        axis="gain in accuracy, points",
        ticks=lambda value, _: numbers.signed(100 * value, 1),
        header=("if", "gain in accuracy"),
        zero=True,
    )


def _matrix_said(noise: dict[str, Any]) -> list[list[dict[str, str]]]:
    """Say each rate (C, C) with its interval, and cleanlab's."""
    other = noise.get("cleanlab")
    return [
        [
            {
                "rate": numbers.percent(rate),
                "interval": numbers.within((noise["low"][i][j], noise["high"][i][j])),
                "cleanlab": numbers.percent(other[i][j]) if other else "",
            }
            for j, rate in enumerate(rates)
        ]
        for i, rates in enumerate(noise["given_true"])
    ]


def _trials(choice: dict[str, Any] | None) -> list[dict[str, str]]:
    """Say what each treatment gained when it was tried."""
    return [
        {
            "name": name,
            "log_loss": numbers.gained(Interval.of(trial["log_loss"]), 4),
            "accuracy": numbers.points(Interval.of(trial["accuracy"])),
            "plain": numbers.points(Interval.of(trial["plain"])),
        }
        for name, trial in (choice or {}).get("trials", {}).items()
    ]


SECTION = Section(name="noise", title="Wrong labels", context=context, drawings=drawings)
