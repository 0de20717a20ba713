"""Promises of the API for many models: statuses and bodies are those of the platform's own containers."""

from __future__ import annotations

import dataclasses
import errno
import json
import os
from pathlib import Path
from urllib.parse import quote

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relabel.serving import handler, served
from relabel.serving.fleet import api, room
from relabel.serving.fleet.room import Room
from relabel.serving.messages import Request

from .conftest import calling, made, predicted, read

ROW = [[1.0, 2.0]]


def test_a_model_is_loaded_listed_asked_and_unloaded(call, store) -> None:
    """The whole life of a model, each answer as the contract words it."""
    url = str(store / "1")
    assert call("GET", "/ping") == (200, None)
    assert call("GET", "/models") == (200, {"models": []})
    assert call("POST", "/models", {"model_name": "a", "url": url}) == (200, {"status": "Workers scaled"})
    assert call("GET", "/models") == (200, {"models": [{"modelName": "a", "modelUrl": url}]})
    assert call("GET", "/models/a") == (200, {"modelName": "a", "modelUrl": url})
    assert predicted(call("POST", "/models/a/invoke", ROW)) == "1"
    assert call("DELETE", "/models/a") == (200, {"status": 'Model "a" unregistered'})
    assert call("GET", "/models") == (200, {"models": []})


@pytest.mark.parametrize(("method", "path"), [("GET", "/a"), ("DELETE", "/a"), ("POST", "/a/invoke")])
def test_a_model_that_is_not_loaded_is_a_404(call, method, path) -> None:
    """With the words of the platform's own containers, and the error as all of ours."""
    status, said = call(method, f"/models{path}", ROW)
    assert (status, said["message"], said["error"]["code"]) == (404, "Model not found: a", "not_found")


def test_a_name_that_is_taken_is_a_409(call, store) -> None:
    """Whatever lies at the path; the model that is loaded stays."""
    call("POST", "/models", {"model_name": "a", "url": str(store / "0")})
    status, said = call("POST", "/models", {"model_name": "a", "url": str(store / "1")})
    assert (status, said["message"]) == (409, "Model a is already registered.")
    assert predicted(call("POST", "/models/a/invoke", ROW)) == "0"


def test_a_folder_that_is_not_there_is_a_404(call, store) -> None:
    """And nothing is registered."""
    assert call("POST", "/models", {"model_name": "a", "url": str(store / "none")})[0] == 404
    assert call("POST", "/models", {"model_name": "a", "url": str(store / ("n" * 300))})[0] == 404
    assert call("GET", "/models/a")[0] == 404


def test_a_broken_model_is_a_400_that_says_what_is_wrong(call, store) -> None:
    """The name is free for another try."""
    status, said = call("POST", "/models", {"model_name": "a", "url": str(store / "broken")})
    assert status == 400
    assert "model.safetensors: its hash is not the one" in said["message"]
    assert call("POST", "/models", {"model_name": "a", "url": str(store / "0")})[0] == 200


@pytest.mark.parametrize("end", ["", "/..", "/../..", "/0/../../elsewhere", "/link"])
def test_no_path_leads_out_of_the_models_folders(tmp_path, end) -> None:
    """Neither by dots nor by links, whether something is there or not; nor is the folder itself a model."""
    (tmp_path / "models" / "0").mkdir(parents=True)
    (tmp_path / "models" / "link").symlink_to("/etc")
    status, said = calling(made([tmp_path / "models"]))(
        "POST", "/models", {"model_name": "a", "url": f"{tmp_path}/models{end}"}
    )
    assert (status, f"no path below {tmp_path}/models" in said["message"]) == (400, True)


