"""Metric lines: what the log says to people and to the platform, which reads figures out of it by regular expressions.

    baseline_accuracy=0.8417; baseline_log_loss=0.36;

A name stands at the start of a line or after a space, so that `flagged` is never found inside `cleanlab_flagged`.
"""

from __future__ import annotations

import logging
import operator
import re
from dataclasses import dataclass
from typing import SupportsFloat

from relabel.errors import AlgorithmError

LOGGER = "relabel.metrics"
"""Logger whose lines go out as they are."""

NUMBER = r"([-+]?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?)"

LABELS = frozenset({"stage", "epoch", "seed"})
"""Names that may stand in a line to say what it is about; the platform does not collect them."""

PLAIN = re.compile(r"[\w.+-]+", re.ASCII)
"""What a label's value may be, so that the line stays readable by machines."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One figure that the platform collects.

    objective: whether a tuning job optimises it.
    """

    name: str
    help: str
    objective: bool = False

    @property
    def regex(self) -> str:
        """Expression that finds the figure in a line that `line` made; its group 1 is the number."""
        return rf"(?:^|\s){self.name}={NUMBER};"


METRICS: tuple[Metric, ...] = (
    Metric("baseline_accuracy", "accuracy on the test rows, trained on the labels as given"),
    Metric("baseline_log_loss", "log loss on the test rows, trained on the labels as given"),
    Metric("baseline_macro_f1", "mean F1 of the classes on the test rows, trained on the labels as given"),
    Metric("baseline_ece", "expected calibration error on the test rows, trained on the labels as given"),
    Metric("final_accuracy", "accuracy on the test rows, trained after the treatment"),
    Metric("final_log_loss", "log loss on the test rows, trained after the treatment"),
    Metric("final_macro_f1", "mean F1 of the classes on the test rows, trained after the treatment"),
    Metric("final_ece", "expected calibration error on the test rows, trained after the treatment"),
    Metric("accuracy_gain", "final less baseline accuracy"),
    Metric("accuracy_gain_low", "lower end of the interval of accuracy_gain"),
    Metric("accuracy_gain_high", "upper end of the interval of accuracy_gain"),
    Metric("log_loss_gain", "baseline less final log loss: above 0 is better"),
    Metric("dev_accuracy", "accuracy on the choosing half of dev, after the treatment"),
    Metric("dev_log_loss", "log loss on the choosing half of dev, after the treatment: minimise it", objective=True),
    Metric("flagged", "training rows flagged by the error posterior"),
    Metric("flagged_share", "flagged, as a share of the training rows"),
    Metric("cleanlab_flagged", "training rows flagged by confident learning"),
    Metric("treated", "training rows that the policy changed"),
    Metric("expected_errors", "sum of the error posterior over the training rows"),
    Metric("cross_validation_accuracy", "accuracy of the out-of-fold predictions on the training rows as given"),
    Metric("cross_validation_log_loss", "log loss of the out-of-fold predictions on the training rows as given"),
    Metric("champion_accuracy", "accuracy of the model that serves now, on the test rows that it has not learned from"),
    Metric("challenger_gain", "accuracy of this job's model less champion_accuracy, on the same rows"),
    Metric("challenger_gain_low", "lower end of the interval of challenger_gain"),
    Metric("challenger_gain_high", "upper end of the interval of challenger_gain"),
    Metric("promote", "1 where this job's model is to take the champion's place, else 0"),
)

NAMES = frozenset(metric.name for metric in METRICS)
RECORD = re.compile(rf"(?<!\S)({'|'.join(sorted(NAMES))})=")
"""Beginning of what is read as a figure."""


def line(**values: SupportsFloat | str) -> str:
    """Make one line of `name=value;` records.

    A finite number is written so that its metric's expression gives it back exactly. What is not finite is written for
    people, as `nan` or `inf`, and no expression finds it.

    Raises AlgorithmError for a name that is not declared above and for a text that would break the line.
    """
    unknown = sorted(set(values) - NAMES - LABELS)
    if unknown:
        raise AlgorithmError(f"metrics not declared: {', '.join(unknown)}. Declare them in container/metrics.py.")
    return " ".join(f"{name}={_shown(name, value)};" for name, value in values.items())


def emit(**values: SupportsFloat | str) -> None:
    """Log one line, see `line`."""
    logging.getLogger(LOGGER).info("%s", line(**values))


def disarmed(said: str) -> str:
    """Make of any text one in which no metric's expression finds a figure.

    >>> disarmed("classes bad, good dev_log_loss=0.1;")
    'classes bad, good dev_log_loss =0.1;'
    """
    return RECORD.sub(r"\1 =", said)


def figures(said: str) -> dict[str, float]:
    """Read the figures of a line as the platform does.

    >>> figures("stage=after; flagged=12; final_ece=nan;")
    {'flagged': 12.0}
    """
    found = {metric.name: re.search(metric.regex, said) for metric in METRICS}
    return {name: float(match[1]) for name, match in found.items() if match}


def definitions() -> list[dict[str, str]]:
    """Give the metric definitions that a training job is started with."""
    return [{"Name": metric.name, "Regex": metric.regex} for metric in METRICS]


def _shown(name: str, value: SupportsFloat | str) -> str:
    if isinstance(value, str):
        if name in NAMES or not PLAIN.fullmatch(value):
            raise AlgorithmError(
                f"{name} in a metric line is a text: give a number, or for a label letters, digits and . + - _"
            )
        return value
    try:
        return str(operator.index(value))  # type: ignore[arg-type]  # whole numbers of any library
    except TypeError:
        return repr(float(value))
