"""The doubtful rows as a report shows them."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest

from relabel.report.sections import rows


def neighbours(*found) -> pa.Table:
    """Make neighbours.parquet of (row, neighbour, similarity)."""
    row, neighbour, similarity = zip(*found, strict=True)
    return pa.table(
        {
            "row": pa.array(row, pa.int64()),
            "neighbour": pa.array(neighbour, pa.int64()),
            "similarity": pa.array(similarity, pa.float32()),
        }
    )


def line(row: int, *words) -> dict:
    """Make a line of explanations.jsonl."""
    return {
        "file": "train/a.csv",
        "row": row,
        "label": "yes",
        "probability": 0.8,
        "model": "side",
        "words": [list(word) for word in words],
    }


def test_the_worst_flagged_rows_come_first(make) -> None:
    """Rows are ranked by the chance that their label is wrong, and rows that are not flagged are not there."""
    shown = rows.context(make(["a", "b", "c", "d"], flagged=[True, False, True, True], posterior=[0.5, 0.99, 0.9, 0.7]))
    assert [(row.rank, row.position) for row in shown["rows"]] == [(1, 2), (2, 3), (3, 0)]
    assert shown["total"] == 3


def test_another_order_than_that_of_the_chances_is_told(make) -> None:
    """The order is that of label_issues.csv; where it is not that of the posteriors, the page can say so."""
    found = make(["a", "b"], flagged=[True, True], posterior=[0.5, 0.9])
    assert rows.context(found)["by_chance"]
    (found.folder / "label_issues.csv").write_text("file,row\ntrain/a.csv,0\ntrain/a.csv,1\n")
    shown = rows.context(found)
    assert [row.position for row in shown["rows"]] == [0, 1]
    assert not shown["by_chance"]


def test_a_bound_is_told(make, monkeypatch) -> None:
    """Where more are flagged than are shown, all of them are counted."""
    monkeypatch.setattr(rows, "MOST", 5)
    shown = rows.context(make(["text"] * 40, flagged=[True] * 40))
    assert (len(shown["rows"]), shown["total"], len(shown["data"]["rows"])) == (5, 40, 5)


def test_a_long_text_is_cut_and_what_is_left_out_is_counted(make) -> None:
    """Of a text that is too long, the characters that are not shown are told."""
    (row,) = rows.context(make(["x" * 5000], flagged=[True]))["rows"]
    assert row.text == "x" * 2000 + "…"
    assert row.left_out == 3000


def test_neighbours_are_counted_by_what_they_carry(make) -> None:
    """Of the neighbours of a row, those with the suggested label and those with the given one are counted."""
    found = make(["a"] * 4, given=["no", "yes", "yes", "no"], flagged=[True, False, False, False])
    near = neighbours((0, 1, 0.9), (0, 2, 0.8), (0, 3, 0.7))
    shown = rows.context(
        make(["a"] * 4, neighbours=near, given=found.audit["given_label"].to_pylist(), flagged=[1, 0, 0, 0])
    )
    (row,) = shown["rows"]
    assert (row.near, row.other) == (3, 2)


def test_neighbours_stand_nearest_first_with_their_texts(make) -> None:
    """A row's details name each neighbour's label, place and text, the nearest first."""
    near = neighbours((0, 2, 0.95), (0, 1, 0.5))
    data = rows.context(make(["a", "b", "c"], flagged=[True, False, False], neighbours=near))["data"]
    found = [(data["near"][index], similarity) for index, similarity in data["rows"][0]["near"]]
    assert found == [(["no", "train", "train/a.csv", 2, "c"], 0.95), (["yes", "test", "train/a.csv", 1, "b"], 0.5)]


def test_neighbours_of_rows_that_are_not_shown_are_left_out(make) -> None:
    """The page carries no text that nothing shows."""
    near = neighbours((1, 2, 0.9), (0, 2, 0.9), (1, 0, 0.8))
    data = rows.context(make(["a", "b", "c"], flagged=[True, False, False], neighbours=near))["data"]
    assert [neighbour[-1] for neighbour in data["near"]] == ["c"]


def test_words_stand_with_their_row(make) -> None:
    """A row has the words of its own place, the first few in the table and all in its details."""
    words = [("fine", 1.5), ("not", -0.25), ("a", 0.1), ("b", 0.1), ("c", 0.1)]
    shown = rows.context(make(["a", "b"], flagged=[True, True], explanations=[line(1, *words)]))
    assert shown["rows"][0].words == []
    assert shown["rows"][1].words[:2] == [("fine", "+1.50", True), ("not", "−0.25", False)]  # noqa: RUF001
    assert len(shown["rows"][1].words) == 4
    assert len(shown["data"]["rows"][1]["words"]) == 5
    assert shown["explained"] == 1


def test_filters_are_columns_with_a_choice(make) -> None:
    """A filter lists the values that rows have, with how many; a column with one value has none."""
    shown = rows.context(make(["a"] * 4, given=["no", "no", "yes", "no"], flagged=[True] * 4))
    counts = {one["name"]: one["counts"] for one in shown["filters"]}
    assert counts["given"] == {"no": 3, "yes": 1}
    assert "decision" not in counts


def test_a_chance_is_never_said_to_be_certain(make) -> None:
    """A posterior next to 1 is not rounded up to 100%."""
    shown = rows.context(make(["a", "b"], flagged=[True, True], posterior=[0.9999999, 0.5]))
    assert [row.chance for row in shown["rows"]] == [">99.9%", "50.0%"]


@pytest.mark.parametrize("text", ["", None, "</script><script>alert(1)</script>", "שלום 👩‍👩‍👧", "null\x00byte"])
def test_texts_stay_as_they_are(make, text) -> None:
    """Whatever a text holds, the template gets it whole: escaping is the page's."""
    near = neighbours((0, 1, 0.9))
    shown = rows.context(make([text, text], flagged=[True, False], neighbours=near))
    assert shown["rows"][0].text == text
    assert json.loads(json.dumps(shown["data"]))["near"][0][-1] == text


def test_nothing_flagged_is_no_failure(make) -> None:
    """Without flagged rows there are no rows, no words and no neighbours."""
    shown = rows.context(make(["a", "b"], flagged=[False, False]))
    assert (shown["rows"], shown["total"], shown["data"]["near"]) == ([], 0, [])
