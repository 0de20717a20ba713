"""Promises of a server of texts, as platforms start it: it says what `relabel predict` says, to the byte."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from relabel.cli.main import commands
from relabel.serving import app, capacity, served
from relabel.serving.endpoint import Endpoint
from relabel.serving.request_log import RequestLog
from relabel.settings import ServeSettings

TEXTS = ["a great film", "Dull, <b>dull</b>!", 'he said "good"', "хорошо", "好 \U0001f600", "", "a good film"]
FILES = {
    ".txt": "".join(f"{text}\n" for text in TEXTS),
    ".json": json.dumps({"instances": TEXTS, "labels": ["positive", None, "negative", None, None, None, "negative"]}),
    ".jsonl": "".join(json.dumps({"text": text}) + "\n" for text in TEXTS),
    ".csv": "review,label\n" + "".join('"' + text.replace('"', '""') + '",positive\n' for text in TEXTS),
}
TYPES = {
    ".txt": "text/plain; lines=true",
    ".json": "application/json",
    ".jsonl": "application/jsonlines",
    ".csv": "text/csv",
}


@pytest.fixture
def files(tmp_path) -> dict[str, Path]:
    """The same texts in a file of each ending."""
    for ending, text in FILES.items():
        (tmp_path / f"rows{ending}").write_text(text, encoding="utf-8", newline="")
    return {ending: tmp_path / f"rows{ending}" for ending in FILES}


def predicted(model: Path, source: Path, *arguments: str) -> bytes:
    """Run `relabel predict`."""
    done = CliRunner().invoke(commands, ["predict", "--model", str(model), str(source), *arguments])
    assert done.exit_code == 0, done.exception
    return done.stdout_bytes


def test_a_server_and_the_command_say_the_same(serving, text_model, files) -> None:
    """Through both doors, for every type of body and some types of answers."""
    settings = ServeSettings()
    endpoint = Endpoint(served.load(text_model), settings, capacity.of(settings, cores=1, memory=1 << 30, texts=True))
    with serving("--model", str(text_model), RELABEL_WORKERS="1") as server, Path("/dev/null").open("w") as nowhere:
        flask = app.create(endpoint, RequestLog(nowhere, 0, "")).test_client()
        server.until_loaded()
        for ending, source in files.items():
            for accept in ("", "text/csv", "text/plain"):
                said = predicted(text_model, source, *(["--accept", accept] if accept else []))
                body, headers = source.read_bytes(), {"Accept": accept} if accept else {}
                assert server.ask("POST", "/invocations", body, Content_Type=TYPES[ending], **headers) == (200, said)
                answer = flask.post("/invocations", data=body, content_type=TYPES[ending], headers=headers)
                assert (answer.status_code, answer.data) == (200, said)
        assert "great" not in server.log


def test_the_command_gives_words_as_a_server_does(text_model, files) -> None:
    """Of files of every ending, where the answer has a place for them."""
    for source in files.values():
        rows = [
            json.loads(line)
            for line in predicted(
                text_model, source, "--explain", "1", "--accept", "application/jsonlines"
            ).splitlines()
        ]
        assert [word["word"] for row in rows for word in row["words"]] == [
            "great",
            "dull",
            "good",
            "хорошо",
            "好",
            "good",
        ]


def test_pings_do_not_wait_for_texts(serving, text_model) -> None:
    """Nor for a body with a hundred thousand of them, though all threads of a worker share one interpreter."""
    body = json.dumps([f"a great film {n}" for n in range(100_000)]).encode()
    with serving("--model", str(text_model), RELABEL_WORKERS="1") as server:
        server.until_loaded()
        answers: list[int] = []
        asking = threading.Thread(target=lambda: answers.append(server.ask("POST", "/invocations", body)[0]))
        asking.start()
        waits = []
        while asking.is_alive():
            began = time.perf_counter()
            assert server.ask("GET", "/ping")[0] == 200
            waits.append(time.perf_counter() - began)
            time.sleep(0.02)
    assert answers == [200]
    assert len(waits) > 3
    assert max(waits) < 2  # what the platform waits


def test_files_of_every_ending_get_the_same_probabilities(text_model, files) -> None:
    """Line by line, the name of the class and the probabilities."""
    said = {ending: predicted(text_model, source, "--accept", "text/csv") for ending, source in files.items()}
    columns = {tuple(tuple(line.split(",")[:4]) for line in text.decode().splitlines()) for text in said.values()}
    assert len(columns) == 1
    assert len(next(iter(columns))) == len(TEXTS)
