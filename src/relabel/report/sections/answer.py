"""The answer first: what was found, what was done, what it was worth, what to do next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from relabel.report import facts as known
from relabel.report import numbers
from relabel.report.charts import intervals
from relabel.report.charts.intervals import Line
from relabel.report.drawing import Drawing
from relabel.report.facts import Facts
from relabel.report.numbers import Interval
from relabel.report.results import Results
from relabel.report.section import Section
from relabel.report.wording import answer, champion, next_steps

NAMES = {
    "plain": "labels as given",
    "corrected": "corrected for noise",
    "verified": "verified by people",
}


@dataclass(frozen=True, slots=True)
class Card:
    """A part of the answer: its heading, its one figure, what that figure is, and its sentences."""

    title: str
    figure: str
    of: str
    sentences: list[str]
    tone: str = ""


def context(results: Results) -> dict[str, Any]:
    """Give the cards, the steps, and the optimistic figure."""
    facts = known.gathered(results)
    return {
        "cards": [_found(facts), _done(facts), _worth(facts)],
        "steps": next_steps.steps(facts),
        "sure": answer.sure(facts),
        "optimistic": answer.optimistic(facts),
        "champion": champion.sentences(results.champion) if results.champion else [],
    }


def drawings(results: Results) -> tuple[Drawing, ...]:
    """Draw the gains beside each other, and the honest accuracy beside the optimistic one."""
    facts = known.gathered(results)
    return (
        *([_gains(facts)] if facts.treated else []),
        *([_optimistic(facts)] if facts.seed_protocol is not None else []),
    )


def _found(facts: Facts) -> Card:
    share = facts.expected / facts.rows if facts.rows else 0.0
    return Card(
        "What was found",
        numbers.count(facts.expected),
        f"labels expected to be wrong, {numbers.percent(share)} of {numbers.count(facts.rows)}",
        answer.found(facts),
        "doubt" if facts.kind == "class_conditional" else "",
    )


def _done(facts: Facts) -> Card:
    of = "row was treated" if facts.treated == 1 else "rows were treated"
    return Card(
        "What was done",
        numbers.count(facts.treated) if facts.treated else "Nothing",
        of if facts.treated else "was changed",
        answer.done(facts),
    )


def _worth(facts: Facts) -> Card:
    if not facts.treated:
        of = f"of {numbers.count(facts.plain.rows)} test rows are right, as labelled"
        return Card("What it was worth", numbers.percent(facts.after), of, answer.worth(facts))
    gain = facts.gain
    figure, _, interval = numbers.points(gain.accuracy).partition(" points ")
    tone = "good" if gain.accuracy.above else "bad" if gain.accuracy.below else ""
    of = f"points of accuracy {interval}, {answer.BASIS[gain.basis]}: {answer.verdict_of_gain(gain)}"
    return Card("What it was worth", figure, of, answer.worth(facts), tone)


def _gains(facts: Facts) -> Drawing:
    found = [gain for gain in (facts.plain, facts.corrected, facts.verified) if gain is not None]
    colours = {True: "good", False: "before"}
    return intervals.drawn(
        "gain",
        "What the cleaning was worth",
        f"The gain in accuracy, before to after, with 95% intervals: {'; '.join(_gain_said(NAMES[one.basis], one.accuracy) for one in found)}.",
        [
            Line(
                name=NAMES[one.basis],
                interval=one.accuracy,
                says=numbers.points(one.accuracy),
                colour="bad" if one.accuracy.below else colours[one.accuracy.above],
            )
            for one in found
        ],
        axis="gain in accuracy, points",
        ticks=lambda value, _: numbers.signed(100 * value, 1),
        header=("measured on", "gain in accuracy"),
        zero=True,
    )


def _gain_said(name: str, gain: Interval) -> str:
    return f"{name}, {numbers.points(gain)}"


def _optimistic(facts: Facts) -> Drawing:
    assert facts.seed_protocol is not None  # noqa: S101  # it is drawn only where it is known
    figures = (
        ("as given", facts.served, "after"),
        ("changed by the audit", facts.seed_protocol, "bad"),
    )
    return intervals.drawn(
        "optimistic",
        "Two accuracies of one model",
        f"{numbers.percent(facts.served)} on the test labels as given, {numbers.percent(facts.seed_protocol)} on those that the audit changed first.",
        [
            Line(name=name, interval=Interval(value, value, value), says=numbers.percent(value), colour=colour)
            for name, value, colour in figures
        ],
        axis="right on the test rows, by their labels",
        ticks=lambda value, _: numbers.percent(value),
        header=("scored on", "accuracy"),
    )


SECTION = Section(name="answer", title="The answer", context=context, drawings=drawings)
