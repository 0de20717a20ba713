"""Promises of the page on serving: the exchanges that it shows are what an endpoint says."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from relabel.model import artifact, training_rows
from relabel.model.artifact import Artifact, Model
from relabel.serving import capacity, served
from relabel.serving.endpoint import Endpoint
from relabel.serving.handler import handle
from relabel.serving.messages import Request
from relabel.settings import ServeSettings

PAGE = (Path(__file__).parents[1] / "docs" / "serving.md").read_text()
TEXTS = PAGE.partition("## Texts")[2].partition("\n## ")[0]
LABELS = PAGE.partition("## Labels")[2].partition("\n## ")[0]
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", LABELS, flags=re.MULTILINE | re.DOTALL)


@pytest.fixture
def endpoint(tmp_path) -> Endpoint:
    """The model of the page: two numbers in, the first for the first class; trained on the third record of its example."""
    tensors = {
        "mean": np.zeros(2, np.float32),
        "scale": np.ones(2, np.float32),
        "weight.0": np.eye(2, dtype=np.float32),
        "bias.0": np.zeros(2, np.float32),
    }
    model = Model("dense", {"inputs": 2, "width": 1, "depth": 0, "classes": 2}, tensors)
    noise = np.array([[0.95, 0.05], [0.2, 0.8]])
    rows = np.sort(training_rows.hashes(np.array([[0.25, 2.0]], np.float32)))
    made = Artifact(model, ("negative", "positive"), "treated", noise=noise, training_rows=rows)
    artifact.save(tmp_path, made)
    settings = ServeSettings()
    return Endpoint(served.load(tmp_path), settings, capacity.of(settings, cores=1, memory=1 << 30))


def answer(endpoint: Endpoint, content_type: str, body: str) -> str:
    """Ask; the answer must be one."""
    response = handle(Request("POST", "/invocations", content_type, body=body.encode()), endpoint)
    assert response.status == 200, response.body
    return response.body.decode()


def test_every_way_to_send_a_text_that_the_page_names_is_taken(text_model) -> None:
    """The table's bodies, as they stand: what is great is positive, what is dull is not."""
    settings = ServeSettings()
    endpoint = Endpoint(served.load(text_model), settings, capacity.of(settings, cores=1, memory=1 << 30))
    rows = re.findall(r"^\| `([^`]+)` \| (.*) \|$", TEXTS, flags=re.MULTILINE)
    bodies = [(kind, body) for kind, written in rows for body in re.findall(r"`([^`]+)`", written)]
    assert len(bodies) == 12
    for kind, body in bodies:
        said = answer(endpoint, kind, body.replace("⏎", "\n"))
        assert said.count("positive") >= body.lower().count("great")
        assert said.count("negative") == body.count("dull")


def rounded(text: str) -> str:
    """Give a text without line breaks in JSON, its decimals cut to six: the last digits are the processor's."""
    plain = json.dumps(json.loads(text)) if text.startswith("{") else text
    return re.sub(r"\d+\.\d+", lambda found: f"{float(found[0]):.6f}", plain)


def test_labelled_requests_are_answered_as_the_page_shows(endpoint) -> None:
    """JSON as JSON, CSV as CSV: each block of a request is followed by that of its answer."""
    (sent, said, sent_csv, said_csv) = BLOCKS
    assert [language for language, _ in BLOCKS] == ["json", "json", "csv", "csv"]
    assert rounded(answer(endpoint, "application/json", sent[1])) == rounded(said[1])
    assert rounded(answer(endpoint, "text/csv; label_size=1", sent_csv[1])) == rounded(said_csv[1])


def test_every_way_to_send_a_label_that_the_page_names_is_taken(endpoint) -> None:
    """The table's bodies, with vectors in place of dots."""
    rows = re.findall(r"^\| `([^`]+)` \| `([^`]+)`(?:, `([^`]+)`)? \|", LABELS, flags=re.MULTILINE)
    bodies = [(kind, body) for kind, *written in rows for body in written if body]
    assert len(bodies) == 6
    for kind, body in bodies:
        text = body.replace("…]", "2.0]").replace(", …", "").replace("…", "0.5,2.0").replace("⏎", "\n")
        assert "positive" in answer(endpoint, kind, text)
