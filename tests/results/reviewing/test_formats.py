"""Promises of the file formats: what is written can be answered, and what the tools really export can be read."""

import csv
import io
import json
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import PurePath

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relabel.data import reviews
from relabel.errors import UserError
from relabel.results.reviewing import entries, importing, queue
from relabel.results.reviewing.formats import FORMATS, ground_truth, json_lines, label_studio, recognised, sheet

TEXTS = st.text(st.sampled_from("ab ,;\"'\n\r\t\u2028é\ufeff"), max_size=8)


def records(asked) -> list[dict]:
    """Give all questions as records."""
    drawn = queue.drawn(asked, np.ones(len(asked), bool), {}, count=9, random_share=0.2, seed=0)
    return entries.records(asked, drawn)


@pytest.mark.parametrize("name", FORMATS)
def test_what_is_written_reads_back_unanswered(asked, name) -> None:
    """Every question is there once, with its hash and text, and no answer."""
    written = records(asked)
    reading = FORMATS[name].read(FORMATS[name].write(written, asked.classes))
    assert [one.row_hash for one in reading.entries] == [record["row_hash"] for record in written]
    assert [one.text for one in reading.entries] == [record["text"] for record in written]
    assert [one.why for one in reading.entries] == [record["why"] for record in written]
    assert not any(one.choices for one in reading.entries)
    assert not reading.torn


@pytest.mark.parametrize("name", FORMATS)
def test_a_cut_holds_the_records_it_names_as_they_stood(asked, name) -> None:
    """Nothing of a bad record is lost, and it can be read again."""
    form = FORMATS[name]
    data = form.write(records(asked), asked.classes)
    part = form.read(form.cut(data, [1, 3]))
    whole = form.read(data)
    assert [one.row_hash for one in part.entries] == [whole.entries[n].row_hash for n in (1, 3)]
    assert [one.text for one in part.entries] == [whole.entries[n].text for n in (1, 3)]


@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=4), st.sampled_from(",;\t"))
def test_a_spreadsheet_may_save_as_it_does(rows, delimiter) -> None:
    """Any delimiter, with or without the mark at the head, columns in any order, texts with anything in them."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\r\n")
    writer.writerow(["answer", "row_hash", "note", "text"])
    writer.writerows([answer, f"h{n}", "x", body] for n, (answer, body) in enumerate(rows))
    for mark in ("", "\ufeff"):
        reading = sheet.read((mark + text.getvalue()).encode())
        assert [one.choices for one in reading.entries] == [((a.strip(),) if a.strip() else ()) for a, _ in rows]
        assert [one.text for one in reading.entries] == [body for _, body in rows]


def test_lines_of_a_sheet_are_numbered_as_an_editor_shows_them() -> None:
    """A value on two lines counts as two; a record with too few values is torn, the others are read."""
    data = b'row_hash,answer,text\na,1,"one\ntwo"\nb,1\nc,0,x\n'
    reading = sheet.read(data)
    assert [(one.row_hash, one.where) for one in reading.entries] == [("a", "line 2"), ("c", "line 5")]
    assert reading.torn == {1: ("line 4", "more or fewer values than the header")}
    assert sheet.read(sheet.cut(data, [2])).entries[0].row_hash == "c"


def test_a_long_text_is_no_obstacle() -> None:
    """A value may be longer than Python's own limit, which is as before afterwards."""
    before = csv.field_size_limit()
    assert sheet.read(b"row_hash,answer,text\na,1," + b"x" * 200_000 + b"\n").entries[0].choices == ("1",)
    assert csv.field_size_limit() == before


@pytest.mark.parametrize(
    ("name", "data", "word"),
    [
        ("csv", b"text,label\nx,1\n", "no column `row_hash`, `answer`"),
        ("csv", "row_hash,answer\nä,1\n".encode("latin-1"), "no UTF-8"),
        ("labelstudio", b"[{", "no JSON at line 1"),
        ("labelstudio", b'"x"', "no list of tasks"),
        ("groundtruth", b'{"a-metadata": {}, "b-metadata": {}}\n', "2 jobs"),
    ],
)
def test_a_file_of_another_kind_is_refused(name, data, word) -> None:
    """With what was seen and what to give."""
    with pytest.raises(UserError, match=word):
        FORMATS[name].read(data)


