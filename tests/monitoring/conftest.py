"""What tests of watching share: an endpoint, and what the platform captures of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from relabel.container.memory import GIB
from relabel.model import artifact, predictor, reference, training_rows
from relabel.model.artifact import Artifact, Model
from relabel.monitoring import capture_files
from relabel.monitoring.capture_files import Message, Request
from relabel.serving import capacity, served
from relabel.serving.endpoint import Endpoint
from relabel.serving.handler import handle
from relabel.serving.messages import Request as Asked
from relabel.settings import ServeSettings

NOON = np.datetime64("2026-03-01T12:00:00", "s")


@pytest.fixture
def endpoint_of() -> Callable[..., Endpoint]:
    """Load a model folder with settings."""

    def load(folder, **chosen) -> Endpoint:
        settings = ServeSettings(**chosen)
        return Endpoint(served.load(folder), settings, capacity.of(settings, cores=1, memory=GIB))

    return load


@pytest.fixture
def captured_line() -> Callable[..., str]:
    """Ask an endpoint, and write down what the platform would."""

    def ask(endpoint, name, body, content_type, accept="", *, time=NOON, answered=True) -> str:
        response = handle(Asked("POST", "/invocations", content_type, accept, body=body), endpoint)
        said = Message(response.content_type, response.body) if answered else None
        return capture_files.written(Request(name, time, Message(content_type, body), said))

    return ask


@pytest.fixture
def write() -> Callable[..., Path]:
    """Write lines where the platform would."""

    def lay(folder, *lines, name="a", time=NOON) -> Path:
        path = folder / capture_files.path_of(time, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(lines))
        return path

    return lay


WIDTH = 12


@pytest.fixture(scope="session")
def watched_model(tmp_path_factory) -> Path:
    """A folder with a model of vectors of 12 numbers, two classes, and a reference of 400 rows; it knows three rows that it was trained on."""
    rng = np.random.default_rng(0)
    weight = np.zeros((WIDTH, 2), np.float32)
    weight[:2, 1] = 1.5
    tensors = {
        "mean": np.zeros(WIDTH, np.float32),
        "scale": np.ones(WIDTH, np.float32),
        "weight.0": weight,
        "bias.0": np.zeros(2, np.float32),
    }
    model = Model("dense", {"inputs": WIDTH, "width": 8, "depth": 0, "classes": 2}, tensors)
    rows = usual(rng, 400)
    held = reference.made(usual(rng, 600), rows, predictor.load(model)(rows))
    learned = training_rows.hashes(np.eye(3, WIDTH, dtype=np.float32))
    made = Artifact(
        model,
        ("bad", "good"),
        "given",
        training_rows=np.sort(learned),
        reference=held,
        provenance={"test": {"accuracy": 0.9, "log_loss": 0.3, "rows": 400}},
    )
    folder = tmp_path_factory.mktemp("watched") / "model"
    artifact.save(folder, made)
    return folder


def usual(rng, rows, strange=0.0):
    """Rows of normal numbers, of which a share is moved in four of them."""
    made = rng.standard_normal((rows, WIDTH)).astype(np.float32)
    made[rng.random(rows) < strange, 2:6] += 2.5
    return made


@pytest.fixture
def came(tmp_path) -> Callable[..., Path]:
    """Write traffic of windows of 200 rows, each with a share of strange rows, one window a day from 1 March on; ids are DAY-ROW."""

    def write(*shares, folder="captured", first=1) -> Path:
        for day, share in enumerate(shares, first):
            rows = usual(np.random.default_rng((7, day)), 200, share)
            day_start = np.datetime64(f"2026-03-{day:02}T08:00:00", "s")
            lines = [
                capture_files.written(
                    Request(
                        f"{day}-{n}",
                        day_start + np.timedelta64(n, "s"),
                        Message("application/json", json.dumps(row.tolist()).encode()),
                        None,
                    )
                )
                for n, row in enumerate(rows)
            ]
            path = tmp_path / folder / capture_files.path_of(day_start, f"d{day}")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("".join(lines))
        return tmp_path / folder

    return write