@pytest.mark.parametrize(
    "url", ["0", "../0", "file:///etc", "/etc/passwd", "a\0b", "\udc80", "https://example.org/a", "/"]
)
def test_what_is_no_absolute_path_below_them_is_refused(call, url) -> None:
    """A 400 that says where models may lie, and not what was sent."""
    status, said = call("POST", "/models", {"model_name": "a", "url": url})
    assert status == 400
    assert "url" in said["message"]


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"", "no JSON object"),
        (b"[" * 60_000, "no JSON object"),
        (b"[1]", "no JSON object"),
        (b"\xff", "no JSON object"),
        (b"{}", "`model_name` is no text of 1 to 1,024 characters and `url` is no path"),
        ({"model_name": "", "url": "/a"}, "`model_name`"),
        ({"model_name": "a" * 1025, "url": "/a"}, "`model_name`"),
        ({"model_name": 7, "url": "/a"}, "`model_name`"),
        ({"model_name": "\ud800", "url": "/a"}, "`model_name`"),
        ({"model_name": "a", "url": ["/a"]}, "`url`"),
    ],
)
def test_a_load_that_is_none_says_all_that_is_wrong(call, body, problem) -> None:
    """And what to send."""
    status, said = call("POST", "/models", body)
    assert (status, problem in said["message"], "model_name" in said["message"]) == (400, True, True)


def test_a_load_of_many_bytes_is_a_413(call) -> None:
    """A name and a path have few."""
    assert call("POST", "/models", b" " * (api.LARGEST + 1))[0] == 413


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/models", "GET, POST"),
        ("DELETE", "/models", "GET, POST"),
        ("POST", "/models/a", "GET, DELETE"),
        ("GET", "/models/a/invoke", "POST"),
        ("DELETE", "/ping", "GET, POST"),
    ],
)
def test_another_method_is_a_405(fleet, method, path, allowed) -> None:
    """It says which there are."""
    response = api.handle(Request(method, path), fleet)
    assert (response.status, response.headers["Allow"]) == (405, allowed)


@pytest.mark.parametrize(
    "path", ["/", "/invocations", "/execution-parameters", "/models/", "/models//invoke", "/modelsa", "/models/%ff"]
)
def test_another_path_is_a_404(call, path) -> None:
    """There is no model that /invocations could mean."""
    status, said = call("GET", path)
    assert (status, "there are /ping, /models" in said["message"]) == (404, True)


@hypothesis.settings(max_examples=25)
@given(name=st.text(st.characters(codec="utf-8"), min_size=1, max_size=20))
def test_a_name_may_have_any_characters(store, name) -> None:
    """Slashes, quotes, line breaks, percent signs, `invoke`: it comes back as it was given."""
    call = calling(made([store]))
    path = f"/models/{quote(name, safe='')}"
    assert call("POST", "/models", {"model_name": name, "url": str(store / "2")})[0] == 200
    assert call("GET", "/models")[1]["models"][0]["modelName"] == name
    assert call("GET", path)[1]["modelName"] == name
    assert predicted(call("POST", f"{path}/invoke", ROW)) == "2"
    assert call("DELETE", path) == (200, {"status": f'Model "{name}" unregistered'})


def test_a_slash_that_is_not_quoted_is_understood() -> None:
    """As some clients send the names of models in folders."""
    assert api.route("/models/a/b.tar.gz/invoke").name == "a/b.tar.gz"
    assert api.route("/models/a/b.tar.gz").name == "a/b.tar.gz"


def test_pages_hold_every_model_that_stays(call, store) -> None:
    """Each once and in order, although models come and go between two pages."""
    names = [f"m{number:03}" for number in range(api.PAGE + 20)]
    for name in names:
        call("POST", "/models", {"model_name": name, "url": str(store / "0")})
    _, first = call("GET", "/models")
    assert [model["modelName"] for model in first["models"]] == names[: api.PAGE]
    call("DELETE", "/models/m000")
    call("POST", "/models", {"model_name": "a", "url": str(store / "0")})
    _, second = call("GET", "/models", query=f"next_page_token={quote(first['nextPageToken'])}")
    assert [model["modelName"] for model in second["models"]] == names[api.PAGE :]
    assert second.keys() == {"models"}


def test_as_many_models_as_a_page_holds_are_one_page(call, store) -> None:
    """There is no token where nothing follows."""
    for number in range(api.PAGE):
        call("POST", "/models", {"model_name": str(number), "url": str(store / "0")})
    assert call("GET", "/models")[1].keys() == {"models"}


@pytest.mark.parametrize("token", ["x", "%20", "////", "gICA"])
def test_a_token_that_was_never_given_is_a_400(call, token) -> None:
    """None is guessed at."""
    assert call("GET", "/models", query=f"next_page_token={token}")[0] == 400


