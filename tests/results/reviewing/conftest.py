"""A small audit table whose questions, answers and exports are written out."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from relabel.data import identity
from relabel.results.reviewing import importing, questions
from relabel.results.reviewing.formats import FORMATS, recognised

EXPORTS = Path(__file__).parent / "exports"
ROWS = [
    # text, given, suggested, posterior, flagged, split, file, row
    ("The cream is lovely", "0", "1", 0.97, True, "train", "train/train.csv", 0),
    ("The soap is harsh, and\nsticky", "1", "0", 0.9, True, "train", "train/train.csv", 1),
    ("It came on a Tuesday", "1", "0", 0.6, True, "train", "train/train.csv", 2),
    ("The brush is soft", "1", "1", 0.02, False, "train", "train/train.csv", 3),
    ("The brush is soft", "0", "1", 0.4, True, "train", "train/train.csv", 4),
    ('"Perfect" scent; véry', "1", "1", 0.03, False, "train", "train/train.csv", 5),
    ("A dull mirror", "0", "0", 0.05, False, "test", "train/test.csv", 0),
]
HASHES = [identity.row_hash(None, row[0]) for row in ROWS]


def table(rows=ROWS, **changed) -> pa.Table:
    """Make an audit table of rows as above; equal texts share a group."""
    texts, given, suggested, posterior, flagged, split, file, row = (list(column) for column in zip(*rows, strict=True))
    columns = {
        "file": file,
        "row": row,
        "id": [""] * len(rows),
        "split": split,
        "group": [texts.index(text) for text in texts],
        "left_out": [False] * len(rows),
        "given_label": given,
        "suggested_label": suggested,
        "posterior": np.array(posterior, np.float64),
        "flagged": flagged,
        "reviewed": [False] * len(rows),
        "text": texts,
        "row_hash": [identity.row_hash(None, text) for text in texts],
    }
    return pa.table({**columns, **changed})


@pytest.fixture
def asked() -> questions.Questions:
    """Give the questions of the rows above: 6, for two rows are duplicates."""
    return questions.gathered(table(), ("0", "1"), "digest")


@pytest.fixture
def hashes() -> list[str]:
    """Give the row hashes of the rows above."""
    return HASHES


@pytest.fixture
def made():
    """Give the function that makes an audit table of rows."""
    return table


@pytest.fixture
def exports() -> Path:
    """Give the folder of exports as the tools write them."""
    return EXPORTS


@pytest.fixture
def imported(asked):
    """Give a function that reads a file and checks it: (name, data) -> Import."""

    def take(name, data=None, *, attribute="", reviewer="") -> importing.Import:
        data = (EXPORTS / name).read_bytes() if data is None else data
        form = recognised(Path(name), data)
        reading = FORMATS[form].read(data, attribute)
        return importing.taken(reading, importing.Rows(asked), reviewer=reviewer, source=form)

    return take
