"""outlook.json: what more labels, and what cleaner ones, would be worth, where that was asked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from relabel import files
from relabel.evaluation.outlook import Outlook
from relabel.results.findings import Findings

NAME = "outlook.json"


def write(folder: Path, findings: Findings) -> None:
    """Write the figures; where it was not asked, take away what an earlier job left."""
    if findings.outlook is None:
        (folder / NAME).unlink(missing_ok=True)
    else:
        save(folder, findings.outlook)


def save(folder: Path, outlook: Outlook) -> None:
    """Put an outlook beside the other results."""
    files.write_json(folder / NAME, outlook.as_dict())


def read(folder: Path) -> dict[str, Any] | None:
    """Read it back; None where it was not asked."""
    path = folder / NAME
    found: dict[str, Any] | None = json.loads(path.read_text()) if path.is_file() else None
    return found
