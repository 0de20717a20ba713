"""What all tests share."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from relabel.data import planted

# Tests run side by side: more threads than cores make small networks wait for each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")

NOISE = np.array([[0.95, 0.05], [0.2, 0.8]])


@pytest.fixture
def channel(tmp_path) -> Callable[..., Path]:
    """Make the seed's layout in a folder: train, dev and test with planted flips, and the platform's configuration files."""

    def make(
        hyperparameters: Mapping[str, object] | None = None,
        *,
        rows: int = 900,
        width: int = 16,
        root: Path | None = None,
    ) -> Path:
        root = root or tmp_path / "ml"
        for name, share, seed in (("train", 1, 0), ("dev", 3, 1), ("test", 2, 2)):
            made = planted.reviews(rows // share, width=width, noise=NOISE, seed=seed)
            planted.write(root / "input" / "data" / "train", name, made)
        config = root / "input" / "config"
        config.mkdir(parents=True, exist_ok=True)
        (config / "hyperparameters.json").write_text(
            json.dumps({k: str(v) for k, v in (hyperparameters or {}).items()})
        )
        return root

    return make
