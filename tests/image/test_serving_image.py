"""Promises of the image when it serves, asked with curl as a person would."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.image


def curl(address: str, *arguments: str) -> tuple[int, str]:
    """Ask an address (path included); status 0 where nothing answers."""
    shown = subprocess.run(
        ["curl", "--silent", "--max-time", "10", "--write-out", "\n%{http_code}", *arguments, f"http://{address}"],
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    body, _, status = shown.rpartition("\n")
    return int(status), body


def wait_until_loaded(address: str) -> None:
    """Ask /ping until it is 200."""
    end = time.monotonic() + 60
    while curl(f"{address}/ping")[0] != 200:
        assert time.monotonic() < end, "no answer within 60 s"
        time.sleep(0.1)


def predictions(address: str, rows: Sequence[Sequence[float]]) -> list[dict[str, object]]:
    """Ask for predictions as JSON."""
    payload = json.dumps({"instances": rows})
    header = ("--header", "Content-Type: application/json")
    status, body = curl(f"{address}/invocations", *header, "--data", payload)
    assert status == 200, body
    return json.loads(body)["predictions"]


def test_serve_answers_with_the_trained_model_and_stops_with_0(image, trained) -> None:
    """/ping, predictions that agree with the truth of the data, `docker stop` without a kill."""
    root, _ = trained
    rows = np.load(root / "input" / "data" / "train" / "test.npy")[:50]
    with image.serving(root, "serve") as (name, address):
        wait_until_loaded(address)
        assert curl(f"{address}/ping") == (200, "")
        said = predictions(address, rows.tolist())
        assert [line["label"] for line in said] == expected(root, rows)
        assert {line["class"] for line in said} == {"0", "1"}
        assert image.call("stop", "--time", "30", name).code == 0
        assert image.call("inspect", "--format", "{{.State.ExitCode}}", name).log.strip() == "0"


def expected(root: Path, rows: np.ndarray) -> list[int]:
    """Predict with the artifact as it lies on this machine."""
    from relabel.serving import served  # noqa: PLC0415

    return served.load(root / "model").predictor(rows).argmax(axis=1).tolist()


def test_no_argument_without_hyperparameters_serves(image, trained) -> None:
    """A folder with a model alone is an endpoint's."""
    root, _ = trained
    with image.serving(root) as (_, address):
        wait_until_loaded(address)


def test_serve_without_a_model_ends_with_2(image, tmp_path) -> None:
    """The reason is in the log."""
    ended = image.run(tmp_path, "serve")
    assert ended.code == 2
    assert "no model.json" in ended.log