def test_lines_that_are_no_objects_are_torn() -> None:
    """Each by its number; blank lines do not count against the file."""
    reading = json_lines.read(b'{"row_hash": "a", "answer": 1}\n\n{torn\n[1]\n{"row_hash": "b", "answer": ["x"]}\n')
    assert [(one.row_hash, one.choices) for one in reading.entries] == [("a", ("1",))]
    assert [where for where, _ in reading.torn.values()] == ["line 3", "line 4", "line 5"]


def test_both_exports_of_label_studio_say_the_same(exports, hashes) -> None:
    """People, times, choices and the skipped ones: JSON-MIN leaves the skipped away, which is all that differs."""
    full, flat = (label_studio.read((exports / f"label_studio{end}.json").read_bytes()) for end in ("", "_min"))
    assert {(e.row_hash, e.choices, e.reviewer, e.time) for e in full.entries if e.choices} == {
        (e.row_hash, e.choices, e.reviewer, e.time) for e in flat.entries if e.choices
    }
    assert +full.passed == {"skipped by the annotator": 1, "drafts that were not submitted": 1}
    assert {e.row_hash for e in full.entries if not e.choices} == {hashes[5], hashes[6]}
    assert {e.row_hash for e in flat.entries if not e.choices} == {hashes[6]}
    assert not full.torn
    assert not flat.torn
    assert {e.reviewer for e in full.entries if e.choices} == {"ann@example.org", "2"}
    assert {e.where for e in flat.entries} >= {"task 101"}, "JSON-MIN's `id` is the task's number"


def test_a_changed_annotation_carries_the_time_of_its_change(exports) -> None:
    """Label Studio keeps `created_at` when somebody changes an annotation."""
    reading = label_studio.read((exports / "label_studio.json").read_bytes())
    assert "2026-03-02T09:02:00.000000Z" in {one.time for one in reading.entries}


def test_two_choices_in_one_task_stay_two(exports) -> None:
    """In the full export and in JSON-MIN, where they become an object."""
    (task, *_) = json.loads((exports / "label_studio.json").read_text())
    task["annotations"][0]["result"][0]["value"]["choices"] = ["Positive", "Negative"]
    (flat, *_) = json.loads((exports / "label_studio_min.json").read_text())
    flat["sentiment"] = {"choices": ["Positive", "Negative"]}
    for one in (task, flat):
        assert label_studio.read(json.dumps([one]).encode()).entries[0].choices == ("Positive", "Negative")


def test_the_interface_is_xml_with_a_choice_for_every_class() -> None:
    """Names are quoted; the last choice is that none fits; tasks and interface use the same names."""
    classes = ('a "b"', "c<d&e")
    (interface,) = label_studio.companions(classes).values()
    tree = ET.fromstring(interface.decode())  # noqa: S314  # made here
    assert [choice.get("value") for choice in tree.iter("Choice")] == [*classes, "Neither"]
    assert tree.find("Choices").attrib["name"] == label_studio.CONTROL
    assert tree.find("Text").attrib["value"] == "$text"


def test_predictions_choose_the_suggested_label(asked) -> None:
    """Under the names of the interface; nothing that Label Studio fills in stands in the data."""
    tasks = json.loads(label_studio.write(records(asked), asked.classes))
    for task in tasks:
        (prediction,) = task["predictions"]
        (region,) = prediction["result"]
        assert region["value"]["choices"] == [{"0": "Negative", "1": "Positive"}[task["data"]["suggested"]]]
        assert (region["from_name"], region["to_name"]) == ("sentiment", "text")
        assert prediction["score"] == task["data"]["posterior"]
        assert not {"answer", "id", "annotator", "created_at"} & task["data"].keys()


