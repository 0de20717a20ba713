"""Promises of the page on the loop: its commands run as written, one after another, with people answering in between."""

from __future__ import annotations

import csv
import io
import json
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from relabel.cli.main import commands
from relabel.codecs import table
from relabel.container.memory import GIB
from relabel.data import planted
from relabel.loop.journal import sha256
from relabel.monitoring import capture_files
from relabel.monitoring.capture_files import Message
from relabel.monitoring.capture_files import Request as Captured
from relabel.serving import capacity, served
from relabel.serving.endpoint import Endpoint
from relabel.serving.handler import handle
from relabel.serving.messages import Request
from relabel.settings import ServeSettings

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "loop.md").read_text()
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)
OLD, NEW = slice(0, 2), slice(2, 8)
"""Words of the labelled rows, and those that came into the traffic since: a model of the first knows nothing of the others."""
FILLING = tuple(
    f"{first}{last}" for first in ("ma", "lo", "ki", "ru", "se") for last in ("tan", "mor", "vel", "dis", "pon")
)


def text(label: int, words: slice, rng: np.random.Generator) -> str:
    """Write a review."""
    told = rng.choice((planted.PRAISE if label else planted.BLAME)[words], 3)
    things = rng.choice(planted.THINGS, 3)
    return " ".join(
        f"the {thing} is {word} and {rng.choice(FILLING)}" for thing, word in zip(things, told, strict=True)
    )


def truth(review: str) -> str:
    """Tell the right label of a review."""
    return str(int(any(word in review for word in planted.PRAISE)))


def write_data(folder: Path) -> None:
    """Write labelled rows."""
    rng = np.random.default_rng(0)
    folder.mkdir()
    for name, rows in (("train", 160), ("dev", 60), ("test", 60)):
        lines = [(text(n % 2, OLD, rng), n % 2) for n in range(rows)]
        with (folder / f"{name}.csv").open("w", newline="") as file:
            csv.writer(file).writerows([("review", "label"), *lines])


def capture(model: Path, folder: Path, rows: int, seed: int) -> None:
    """Ask an endpoint, and write down what the platform would."""
    settings, rng = ServeSettings(), np.random.default_rng(seed)
    endpoint = Endpoint(served.load(model), settings, capacity.of(settings, cores=1, memory=GIB))
    time = np.datetime64("2026-03-01T12:00:00", "s")
    lines = []
    for n in range(rows // 10):
        body = json.dumps({"instances": [text(k % 2, NEW, rng) for k in range(10)]}).encode()
        answer = handle(Request("POST", "/invocations", table.JSON, "", body=body), endpoint)
        said = Message(answer.content_type, answer.body)
        lines.append(capture_files.written(Captured(f"{seed}-{n}", time, Message(table.JSON, body), said)))
    path = folder / capture_files.path_of(time, "a")
    path.parent.mkdir(parents=True)
    path.write_text("".join(lines))


def answer_sheet(path: Path, reviewer: str = "ann", rows: slice = slice(None), wrong: int = 0) -> None:
    """Fill in a spreadsheet, the first `wrong` rows wrongly."""
    records = [*csv.DictReader(io.StringIO(path.read_text("utf-8-sig"), newline=""))][rows]
    for n, one in enumerate(records):
        right = truth(one["text"])
        one |= {"answer": str(1 - int(right)) if n < wrong else right, "reviewer": reviewer}
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(records[0]))
        writer.writeheader()
        writer.writerows(records)


def answer_tasks(tasks: Path, export: Path) -> None:
    """Annotate in Label Studio, and export."""
    done = []
    for number, task in enumerate(json.loads(tasks.read_text())):
        assert "predictions" not in task
        shown = {"0": "Negative", "1": "Positive"}[truth(task["data"]["text"])]
        region = {"value": {"choices": [shown]}, "from_name": "sentiment", "to_name": "text", "type": "choices"}
        one = {"completed_by": 1, "result": [region], "was_cancelled": False, "created_at": "2026-03-02T09:00:00Z"}
        done.append({**task, "id": number, "annotations": [one]})
    export.write_text(json.dumps(done))


