"""Promises of the label audit: what an endpoint says of labels that records carry."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relabel.codecs.table import CODECS, JSON, JSON_LINES, NPY
from relabel.model import artifact, training_rows
from relabel.serving.endpoint import Endpoint
from relabel.serving.handler import CODES, handle
from relabel.serving.messages import Request
from relabel.serving.served import Served
from relabel.settings import ServeSettings

LABEL_FIRST = "text/csv; label_size=1"
NOISE = np.array([[0.9, 0.1, 0.0], [0.05, 0.9, 0.05], [0.0, 0.2, 0.8]])
TRAINED = np.array([[0, 0, 1, 0], [-0.0, 0.25, 0.5, 7]], np.float32)


@pytest.fixture
def auditing(endpoint) -> Endpoint:
    """The endpoint with a model of treated labels that knows its noise and its training rows."""
    known = dataclasses.replace(
        endpoint.served.artifact,
        fitted_on="treated",
        noise=NOISE,
        temperature=2.0,
        training_rows=np.sort(training_rows.hashes(TRAINED)),
    )
    return with_artifact(endpoint, known)


def with_artifact(endpoint: Endpoint, known: artifact.Artifact) -> Endpoint:
    """The same endpoint with another artifact."""
    return dataclasses.replace(endpoint, served=Served(known, endpoint.served.predictor))


def post(body: bytes, content_type: str = JSON, **more: Any) -> Request:
    """Ask for predictions."""
    return Request("POST", "/invocations", content_type, body=body, number="n-1", **more)


def predictions(endpoint: Endpoint, body: Any) -> list[dict[str, Any]]:
    """Send JSON that must be answered."""
    response = handle(post(json.dumps(body).encode()), endpoint)
    assert response.status == 200, response.body
    rows: list[dict[str, Any]] = json.loads(response.body)["predictions"]
    return rows


def bayes(probability: np.ndarray, label: int) -> tuple[float, int]:
    """Posterior and suggestion as the rule of Bayes has them, written out."""
    weight = [NOISE[true, label] * probability[true] for true in range(3)]
    return 1 - weight[label] / sum(weight), int(np.argmax(weight))


def test_a_model_of_treated_labels_judges_by_its_softened_probabilities(auditing) -> None:
    """They are those of the true label: softened by the artifact's temperature, then weighed with the noise."""
    vector = [0.3, 0.1, 0.2, 0]
    said = [
        row
        for label in auditing.served.artifact.classes
        for row in predictions(auditing, [{"features": vector, "label": label}])
    ]
    soft = np.array(said[0]["probabilities"]) ** (1 / 2)
    soft /= soft.sum()
    for label, row in enumerate(said):
        posterior, suggested = bayes(soft, label)
        assert row["error_posterior"] == pytest.approx(posterior, abs=1e-6)
        assert row["suggested_label"] == auditing.served.artifact.classes[suggested]


def test_a_model_of_given_labels_has_its_noise_undone_first(auditing) -> None:
    """Its probabilities are those of given labels; from a mixture of known true ones the posterior comes back."""
    true = np.array([0.5, 0.3, 0.2])
    vector = [*(np.log(true @ NOISE) / 5), 0]  # the network's logits are five times its inputs
    plain = dataclasses.replace(auditing.served.artifact, fitted_on="given", temperature=1.0)
    for label, name in enumerate(plain.classes):
        (row,) = predictions(with_artifact(auditing, plain), [{"features": vector, "label": name}])
        posterior, suggested = bayes(true, label)
        assert row["error_posterior"] == pytest.approx(posterior, abs=1e-5)
        assert row["suggested_label"] == plain.classes[suggested]


def test_a_wrong_label_is_doubted_and_a_right_one_is_not(auditing) -> None:
    """Records with and without a label stand side by side, each with its prediction as always."""
    vectors = [[2, 0, 0, 0], [2, 0, 0, 0], [0, 0, 2, 0]]
    plain = predictions(auditing, vectors)
    wrong, none, right = predictions(auditing, {"instances": vectors, "labels": ["neutral", None, "positive"]})
    assert (wrong["given_label"], wrong["suggested_label"]) == ("neutral", "negative")
    assert wrong["error_posterior"] > 0.9
    assert none == plain[1]
    assert (right["given_label"], right["suggested_label"]) == ("positive", "positive")
    assert right["error_posterior"] < 0.1
    assert [{name: row[name] for name in plain[0]} for row in (wrong, none, right)] == plain


def test_rows_that_were_trained_on_are_marked(auditing) -> None:
    """By their float32 values, -0.0 being 0.0; all others are not."""
    vectors = [[0, 0, 1, 0], [0.0, 0.25, 0.5, 7], [0, 0, 1, 1e-30], [1, 0, 0, 0]]
    said = predictions(auditing, {"instances": vectors, "labels": ["neutral"] * 4})
    assert [row["in_sample"] for row in said] == [True, True, False, False]


def test_what_the_artifact_does_not_know_is_null(endpoint) -> None:
    """Without noise there is no posterior, and the predicted class is suggested; without training rows nobody knows of them."""
    (row,) = predictions(endpoint, [{"features": [0, 9, 0, 0], "label": "negative"}])
    assert (row["error_posterior"], row["suggested_label"], row["in_sample"]) == (None, "neutral", None)


@pytest.mark.parametrize("label", ["1", "1.0", 1, 1.0, " 1 ", "01", "+1"])
def test_whole_numbers_are_one_label_however_they_are_spelled(auditing, label) -> None:
    """As in the data that a job reads."""
    numbered = with_artifact(auditing, dataclasses.replace(auditing.served.artifact, classes=("-1", "0", "1")))
    (row,) = predictions(numbered, [{"features": [1, 0, 0, 0], "label": label}])
    assert row["given_label"] == "1"


