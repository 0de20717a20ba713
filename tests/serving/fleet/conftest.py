"""A folder of small models, and an endpoint that has none loaded yet."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from relabel.model import artifact
from relabel.model.artifact import Artifact, Model
from relabel.serving import capacity
from relabel.serving.capacity import MB
from relabel.serving.fleet import api
from relabel.serving.fleet.api import Fleet
from relabel.serving.fleet.models import Models
from relabel.serving.fleet.room import Room
from relabel.serving.messages import Request, Response
from relabel.settings import ServeSettings

ROOM = Room(1 << 40, 1 << 40)


def save(folder: Path, favourite: int) -> Path:
    """Write a model of two numbers and three classes that always says one of them."""
    tensors = {
        "mean": np.zeros(2, np.float32),
        "scale": np.ones(2, np.float32),
        "weight.0": np.zeros((2, 3), np.float32),
        "bias.0": np.eye(3, dtype=np.float32)[favourite] * 9,
    }
    sizes = {"inputs": 2, "width": 1, "depth": 0, "classes": 3}
    rows = np.arange(favourite, favourite + 9, dtype=np.uint64)
    artifact.save(folder, Artifact(Model("dense", sizes, tensors), ("0", "1", "2"), "given", training_rows=rows))
    return folder


@pytest.fixture(scope="session")
def store(tmp_path_factory) -> Path:
    """The folders 0, 1 and 2, of models that say so, and the folder `broken`."""
    root = tmp_path_factory.mktemp("models")
    for favourite in range(3):
        save(root / str(favourite), favourite)
    (save(root / "broken", 0) / "model.safetensors").write_bytes(b"torn")
    return root


@pytest.fixture
def fleet(store) -> Fleet:
    """An endpoint with room for all."""
    return made([store])


def made(roots: list[Path], room: Room = ROOM, **chosen: Any) -> Fleet:
    """Make an endpoint."""
    settings = ServeSettings(max_payload_mb=1, **chosen)
    return Fleet(Models(roots, room), settings, capacity.of_many(settings, cores=2, memory=8192 * MB))


Call = Callable[..., tuple[int, Any]]


@pytest.fixture
def call(fleet) -> Call:
    """Ask the endpoint; status and what the answer holds."""
    return calling(fleet)


def calling(fleet: Fleet) -> Call:
    """Ask this endpoint."""

    def ask(method: str, path: str, body: object = None, query: str = "") -> tuple[int, Any]:
        sent = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        return read(api.handle(Request(method, path, "application/json", body=sent, query=query), fleet))

    return ask


def read(response: Response) -> tuple[int, Any]:
    """Give status and content."""
    return response.status, json.loads(response.body) if response.body else None


def predicted(answer: tuple[int, Any]) -> str:
    """Give the class that an answer names."""
    assert answer[0] == 200, answer
    found: str = answer[1]["predictions"][0]["class"]
    return found
