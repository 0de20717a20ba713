"""Results made in memory: what the parts of a report that show rows are given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from relabel.data.texts import Texts
from relabel.report.results import Results

Make = Callable[..., Results]


@pytest.fixture
def make(tmp_path) -> Make:
    """Give what makes results of some rows; every third of them is flagged unless told otherwise, and there are two clusters."""

    def made(
        texts: Sequence[str | None],
        *,
        given: Sequence[str | None] | None = None,
        classes: Sequence[str] = ("no", "yes"),
        flagged: Sequence[bool] | None = None,
        posterior: Sequence[float] | None = None,
        words: Sequence[str] = ("cream", "soap"),
        **more: Any,
    ) -> Results:
        rows = len(texts)
        count = np.arange(rows)
        labels = [classes[n % len(classes)] for n in range(rows)] if given is None else list(given)
        audit = pa.table(
            {
                "file": pa.array(["train/a.csv"] * rows).dictionary_encode(),
                "row": pa.array(count),
                "id": pa.array([""] * rows),
                "split": pa.array([("train", "test")[n % 2] for n in range(rows)]).dictionary_encode(),
                "given_label": pa.array(labels, pa.string()).dictionary_encode(),
                "suggested_label": pa.array([classes[(n + 1) % len(classes)] for n in range(rows)]).dictionary_encode(),
                "posterior": pa.array(np.linspace(0.9, 0.1, rows) if posterior is None else posterior, pa.float64()),
                "flagged": pa.array(count % 3 == 0 if flagged is None else flagged),
                "decision": pa.array(["keep"] * rows).dictionary_encode(),
                "reason": pa.array(["not flagged"] * rows).dictionary_encode(),
            }
        )
        population = pa.table(
            {
                "x": pa.array(count, pa.float32()),
                "y": pa.array(-count, pa.float32()),
                "cluster": pa.array(count % 3 - 1, pa.int16()),
                "loss": pa.array([None if label is None else 0.5 for label in labels], pa.float32()),
                "predicted_label": pa.array([classes[0]] * rows).dictionary_encode(),
            }
        )
        return Results(
            folder=Path(tmp_path),
            metrics={},
            classes=tuple(classes),
            texts=None if all(text is None for text in texts) else Texts.of(text or "" for text in texts),
            **{"audit": audit, "population": population, "overview": overview(words, classes)} | more,
        )

    return made


def overview(words: Sequence[str], classes: Sequence[str]) -> dict[str, Any]:
    """Make population.json with two clusters."""
    figures = {"rows": 10, "loss": 0.5, "accuracy": 0.8, "flagged": 2}
    return {
        "projection": {"method": "pca", "of": "a made layer.", "explained": [0.5, 0.25]},
        "clusters": [
            {
                "cluster": n,
                "words": [word],
                "labels": dict.fromkeys(classes, 5),
                "expected_wrong_labels": 0.1 * (n + 1),
                **figures,
            }
            for n, word in enumerate(words)
        ],
    }
