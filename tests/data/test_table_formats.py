"""Promises of tables in each format: the same rows whatever the file, embeddings in columns, and refusals that name rows."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relabel.data import formats
from relabel.data.formats import dimensions
from relabel.errors import UserError

WANTED = ("review", "label", "id")
TEXTS = ["a,b", 'say "hi"', "two\nlines", "né ☃", "NA", "", " spaces ", "null"] * 3
VECTORS = np.random.default_rng(0).standard_normal((24, 3)).astype(np.float32)


def write(path: Path, columns: dict[str, list]) -> Path:
    """Write columns in the format of the suffix."""
    if path.suffix == ".parquet":
        pq.write_table(pa.table(columns), path, row_group_size=7)
    elif path.suffix == ".jsonl":
        rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        pa.csv.write_csv(pa.table(columns), path)
    return path


def embedded(path: Path) -> np.ndarray:
    """Read the embeddings in a table, in two steps."""
    matrix = formats.table(path).embeddings(path, WANTED, formats.table(path).read(path, WANTED).rows)
    out = np.empty((matrix.rows, matrix.width), np.float32)
    matrix.copy(0, out[:5])
    matrix.copy(5, out[5:])
    again = np.empty((1, matrix.width), np.float32)
    matrix.copy(2, again)
    assert np.array_equal(again[0], out[2])
    return out


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_every_format_holds_the_same_rows(tmp_path, suffix) -> None:
    """Texts stay as they are, numbers are said as written, and chunks are the table in pieces."""
    columns = {"review": TEXTS, "label": list(range(24)), "other": TEXTS}
    path = write(tmp_path / f"a{suffix}", columns)
    table = formats.table(path).read(path, WANTED)
    assert (table.rows, table.header) == (24, ("review", "label", "other"))
    assert {name: values.tolist() for name, values in table.values.items()} == {
        "review": TEXTS,
        "label": [str(row) for row in range(24)],
    }
    chunks = [*formats.table(path).chunks(path, WANTED)]
    assert [text for chunk in chunks for text in chunk.values["review"]] == TEXTS
    assert chunks[-1].done == 1
    assert formats.table(path).embeddings(path, WANTED, 24) is None


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
@pytest.mark.parametrize("name", dimensions.LISTS)
def test_a_column_of_lists_is_embeddings(tmp_path, suffix, name) -> None:
    """Under each of its names."""
    path = write(tmp_path / f"a{suffix}", {"label": ["x", "y"] * 12, name: VECTORS.tolist()})
    assert np.array_equal(embedded(path), VECTORS)


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
@pytest.mark.parametrize("names", [("0", "1", "2"), ("e0", "e1", "e2"), ("dim_1", "dim_2", "dim_10")])
def test_numbered_columns_are_embeddings(tmp_path, suffix, names) -> None:
    """In the order of their numbers, wherever they stand; another column with a number in its name is none of them."""
    columns = {name: VECTORS[:, place].tolist() for place, name in enumerate(names)}
    mixed = {names[2]: columns[names[2]], "review": TEXTS, "label": ["x", "y"] * 12, "page1": [7] * 24, **columns}
    path = write(tmp_path / f"a{suffix}", mixed)
    assert np.array_equal(embedded(path), VECTORS)


@pytest.mark.parametrize("kind", [pa.float16(), pa.float32(), pa.float64(), pa.int8()])
def test_parquet_may_hold_any_numbers(tmp_path, kind) -> None:
    """Lists of fixed width or not, and columns, of halves, floats, doubles and integers."""
    values = np.arange(12).reshape(4, 3).astype(np.float32)
    flat = pa.array(values.ravel().astype(kind.to_pandas_dtype()), kind)
    path = tmp_path / "a.parquet"
    fixed = pa.FixedSizeListArray.from_arrays(flat, 3)
    for column in (fixed, fixed.cast(pa.list_(kind)), fixed.cast(pa.large_list(kind))):
        pq.write_table(pa.table({"label": ["x"] * 4, "vector": column}), path)
        matrix = formats.table(path).embeddings(path, WANTED, 4)
        out = np.empty((4, 3), np.float32)
        matrix.copy(0, out)
        assert np.array_equal(out, values)


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
def test_lists_that_are_not_like_the_first_are_refused_with_their_rows(channels, suffix) -> None:
    """Of another width, and missing: with the file, and what was expected."""
    vectors = VECTORS.tolist()
    vectors[5], vectors[20] = [1.0], None
    write(channels.path(f"train/a{suffix}"), {"review": TEXTS, "label": ["x", "y"] * 12, "embedding": vectors})
    (problem,) = channels.problems()
    assert problem.startswith(f"train/a{suffix}: ")
    assert "`embedding`" in problem
    assert "3 numbers" in problem
    assert "2 rows (5, 20, counted from 0)" in problem


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_numbered_columns_with_a_word_are_refused_with_their_rows(channels, suffix) -> None:
    """The word is not shown."""
    columns = {"review": TEXTS, "label": ["x", "y"] * 12, "e0": ["1.5"] * 24, "e1": ["1"] * 24}
    if suffix == ".jsonl":
        columns |= {"e0": [1.5] * 24, "e1": [1.0] * 24}
    columns["e1"][9] = "secret"
    write(channels.path(f"train/a{suffix}"), columns)
    (problem,) = channels.problems()
    assert problem.startswith(f"train/a{suffix}: ")
    assert "row 9 (counted from 0)" in problem
    assert "secret" not in problem


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_missing_numbers_are_named_as_rows_that_are_no_numbers(channels, suffix) -> None:
    """An empty cell, or null, among the dimensions."""
    columns = {"review": TEXTS, "label": ["x", "y"] * 12, "e0": [1.0] * 24, "e1": [1.0] * 24}
    columns["e1"][3] = None
    write(channels.path(f"train/a{suffix}"), columns)
    (problem,) = channels.problems()
    assert problem.startswith(f"train/a{suffix}: NaN, infinity or a value beyond float32 in row 3")


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
def test_embeddings_in_columns_become_features(channels, suffix) -> None:
    """A note says which columns they are; embeddings beside the table win over them."""
    write(channels.path(f"train/a{suffix}"), {"text": TEXTS, "label": ["x", "y"] * 12, "vector": VECTORS.tolist()})
    examples = channels.read()
    assert np.array_equal(examples.features.array, VECTORS[examples.row])
    assert f"train/a{suffix}: embeddings are its column `vector` (3 wide)" in examples.notes
    np.save(channels.path("train/a.npy"), VECTORS[:, :2])
    assert channels.read().features.shape == (24, 2)


def test_lists_in_csv_are_refused_with_the_way_out(channels) -> None:
    """As pandas writes them."""
    channels.table("train/a", {"review": ["x", "y"], "label": ["0", "1"], "embedding": ["[1.0, 2.0]"] * 2})
    (problem,) = channels.problems()
    assert "train/a.csv: the column `embedding` holds lists" in problem
    assert ".parquet" in problem


def test_lines_that_are_no_objects_are_named(tmp_path) -> None:
    """Broken JSON, other values, bytes that are no UTF-8; blank lines are nothing, and no text is shown."""
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"review": "a", "label": 1}\n\n[1]\n{"review": "secret\n"x"\n\xff\n' + b"[" * 100_000 + b"\n")
    with pytest.raises(UserError) as caught:
        formats.table(path).read(path, WANTED)
    assert "5 rows (1, 2, 3, 4, 5, counted from 0)" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_lists_where_a_text_is_expected_are_named(tmp_path) -> None:
    """In JSON Lines by row, in Parquet by column."""
    lines = write(tmp_path / "a.jsonl", {"review": ["a", ["b"], {}], "label": [1, None, True]})
    with pytest.raises(UserError, match=r"2 rows \(1, 2, counted from 0\)"):
        formats.table(lines).read(lines, WANTED)
    parquet = write(tmp_path / "a.parquet", {"review": [["a"], ["b"]], "label": [1, 2]})
    with pytest.raises(UserError, match="the column `review` holds list"):
        formats.table(parquet).read(parquet, WANTED)


@pytest.mark.parametrize("kept", [3, 100, -1])
def test_truncated_parquet_is_refused(channels, kept) -> None:
    """With the file's name."""
    path = write(channels.path("train/a.parquet"), {"review": TEXTS, "label": ["x", "y"] * 12})
    path.write_bytes(path.read_bytes()[:kept])
    (problem,) = channels.problems()
    assert problem.startswith("train/a.parquet: no Parquet can be read from it")


def test_missing_values_are_empty(tmp_path) -> None:
    """In JSON Lines null and no field, in Parquet null, also of numbers, truths and categories."""
    path = tmp_path / "a.jsonl"
    path.write_text('{"review": null, "label": 1.0}\n{"label": true, "id": "\\ud800x"}\n')
    values = formats.table(path).read(path, WANTED).values
    assert [values[name].tolist() for name in WANTED] == [["", ""], ["1.0", "true"], ["", "?x"]]
    path = tmp_path / "a.parquet"
    category = pa.array(["x", None]).dictionary_encode()
    pq.write_table(pa.table({"review": category, "label": [True, None], "id": [3, None]}), path)
    values = formats.table(path).read(path, WANTED).values
    assert [values[name].tolist() for name in WANTED] == [["x", ""], ["true", ""], ["3", ""]]


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=20))
def test_any_text_survives_json_lines_and_parquet(tmp_path, texts) -> None:
    """Whatever its characters."""
    for suffix in (".jsonl", ".parquet"):
        path = write(tmp_path / f"a{suffix}", {"review": texts, "label": ["x"] * len(texts)})
        assert formats.table(path).read(path, WANTED).values["review"].tolist() == texts