@pytest.fixture(scope="module")
def told(tmp_path_factory) -> tuple[Path, dict[str, str]]:
    """Run every command of the page in one folder; give the folder and what each command printed."""
    folder = tmp_path_factory.mktemp("page")
    write_data(folder / "my-data")
    said: dict[str, str] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("PYTHONPATH", str(Path(served.__file__).parents[2]))
        for line in (line for _, block in BLOCKS for line in block.splitlines()):
            words = shlex.split(line)
            if words[:3] == ["relabel", "loop", "collect"]:
                capture(folder / "out" / "model", folder / "captured", 600, 1)
                capture(folder / "out" / "model", folder / "captured-later", 400, 2)
            if words[:3] == ["relabel", "loop", "import"] and "queue.csv" in words:
                answer_sheet(folder / "queue.csv")
            if "export.json" in words:
                answer_tasks(folder / "tasks.json", folder / "export.json")
            assert words[0] == "relabel"
            said[line] = run(words[1:])
    return folder, said


def run(words: list[str]) -> str:
    """Run a command as the shell would; training jobs are processes of their own."""
    if words[0] == "train":
        import subprocess  # noqa: PLC0415
        import sys  # noqa: PLC0415

        return subprocess.run(
            [sys.executable, "-m", "relabel", *words], check=True, capture_output=True, text=True
        ).stdout
    done = CliRunner().invoke(commands, words)
    assert done.exit_code == 0, f"{words}\n{done.output}\n{done.exception!r}"
    return done.output


def events(folder: Path) -> list[dict]:
    """Read the journal."""
    return [json.loads(line) for line in (folder / "loop" / "journal.jsonl").read_text().splitlines()]


def test_two_rounds_run_as_written(told) -> None:
    """All steps stand in the journal in order, and the model that learned of new words took the place of the one that had not."""
    folder, said = told
    steps = [event["step"] for event in events(folder)]
    round_ = ["collect", "select", "import", "train", "decide"]
    assert steps == ["start", *round_, *round_, "rollback"]
    first = next(event for event in events(folder) if event["step"] == "decide")
    assert first["facts"]["promoted"]
    assert first["facts"]["scores"]["challenger"]["accuracy"] > first["facts"]["scores"]["champion"]["accuracy"] + 0.1
    assert json.loads(said["relabel loop status loop --json"])["labels"] == 500


def test_rollback_brings_back_the_model_before(told) -> None:
    """The pointer names a whole model that served before, and the last one stays beside it."""
    folder, _ = told
    pointer = json.loads((folder / "loop" / "serving.json").read_text())
    decided = [event["facts"] for event in events(folder) if event["step"] == "decide"]
    promoted = [facts["challenger"] for facts in decided if facts["promoted"]]
    before = [events(folder)[0]["facts"]["model"], *promoted]
    assert pointer == {"current": f"models/{before[-2]}", "previous": f"models/{before[-1]}"}
    assert served.load(folder / "loop" / pointer["current"]).artifact.short_hash == before[-2]


def test_every_file_is_as_the_journal_says(told) -> None:
    """What a round wrote has not changed since: the hashes in the journal hold, but for the files that grow."""
    folder, _ = told
    growing = {"answers.jsonl", "serving.json"}
    checked = 0
    for event in events(folder):
        for name, digest in event["files"].items():
            if name not in growing:
                assert sha256(folder / "loop" / name) == digest, name
                checked += 1
    assert checked > 20


def test_test_rows_are_never_trained_on(told) -> None:
    """No row that was drawn as test stands in any training file of any round, and those of the first round are test rows in the second."""
    folder, _ = told
    read = {
        (number, name): {one["row_hash"] for one in csv.DictReader(io.StringIO(path.read_text(), newline=""))}
        for number in (1, 2)
        for name in ("train", "dev", "train-asked", "test", "test-asked")
        if (path := folder / "loop" / "rounds" / f"000{number}" / "data" / f"{name}.csv").is_file()
    }
    for number in (1, 2):
        trained = read[number, "train"] | read[number, "dev"] | read[number, "train-asked"]
        assert not trained & (read[number, "test"] | read[number, "test-asked"])
    assert read[1, "test-asked"] < read[2, "test-asked"]
    assert len(read[1, "test-asked"]) == 120


def test_a_step_done_twice_changes_nothing(told) -> None:
    """Repeating what is done leaves the journal as it was."""
    folder, said = told
    before = (folder / "loop" / "journal.jsonl").read_bytes()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        run(["loop", "import", "loop", "queue.csv", "export.json"])
        run(["loop", "promote", "loop"])
        run(shlex.split(next(line for line in said if "loop start" in line))[1:])
        done = CliRunner().invoke(commands, ["loop", "collect", "loop", "--traffic", "captured"])
    assert "no new row" in str(done.exception)
    assert (folder / "loop" / "journal.jsonl").read_bytes() == before
