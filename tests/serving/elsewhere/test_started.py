"""Promises of servers whose model comes from elsewhere, as real processes."""

from __future__ import annotations

import hashlib
import json
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from relabel.model import artifact

ROWS = b'{"instances": [[0, 0, 7, 0], [7, 0, 0, 0]]}'


@pytest.fixture
def served(serving, tmp_path) -> Callable[..., str]:
    """Start a server with two workers from a URI, ask it, stop it; its log. Variables and more options may be given."""

    def serve(uri: str, *options: str, **variables: str) -> str:
        variables = {"RELABEL_MODEL_URI": uri, "RELABEL_CACHE": str(tmp_path / "cache"), **variables}
        with serving("--workers", "2", *options, **variables) as running:
            running.until_loaded()
            status, body = running.ask("POST", "/invocations", ROWS)
            assert status == 200
            assert [row["class"] for row in json.loads(body)["predictions"]] == ["positive", "negative"]
            return running.log

    return serve


def test_a_path_and_an_archive_are_served(served, model_folder, packed) -> None:
    """By the variable; an option wins over it."""
    served(str(model_folder))
    served(str(packed.path))
    served("/nothing", "--model", str(packed.path), "--model-sha256", packed.sha256)


def test_a_web_server_s_model_is_downloaded_by_the_first_start_alone(
    served, web, secure_web, packed, certificate
) -> None:
    """Once for all workers; the second start asks whether it has changed, and with a hash not even that."""
    secure_web.files["/model.tar.gz"] = packed.path.read_bytes()
    uri = f"{secure_web.url}/model.tar.gz?X-Amz-Signature=hush"
    secure_web.files["/model.tar.gz?X-Amz-Signature=hush"] = packed.path.read_bytes()
    log = served(uri, SSL_CERT_FILE=str(certificate))
    assert f"fetched {secure_web.url}/model.tar.gz\n" in log
    assert "hush" not in log
    assert "fetched" not in served(uri, SSL_CERT_FILE=str(certificate))
    assert secure_web.given == [packed.size, 0]
    assert "fetched" not in served(f"{web.url}/model.tar.gz", RELABEL_MODEL_SHA256=packed.sha256)
    assert web.asked == []


def test_a_model_in_s3_is_downloaded_by_the_first_start_alone(served, s3, model_folder) -> None:
    """Whole, before any worker needs it."""
    for name in artifact.FILES:
        s3.upload_file(str(model_folder / name), "models", f"folder/{name}")
    assert "fetched s3://models/folder/\n" in served("s3://models/folder/")
    assert "fetched" not in served("s3://models/folder/")


def test_a_model_in_mlflow_is_downloaded_by_the_first_start_alone(served, tracking, model_folder) -> None:
    """By its alias; a new version behind the alias is taken by the next start."""
    run = tracking.log(model_folder, "model")
    tracking.register("reviews", run, "model", "champion")
    variables = {"MLFLOW_TRACKING_URI": tracking.url}
    assert f"fetched mlflow-artifacts:/{run}/artifacts/model\n" in served("models:/reviews@champion", **variables)
    assert "fetched" not in served("models:/reviews@champion", **variables)
    description = json.loads((model_folder / artifact.DESCRIPTION).read_bytes()) | {"fitted_on": "treated"}
    (model_folder / artifact.DESCRIPTION).write_text(json.dumps(description))
    tracking.register("reviews", tracking.log(model_folder, "model"), "model", "champion")
    assert "fetched" in served("models:/reviews@champion", **variables)


def test_another_model_than_the_hash_says_ends_the_server_with_2(serving, web, packed, tmp_path) -> None:
    """With both hashes, before anything listens, and without a traceback."""
    web.files["/model.tar.gz"] = packed.path.read_bytes()
    other = hashlib.sha256(b"other").hexdigest()
    cache = {"RELABEL_CACHE": str(tmp_path / "cache")}
    with serving(RELABEL_MODEL_URI=f"{web.url}/model.tar.gz#sha256={other}", **cache) as running:
        assert running.process.wait(60) == 2
        assert packed.sha256 in running.log
        assert other in running.log
        assert not {"Traceback", "Listening"} & set(running.log.split())
    assert not (tmp_path / "cache" / "contents").exists()


def test_a_server_that_cannot_be_reached_ends_the_start_with_3(serving, tmp_path) -> None:
    """Within seconds, after some tries."""
    began = time.monotonic()
    with serving(RELABEL_MODEL_URI="http://127.0.0.1:9/m", RELABEL_CACHE=str(tmp_path)) as running:
        assert running.process.wait(60) == 3
        assert "Connection refused, 4 times" in running.log
    assert time.monotonic() - began < 30


def test_a_stop_is_heard_while_a_model_is_fetched(serving, tmp_path) -> None:
    """From a server that takes the question and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(60)
        uri = "http://127.0.0.1:{1}/model.tar.gz".format(*silent.getsockname())
        with serving(RELABEL_MODEL_URI=uri, RELABEL_CACHE=str(tmp_path)) as running:
            asked, _ = silent.accept()
            with asked:
                running.process.send_signal(signal.SIGTERM)
                assert running.process.wait(10) == 0


def test_files_are_answered_and_scored_with_a_model_from_elsewhere(web, packed, tmp_path, monkeypatch) -> None:
    """`predict` takes an address as `serve` does."""
    from click.testing import CliRunner  # noqa: PLC0415

    from relabel.cli.main import commands  # noqa: PLC0415

    monkeypatch.setenv("RELABEL_CACHE", str(tmp_path / "cache"))
    web.files["/model.tar.gz"] = packed.path.read_bytes()
    Path(tmp_path / "rows.json").write_bytes(ROWS)
    done = CliRunner().invoke(commands, ["predict", "--model", f"{web.url}/model.tar.gz", str(tmp_path / "rows.json")])
    assert done.exit_code == 0, done.output
    assert [row["class"] for row in json.loads(done.stdout)["predictions"]] == ["positive", "negative"]


def test_the_doctor_fetches_it_too_and_shows_no_secret(web, packed, tmp_path) -> None:
    """What an endpoint would meet is known before there is one."""
    from relabel.container import environment  # noqa: PLC0415
    from relabel.doctor import examination  # noqa: PLC0415

    web.files["/m?sig=hush"] = packed.path.read_bytes()
    variables = {"RELABEL_ROOT": str(tmp_path / "ml"), "RELABEL_CACHE": str(tmp_path / "cache")}
    for uri, said in ((f"{web.url}/m?sig=hush", "dense, 4 numbers in"), (f"{web.url}/none?sig=hush", "status 404")):
        found = examination.examine(environment.read({**variables, "RELABEL_MODEL_URI": uri}))
        assert [said in str(each) for each in found if each.subject == "model"] == [True]
        assert "hush" not in str(found)
