"""Promises of `relabel aws invoke` against moto's server."""

from __future__ import annotations

import json
from typing import Any

import pytest
from moto.sagemakerruntime.responses import SageMakerRuntimeResponse

from relabel.aws import asking, endpoints

IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/relabel:1"
ANSWER = '{"predictions": [{"label": 0, "class": "negative", "probabilities": [0.9, 0.1]}]}'
DEPLOYED = ("--name", "reviews", "--image", IMAGE, "--no-check")


def test_a_file_and_a_text(run, model, answering, tmp_path) -> None:
    """The media type follows from the ending, or from --text; the answer goes to a file or to standard output."""
    run("deploy", model, *DEPLOYED)
    answering(ANSWER, ANSWER.replace("0.9", "0.8"))
    (tmp_path / "request.json").write_text('{"instances": [[1, 2, 3]]}')
    assert run("invoke", "reviews", tmp_path / "request.json").out == ANSWER + "\n"
    output = tmp_path / "answer.json"
    assert run("invoke", "relabel-reviews", "--text", "dull", "--output", output).code == 0
    assert "0.8" in output.read_text()


def test_the_servers_own_words(run, model, failing, tmp_path) -> None:
    """A refusal is shown as the container said it, with its status: the caller's fault 2, the server's 3."""
    run("deploy", model, *DEPLOYED)
    (tmp_path / "request.csv").write_text("1,2\n")
    failing("ModelError", '{"error": {"code": "malformed", "message": "row 1 has 2 numbers, not 3"}}', 400)
    ended = run("invoke", "reviews", tmp_path / "request.csv")
    assert (ended.code, ended.err) == (2, "ERROR the endpoint answers 400: row 1 has 2 numbers, not 3\n")
    failing("ModelError", "Bad gateway", 502)
    assert run("invoke", "reviews", tmp_path / "request.csv").code == 3


@pytest.mark.parametrize(
    ("failure", "code", "said"), [(False, 0, "0.9"), (True, 2, "answers with a failure: no such column")]
)
def test_asynchronous(run, aws, answering, model, tmp_path, *, failure, code, said) -> None:
    """The request becomes a file in S3, and the answer or the failure is waited for there."""
    run("deploy", model, *DEPLOYED, "--asynchronous")
    answering("no such column" if failure else ANSWER, failed=failure)
    (tmp_path / "request.json").write_text('{"instances": [[1, 2, 3]]}')
    ended = run("invoke", "reviews", tmp_path / "request.json", "--patience", 5)
    assert ended.code == code, ended.err
    assert said in ended.out + ended.err
    (key,) = [
        each["Key"] for each in aws.client("s3").list_objects_v2(Bucket=aws.bucket, Prefix="data/requests/")["Contents"]
    ]
    assert key.startswith("data/requests/relabel-reviews/")
    assert key.endswith(".json")


def test_what_cannot_be_asked(run, model, tmp_path) -> None:
    """No endpoint, no file, no ending, too much for a serverless endpoint: each is said with what to do."""
    assert "no endpoint of that name" in run("invoke", "none", "--text", "a").err
    assert "give a FILE" in run("invoke", "reviews").err
    assert "cannot be read" in run("invoke", "reviews", tmp_path / "none.csv").err
    assert "its ending does not say" in run("invoke", "reviews", tmp_path / "request").err
    run("deploy", model, *DEPLOYED, "--serverless")
    (tmp_path / "large.csv").write_bytes(b"1" * 4_000_001)
    assert "a serverless endpoint takes 4" in run("invoke", "reviews", tmp_path / "large.csv").err


def test_a_check_can_be_told_from_traffic(aws, run, model, monkeypatch) -> None:
    """The made record has an inference id of its own, which captured traffic keeps; other requests have none from here."""
    seen = []

    def answered(response: Any) -> tuple[int, dict[str, str], str]:
        seen.append(response.headers.get("X-Amzn-SageMaker-Inference-Id"))
        prediction = {"label": 0, "class": "negative", "probabilities": [0.5, 0.5]}
        return 200, {"Content-Type": "application/json"}, json.dumps({"predictions": [prediction]})

    monkeypatch.setattr(SageMakerRuntimeResponse, "invoke_endpoint", answered)
    ended = run("deploy", model, "--name", "reviews", "--image", "image:1", "--capture", 100)
    assert ended.code == 0, ended.err
    asking.ask(aws, endpoints.existing(aws, "relabel-reviews"), b"1,2,3", "text/csv")
    assert seen == [asking.CHECK, None]
