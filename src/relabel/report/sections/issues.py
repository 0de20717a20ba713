"""Other issues of the data: duplicates, conflicts, outliers, drift, rare and overlapping classes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from relabel.data import duplicates
from relabel.report import packing
from relabel.report.charts import shares
from relabel.report.drawing import Drawing
from relabel.report.results import Results
from relabel.report.section import Section

TITLES = {
    "near_duplicates": "Near duplicates",
    "outliers": "Outliers",
    "drift": "Drift between splits",
    "imbalance": "Rare classes",
    "class_overlap": "Classes that overlap",
}
SLICES = "weak_slices"
"""Shown in a section of their own."""

SPLITS = ("train", "dev", "test")


def context(results: Results) -> dict[str, Any]:
    """Give each issue with its sentence, and what equal rows there are."""
    found = results.data_issues
    return {
        "issues": [
            {
                "title": TITLES.get(name, name),
                "found": _alarming(name, one),
                "sentence": one["sentence"],
                "rows": one["rows"],
            }
            for name, one in found.items()
            if name != SLICES
        ],
        "duplicates": _duplicates(results),
        "drift": [{**one, "by": _drifted_by(one)} for one in found.get("drift", {}).get("splits", [])],
        "pairs": found.get("class_overlap", {}).get("pairs", []),
    }


def drawings(results: Results) -> tuple[Drawing, ...]:
    """Draw the classes' shares of each split."""
    labels = results.audit.select(["split", "given_label"])
    of: dict[str, dict[str, float]] = {}
    for split in SPLITS:
        named = labels.filter(pc.equal(labels["split"], split))["given_label"].cast(pa.string()).drop_null()
        counts = {one["values"]: one["counts"] for one in named.value_counts().to_pylist()}
        if counts:
            of[split] = {name: counts.get(name, 0) / len(named) for name in results.classes}
    return (shares.drawn(of, results.classes),)


def _alarming(name: str, figures: dict[str, Any]) -> bool:
    """Tell whether people should look; near duplicates in one split with one label do no harm."""
    if name != "near_duplicates":
        return bool(figures["count"])
    harms = [figures.get(key) for key in ("sets_across_splits", "sets_with_different_labels")]
    return bool(figures["count"]) and harms != [0, 0]


def _drifted_by(split: dict[str, Any]) -> str:
    """Say in what a split differs from train; empty where it does not."""
    classes = any(one["drifted"] for one in split.get("labels", []))
    what = [*(["rows"] if split.get("inputs_drifted") else []), *(["shares of the classes"] if classes else [])]
    return "drifted" + (f": {' and '.join(what)}" if what else "") if split["drifted"] else ""


def _duplicates(results: Results) -> dict[str, int]:
    """Count groups of equal rows, their rows, those with more than one label, and rows left out of training and scoring."""
    group = results.audit["group"].to_numpy()
    labels = packing.named(results.audit["given_label"], "").codes.astype(np.int64)
    labels[results.audit["given_label"].is_null().to_numpy()] = -1
    sizes = np.bincount(group)
    return {
        "groups": int((sizes > 1).sum()),
        "rows": int(sizes[sizes > 1].sum()),
        "conflicts": int(np.unique(group[duplicates.conflicting(group, labels)]).size),
        "left_out": pc.sum(results.audit["left_out"]).as_py() or 0,
    }


SECTION = Section(name="issues", title="Other issues", context=context, drawings=drawings)
