"""Promises of the image when it serves, asked with curl as a person would."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from relabel.model import artifact, package
from relabel.model.artifact import Artifact, Model

pytestmark = pytest.mark.image

GIB = 1 << 30
ASK = """
import sys, time, urllib.request
end = time.monotonic() + 30
while True:
    try:
        print(urllib.request.urlopen(sys.argv[1], timeout=5).status)
        break
    except OSError:
        assert time.monotonic() < end, "no answer"
        time.sleep(0.1)
"""
"""Asks from inside, where no port is published: the image has no curl."""
PEAK = "from relabel.container import memory; found = memory.read(); print(found.peak or 0, found.kills or 0)"


def curl(address: str, *arguments: str) -> tuple[int, str]:
    """Ask an address (path included); status 0 where nothing answers."""
    shown = subprocess.run(
        ["curl", "--silent", "--max-time", "30", "--write-out", "\n%{http_code}", *arguments, f"http://{address}"],
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


def some_rows(root: Path) -> np.ndarray:
    """Read some rows of the job's test set."""
    return np.load(root / "input" / "data" / "train" / "test.npy")[:50]


def expected(root: Path, rows: np.ndarray) -> list[int]:
    """Predict with the artifact as it lies on this machine."""
    from relabel.serving import served  # noqa: PLC0415

    return served.load(root / "model").predictor(rows).argmax(axis=1).tolist()


def test_serve_answers_with_the_trained_model(image, trained) -> None:
    """/ping is empty and 200, predictions are the trained model's, with the names of the classes."""
    root, _ = trained
    rows = some_rows(root)
    with image.serving(root, "serve") as (_, address):
        wait_until_loaded(address)
        assert curl(f"{address}/ping") == (200, "")
        said = predictions(address, rows.tolist())
        assert [line["label"] for line in said] == expected(root, rows)
        assert {line["class"] for line in said} == {"0", "1"}


def test_sigterm_ends_the_server_with_0(image, trained) -> None:
    """Soon, and long before the platform kills it after 30 seconds, also when it has only just started."""
    with image.serving(trained[0], "serve") as (name, address):
        wait_until_loaded(address)
        asked = time.monotonic()
        assert image.stop(name, patience=30) == 0
        assert time.monotonic() - asked < 20


def test_no_argument_without_hyperparameters_serves(image, trained) -> None:
    """A folder with a model alone is an endpoint's."""
    with image.serving(trained[0]) as (_, address):
        wait_until_loaded(address)


def test_serve_without_a_model_ends_with_2(image, tmp_path) -> None:
    """The reason is in the log."""
    ended = image.run(tmp_path, "serve")
    assert ended.code == 2
    assert "no model.json" in ended.log


READ_ONLY = ("--read-only", "--tmpfs", "/tmp")  # noqa: S108


@pytest.mark.parametrize("kept", [(), READ_ONLY, (*READ_ONLY, "--tmpfs", "/kept", "--env", "RELABEL_CACHE=/kept")])
def test_a_model_from_elsewhere_is_served_in_place_of_the_platform_s(image, trained, tmp_path, kept) -> None:
    """RELABEL_MODEL_URI names an archive that is mounted; it is unpacked wherever the container may write."""
    root, _ = trained
    rows, packed = some_rows(root), package.pack(root / "model", tmp_path / "packed" / "model.tar.gz")
    (tmp_path / "nothing" / "model").mkdir(parents=True)
    uri = f"RELABEL_MODEL_URI=/elsewhere/model.tar.gz#sha256={packed.sha256}"
    options = ("--volume", f"{packed.path.parent}:/elsewhere:ro", "--env", uri, *kept)
    with image.given(*options).serving(tmp_path / "nothing", "serve") as (_, address):
        wait_until_loaded(address)
        assert [line["label"] for line in predictions(address, rows.tolist())] == expected(root, rows)


def test_a_model_that_cannot_be_fetched_ends_the_container(image, tmp_path) -> None:
    """With 3 where nobody answers, with 2 where the address is wrong."""
    for uri, code in (("https://10.255.255.1.invalid/model.tar.gz", 3), ("/elsewhere", 2), ("ftp://a/b", 2)):
        ended = image.given("--env", f"RELABEL_MODEL_URI={uri}").run(tmp_path, "serve")
        assert (ended.code, uri in ended.log) == (code, True), ended.log


def test_a_hardship_does_not_keep_it_from_serving(image, trained, hardship) -> None:
    """Nothing to write to but /tmp, an unknown user, no shared memory; the model is mounted read-only always."""
    root, _ = trained
    rows = some_rows(root)
    with image.given(*hardship).serving(root, "serve") as (_, address):
        wait_until_loaded(address)
        assert [line["label"] for line in predictions(address, rows.tolist())] == expected(root, rows)


def test_it_serves_without_a_network_on_the_port_that_it_is_told(image, trained) -> None:
    """SAGEMAKER_BIND_TO_PORT, where nothing can be downloaded; the usual port stays free."""
    with image.given("--env", "SAGEMAKER_BIND_TO_PORT=9123").started(trained[0], "serve") as name:
        assert image.inside(name, "python3", "-c", ASK, "http://127.0.0.1:9123/ping").log == "200\n"
        assert image.inside(name, "bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/8080").code != 0


