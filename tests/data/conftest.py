"""Made channels: label files with embeddings beside them, every row different unless told otherwise."""

import csv
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from relabel.data import reading
from relabel.data.examples import Examples
from relabel.errors import UserError
from relabel.settings import TrainSettings

Read = Callable[..., Examples]


class Channels:
    """Writes files into channel folders and reads them through the gate."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.made = 0

    def path(self, name: str) -> Path:
        """Give the path of `channel/file`, with its folder made."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def vectors(self, rows: int, width: int = 4) -> np.ndarray:
        """Make embeddings that no other call makes."""
        self.made += 1
        return np.random.default_rng(self.made).standard_normal((rows, width)).astype(np.float32)

    def table(self, name: str, columns: Mapping[str, Sequence[str]]) -> None:
        """Write `channel/name.csv`."""
        with self.path(f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(columns)
            writer.writerows(zip(*columns.values(), strict=True))

    def add(self, name: str, labels: Sequence[Any], vectors: Any = None, **columns: Sequence[str]) -> None:
        """Write `channel/name.csv` and `channel/name.pt`; texts are made where none are given."""
        values = {"review": [f"{name} {row}" for row in range(len(labels))], **columns}
        self.table(name, {**values, "label": [str(label) for label in labels]})
        made = self.vectors(len(labels)) if vectors is None else vectors
        torch.save(made if isinstance(made, torch.Tensor) else torch.from_numpy(made), self.path(f"{name}.pt"))

    def read(self, *names: str, **settings: Any) -> Examples:
        """Read the named channels, or all that have a folder."""
        chosen = names or sorted(path.name for path in self.root.iterdir())
        return reading.read({name: self.root / name for name in chosen}, TrainSettings(**settings))

    def problems(self, *names: str, **settings: Any) -> tuple[str, ...]:
        """Read what cannot be read, and give the problems."""
        with pytest.raises(UserError) as caught:
            self.read(*names, **settings)
        return caught.value.problems


@pytest.fixture
def channels(tmp_path: Path) -> Channels:
    """Give an empty folder for channels."""
    root = tmp_path / "channels"
    root.mkdir()
    return Channels(root)


@pytest.fixture
def three(channels: Channels) -> Channels:
    """Give one sound channel `train` that holds three splits of two classes."""
    for split, rows in (("train", 12), ("dev", 4), ("test", 6)):
        channels.add(f"train/{split}", [row % 2 for row in range(rows)])
    return channels
