"""Captured traffic comes back as the endpoint saw it, and nothing in it is fatal."""

from __future__ import annotations

import base64
import dataclasses
import gzip
import io
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relabel.aws import asking
from relabel.codecs import table
from relabel.errors import UserError
from relabel.model import artifact
from relabel.model.artifact import Artifact, Model
from relabel.monitoring import capture_files, captured, coverage
from relabel.serving.endpoint import Endpoint
from relabel.serving.served import Served
from relabel.settings import ServeSettings
from relabel.text.reader import TextInput

WIDTH = 4
NOON = np.datetime64("2026-03-01T12:00:00", "s")


@pytest.fixture
def endpoint(tmp_path, endpoint_of) -> Endpoint:
    """An endpoint of a model of vectors of 4 numbers."""
    rng = np.random.default_rng(0)
    tensors = {
        "mean": np.zeros(WIDTH, np.float32),
        "scale": np.ones(WIDTH, np.float32),
        "weight.0": rng.standard_normal((WIDTH, 3), np.float32),
        "bias.0": np.zeros(3, np.float32),
    }
    model = Model("dense", {"inputs": WIDTH, "width": 8, "depth": 0, "classes": 3}, tensors)
    artifact.save(tmp_path / "model", Artifact(model, ("bad", "so, so", "good"), "given"))
    return endpoint_of(tmp_path / "model")


def npy(array) -> bytes:
    """Write an array as a body."""
    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()


BODIES = {
    table.JSON: lambda rows: json.dumps({"instances": rows.tolist()}).encode(),
    table.JSON_LINES: lambda rows: "\n".join(json.dumps(row) for row in rows.tolist()).encode(),
    table.CSV: lambda rows: "\n".join(",".join(map(repr, row)) for row in rows.tolist()).encode(),
    table.NPY: npy,
}
ANSWERS = ["", table.JSON, table.JSON_LINES, table.CSV, table.NPY, table.PLAIN]


@pytest.mark.parametrize("content_type", BODIES)
@pytest.mark.parametrize("accept", ANSWERS)
def test_any_content_type_comes_back_with_its_vectors_and_answers(  # noqa: PLR0917  # fixtures
    tmp_path, endpoint, captured_line, write, content_type, accept
):
    """Rows, ids and probabilities are those of the endpoint, whatever was spoken with it."""
    rows = np.random.default_rng(1).standard_normal((3, WIDTH)).astype(np.float32)
    write(tmp_path / "in", captured_line(endpoint, "x", BODIES[content_type](rows), content_type, accept))
    found = captured.read(tmp_path / "in", endpoint.served)
    assert found.ids.tolist() == ["x/0", "x/1", "x/2"]
    assert found.time.tolist() == [NOON.astype(object)] * 3
    np.testing.assert_array_equal(found.vectors, rows)
    np.testing.assert_allclose(found.probability, endpoint.served(rows), rtol=1e-6)
    assert found.label.tolist() == endpoint.served(rows).argmax(axis=1).tolist()
    assert found.texts is None
    assert not found.skipped


def test_the_answer_counts_more_than_what_this_model_says(tmp_path, endpoint, captured_line, write):
    """Where another model has answered, its answer is what comes back."""
    line = json.loads(captured_line(endpoint, "x", b"1,2,3,4", "text/csv", answered=False))
    line["captureData"]["endpointOutput"] = {
        "observedContentType": "application/json",
        "mode": "OUTPUT",
        "data": json.dumps({"predictions": [{"label": 0, "class": "bad", "probabilities": [0.75, 0.25, 0]}]}),
        "encoding": "JSON",
    }
    write(tmp_path / "in", json.dumps(line))
    assert captured.read(tmp_path / "in", endpoint.served).probability.tolist() == [[0.75, 0.25, 0]]


def test_input_without_output_is_predicted(tmp_path, endpoint, captured_line, write):
    """A capture of inputs alone still has probabilities: the model's."""
    write(tmp_path / "in", captured_line(endpoint, "x", b"1,2,3,4", "text/csv", answered=False))
    found = captured.read(tmp_path / "in", endpoint.served)
    np.testing.assert_array_equal(found.probability, endpoint.served(np.array([[1, 2, 3, 4]], np.float32)))


