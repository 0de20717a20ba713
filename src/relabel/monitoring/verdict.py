"""What windows come to, in a sentence and as yes or no."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from relabel.monitoring.journal import Journal
from relabel.monitoring.watching import MOST
from relabel.report import numbers


def drift(journal: Journal, accuracy: Mapping[str, Any] | None = None) -> bool:
    """Tell whether somebody should look: the last window drifted, all together prove drift, or the accuracy fell."""
    last = bool(journal.windows) and journal.windows[-1]["drifted"]
    return bool(last or journal.alarm is not None or (accuracy is not None and fell(accuracy)))


def headline(journal: Journal, accuracy: Mapping[str, Any] | None = None) -> str:
    """Say in one sentence what the windows come to."""
    last, count = journal.windows[-1], len(journal.windows)
    if journal.alarm is not None and last["drifted"]:
        said = f"Drift: the last window, {last['number']}, drifted; all windows together prove drift since window {journal.alarm}"
    elif journal.alarm is not None:
        said = f"Drift: all windows together prove it since window {journal.alarm}; the last, {last['number']}, {_quiet(last)}"
    elif last["drifted"]:
        said = f"Drift: the last window, {last['number']}, is unlike what the model was tested on"
    else:
        said = f"No drift in the last of {count} window{'s' if count > 1 else ''}"
    return f"{said}; accuracy fell" if accuracy is not None and fell(accuracy) else said


def fell(accuracy: Mapping[str, Any]) -> bool:
    """Tell whether labels show that the model is surely less often right than on its test rows: in all, or in the last labelled window."""
    labelled = [one for one in accuracy["windows"] if one["rows"]]
    return bool(accuracy["all"]["fell"] or (labelled and labelled[-1]["fell"]))


def compared(window: Mapping[str, Any]) -> str:
    """Say how many rows of a window were compared, and why not all.

    >>> compared({"rows": 500, "compared": 350}), compared({"rows": 9, "compared": 9})
    ('350 compared, 150 that the model was trained on or repeated', '9 compared')
    """
    said, others = f"{window['compared']:,} compared", window["rows"] - window["compared"]
    if not others:
        return said
    if window["compared"] >= MOST:
        return f"{said}, {others:,} beyond the {MOST:,} that suffice, trained on or repeated"
    return f"{said}, {others:,} that the model was trained on or repeated"


def _quiet(window: Mapping[str, Any]) -> str:
    return "by itself is like the reference" if "p" in window else "has too few new rows to judge"


def p_value(p: float) -> str:
    """Say a p-value.

    >>> p_value(0.0000001), p_value(0.2)
    ('< 0.001', '0.200')
    """
    return "< 0.001" if p < 0.001 else numbers.decimal(p)  # noqa: PLR2004  # the digits that are shown
