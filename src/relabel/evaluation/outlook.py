"""More labels or cleaner labels? What a learning curve, and fits on cleaned labels, say of either, and how surely.

Letters: n rows, S repeats, K sizes, C classes, R resamples.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from relabel.evaluation import learning_curve, resampling
from relabel.evaluation.comparison import LEVEL, RESAMPLES, Interval
from relabel.evaluation.resampling import Draws

GROWTH = (0.1, 0.25, 0.5, 1.0)
"""More labels that are asked about, in shares of those there are."""

Answer = Literal["cleaner", "more", "cannot tell"]


@dataclass(frozen=True, slots=True, eq=False)
class Copy:
    """A copy of the rows in which the true labels are known.

    labels:  (n,) int64, true.
    given:   (S, n, C) by models fitted on the copy's noisy labels.
    checked: (S, n, C) by models fitted on the same with the doubtful labels replaced by the true ones.
    """

    labels: NDArray[np.int64]
    given: NDArray[np.float64]
    checked: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """Probabilities of n rows by models that never saw them; None where no label is doubtful.

    labels:     (n,) int64, as given.
    sizes:      (K,) rows that models learned from, ascending.
    shares:     (K, S, n, C) by models of each size.
    noise:      (C, C) P(given j | true i) of the labels.
    doubtful:   labels of the n that are flagged.
    dropped:    (S, n, C) by models of the largest size, without their doubtful rows.
    relabelled: (S, n, C) by models of the largest size, with the suggested labels in their place.
    copy:       a copy in which they are checked.
    """

    labels: NDArray[np.int64]
    sizes: NDArray[np.float64]
    shares: NDArray[np.float64]
    noise: NDArray[np.float64]
    doubtful: int
    dropped: NDArray[np.float64] | None = None
    relabelled: NDArray[np.float64] | None = None
    copy: Copy | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """A number of rows, and a figure of accuracy."""

    rows: int
    accuracy: Interval


@dataclass(frozen=True, slots=True)
class Outlook:
    """What labels are worth, in accuracy on right labels: that on given ones with their noise undone.

    rows:       training rows there are.
    doubtful:   labels of them that are flagged.
    curve:      sizes that were tried, and the accuracy of each.
    plain:      the same on the labels as given.
    more:       numbers of further labels, and the gain of each by the curve's power law.
    as_many:    the gain of as many further labels as are doubtful.
    dropped:    the gain of leaving the doubtful rows out.
    relabelled: the gain of giving them the suggested labels.
    checked:    the gain of people who check them, as a copy of the data has it; None where none is doubtful, as above.
    ahead:      by how much that is more than as_many.
    equivalent: further labels that gain as much as checking; infinite where no number that can be told does.
    answer:     which is worth more.
    sentence:   the same for people, with figures.
    """

    rows: int
    doubtful: int
    curve: tuple[Step, ...]
    plain: tuple[Step, ...]
    more: tuple[Step, ...]
    as_many: Interval
    dropped: Interval | None
    relabelled: Interval | None
    checked: Interval | None
    ahead: Interval | None
    equivalent: Interval | None
    answer: Answer = "cannot tell"
    sentence: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Give plain values for JSON; what is infinite is null."""
        found = dataclasses.asdict(self)
        if self.equivalent is not None:
            found["equivalent"] = {
                name: value if np.isfinite(value) else None for name, value in found["equivalent"].items()
            }
        return found


def weigh(held: Held, group: NDArray[np.int64], *, seed: int, resamples: int = RESAMPLES) -> Outlook:
    """Hold more labels against cleaner ones.

    group: (n,) duplicate group of each row.

    Every interval is of one bootstrap over duplicate groups and repeats (`resampling.spread`), so differences are paired. A gain of
    more labels is the power law's, fitted to each resample; it takes further labels to be like those there are, errors included.
    The noise rates, and in the copy its labels, are taken as they are: their own uncertainty is in no interval.
    """
    rows = held.labels.size
    draws = resampling.draw(group, seeds=held.shares.shape[1], resamples=resamples, seed=seed)
    plain, right = (
        [_accuracies(held.labels, share, noise, draws) for share in held.shares] for noise in (None, held.noise)
    )
    law = learning_curve.fit(held.sizes, np.stack([_figure(values, draws) for values in right], axis=1))
    gains = {
        name: _figure(_accuracies(held.labels, after, held.noise, draws) - right[-1], draws)
        for name, after in (("dropped", held.dropped), ("relabelled", held.relabelled))
        if after is not None
    }
    as_many = law.at(rows + held.doubtful) - law.at(rows)
    more = [(round(share * rows), law.at((1 + share) * rows) - law.at(rows)) for share in GROWTH]
    checked = None if held.copy is None else _checked(held.copy, draws)
    steps = tuple(Step(count, interval(gain)) for count, gain in more)
    equivalent = None if checked is None else law.more(rows, checked)
    found = Outlook(
        rows=rows,
        doubtful=held.doubtful,
        curve=_steps(held.sizes, right, draws),
        plain=_steps(held.sizes, plain, draws),
        more=steps,
        as_many=interval(as_many),
        dropped=interval(gains["dropped"]) if "dropped" in gains else None,
        relabelled=interval(gains["relabelled"]) if "relabelled" in gains else None,
        checked=None if checked is None else interval(checked),
        ahead=None if checked is None else interval(checked - as_many),
        equivalent=None if equivalent is None else interval(equivalent),
    )
    answer, sentence = said(found)
    return dataclasses.replace(found, answer=answer, sentence=sentence)


