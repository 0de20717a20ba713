"""Promises of `relabel serve` with many models, started as people and platforms start it."""

from __future__ import annotations

import json
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

ROW = b"[[1, 2]]"


def load(name: str, url: str) -> bytes:
    """Give the body that asks for a model."""
    return json.dumps({"model_name": name, "url": url}).encode()


@pytest.fixture
def platform(store, tmp_path) -> dict[str, str]:
    """The platform's variables, and a folder of its contract where the models lie below `models`."""
    (tmp_path / "models").symlink_to(store)
    return {"SAGEMAKER_MULTI_MODEL": "true", "RELABEL_ROOT": str(tmp_path)}


def test_the_life_of_models_over_http(serving, platform, tmp_path) -> None:
    """As the platform makes it: a ping before there is any model, loads, predictions, pages, unloads; one process, and a clean end."""
    with serving(**platform) as running:
        running.until_loaded()
        for name in ("0", "a/1"):
            status, body = running.ask("POST", "/models", load(name, f"{tmp_path}/models/{name[-1]}"))
            assert (status, json.loads(body)) == (200, {"status": "Workers scaled"})
        status, body = running.ask("POST", "/models/a%2F1/invoke", ROW)
        assert (status, json.loads(body)["predictions"][0]["class"]) == (200, "1")
        assert running.ask("POST", "/models", load("0", f"{tmp_path}/models/0"))[0] == 409
        assert running.ask("DELETE", "/models/a%2F1")[0] == 200
        assert json.loads(running.ask("POST", "/models/a%2F1/invoke", ROW)[1])["message"] == "Model not found: a/1"
        assert running.ask("POST", "/invocations", ROW)[0] == 404
        assert running.ask("POST", "/models", load("e", "/etc"))[0] == 400
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(30) == 0
        assert running.log.count("Booting worker") == 1


def test_a_killed_process_comes_back_with_its_models(serving, platform, tmp_path) -> None:
    """The platform, which believes them to be loaded, finds them so; what was unloaded stays away."""
    with serving(**platform) as running:
        running.until_loaded()
        for name in "012":
            running.ask("POST", "/models", load(name, f"{tmp_path}/models/{name}"))
        running.ask("DELETE", "/models/1")
        parent = running.process.pid
        os.kill(int(Path(f"/proc/{parent}/task/{parent}/children").read_text()), signal.SIGKILL)
        time.sleep(0.2)
        running.until_loaded()
        statuses = [running.ask("POST", f"/models/{name}/invoke", ROW)[0] for name in "012"]
        assert (statuses, "2 models that it had loaded" in running.log) == ([200, 404, 200], True)


def test_a_stop_lets_requests_end(serving, platform, tmp_path) -> None:
    """None of many that come during a drain is lost."""
    with serving(**platform) as running:
        running.until_loaded()
        running.ask("POST", "/models", load("a", f"{tmp_path}/models/2"))
        end = time.monotonic() + 1.5

        def ask(_client: int) -> set[int]:
            seen = set()
            while time.monotonic() < end:
                seen.add(running.ask("POST", "/models/a/invoke", ROW)[0])
            return seen

        with ThreadPoolExecutor(4) as clients:
            asked = [clients.submit(ask, client) for client in range(4)]
            time.sleep(0.5)
            running.process.send_signal(signal.SIGTERM)
            assert set.union(*(client.result() for client in asked)) == {200}
        assert running.process.wait(30) == 0


@pytest.mark.parametrize("said", [{"RELABEL_MODEL_URI": "/a"}, {"RELABEL_MODELS_SHARE": "0.000001"}])
def test_what_cannot_be_ends_the_server_with_2(serving, platform, said) -> None:
    """An address of one model, and a share of the memory that holds none."""
    with serving(**platform, **said) as running:
        assert running.process.wait(60) == 2
        assert "model" in running.log
        assert "Traceback" not in running.log
