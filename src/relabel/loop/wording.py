"""Texts that came after their rows: people read them, and nothing else knows of them.

They stand beside the rounds, in `texts.csv`, by the hash of the row; what was chosen stays as it was written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from relabel import files
from relabel.data.formats import csv as tables
from relabel.loop import collecting
from relabel.loop import rows as stored
from relabel.loop.asking import Asked
from relabel.loop.folder import Loop

NAME = "texts.csv"
COLUMNS = ("row_hash", "review")


def told(loop: Loop, asked: Asked) -> Asked:
    """Give rows with the texts that came later, where they have none."""
    known = _read(loop)
    words = [text or known.get(name, "") for text, name in zip(asked.text.tolist(), asked.hash.tolist(), strict=True)]
    return replace(asked, text=np.array(words, np.object_)) if known else asked


def add(loop: Loop, asked: Asked, texts: Mapping[str, str]) -> Asked:
    """Write down texts, by id, of rows that have none; one that is known stays."""
    found = collecting.filled(asked.text, asked.id, texts)
    new = {name: text for name, text, had in zip(asked.hash, found, asked.text, strict=True) if text and not had}
    if new:
        path = loop.folder / NAME
        files.write_text(path, stored.table(COLUMNS, ({**_read(loop), **new}).items()))
        loop.journal.write("texts", loop.at()[0], {"rows": len(new)}, [path])
    return replace(asked, text=found)


def _read(loop: Loop) -> dict[str, str]:
    path = loop.folder / NAME
    if loop.journal.last("texts") is None or not path.is_file():
        return {}
    values = tables.read(path, COLUMNS).values
    return dict(zip(values["row_hash"].tolist(), values["review"].tolist(), strict=True))