@pytest.mark.parametrize("label", ["unknown", "Neutral", 1, "1"])
def test_a_label_that_is_no_class_is_refused_with_its_row(auditing, label) -> None:
    """The message names the classes, and does not repeat the label."""
    body = json.dumps([[1, 0, 0, 0], {"features": [1, 0, 0, 0], "label": label}]).encode()
    response = handle(post(body), auditing)
    message = json.loads(response.body)["error"]["message"]
    assert response.status == 400
    assert message == (
        "row 1 (counted from 0), its label is no class of this model, expected is one of `negative`, `neutral`, `positive`"
    )


@pytest.mark.parametrize("content_type", [JSON_LINES, LABEL_FIRST])
def test_wrong_labels_can_be_reported_in_their_place(auditing, content_type) -> None:
    """Beside records with other problems; the labels of the others stay with their records."""
    reporting = dataclasses.replace(auditing, settings=ServeSettings(bad_records="report"))
    rows = [
        ("negative", [2, 0, 0, 0]),
        ("odd", [2, 0, 0, 0]),
        ("odd", [1]),
        ("neutral", [3e38, 3e38, 0, 0]),
        ("positive", [0, 0, 1, 0]),
    ]
    if content_type == JSON_LINES:
        body = "\n".join(json.dumps({"features": vector, "label": label}) for label, vector in rows)
    else:
        body = "\n".join(",".join(map(str, [label, *vector])) for label, vector in rows)
    response = handle(post(body.encode(), content_type, accept=JSON_LINES), reporting)
    said = [json.loads(line) for line in response.body.splitlines()]
    assert [row.get("given_label") for row in said] == ["negative", None, None, None, "positive"]
    assert "no class" in said[1]["error"]
    assert "no class" not in said[2]["error"]
    assert "too large for this model" in said[3]["error"]
    assert said[4]["in_sample"] is True


def test_csv_answers_have_the_same_columns_for_every_label(auditing) -> None:
    """Whether lines have a label or not; batch transform joins them with its inputs."""
    response = handle(post(b"neutral,2,0,0,0\n,2,0,0,0\n", LABEL_FIRST), auditing)
    first, second = response.body.decode().splitlines()
    assert first.split(",")[5:] == ["neutral", first.split(",")[6], "negative", "false"]
    assert second.endswith(",,,,")
    assert first.count(",") == second.count(",") == 8


def test_npy_answers_have_the_probabilities_alone(auditing) -> None:
    """An array has no room for names."""
    labelled = handle(post(b'[{"features": [1, 0, 0, 0], "label": "neutral"}]', accept=NPY), auditing)
    assert labelled.body == handle(post(b"[1, 0, 0, 0]", accept=NPY), auditing).body


bodies = st.lists(
    st.sampled_from(
        [
            *'[]{}",:\n 019',
            "[1, 2, 3, 4]",
            '"features": [1, 2, 3, 4]',
            '"label": "neutral"',
            "neutral,1,2,3,4\n",
            '{"label": 1}',
            '"labels": ["neutral"]',
            '"instances":',
            "3e38",
            "null",
        ]
    ),
    max_size=20,
).map("".join)


@given(
    body=bodies.map(str.encode),
    content_type=st.sampled_from([*CODECS, LABEL_FIRST]),
    bad=st.sampled_from(["refuse", "report"]),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_labels_are_answered_without_a_500(auditing, body, content_type, bad) -> None:
    """Whatever is sent, it is an answer or a refusal that names the sender's side."""
    chosen = dataclasses.replace(auditing, settings=ServeSettings(bad_records=bad))
    assert handle(post(body, content_type), chosen).status in {200, *CODES} - {500, 503}


def test_a_server_audits_a_labelled_request_and_shares_the_training_rows_pages(model_folder, serving) -> None:
    """Over HTTP, with a model of a million training rows: its worker has them in memory that it shares with the server's process."""
    others = np.arange(1, 1_000_001, dtype=np.uint64) << np.uint64(40)
    rows = np.unique(np.concatenate([training_rows.hashes(TRAINED), others]))
    loaded = artifact.load(model_folder)
    artifact.save(model_folder, dataclasses.replace(loaded, noise=NOISE, training_rows=rows))
    with serving("--model", str(model_folder), "--workers", "1") as running:
        running.until_loaded()
        status, body = running.ask("POST", "/invocations", b'{"instances": [[0, 0, 1, 0]], "labels": ["neutral"]}')
        (row,) = json.loads(body)["predictions"]
        assert (status, row["given_label"], row["suggested_label"]) == (200, "neutral", "positive")
        assert row["error_posterior"] > 0.9
        assert row["in_sample"] is True
        status, body = running.ask("POST", "/invocations", b"neutral,0,9,0,0\n", Content_Type=LABEL_FIRST)
        assert (status, body.startswith(b"1,neutral,"), body.endswith(b",neutral,false\n")) == (200, True, True)
        parent = running.process.pid
        worker = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()[0]
        every = Path(f"/proc/{worker}/smaps").read_text().split("VmFlags")
        shared, private = (
            [int(re.findall(rf"{kind}_Dirty: +(\d+) kB", one)[0]) for one in every if "_Dirty" in one]
            for kind in ("Shared", "Private")
        )
        assert any(of_both > 7800 and own < 1000 for of_both, own in zip(shared, private, strict=True))
