"""Promises of metric lines."""

import re
import struct

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from relabel.container import metrics
from relabel.container.metrics import LABELS, METRICS
from relabel.errors import AlgorithmError

NUMBERS = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**30), 10**30)
BY_NAME = {metric.name: metric for metric in METRICS}


@given(values=st.dictionaries(st.sampled_from([metric.name for metric in METRICS]), NUMBERS, min_size=1))
@example({"dev_log_loss": 5e-324, "flagged": -0.0})
@example({"log_loss_gain": -1.7976931348623157e308, "accuracy_gain": 1e-7, "accuracy_gain_low": 1e16})
def test_every_line_is_read_back_exactly_by_its_own_expressions(values) -> None:
    """The platform gets the very number, once, and none that was not said."""
    line = metrics.line(**values)
    for name, metric in BY_NAME.items():
        found = re.findall(metric.regex, line)
        assert len(found) == (name in values), name
        if name in values:
            assert struct.pack("d", float(found[0])) == struct.pack("d", float(values[name]))


@given(value=st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_numbers_of_numpy_are_written_like_python_s(value) -> None:
    """Arrays give their figures without conversion."""
    assert metrics.line(flagged=np.int64(3), dev_accuracy=np.float32(value)) == f"flagged=3; dev_accuracy={value!r};"


def test_lines_are_plain() -> None:
    """Records in the order given, on one line, no colour, no carriage return."""
    assert metrics.line(stage="cross-validation", epoch=3, dev_log_loss=0.4123) == (
        "stage=cross-validation; epoch=3; dev_log_loss=0.4123;"
    )


def test_expressions_find_their_record_behind_a_prefix() -> None:
    """Log drivers put their own text before a line."""
    line = "algo-1-x7  | " + metrics.line(cleanlab_flagged=2, flagged=1)
    assert re.findall(BY_NAME["flagged"].regex, line) == ["1"]
    assert re.findall(BY_NAME["cleanlab_flagged"].regex, line) == ["2"]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_what_is_no_number_is_shown_and_not_collected(value) -> None:
    """A diverged training is visible to people, and gives a tuning job no figure."""
    line = metrics.line(dev_log_loss=value)
    assert line == f"dev_log_loss={value!r};"
    assert re.findall(BY_NAME["dev_log_loss"].regex, line) == []


def test_a_name_that_is_not_declared_is_refused() -> None:
    """A figure that the platform would never see is a fault of ours; the message says where to mend it."""
    with pytest.raises(AlgorithmError, match=r"not declared: a, b\. .*metrics\.py"):
        metrics.line(b=1, a=2, flagged=3)


@pytest.mark.parametrize(
    "given", [{"stage": "a b"}, {"stage": "a;b"}, {"stage": "a\rb"}, {"stage": ""}, {"flagged": "3"}]
)
def test_a_text_that_breaks_the_line_is_refused(given) -> None:
    """Labels are single words, metrics are numbers."""
    with pytest.raises(AlgorithmError):
        metrics.line(**given)


def test_the_platform_s_limits_are_kept() -> None:
    """At most 40 definitions with expressions of at most 500 characters, each name once and no label among them."""
    definitions = metrics.definitions()
    assert len(definitions) == len({d["Name"] for d in definitions}) == len(METRICS) <= 40
    assert all(len(d["Regex"]) <= 500 and re.compile(d["Regex"]).groups == 1 for d in definitions)
    assert LABELS.isdisjoint(BY_NAME)


def test_one_metric_is_the_tuning_objective() -> None:
    """A tuning job needs exactly one."""
    assert [metric.name for metric in METRICS if metric.objective] == ["dev_log_loss"]