@pytest.mark.parametrize(
    ("said", "form"),
    [
        ({"row_hash": "a", "answer": "1", "source": "page"}, "jsonl"),
        ({"row_hash": "a", "answer": ""}, "jsonl"),
        ({"source": "a text"}, "groundtruth"),
        ({"source-ref": "s3://a/b.txt"}, "groundtruth"),
        ({"source": "a text", "row_hash": "a", "answer": 1, "answer-metadata": {}}, "groundtruth"),
    ],
)
def test_lines_are_told_apart_by_what_they_have(said, form) -> None:
    """Our own answers name their `source` too; a labelling job may call its label `answer`."""
    assert recognised(PurePath("answers.txt"), json.dumps(said).encode()) == form


def test_the_file_of_all_answers_can_be_imported(imported, hashes) -> None:
    """What the review page or an import wrote is taken over, and not passed over in silence."""
    answer = reviews.Answer(row_hash=hashes[0], answer="1", reviewer="ann", source="page")
    assert [one.answer for one in imported("reviews.jsonl", reviews.line(answer).encode()).answers] == ["1"]


def test_an_output_manifest_is_read_without_its_attributes_name(exports, hashes) -> None:
    """People's labels by class name, whether the index is a number or a string; machine's and failed ones are counted."""
    reading = ground_truth.read((exports / "output.manifest").read_bytes())
    answered = {one.row_hash: one for one in reading.entries if one.choices}
    assert {found: one.choices[0] for found, one in answered.items()} == {
        hashes[0]: "Positive",
        hashes[1]: "Negative",
        hashes[2]: "Neither",
        hashes[4]: "Positive",
    }
    assert {one.reviewer for one in answered.values()} == {"labeling-job/which-label"}
    assert reading.passed == {"labelled by a machine": 1, "failed in the labelling job": 1}
    assert len(reading.entries) == 6


def test_a_chained_job_is_chosen_by_its_attribute(exports) -> None:
    """A manifest with labels of two jobs needs the name of one, and takes no other."""
    lines = [json.loads(line) for line in (exports / "output.manifest").read_text().splitlines()]
    for line in lines[:2]:
        line["older"] = 0
        line["older-metadata"] = {**line["which-label-metadata"], "class-name": "Negative"}
    data = "\n".join(map(json.dumps, lines)).encode()
    older = ground_truth.read(data, "older")
    assert [one.choices for one in older.entries if one.choices] == [("Negative",), ("Negative",)]
    with pytest.raises(UserError, match="no label attribute `newer`"):
        ground_truth.read(data, "newer")


def test_labels_of_another_kind_of_job_are_torn(exports) -> None:
    """A label with several classes, or without the name of its class, is not guessed at."""
    lines = [json.loads(line) for line in (exports / "output.manifest").read_text().splitlines()]
    lines[0]["which-label-metadata"]["type"] = "groundtruth/text-classification-multilabel"
    del lines[1]["which-label-metadata"]["class-name"]
    reading = ground_truth.read("\n".join(map(json.dumps, lines)).encode())
    assert [where for where, _ in reading.torn.values()] == ["line 1", "line 2"]


def test_the_label_categories_are_those_of_the_questions() -> None:
    """In the order of the classes, with `Neither` at the end."""
    (category,) = ground_truth.companions(("bad", "good")).values()
    assert json.loads(category)["labels"] == [{"label": "bad"}, {"label": "good"}, {"label": "Neither"}]


@pytest.mark.parametrize("text", ["=1+1", "+1", "- good", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_text_is_a_formula_in_a_spreadsheet(asked, text) -> None:
    """What a stranger sent is shown and not run, a line end of its own is no end of the line, and an answer on it is taken."""
    record = records(asked)[0] | {"text": text}
    (entry,) = sheet.read(sheet.write([record], asked.classes)).entries
    assert entry.text == f"'{text}"
    asked.text[asked.row_hash == record["row_hash"]] = text
    for said in (text, f"'{text}"):
        assert importing.Rows(asked).find(replace(entry, text=said))[1] == ""
    assert importing.Rows(asked).find(replace(entry, text=f"another {text}"))[1] == importing.CHANGED
