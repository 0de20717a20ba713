"""Made folders of results, small and quick: the files that a job leaves, with figures that belong together."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from relabel.evaluation import comparison, metrics
from relabel.settings import TrainSettings, as_dict

Make = Callable[..., Path]

KIND = {
    "kind": "class_conditional",
    "wrong": 0.1,
    "low": 0.08,
    "high": 0.12,
    "doubted": 0.2,
    "sentence": "10% are wrong",
}


def write_json(path: Path, value: Any) -> None:
    """Write a value as a job does."""
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")


def lists(values: np.ndarray) -> pa.Array:
    """Make a column of lists of (N, C)."""
    return pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), values.shape[1])


def audit_of(
    rng: np.random.Generator, classes: Sequence[str], texts: Sequence[str | None], *, treated: bool
) -> pa.Table:
    """Make audit.parquet: a third of the rows each of train, dev and test, one in ten flagged."""
    rows, width = len(texts), len(classes)
    given = rng.integers(0, width, rows)
    probability = rng.dirichlet(np.full(width, 0.4), rows) * 0.5 + np.eye(width)[given] * 0.5
    flagged = np.arange(rows) % 10 == 0
    names = np.array(classes, dtype=object)
    table = {
        "file": pa.array(["train/train.csv"] * rows).dictionary_encode(),
        "row": pa.array(np.arange(rows)),
        "id": pa.array([""] * rows),
        "split": pa.array([("train", "dev", "test")[n % 3] for n in range(rows)]).dictionary_encode(),
        "group": pa.array(np.arange(rows) // 2 if rows > 40 else np.arange(rows)),
        "left_out": pa.array(np.zeros(rows, bool)),
        "given_label": pa.array(names[given], pa.string()).dictionary_encode(),
        "suggested_label": pa.array(names[(given + 1) % width], pa.string()).dictionary_encode(),
        "probability": lists(probability),
        "posterior": pa.array(np.where(flagged, 0.9, 0.02)),
        "self_confidence": pa.array(probability[np.arange(rows), given]),
        "flagged": pa.array(flagged),
        "cleanlab_flagged": pa.array(flagged),
        "decision": pa.array(np.where(flagged & treated, "drop", "keep").tolist()).dictionary_encode(),
        "reason": pa.array(["made"] * rows).dictionary_encode(),
        "reviewed": pa.array(np.zeros(rows, bool)),
        "text": pa.array(texts, pa.string()),
        "row_hash": pa.array([f"{n:032x}" for n in range(rows)]),
    }
    return pa.table(table)


def compared(
    rng: np.random.Generator, labels: np.ndarray, width: int, *, treated: bool
) -> tuple[dict[str, Any], np.ndarray, np.ndarray]:
    """Compare made models on labels; give the figures, and probabilities before and after (n, C)."""
    right = np.eye(width)[labels]
    before = np.stack([rng.dirichlet(np.ones(width), labels.size) * 0.7 + right * 0.3 for _ in range(2)])
    after = before * 0.6 + right * 0.4 if treated else before
    found = comparison.compare(labels, before, after, np.arange(labels.size), seed=0, resamples=50).as_dict()
    means = {"before": before.mean(axis=0), "after": after.mean(axis=0)}
    found["reliability"] = {side: bins(labels, each) for side, each in means.items()}
    return found, means["before"].astype(np.float32), means["after"].astype(np.float32)


def bins(labels: np.ndarray, probability: np.ndarray) -> list[dict[str, float]]:
    """Make the bins of the top probability."""
    top, right = probability.max(axis=1), probability.argmax(axis=1) == labels
    place = (top * 15).astype(int).clip(max=14)
    return [
        {
            "low": n / 15,
            "high": (n + 1) / 15,
            "rows": int((place == n).sum()),
            "confidence": float(top[place == n].mean()),
            "accuracy": float(right[place == n].mean()),
        }
        for n in np.unique(place).tolist()
    ]


def overview_of(measures: Sequence[str]) -> dict[str, Any]:
    """Make population.json with slices of some measures."""
    one = {
        "rows": 40,
        "loss": 0.5,
        "loss_interval": [0.4, 0.6],
        "accuracy": 0.8,
        "interval": [0.7, 0.9],
        "expected_wrong_labels": 0.1,
    }
    slices = [
        {
            "measure": name,
            "title": name,
            "kind": "number",
            "bins": [
                {"name": f"{n} to {n + 1}", "low": n, "high": n + 1, **one, "loss": 0.4 + 0.1 * n} for n in range(3)
            ],
        }
        for name in measures
    ]
    worst = [
        {
            "measure": name,
            "title": name,
            "name": "2 to 3",
            "rows": 40,
            "accuracy": 0.6,
            "interval": [0.5, 0.7],
            "expected_wrong_labels": 0.2,
            "words": ["dull"],
        }
        for name in measures
    ]
    return {
        "projection": {"method": "pca", "of": "the vectors", "explained": [0.5, 0.2]},
        "clusters": [],
        "measured": {"rows": 120, "of": 120, "why": None},
        "overall": {"rows": 120, "loss": 0.45, "accuracy": 0.85},
        "slices": slices,
        "skipped": [{"measure": f"metadata.{name}", "title": name, "why": "no row has a value"} for name in measures],
        "worst": worst,
        "trends": [
            {
                "measure": name,
                "title": name,
                "correlation": 0.2,
                "interval": [0.1, 0.3],
                "sentence": f"{name}: the loss grows with it",
            }
            for name in measures
        ],
    }


def write_results(
    folder: Path,
    *,
    classes: Sequence[str] = ("no", "yes"),
    texts: Sequence[str | None] | None = None,
    rows: int = 120,
    treated: bool = True,
    measures: Sequence[str] | None = ("words",),
) -> Path:
    """Write a folder of results; with `measures` None it is one of an older job, without the files that the report has of its own."""
    rng = np.random.default_rng(0)
    texts = [f"text {n}" for n in range(rows)] if texts is None else texts
    folder.mkdir(parents=True)
    audit = audit_of(rng, classes, texts, treated=treated)
    pa.parquet.write_table(audit, folder / "audit.parquet")
    test = np.flatnonzero(np.arange(len(texts)) % 3 == 2)
    labels = np.array([list(classes).index(name) for name in audit["given_label"].to_pylist()])[test]
    figures, before, after = compared(rng, labels, len(classes), treated=treated)
    noise = np.full((len(classes), len(classes)), 0.1 / (len(classes) - 1))
    np.fill_diagonal(noise, 0.9)
    scores = metrics.score(labels, after).as_dict()
    write_json(
        folder / "metrics.json",
        {
            "data": {
                "digest": "d" * 32,
                "classes": list(classes),
                "rows": {"train": 40, "dev": 40, "test": 40},
                "left_out": {"train": 0, "dev": 0, "test": 0},
                "notes": ["a `note`"],
            },
            "settings": as_dict(TrainSettings(seeds=2)),
            "cross_validation": scores,
            "audit": {
                "expected_errors": 4.2,
                "expected_errors_interval": [2.1, 6.3],
                "expected_precision": 0.9,
                "kind_of_noise": KIND,
                "flagged": {"train": 4, "dev": 4, "test": 4},
                "flagged_share": 0.1,
                "cleanlab_flagged": {"train": 3, "dev": 3, "test": 3},
                "noise": {
                    "given_true": noise.tolist(),
                    "low": (noise * 0.9).tolist(),
                    "high": (noise * 1.1).clip(max=1).tolist(),
                    "cleanlab": noise.tolist(),
                },
            },
            "treatment": {
                "policy": "drop" if treated else "keep",
                "verdict": "made",
                "choice": None,
                "keep": 116,
                "drop": 4 if treated else 0,
                "flip": 0,
                "weight": 0,
                "soft": 0,
            },
            "comparison": figures,
            "comparison_verified": None,
            "served": {
                "seed": 0,
                "fitted_on": "treated" if treated else "given",
                "chosen_by": "log loss",
                "before": scores,
                "dev": scores,
                "test": scores,
            },
            "baselines": {"linear": scores},
            "explanations": None,
            "seed_protocol": {"note": "", **scores, "accuracy": 0.99},
        },
    )
    write_json(
        folder / "run.json",
        {"started": "2026-01-01T00:00:00", "host": "hidden-host", "build": {"relabel": "0.0", "threads": 1}},
    )
    if measures is not None:
        write_json(folder / "population.json", overview_of(measures))
        predicted = pa.table({"row": pa.array(test), "before": lists(before), "after": lists(after)})
        pa.parquet.write_table(predicted, folder / "predictions.parquet")
    else:
        old = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
        for name in ("reliability", "changed"):
            old["comparison"].pop(name, None)
        write_json(folder / "metrics.json", old)
    return folder


@pytest.fixture
def made(tmp_path) -> Make:
    """Make a folder of results under the test's own folder; `write_results` tells with what."""
    return lambda name="data", **how: write_results(tmp_path / name, **how)


@pytest.fixture(scope="session")
def usual_folder(tmp_path_factory) -> Path:
    """Make one folder of usual results, for tests that only read."""
    return write_results(tmp_path_factory.mktemp("usual") / "data")
