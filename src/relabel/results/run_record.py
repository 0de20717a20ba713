"""run.json: when, where and how long; the one file that differs from run to run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from relabel import files

NAME = "run.json"


def write(folder: Path, record: Mapping[str, Any]) -> None:
    """Write the record."""
    files.write_json(folder / NAME, dict(record))


def read(folder: Path) -> dict[str, Any]:
    """Read the record back."""
    record: dict[str, Any] = json.loads((folder / NAME).read_text())
    return record