def test_what_cannot_be_read_is_counted(tmp_path, endpoint, captured_line, write):
    """Broken lines, other widths, refused requests and torn files end nothing; each has its reason."""
    good = captured_line(endpoint, "x", b"1,2,3,4", "text/csv")
    of = json.loads(good)
    no_input = {**of, "captureData": {"endpointOutput": of["captureData"]["endpointOutput"]}}
    no_time = {**of, "eventMetadata": {"eventId": "x"}}
    bad = json.loads(good)
    bad["captureData"]["endpointInput"] |= {"encoding": "BASE64", "data": "%%%"}
    lines = [
        good,
        "{not json\n",
        "[1]\n",
        "\n",
        json.dumps(no_input) + "\n",
        json.dumps(no_time) + "\n",
        json.dumps(bad) + "\n",
        captured_line(endpoint, "w", b"1,2,3", "text/csv"),
        captured_line(endpoint, "j", b"{", "application/json"),
        captured_line(endpoint, "t", b"hello", "text/plain"),
        captured_line(_reporting(endpoint), "r", b"[1,2,3,4]\n[1,2]\n", "application/jsonlines"),
    ]
    write(tmp_path / "in", *lines)
    torn = write(tmp_path / "in", name="torn").with_suffix(".jsonl.gz")
    torn.write_bytes(gzip.compress(good.encode() * 50)[:-20])
    found = captured.read(tmp_path / "in", endpoint.served)
    assert "r/0" in found.ids.tolist()
    assert found.skipped == {
        capture_files.BROKEN: 2,
        capture_files.NO_INPUT: 1,
        capture_files.NO_TIME: 1,
        capture_files.NOT_DECODED: 1,
        capture_files.ENDLESS: 1,
        captured.BAD_RECORD: 2,
        captured.MALFORMED: 1,
        captured.NOT_READ: 1,
    }


def _reporting(endpoint) -> Endpoint:
    settings = ServeSettings(bad_records="report")
    return Endpoint(endpoint.served, settings, endpoint.capacity)


def test_gzip_and_base64_do_not_matter(tmp_path, endpoint, captured_line):
    """The same request in a gzipped file and as BASE64 is the same row."""
    line = json.loads(captured_line(endpoint, "x", b"1,2,3,4", "text/csv"))
    line["captureData"]["endpointInput"] |= {"encoding": "BASE64", "data": base64.b64encode(b"1,2,3,4").decode()}
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "b.jsonl.gz").write_bytes(gzip.compress(json.dumps(line).encode()))
    assert captured.read(tmp_path / "in", endpoint.served).vectors.tolist() == [[1, 2, 3, 4]]
    assert len(captured.read(tmp_path / "in" / "b.jsonl.gz", endpoint.served)) == 1


def test_texts_come_back_as_texts(tmp_path, text_model, captured_line, write, endpoint_of):
    """A model of words gives texts and no vectors; lines of plain text are as many rows as were answered."""
    endpoint = endpoint_of(text_model, plain_lines=True)
    lines = [
        captured_line(endpoint, "j", json.dumps({"text": "good film"}).encode(), "application/json"),
        captured_line(endpoint, "p", b"good\nbad", "text/plain", table.JSON_LINES),
        captured_line(endpoint_of(text_model), "q", b"good\nbad", "text/plain"),
    ]
    write(tmp_path / "in", *lines)
    found = captured.read(tmp_path / "in", endpoint.served)
    assert dict(zip(found.ids.tolist(), found.texts.tolist(), strict=True)) == {
        "j/0": "good film",
        "p/0": "good",
        "p/1": "bad",
        "q/0": "good\nbad",
    }
    assert found.vectors is None
    np.testing.assert_allclose(found.probability, endpoint.served(tuple(found.texts)), rtol=1e-6)


def test_rows_are_in_the_order_of_time(tmp_path, endpoint, captured_line, write):
    """Files may lie in any order, and times may have zones."""
    early = json.loads(captured_line(endpoint, "early", b"1,2,3,4", "text/csv"))
    early["eventMetadata"]["inferenceTime"] = "2026-03-01T12:30:00+01:00"
    write(tmp_path / "in", captured_line(endpoint, "late", b"1,2,3,4", "text/csv"), name="a")
    write(tmp_path / "in", json.dumps(early), name="b")
    found = captured.read(tmp_path / "in", endpoint.served)
    assert found.ids.tolist() == ["early/0", "late/0"]
    assert str(found.time[0]) == "2026-03-01T11:30:00"


def test_since_leaves_out_what_is_older(tmp_path, endpoint, captured_line, write):
    """Files of hours long before are not opened, rows before are passed over."""
    for hour in range(6):
        time = NOON + np.timedelta64(hour, "h")
        write(tmp_path / "in", captured_line(endpoint, f"h{hour}", b"1,2,3,4", "text/csv", time=time), time=time)
    found = captured.read(tmp_path / "in", endpoint.served, since=NOON + np.timedelta64(4, "h"))
    assert found.ids.tolist() == ["h4/0", "h5/0"]
    assert len(capture_files.found(tmp_path / "in", NOON + np.timedelta64(4, "h"))) == 4


