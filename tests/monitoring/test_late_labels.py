"""Labels that come later find their rows, and say how often the model was right."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from relabel.data.reviews import Answer, line
from relabel.errors import UserError
from relabel.model.artifact import Artifact, Model
from relabel.monitoring import late_labels, matching
from relabel.monitoring.captured import Traffic

CLASSES = ("bad", "good")


def traffic(predicted, ids=None) -> Traffic:
    """Rows of which only the predicted class counts."""
    label = np.array(predicted)
    names = ids or [f"r{n}/0" for n in range(label.size)]
    time = np.datetime64("2026-03-01", "s") + np.arange(label.size).astype("timedelta64[s]")
    return Traffic(np.array(names, object), time, None, None, np.eye(2, dtype=np.float32)[label], label)


def artifact_with(accuracy=0.9, rows=1000) -> Artifact:
    """A model that was right so often on its test rows."""
    return Artifact(Model("dense", {}, {}), CLASSES, "given", provenance={"test": {"accuracy": accuracy, "rows": rows}})


def written(tmp_path, name, content):
    """Write a file of labels."""
    (tmp_path / name).write_text(content)
    return tmp_path / name


def test_csv_and_json_lines_are_the_same(tmp_path):
    """Ids and labels are read from both; a label of no class is counted."""
    table = written(tmp_path, "l.csv", "id,label,who\nr0,good,x\nr1/0,bad,y\nr2,ugly,y\n")
    lines = written(
        tmp_path,
        "l.jsonl",
        '{"id": "r0", "label": "good"}\n{"id": "r1/0", "label": "bad"}\n{"id": "r2", "label": "ugly"}\n',
    )
    for path in (table, lines):
        found = late_labels.read(path, CLASSES)
        assert found.code == {"r0": 1, "r1/0": 0}
        assert found.unknown == 1


def test_answers_of_people_count_where_they_agree(tmp_path):
    """reviews.jsonl speaks by the ids of rows; a disputed row has no label."""
    said = [("r0/0", "good", "a"), ("r0/0", "good", "b"), ("r1/0", "good", "a"), ("r1/0", "bad", "b")]
    answers = [Answer(row_hash=name, answer=answer, reviewer=who, id=name) for name, answer, who in said]
    path = written(tmp_path, "reviews.jsonl", "".join(map(line, answers)))
    assert late_labels.read(path, CLASSES).code == {"r0/0": 1}


def test_accuracy_is_that_of_the_rows_with_a_label():
    """A row is found by its own id, or the only one of a request by the request's; the rest does not count."""
    late = late_labels.Late({"r0": 1, "r1/0": 0, "two/1": 0, "two": 0, "gone": 1}, 2)
    found = late_labels.accuracy(
        traffic([1, 1, 0, 0], ["r0/0", "r1/0", "two/0", "two/1"]), [slice(0, 2), slice(2, 4)], late, artifact_with()
    )
    assert [(one["rows"], one["right"]) for one in found["windows"]] == [(2, 1), (1, 1)]
    assert found["matched"] == 3
    assert found["several_rows"] == 1
    assert found["without_traffic"] == 1
    assert found["no_class"] == 2


def test_an_id_with_labels_that_differ_is_not_used(tmp_path):
    """No line wins silently, whether it names the row or its request; the same label twice is one."""
    path = written(
        tmp_path, "l.csv", "id,label\nr0,good\nr0,good\nr1,good\nr1,bad\nr2,good\nr2/0,bad\nr3,good\nr3,ugly\n"
    )
    late = late_labels.read(path, CLASSES)
    assert late.disputed == {"r1", "r3"}
    found = late_labels.accuracy(traffic([1, 1, 1, 1]), [slice(0, 4)], late, artifact_with())
    assert (found["matched"], found["disputed"], found["all"]["right"]) == (1, 3, 1)


def test_labels_by_the_id_of_a_request_with_several_rows_are_not_used(tmp_path):
    """Nobody knows which of its rows each is of, though a draw may have left one row of it alone."""
    rows = replace(traffic([1, 1, 0], ["many/0", "drawn/0", "one/0"]), of=np.array([2, 5, 1]))
    path = written(tmp_path, "l.csv", "id,label\nmany,good\nmany,bad\ndrawn,good\none,bad\n")
    found = late_labels.accuracy(rows, [slice(0, 3)], late_labels.read(path, CLASSES), artifact_with())
    assert (found["matched"], found["several_rows"], found["disputed"], found["without_traffic"]) == (1, 2, 0, 0)
    assert "2 by the id of a request with several rows" in matching.said(found)


@pytest.mark.parametrize("content", ["gone,good\n", "r0,ugly\n", "r0,good\nr0,bad\n"])
def test_labels_of_which_none_matches_are_refused(tmp_path, content):
    """Ids that never came, classes that the model does not know: said with counts, not passed over."""
    late = late_labels.read(written(tmp_path, "l.csv", f"id,label\n{content}"), CLASSES)
    with pytest.raises(UserError, match=r"0 matched, .* of rows not in the traffic, .* no class of the model"):
        late_labels.accuracy(traffic([1]), [slice(0, 1)], late, artifact_with())


def test_no_labels_yet_are_no_fault(tmp_path):
    """A file of labels that is empty so far, and labels where no traffic came, say nothing."""
    none = late_labels.read(written(tmp_path, "l.csv", "id,label\n"), CLASSES)
    assert late_labels.accuracy(traffic([1]), [slice(0, 1)], none, artifact_with())["matched"] == 0
    late = late_labels.Late({"r0": 1}, 0)
    assert late_labels.accuracy(traffic([1]).take(np.array([], int)), [], late, artifact_with())["matched"] == 0


@pytest.mark.parametrize(("right", "fell"), [(900, False), (860, False), (700, True)])
def test_a_fall_is_said_where_it_is_sure(right, fell):
    """An accuracy surely below that of the test rows fell; a little below it is luck."""
    predicted = np.repeat([1, 0], [right, 1000 - right])
    late = late_labels.Late({f"r{n}": 1 for n in range(1000)}, 0)
    found = late_labels.accuracy(traffic(predicted), [slice(0, 1000)], late, artifact_with(0.88))
    assert found["all"]["fell"] is fell
    assert found["all"]["low"] < right / 1000 < found["all"]["high"]


def test_without_test_rows_nothing_fell():
    """An older model, which does not say how many test rows it had, is compared with nothing."""
    late = late_labels.Late({"r0": 1}, 0)
    found = late_labels.accuracy(traffic([0]), [slice(0, 1)], late, Artifact(Model("dense", {}, {}), CLASSES, "given"))
    assert found["test"] is None
    assert found["all"]["fell"] is False


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("l.csv", "name,label\na,b\n", "no column `id`"),
        ("l.jsonl", '{"id": "a"}\nsecret\n', "line 1 is no object"),
        ("l.jsonl", json.dumps([1]), "line 1 is no object"),
    ],
)
def test_what_is_no_file_of_labels_is_said(tmp_path, name, content, said):
    """A missing column or a broken line is named, and not repeated."""
    with pytest.raises(UserError, match=said) as caught:
        late_labels.read(written(tmp_path, name, content), CLASSES)
    assert "secret" not in str(caught.value)