def test_a_model_that_does_not_fit_is_a_507(store) -> None:
    """The platform then unloads another: there is room again as soon as that is done."""
    need = room.expected(store / "0").most
    call = calling(made([store], Room(need + need // 2, 1 << 40, lambda: 0)))
    for name in "ab":
        assert call("POST", "/models", {"model_name": name, "url": str(store / "0")})[0] == 200
    call = calling(made([store], Room(need - 1, 1 << 40, lambda: 0)))
    status, said = call("POST", "/models", {"model_name": "a", "url": str(store / "0")})
    assert (status, said["error"]["code"]) == (507, "out_of_memory")
    assert "it may need 1 MB while it is loaded, 0 MB of 1 MB are taken" in said["message"]


def test_a_model_that_took_too_much_is_a_507_and_gone(store) -> None:
    """What it really took is looked at once it is loaded."""
    sizes = iter([0, 0, 101 << 20])
    call = calling(made([store], Room(1 << 40, 100 << 20, lambda: next(sizes))))
    assert call("POST", "/models", {"model_name": "a", "url": str(store / "0")})[0] == 507
    assert call("GET", "/models") == (200, {"models": []})


@pytest.mark.parametrize("error", [MemoryError(), OSError(errno.EMFILE, os.strerror(errno.EMFILE))])
def test_whatever_else_a_model_has_no_more_of_is_a_507(fleet, store, error) -> None:
    """Memory that could not be had, files that may not be open."""

    def fail(_folder: Path) -> None:
        raise error

    fleet.models._read = fail
    status, said = calling(fleet)("POST", "/models", {"model_name": "a", "url": str(store / "0")})
    assert (status, "unload others" in said["message"]) == (507, True)


def test_a_prediction_without_memory_is_a_507(fleet, store) -> None:
    """The model stays loaded."""

    def fail(_vectors: object) -> None:
        raise MemoryError

    fail.inputs, fail.classes = 2, 3  # type: ignore[attr-defined]
    fleet.models._read = lambda folder: dataclasses.replace(served.load(folder), predictor=fail)
    call = calling(fleet)
    call("POST", "/models", {"model_name": "a", "url": str(store / "0")})
    status, said = call("POST", "/models/a/invoke", ROW)
    assert (status, said["error"]["code"]) == (507, "out_of_memory")
    assert call("GET", "/models/a")[0] == 200


def test_a_failure_of_ours_is_a_500_without_details(fleet, store, caplog) -> None:
    """They are in the log."""

    def fail(_folder: Path) -> None:
        raise ZeroDivisionError

    fleet.models._read = fail
    status, said = calling(fleet)("POST", "/models", {"model_name": "a", "url": str(store / "0")})
    assert (status, said["error"]["code"]) == (500, "internal")
    assert "ZeroDivisionError" in caplog.text


def test_an_answer_is_what_a_server_of_that_model_alone_says(fleet, store) -> None:
    """Content types, refusals and the platform's headers too; the log learns which model answered."""
    calling(fleet)("POST", "/models", {"model_name": "a", "url": str(store / "1")})
    asked = Request("POST", "/models/a/invoke", "text/csv", "application/jsonlines", body=b"1,2\n3,4", inference_id="i")
    response = api.handle(asked, fleet)
    assert [json.loads(line)["class"] for line in response.body.splitlines()] == ["1", "1"]
    assert response.headers[handler.INFERENCE_ID] == "i"
    assert len(response.work.model) == 12
    assert api.handle(asked._replace(content_type="image/png"), fleet).status == 415
    assert read(api.handle(asked._replace(body=b"1"), fleet))[1]["error"]["code"] == "malformed"


def test_a_model_of_texts_takes_texts(text_model) -> None:
    """Models of every kind are loaded as they are where one is served alone."""
    call = calling(made([text_model.parent]))
    call("POST", "/models", {"model_name": "t", "url": str(text_model)})
    assert predicted(call("POST", "/models/t/invoke", {"instances": ["a great film"]})) == "positive"


def test_web_pages_may_ask_where_the_settings_say_so(store) -> None:
    """A preflight is answered for the paths of models."""
    response = api.handle(Request("OPTIONS", "/models/a/invoke"), made([store], cors_origins="*"))
    assert (response.status, response.headers["Access-Control-Allow-Methods"]) == (200, "POST")