def said(found: Outlook) -> tuple[Answer, str]:
    """Say which is worth more, in a word and in a sentence.

    Cleaner: checking surely gains, and surely more than as many further labels. More: as many further labels surely gain more than
    checking; or checking may gain nothing, and some number of further labels surely gains more than checking can. Sure is what the whole
    95% interval says.
    """
    first, last = found.more[0], found.more[-1]
    if found.checked is None or found.ahead is None or found.equivalent is None:
        return "more", f"More labels: no label is doubtful; {_worth(first, found.rows)}, {_worth(last, found.rows)}."
    check = found.checked
    checking = f"checking the {found.doubtful:,} most doubtful labels is worth {_points(check)}"
    checking += "" if check.low > 0 else ", which may be none"
    others = f"as many further labels are worth {_points(found.as_many)}"
    if check.low > 0 and found.ahead.low > 0:
        return "cleaner", f"Cleaner labels: {checking}, {_equal(found.equivalent, found.rows)}; {others}."
    if found.ahead.high < 0:
        return "more", f"More labels: {checking}, {others}."
    surely = [step for step in found.more if step.accuracy.low > max(check.high, 0)]
    if check.low <= 0 and surely:
        return "more", f"More labels: {checking}; {_worth(surely[0], found.rows)}."
    return "cannot tell", f"Cannot tell: {checking}, {others}; {_worth(last, found.rows)}."


def interval(figure: NDArray[np.float64]) -> Interval:
    """Give the interval of a figure (1 + R,), of the sample and of its resamples."""
    low, high = np.quantile(figure[1:], [(1 - LEVEL) / 2, (1 + LEVEL) / 2], method="nearest")
    return Interval(float(low), float(figure[0]), float(high))


def _accuracies(
    labels: NDArray[np.int64], probability: NDArray[np.float64], noise: NDArray[np.float64] | None, draws: Draws
) -> NDArray[np.float64]:
    """Accuracy (1 + R, S) of probability (S, n, C) on the rows drawn, with the noise of the labels undone where it is given."""
    found = resampling.resampled(labels, probability, draws, noise)
    return found["accuracy" if noise is None else "accuracy_corrected"]


def _figure(values: NDArray[np.float64], draws: Draws) -> NDArray[np.float64]:
    """Mean over repeats of the sample, and what it may be instead: (1 + R,)."""
    value = values[0].mean()
    return np.concatenate([[value], value + resampling.spread(values, draws)])


def _steps(sizes: NDArray[np.float64], values: list[NDArray[np.float64]], draws: Draws) -> tuple[Step, ...]:
    return tuple(Step(round(size), interval(_figure(each, draws))) for size, each in zip(sizes, values, strict=True))


def _checked(copy: Copy, draws: Draws) -> NDArray[np.float64]:
    """Gain of checking in the copy: (1 + R,)."""
    given, checked = (_accuracies(copy.labels, side, None, draws) for side in (copy.given, copy.checked))
    return _figure(checked - given, draws)


def _worth(step: Step, rows: int) -> str:
    return f"{step.rows:,} further labels ({step.rows / rows:.0%} more) are worth {_points(step.accuracy)}"


def _points(gain: Interval) -> str:
    """Say a gain of accuracy in points.

    >>> _points(Interval(0.0021, 0.0084, 0.0126))
    '+0.8 points (0.2 to 1.3)'
    """
    low, value, high = (100 * end + 0.0 for end in (gain.low, gain.value, gain.high))
    return f"{value:+.1f} points ({low:.1f} to {high:.1f})".replace("-0.0", "0.0").replace("+0.0", "0.0")


def _equal(more: Interval, rows: int) -> str:
    """Say how many further labels gain as much."""
    most = int(learning_curve.FURTHEST - 1) * rows
    if not np.isfinite(more.value):
        return f"more than any number of further labels up to {most:,}"
    low, high = _round(more.low), f"{_round(more.high):,}" if np.isfinite(more.high) else f"more than {most:,}"
    return f"as much as {_round(more.value):,} further labels ({low:,} to {high})"


def _round(count: float) -> int:
    """Round to two digits: a curve tells no more."""
    return int(float(f"{count:.2g}")) if np.isfinite(count) else 0