@pytest.mark.parametrize(("megabytes", "allowed"), [(5, {200}), (20, {200, 503})])
def test_a_gigabyte_is_enough_for_large_requests(image, trained, tmp_path, megabytes, allowed) -> None:
    """Eight clients at once: each is answered, or asked to come again where all bodies would not fit; nothing is killed, the peak is below 1 GiB."""
    root, _ = trained
    row = [round(value, 6) for value in some_rows(root)[0].tolist()]
    rows = (megabytes << 20) // len(json.dumps(row))
    (tmp_path / "body").write_text(json.dumps({"instances": [row] * rows}))
    with image.given("--memory", "1g", "--memory-swap", "1g").serving(root, "serve") as (name, address):
        wait_until_loaded(address)
        ask = ("--header", "Content-Type: application/json", "--data-binary", f"@{tmp_path / 'body'}")
        with ThreadPoolExecutor(8) as clients:
            answers = list(clients.map(lambda _: curl(f"{address}/invocations", *ask), range(32)))
        peak, kills = map(int, image.inside(name, "python3", "-c", PEAK).log.split())
        assert 200 in {status for status, _ in answers} <= allowed
        assert all(body.count('"label"') == rows for status, body in answers if status == 200)
        assert (kills, image.call("inspect", "--format", "{{.State.OOMKilled}}", name).log) == (0, "false\n")
        assert peak < GIB


FOLDERS = Path("/opt/ml/models")
MANY = (
    "--env",
    "SAGEMAKER_MULTI_MODEL=true",
    "--env",
    "SAGEMAKER_BIND_TO_PORT=8080",
    "--env",
    "SAGEMAKER_SAFE_PORT_RANGE=9000-9999",
)


@pytest.fixture
def models(trained, tmp_path) -> Path:
    """A folder as the platform fills it: each model below a name of its own, in `model`; beside it nothing to serve alone."""
    for name in ("first", "second"):
        shutil.copytree(trained[0] / "model", tmp_path / "models" / name / "model")
    (tmp_path / "models" / "broken" / "model").mkdir(parents=True)
    (tmp_path / "model").mkdir()
    return tmp_path


def asked(address: str, method: str, path: str, body: object = None) -> tuple[int, dict[str, object]]:
    """Make a request of the API for many models."""
    data = () if body is None else ("--data", json.dumps(body), "--header", "Content-Type: application/json")
    status, said = curl(f"{address}{path}", "--request", method, *data)
    return status, json.loads(said) if said else {}


def test_many_models_by_the_platform_s_api(image, trained, models) -> None:
    """Statuses and bodies of a whole life of models, as the platform's own containers are tested for them, in a container of a gigabyte."""
    rows = some_rows(trained[0])
    options = ("--volume", f"{models / 'models'}:{FOLDERS}:ro", "--memory", "1g", "--memory-swap", "1g", *MANY)
    with image.given(*options).serving(models, "serve") as (name, address):
        wait_until_loaded(address)
        assert asked(address, "GET", "/models") == (200, {"models": []})
        urls = {model: str(FOLDERS / model / "model") for model in ("first", "second")}
        for model, url in urls.items():
            said = asked(address, "POST", "/models", {"model_name": model, "url": url})
            assert said == (200, {"status": "Workers scaled"})
        status, said = asked(address, "POST", "/models", {"model_name": "first", "url": urls["first"]})
        assert (status, said["message"]) == (409, "Model first is already registered.")
        listed = [{"modelName": model, "modelUrl": url} for model, url in urls.items()]
        assert asked(address, "GET", "/models") == (200, {"models": listed})
        assert asked(address, "GET", "/models/second") == (200, listed[1])
        status, said = asked(address, "POST", "/models/second/invoke", {"instances": rows.tolist()})
        assert [line["label"] for line in said["predictions"]] == expected(trained[0], rows)
        assert asked(address, "DELETE", "/models/second") == (200, {"status": 'Model "second" unregistered'})
        status, said = asked(address, "POST", "/models/second/invoke", [[1]])
        assert (status, said["message"]) == (404, "Model not found: second")
        refused = {
            "/opt/ml/models/none/model": 404,
            "/opt/ml/models/broken/model": 400,
            "/opt/ml/models/../..": 400,
            "/etc": 400,
        }
        for url, status in refused.items():
            assert asked(address, "POST", "/models", {"model_name": "a", "url": url})[0] == status
        assert image.stop(name, patience=30) == 0


def test_models_that_do_not_fit_are_507_and_nothing_is_killed(image, tmp_path) -> None:
    """A share of the memory that holds a few: one that does not fit is refused, and fits once another has gone."""
    width = 1150
    tensors = {"mean": np.zeros(width, np.float32), "scale": np.ones(width, np.float32)}
    tensors |= {"weight.0": np.ones((width, width), np.float32), "bias.0": np.zeros(width, np.float32)}
    tensors |= {"weight.1": np.ones((width, 2), np.float32), "bias.1": np.zeros(2, np.float32)}
    model = Model("dense", {"inputs": width, "width": width, "depth": 1, "classes": 2}, tensors)
    artifact.save(tmp_path / "model" / "large", Artifact(model, ("a", "b"), "given"))
    limited = ("--memory", "512m", "--memory-swap", "512m", *MANY, "--env", "RELABEL_MODELS_SHARE=0.25")
    with image.given(*limited).serving(tmp_path, "serve") as (name, address):
        wait_until_loaded(address)

        def load(number: int) -> int:
            said = {"model_name": str(number), "url": "/opt/ml/model/large"}
            return asked(address, "POST", "/models", said)[0]

        statuses = [load(number) for number in range(12)]
        fitting = statuses.index(507)
        assert statuses == [200] * fitting + [507] * (12 - fitting)
        assert fitting > 0
        assert asked(address, "DELETE", "/models/0")[0] == 200
        assert load(99) == 200
        assert image.inside(name, "python3", "-c", PEAK).log.split()[1] == "0"
