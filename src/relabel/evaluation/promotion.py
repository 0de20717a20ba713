"""Is a new model, the challenger, to take the place of the one that serves, the champion?

The burden of proof is the challenger's. A model that is put in place of an equal one gains nothing and costs a roll-out; one put in place of a
better one costs right answers with every request. So it is promoted only where a gain in accuracy is shown and no other loss is:

1. *The gain.* A gain in accuracy is above 0 with 99% on one side (SURE). Not 97.5%, as the 95% interval would have it: a loop asks again and again,
   and the chance of one wrong answer in five rounds is to stay below one in twenty. The accuracy is that on verified labels where people verified
   enough rows, else the one corrected for the noise of the test labels where they carry that of train, else the plain one. Wrong labels
   reward a model that repeats them, so where a correction is known the plain figure has no say but this: where it is surely below 0 all
   hangs on the noise rates, and the champion stays.
2. *The guards.* Log loss, macro F1, and the recall of the class of which most is missed. A loss in one of them that is sure (its whole interval
   lies below 0) is let pass only where it is as sure that it is smaller than a margin (MARGINS: non-inferiority): of many rows every loss is
   sure, also one that nobody would see. A guard that can be told neither way stops nothing: rare classes have few rows, and a proof of
   theirs would never come. Where noise is corrected for, it is in the guards too.

Both models are the two that would serve, one seed each. What is asked is whether this model is better than that one on rows to come, so chance
is in the rows alone, and these are drawn in whole groups of duplicates; what other seeds would have given is no part of the question.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Literal

from relabel.evaluation import shares
from relabel.evaluation.comparison import LEVEL, Comparison, Interval
from relabel.evaluation.verified import Verified

Decision = Literal["promote", "keep"]
Basis = Literal["verified", "corrected", "plain"]

SURE = 0.99
"""How sure a gain must be on one side."""

LEAST = 100
"""Groups of duplicates below which nothing is promoted: intervals of fewer are too rough to rest a decision on."""

MARGINS: Mapping[str, float] = {"log_loss": 0.01, "macro_f1": 0.01, "worst_recall": 0.02}
"""Guard -> the loss that is too small to stop a gain in accuracy that is shown."""

FURTHER = NormalDist().inv_cdf(SURE) / NormalDist().inv_cdf((1 + LEVEL) / 2)
"""Times as far as the lower end of the 95% interval lies the bound that must be above 0."""

VAGUE = 2.0
"""A verified gain whose interval is so many times as wide as the other says too little to stand in its place."""

NAMES = {"log_loss": "log loss", "macro_f1": "macro F1", "worst_recall": "recall of the class of which most is missed"}

BASES: Mapping[Basis, str] = {
    "verified": "by rows that people verified",
    "corrected": "corrected for wrong labels",
    "plain": "on the labels as given",
}


@dataclass(frozen=True, slots=True, eq=False)
class Promotion:
    """What was decided, and from what. Gains are the challenger's less the champion's; above 0 is better, of log loss too.

    decision:     promote or keep.
    reason:       a sentence.
    basis:        which gain in accuracy decided.
    gain:         plain, of each metric; that of accuracy is as wide as so few rows must have it.
    guards:       gains of what must not be lost, corrected for noise where that of accuracy is.
    right_labels: gain in accuracy on right labels, as far as that is known: verified, else corrected for noise; else None.
    rows_needed:  rows like these on which the gain that was seen would be told from none; None where it is told, or none was seen.
    """

    decision: Decision
    reason: str
    basis: Basis
    gain: Mapping[str, Interval]
    guards: Mapping[str, Interval]
    right_labels: Interval | None = None
    rows_needed: int | None = None

    @property
    def smallest_seen(self) -> float:
        """The gain in the accuracy that decided below which none could have been told from none."""
        told = self.right_labels or self.gain["accuracy"]
        return FURTHER * (told.value - told.low)


def decide(found: Comparison, guards: Mapping[str, Interval], verified: Verified | None = None) -> Promotion:
    """Decide by what was found on rows that neither model has learned from.

    found:    champion before, challenger after, one model each; corrected for noise only where the labels carry it.
    guards:   gains in each of MARGINS, see `guards.gains`.
    verified: the same models on labels that people verified; None where they are too few.
    """
    plain = shares.widened(found)
    gain = {**found.gain, "accuracy": plain}
    basis, right = _believed(found, plain, verified)
    told = plain if right is None else right
    reason = _against(found, plain, told, basis) or _lost(guards, told, basis)
    if not reason:
        said = f"the challenger is better: accuracy {_points(told)} {BASES[basis]}, and no other loss is shown"
        return Promotion("promote", said, basis, gain, guards, right)
    needed = _needed(found.rows, told)
    if needed is not None and found.groups >= LEAST:
        reason = f"{reason}; a gain of that size takes about {needed:,} rows to be sure of"
    return Promotion("keep", reason, basis, gain, guards, right, needed)


def is_corrected(found: Comparison) -> bool:
    """Tell whether noise is known and undone; not where a model would then be right on more than all rows, for they do not carry it."""
    figures = found.corrected.get("accuracy")
    return figures is not None and max(figures.before.value, figures.after.value) <= 1


def without_rows() -> Promotion:
    """Decide where no test row is left that the champion was not trained on."""
    reason = "no row to compare them on: the champion was trained on all test rows; give test rows that it has not seen"
    return Promotion("keep", reason, "plain", {}, {})


def stopped(found: Promotion, why: str) -> Promotion:
    """Keep the champion although the figures speak for the challenger, where they cannot be trusted; other decisions stay as they are."""
    if found.decision == "keep":
        return found
    return replace(found, decision="keep", reason=f"{found.reason}; but {why}")


def _believed(found: Comparison, plain: Interval, verified: Verified | None) -> tuple[Basis, Interval | None]:
    """Choose the gain that decides, and give that of right labels where it is known."""
    corrected = _corrected(found, plain)
    other = corrected or plain
    if verified is not None and _width(verified.gain["accuracy"]) <= VAGUE * _width(other):
        return "verified", verified.gain["accuracy"]
    return ("corrected", corrected) if corrected else ("plain", None)


def _corrected(found: Comparison, plain: Interval) -> Interval | None:
    """Give the corrected gain, widened as the plain one was; None where noise is not undone."""
    if not is_corrected(found):
        return None
    figures = found.corrected["accuracy"]
    narrow = _width(found.gain["accuracy"])
    times = _width(plain) / narrow if narrow else 1.0
    below = max(plain.value - plain.low, times * (figures.gain.value - figures.gain.low))
    above = max(plain.high - plain.value, times * (figures.gain.high - figures.gain.value))
    return Interval(figures.gain.value - below, figures.gain.value, figures.gain.value + above)


def _bound(told: Interval) -> float:
    """Give what the gain is above with SURE."""
    return told.value - FURTHER * (told.value - told.low)


def _needed(rows: int, told: Interval) -> int | None:
    """Give how many rows would tell a gain of this size from none, to two digits; None where it is told, or there is none."""
    if told.value <= 0 or _bound(told) > 0:
        return None
    exact = math.ceil(rows * (FURTHER * (told.value - told.low) / told.value) ** 2)
    step = int(10 ** max(0, len(str(exact)) - 2))
    return math.ceil(exact / step) * step


def _against(found: Comparison, plain: Interval, told: Interval, basis: Basis) -> str:
    """Say why the gain in accuracy is not enough; "" where it is."""
    said = f"accuracy {_points(told)} {BASES[basis]}"
    if found.groups < LEAST:
        return f"too few rows: {found.groups:,} different ones can be compared, and a decision takes {LEAST} or more"
    if told.high < 0:
        return f"the challenger is worse: {said}"
    if _bound(told) <= 0:
        return f"no gain that is sure ({SURE:.0%}): {said}, on {found.rows:,} rows"
    if plain.high < 0:
        return f"{said}, but {_points(plain)} {BASES['plain']}: all hangs on how labels are wrong, so let people verify test rows"
    return ""


def _lost(guards: Mapping[str, Interval], told: Interval, basis: Basis) -> str:
    """Say which guards stop a gain in accuracy; "" where none does."""
    lost = [
        f"{NAMES[name]} is surely worse, by {-gain.value:.3f} (95% interval {-gain.high:.3f} to {-gain.low:.3f})"
        for name, gain in guards.items()
        if gain.high < 0 and gain.low <= -MARGINS[name]
    ]
    return f"accuracy {_points(told)} {BASES[basis]}, but {', and '.join(lost)}" if lost else ""


def _width(interval: Interval) -> float:
    return interval.high - interval.low


def _points(gain: Interval) -> str:
    return f"{100 * gain.value:+.2f} points (95% interval {100 * gain.low:+.2f} to {100 * gain.high:+.2f})"
