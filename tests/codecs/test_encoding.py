"""Promises of writing predictions: in order, exactly, one line per record where lines are spoken."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from relabel.codecs.codec import Predictions
from relabel.codecs.table import CODECS, CSV, JSON, JSON_LINES, NPY

NAMES = ("négatif", 'so "so", la\nla')


@st.composite
def predictions(draw: st.DrawFn) -> Predictions:
    """Draw probabilities of two classes for some rows, of which some are refused."""
    first = draw(st.lists(st.floats(0, 1, width=32), min_size=1, max_size=6))
    probabilities = np.array([[p, np.float32(1) - np.float32(p)] for p in first], np.float32)
    refused = draw(st.sets(st.integers(0, len(first) - 1)))
    return Predictions(probabilities, NAMES, {row: f"row {row}, bad" for row in sorted(refused)})


def assert_equal(row: dict[str, object], said: Predictions, n: int) -> None:
    """Hold an object of JSON against its row."""
    if n in said.refused:
        assert row == {"error": said.refused[n]}
        return
    label = int(said.probabilities[n].argmax())
    assert (row["label"], row["class"]) == (label, NAMES[label])
    np.testing.assert_array_equal(np.array(row["probabilities"], np.float32), said.probabilities[n])


@given(predictions())
def test_json_has_an_object_for_each_row(said) -> None:
    """Label, class name and probabilities, which come back to the same float32."""
    rows = json.loads(CODECS[JSON].encode(said))["predictions"]
    assert len(rows) == len(said.probabilities)
    for n, row in enumerate(rows):
        assert_equal(row, said, n)


@given(predictions())
def test_json_lines_has_a_line_for_each_row(said) -> None:
    """Batch transform joins the lines with those of the input."""
    lines = CODECS[JSON_LINES].encode(said).decode().splitlines()
    assert len(lines) == len(said.probabilities)
    for n, line in enumerate(lines):
        assert_equal(json.loads(line), said, n)


@given(predictions())
def test_csv_has_a_line_for_each_row(said) -> None:
    """Label, class and a column for each probability; a refused row says so in the column of the class."""
    text = CODECS[CSV].encode(said).decode()
    rows = list(csv.reader(io.StringIO(text)))
    assert len(rows) == len(text.splitlines()) == len(said.probabilities)
    for n, (label, name, *probabilities) in enumerate(rows):
        if n in said.refused:
            assert (label, name, probabilities) == ("", f"error: {said.refused[n]}", ["", ""])
        else:
            assert int(label) == said.probabilities[n].argmax()
            assert name == " ".join(NAMES[int(label)].splitlines())
            np.testing.assert_array_equal(np.array(probabilities, np.float32), said.probabilities[n])


@given(predictions())
def test_npy_has_the_probabilities(said) -> None:
    """One array of float32; a refused row is NaN."""
    back = np.load(io.BytesIO(CODECS[NPY].encode(said)))
    kept = [n for n in range(len(said.probabilities)) if n not in said.refused]
    np.testing.assert_array_equal(back[kept], said.probabilities[kept])
    assert np.isnan(back[list(said.refused)]).all()
