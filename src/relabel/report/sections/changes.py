"""Before and after: what changed in the predictions on the test rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from relabel.report import facts as known
from relabel.report import numbers
from relabel.report.charts import confusion, pairs, reliability
from relabel.report.drawing import Drawing
from relabel.report.numbers import Interval
from relabel.report.results import AGAIN, Results
from relabel.report.section import Section

EXAMPLES = 8
"""Rows that are shown of those mended, and of those worsened: the ones whose probabilities moved most."""

LONGEST = 4000
"""Letters of a text; the rest is cut, and that is said."""

METRICS = {
    "accuracy": "right",
    "macro_f1": "macro F1, the mean over the classes",
    "log_loss": "log loss, lower is better",
    "ece": "calibration error, lower is better",
}
SHARES = ("accuracy", "macro_f1")


@dataclass(frozen=True, slots=True)
class Example:
    """A test row whose prediction changed: which class by which probability, before and after."""

    text: str
    cut: bool
    place: str
    given: str
    before: str
    after: str
    was: float
    now: float


def context(results: Results) -> dict[str, Any]:
    """Give metrics, examples, and what is missing."""
    figures = results.metrics["comparison"]
    facts = known.gathered(results)
    examples = (
        _examples(results) if facts.treated and results.predictions is not None else {"mended": [], "worsened": []}
    )
    return {
        "treated": facts.treated,
        "rows": figures["rows"],
        "metrics": _metrics(figures),
        "changed": figures.get("changed"),
        "mcnemar": figures["mcnemar"],
        "examples": {kind: [one for one in found if one.text.strip()] for kind, found in examples.items()},
        "textless": _textless(examples),
        "seeds": facts.seeds,
        "baselines": {name: one["accuracy"] for name, one in results.metrics.get("baselines", {}).items()},
        "missing": _missing(results, treated=bool(facts.treated)),
        "too_many": len(results.classes) > confusion.MOST,
    }


def drawings(results: Results) -> tuple[Drawing, ...]:
    """Draw confusion and reliability, and where rows were treated each class and each training run before and after."""
    figures = results.metrics["comparison"]
    sides = ("before", "after") if known.gathered(results).treated else ("after",)
    drawn: list[Drawing] = []
    if len(results.classes) <= confusion.MOST:
        drawn += [
            confusion.drawn(
                f"confusion_{side}",
                f"Confusion {side}" if len(sides) > 1 else "Confusion",
                np.array(figures[side]["confusion"], dtype=np.float64),
                results.classes,
            )
            for side in sides
        ]
    if "reliability" in figures:
        drawn.append(reliability.drawn({side: figures["reliability"][side] for side in sides}))
    return (*drawn, _classes(results, paired=len(sides) > 1), *([_seeds(results)] if len(sides) > 1 else []))


def _metrics(figures: dict[str, Any]) -> list[dict[str, str]]:
    """Say each metric before, after, and gained."""
    return [
        {
            "name": says,
            "before": _figure(name, figures["before"][name]),
            "after": _figure(name, figures["after"][name]),
            "gain": _gain(name, Interval.of(figures["gain"][name])),
        }
        for name, says in METRICS.items()
    ]


def _figure(name: str, value: float) -> str:
    return numbers.percent(value) if name in SHARES else numbers.decimal(value)


def _gain(name: str, gain: Interval) -> str:
    return numbers.points(gain) if name in SHARES else numbers.gained(gain)


def _classes(results: Results, *, paired: bool) -> Drawing:
    before, after = (results.metrics["comparison"][side]["per_class"]["f1"] for side in ("before", "after"))
    return pairs.drawn(
        "per_class",
        "Each class",
        "F1 of each class on the test rows, which is high only where few rows of it are missed and few others are taken for it.",
        list(zip(results.classes, before, after, strict=True)),
        paired=paired,
        axis="F1",
        header=("class", "F1 before", "F1 after") if paired else ("class", "F1"),
    )


def _seeds(results: Results) -> Drawing:
    figures = results.metrics["comparison"]
    runs = [
        (f"run {n + 1}", before["accuracy"], after["accuracy"])
        for n, (before, after) in enumerate(zip(figures["before_seeds"], figures["after_seeds"], strict=True))
    ]
    better = sum(after > before for _, before, after in runs)
    return pairs.drawn(
        "seeds",
        "Each training run",
        f"{better} of {len(runs)} runs, of other random numbers each, are right more often after than before.",
        runs,
        axis="right",
        header=("run", "right before", "right after"),
    )


def _examples(results: Results) -> dict[str, list[Example]]:
    """Give the rows that were mended and worsened, those first whose probability of the given label moved most."""
    predictions = results.predictions
    assert predictions is not None  # noqa: S101  # the caller looked
    rows = predictions["row"].to_numpy()
    given = _codes(results.audit["given_label"].take(pa.array(rows)), results.classes)
    before, after = (_matrix(predictions[side]) for side in ("before", "after"))
    was, now = before.argmax(axis=1), after.argmax(axis=1)
    place = np.arange(rows.size)
    moved = np.abs(after[place, given] - before[place, given])
    kinds = {"mended": (was != given) & (now == given), "worsened": (was == given) & (now != given)}
    found = {}
    for kind, chosen in kinds.items():
        at = np.flatnonzero(chosen)
        at = at[np.argsort(-moved[at], kind="stable")][:EXAMPLES]
        found[kind] = [_example(results, int(rows[n]), before[n], after[n]) for n in at]
    return found


def _example(results: Results, row: int, before: NDArray[np.float32], after: NDArray[np.float32]) -> Example:
    record = results.audit.slice(row, 1).select(["file", "row", "given_label"]).to_pylist()[0]
    was, now = int(before.argmax()), int(after.argmax())
    text = results.text(np.array([row]))[0] or ""
    return Example(
        text=text[:LONGEST],
        cut=len(text) > LONGEST,
        place=f"{record['file']}, row {record['row']}",
        given=record["given_label"],
        before=results.classes[was],
        after=results.classes[now],
        was=float(before[was]),
        now=float(after[now]),
    )


def _textless(examples: dict[str, list[Example]]) -> bool:
    """Tell whether rows changed, and none of them has a text to show."""
    found = [one for each in examples.values() for one in each]
    return bool(found) and not any(one.text.strip() for one in found)


def _missing(results: Results, *, treated: bool) -> list[str]:
    """Say what an older job left out."""
    missing = []
    if "reliability" not in results.metrics["comparison"]:
        missing.append(f"How far the probabilities can be trusted is not in these results: {AGAIN}.")
    if treated and results.predictions is None:
        missing.append(f"Which rows changed is not in these results: {AGAIN}.")
    return missing


def _codes(labels: pa.ChunkedArray, classes: tuple[str, ...]) -> NDArray[np.int64]:
    place = {name: code for code, name in enumerate(classes)}
    return np.array([place[label] for label in labels.to_pylist()], np.int64)


def _matrix(column: pa.ChunkedArray) -> NDArray[np.float32]:
    """Make (n, C) of a column of lists."""
    found: NDArray[np.float32] = np.asarray(column.combine_chunks().flatten(), np.float32).reshape(len(column), -1)
    return found


SECTION = Section(name="changes", title="Before and after", context=context, drawings=drawings)
