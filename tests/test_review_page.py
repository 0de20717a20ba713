"""Promises of the page on reviews: its commands run as written, one after another, with people answering in between."""

import csv
import io
import json
import os
import re
import subprocess
import sys
import urllib.request
from pathlib import Path

import numpy as np

from relabel.data import planted
from relabel.data.reviews import read
from relabel.results import metrics_file

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "review.md").read_text()
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)
SHOWN = {"0": "Negative", "1": "Positive"}


def truth(text: str) -> str:
    """Tell the right label of a made review."""
    return str(int(any(word in text for word in planted.PRAISE)))


def answer_sheet(path: Path) -> None:
    """Fill in a spreadsheet."""
    records = [*csv.DictReader(io.StringIO(path.read_text("utf-8-sig"), newline=""))]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(records[0]))
        writer.writeheader()
        writer.writerows({**one, "answer": truth(one["text"]), "reviewer": "ann"} for one in records)


def answer_tasks(tasks: Path, export: Path) -> None:
    """Annotate in Label Studio, and export."""
    done = []
    for number, task in enumerate(json.loads(tasks.read_text())):
        value = {"choices": [SHOWN[truth(task["data"]["text"])]]}
        region = {"value": value, "from_name": "sentiment", "to_name": "text", "type": "choices", "origin": "manual"}
        one = {"completed_by": 1, "result": [region], "was_cancelled": False, "created_at": "2026-03-02T09:00:00Z"}
        done.append({**task, "id": number, "annotations": [one]})
    export.write_text(json.dumps(done))


def answer_manifest(manifest: Path, output: Path) -> None:
    """Run a labelling job."""
    lines = []
    for line in map(json.loads, manifest.read_text().splitlines()):
        about = {"class-name": SHOWN[truth(line["source"])], "human-annotated": "yes", "job-name": "labeling-job/x"}
        lines.append({**line, "x": int(truth(line["source"])), "x-metadata": about})
    output.write_text("".join(json.dumps(line) + "\n" for line in lines))


def answer_page(block: str, folder: Path, environment: dict[str, str]) -> int:
    """Serve the page, answer five questions, and end it; any port will do."""
    command = block.replace("review serve", "exec relabel review serve --port 0", 1).removeprefix("relabel ")
    with subprocess.Popen(
        ["bash", "-c", command], cwd=folder, env=environment, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        address, _, token = server.stdout.readline().split()[1].partition("/?token=")
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

        def ask(path: str, **said: object) -> dict:
            body = json.dumps({"reviewer": "page", "window": "a-window", **said}).encode()
            with urllib.request.urlopen(urllib.request.Request(address + path, body, headers), timeout=20) as reply:  # noqa: S310
                return json.load(reply)

        for number in range(5):
            card = ask("/api/next", besides=[])["card"]
            answer = truth("".join(piece for piece, _ in card["text"]))
            ask("/api/decide", card=card["id"], answer=answer, once=f"decision-{number}", seconds=1.0, queued=True)
        server.terminate()
        return server.wait(timeout=40)


def test_the_whole_page_runs_as_written(tmp_path) -> None:
    """Every block ends with 0; what it says it writes is there; the second job trusts the answers."""
    noise = np.array([[0.95, 0.05], [0.2, 0.8]])
    for name, rows, seed in (("train", 600, 0), ("dev", 200, 1), ("test", 300, 2)):
        planted.write(tmp_path / "my-data", name, planted.reviews(rows, width=16, noise=noise, seed=seed))
    program = tmp_path / "bin" / "relabel"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m relabel "$@"\n')
    program.chmod(0o755)
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PATH": f"{program.parent}:{os.environ['PATH']}"}
    assert {language for language, _ in BLOCKS} == {"sh"}
    for _, block in BLOCKS:
        if "review import export.json" in block:
            answer_tasks(tmp_path / "tasks.json", tmp_path / "export.json")
        if "review import output.manifest" in block:
            answer_manifest(tmp_path / "queue.manifest", tmp_path / "output.manifest")
        if "review serve" in block:
            assert answer_page(block, tmp_path, environment) == 0
            continue
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", block],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, f"{block}\n{done.stderr}"
        if "export" in block and "queue.csv" in block:
            answer_sheet(tmp_path / "queue.csv")
    assert {"tasks.interface.xml", "queue.labels.json"} <= {path.name for path in tmp_path.iterdir()}
    assert {answer.source for answer in read(tmp_path / "channels" / "reviewed" / "reviews.jsonl")} == {
        "csv",
        "labelstudio",
        "groundtruth",
    }
    assert sum(answer.reviewer == "page" for answer in read(tmp_path / "channels" / "reviewed" / "reviews.jsonl")) == 5
    assert sum(metrics_file.read(tmp_path / "better" / "output" / "data")["data"]["reviewed"].values()) == 100