def test_a_large_capture_is_drawn_from(tmp_path, endpoint, captured_line, write):
    """At most as many rows as asked are held, the same ones in any order of the files, and the rest is counted."""
    lines = [captured_line(endpoint, f"r{n}", b"1,2,3,4\n1,2,3,5", "text/csv") for n in range(40)]
    write(tmp_path / "one", *lines)
    for n, line in enumerate(reversed(lines)):
        write(tmp_path / "many", line, name=f"f{n:02}")
    one, many = (captured.read(tmp_path / name, endpoint.served, most=30) for name in ("one", "many"))
    assert len(one) == 30
    assert one.ids.tolist() == many.ids.tolist()
    assert one.skipped == {captured.NOT_SAMPLED: 50}
    assert one.of is not None
    assert set(one.of.tolist()) == {2}  # though the draw may have left one of them
    assert one.ids.tolist() != captured.read(tmp_path / "one", endpoint.served, most=30, seed=1).ids.tolist()


def test_embeddings_that_came_to_a_model_of_texts_are_refused(tmp_path, text_model, endpoint_of, captured_line, write):
    """The captured traffic of another endpoint is told from traffic that is old."""
    asked = endpoint_of(text_model)
    write(tmp_path / "in", *[captured_line(asked, f"r{n}", b"[1, 2, 3, 4]", "application/json") for n in range(5)])
    read = captured.read(tmp_path / "in", asked.served)
    with pytest.raises(UserError, match=r"none of 5 records could be read: is this the model"):
        coverage.check(read, read)
    old = captured.read(tmp_path / "in", asked.served, since=NOON + np.timedelta64(1, "h"))
    coverage.check(old, old)
    assert (old.earlier, coverage.warning(old)) == (5, "")


def test_no_file_is_said(tmp_path, endpoint):
    """A folder without captures is the user's to mend."""
    with pytest.raises(UserError, match="no file of captured traffic"):
        captured.read(tmp_path, endpoint.served)


@given(st.binary(max_size=200) | st.text(max_size=50).map(lambda text: json.dumps({"captureData": text}).encode()))
def test_no_line_is_fatal(line):
    """Whatever stands in a line, it is a request or a reason."""
    found = capture_files.request(line)
    assert isinstance(found, str)


class Counted:
    """Stands in for an encoder: the vector of a text is how often four letters stand in it."""

    def __call__(self, texts):
        return np.array([[text.count(letter) for letter in "abcd"] for text in texts], np.float32)


def test_texts_for_an_encoder_come_back_with_their_vectors(tmp_path, endpoint, captured_line, write):
    """Where the model makes vectors of texts, a row that came as a text has both, and one that came as a vector has an empty text."""
    text = TextInput("encoder", {}, folder=tmp_path, files=())
    reads = Served(dataclasses.replace(endpoint.served.artifact, text=text), endpoint.served.predictor, Counted())
    asked = Endpoint(reads, endpoint.settings, endpoint.capacity)
    lines = [
        captured_line(asked, "t", b'{"text": "abba"}', "application/json", answered=False),
        captured_line(asked, "v", b"[[1, 2, 3, 4]]", "application/json"),
    ]
    write(tmp_path / "in", *lines)
    found = captured.read(tmp_path / "in", reads)
    assert found.texts.tolist() == ["abba", ""]
    assert found.vectors.tolist() == [[2, 2, 0, 0], [1, 2, 3, 4]]
    np.testing.assert_allclose(found.probability, reads(found.vectors), rtol=1e-6)


def test_an_id_that_is_no_unicode_can_be_written_down():
    """JSON can name half of a surrogate pair, which no file of UTF-8 can hold."""
    line = b'{"captureData": {"endpointInput": {"observedContentType": "text/csv", "mode": "INPUT", "data": "1,2", "encoding": "CSV"}}, '
    line += b'"eventMetadata": {"eventId": "e", "inferenceId": "a\\ud800b", "inferenceTime": "2026-03-01T12:00:00Z"}, "eventVersion": "0"}'
    found = capture_files.request(line)
    assert isinstance(found, capture_files.Request)
    assert found.id == "a?b"


def test_the_request_by_which_deploy_looks_is_no_traffic(tmp_path, endpoint, captured_line, write):
    """Nobody sent it, so that it is neither judged nor offered to be labelled."""
    row = BODIES[table.JSON](np.ones((1, WIDTH)))
    lines = [captured_line(endpoint, name, row, table.JSON, table.JSON) for name in (asking.CHECK, "x")]
    write(tmp_path / "in", *lines)
    found = captured.read(tmp_path / "in", endpoint.served)
    assert (found.ids.tolist(), dict(found.skipped)) == (["x/0"], {})
