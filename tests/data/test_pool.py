"""Promises of reading rows that wait for a label."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from relabel import settings
from relabel.data import pool
from relabel.errors import UserError
from relabel.settings import TrainSettings

CLASSES = ("bad", "good")
VECTORS = np.arange(6, dtype=np.float32).reshape(3, 2)


def read(path, *, classes=CLASSES, width=2, **columns) -> pool.Pool:
    """Read with default column names, but for what is said."""
    return pool.read(path, settings.parse(TrainSettings, columns), classes=classes, width=width)


def test_embeddings_alone_are_rows_without_anything_else(tmp_path) -> None:
    """A .npy is enough."""
    np.save(tmp_path / "pool.npy", VECTORS)
    found = read(tmp_path / "pool.npy")
    assert found.vectors.tolist() == VECTORS.tolist()
    assert (found.labels.tolist(), found.ids, found.texts) == ([-1, -1, -1], None, None)


@pytest.mark.parametrize("named", ["pool.npy", "pool.csv"])
def test_a_table_beside_embeddings_gives_texts_ids_and_labels(tmp_path, named) -> None:
    """Whichever of the two is named; an empty label is none."""
    np.save(tmp_path / "pool.npy", VECTORS)
    (tmp_path / "pool.csv").write_text('id,review,label\na,"one, two",good\nb,x,\nc,y,bad\n')
    found = read(tmp_path / named)
    assert found.labels.tolist() == [1, -1, 0]
    assert found.ids is not None
    assert found.texts is not None
    assert (found.ids.tolist(), found.texts.tolist()) == (["a", "b", "c"], ["one, two", "x", "y"])


def test_a_table_alone_holds_the_embedding_in_its_other_columns(tmp_path) -> None:
    """All columns but text, id and label, in their order."""
    (tmp_path / "pool.csv").write_text("e0,id,e1\n0,a,1\n2,b,3\n4,c,5\n")
    found = read(tmp_path / "pool.csv")
    assert found.vectors.tolist() == VECTORS.tolist()
    assert found.ids is not None


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
def test_other_tables_hold_embeddings_in_columns_of_their_own(tmp_path, suffix) -> None:
    """Or have them beside, like a CSV file; without any they are refused."""
    path = tmp_path / f"pool{suffix}"
    table = pa.table({"id": ["a", "b", "c"], "review": ["x", "y", "z"], "vector": VECTORS.tolist()})
    for columns in (table, table.drop_columns("vector")):
        if suffix == ".parquet":
            pq.write_table(columns, path)
        else:
            path.write_text("".join(json.dumps(row) + "\n" for row in columns.to_pylist()))
        if columns is not table:
            with pytest.raises(UserError, match="no columns of embeddings"):
                read(path)
            np.save(tmp_path / "pool.npy", VECTORS)
        found = read(path)
        assert found.vectors.tolist() == VECTORS.tolist()
        assert (found.ids.tolist(), found.texts.tolist()) == (["a", "b", "c"], ["x", "y", "z"])


def test_a_tensor_is_read_too(tmp_path) -> None:
    """As torch saves it."""
    import torch  # noqa: PLC0415  # seconds

    torch.save(torch.from_numpy(VECTORS), tmp_path / "pool.pt")
    assert read(tmp_path / "pool.pt").vectors.tolist() == VECTORS.tolist()


@pytest.mark.parametrize(
    ("files", "named", "word"),
    [
        ({"pool.csv": "id,e0,e1\na,1,2\nb,x,3\n"}, "pool.csv", "the column `e0` holds no numbers"),
        ({"pool.csv": "id,e0,e1\na,1,2\nb,nan,3\n"}, "pool.csv", "row 1"),
        ({"pool.csv": "id,e0\na,1\n"}, "pool.csv", "the model is 2"),
        ({"pool.csv": "id,e0,e1\na,1,2\na,1,3\n"}, "pool.csv", "1 id given before"),
        ({"pool.csv": "id,label\na,good\n"}, "pool.csv", "no columns of embeddings"),
        ({"pool.csv": "label,e0,e1\nfair,1,2\n"}, "pool.csv", "does not know the label `fair`"),
        ({"pool.csv": "id,e0,e1\n"}, "pool.csv", "no rows"),
        ({"pool.json": "{}"}, "pool.json", "give embeddings as"),
        ({"pool.npy": VECTORS, "pool.csv": "id\na\n"}, "pool.npy", "3 embeddings, but 1 rows"),
        ({"pool.npy": VECTORS, "pool.pt": "", "pool.csv": "id\na\n"}, "pool.csv", "name one of these"),
        ({"pool.npy": "torn"}, "pool.npy", "pool.npy: "),
    ],
)
def test_what_does_not_fit_is_said_by_its_file(tmp_path, files, named, word) -> None:
    """With the file's name, and with what to do."""
    for name, content in files.items():
        if isinstance(content, str):
            (tmp_path / name).write_text(content)
        else:
            np.save(tmp_path / name, content)
    with pytest.raises(UserError, match=word) as raised:
        read(tmp_path / named)
    assert all(problem.startswith("pool.") for problem in raised.value.problems)
