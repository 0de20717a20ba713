"""Promises of `relabel predict`: an endpoint's answer without an endpoint."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from relabel.cli.main import commands, main
from relabel.codecs import table
from relabel.errors import UserError
from relabel.model import artifact, training_rows
from relabel.model.artifact import Artifact, Model
from relabel.serving import capacity, served
from relabel.serving.endpoint import Endpoint
from relabel.serving.handler import handle
from relabel.serving.messages import Request
from relabel.settings import ServeSettings

VECTORS = np.array([[1, 0], [0, 1], [0.25, 0.5]], np.float32)
BODIES = {
    ".json": b'{"instances": [[1, 0], [0, 1], [0.25, 0.5]]}',
    ".jsonl": b'[1, 0]\n{"features": [0, 1]}\n[0.25, 0.5]\n',
    ".csv": b"1,0\n0,1\n0.25,0.5\n",
}


@pytest.fixture
def model(tmp_path) -> Path:
    """A folder with a linear model of width 2 that names the larger column."""
    tensors = {
        "mean": np.zeros(2, np.float32),
        "scale": np.ones(2, np.float32),
        "weight.0": np.eye(2, dtype=np.float32),
        "bias.0": np.zeros(2, np.float32),
    }
    sizes = {"inputs": 2, "width": 1, "depth": 0, "classes": 2}
    artifact.save(tmp_path / "model", Artifact(Model("dense", sizes, tensors), ("bad", "good"), "given"))
    return tmp_path / "model"


@pytest.fixture
def predict(model) -> Callable[..., Result]:
    """Run the command on the model."""

    def run(*arguments: str | Path) -> Result:
        return CliRunner().invoke(commands, ["predict", "--model", str(model), *map(str, arguments)])

    return run


def written(folder: Path, ending: str) -> Path:
    """Write the vectors into a file of this ending."""
    path = folder / f"rows{ending}"
    if ending == ".npy":
        np.save(path, VECTORS)
    else:
        path.write_bytes(BODIES[ending])
    return path


@pytest.mark.parametrize("ending", [*BODIES, ".npy"])
@pytest.mark.parametrize("accept", ["", *table.CODECS])
def test_the_answer_is_the_endpoints_byte_for_byte(model, predict, tmp_path, ending, accept) -> None:
    """For a file of every media type, answered in its own and in every other."""
    source = written(tmp_path, ending)
    settings = ServeSettings()
    endpoint = Endpoint(served.load(model), settings, capacity.of(settings, cores=1, memory=1 << 30))
    request = Request("POST", "/invocations", table.ENDINGS[ending], accept, body=source.read_bytes())
    done = predict(source, *(["--accept", accept] if accept else []))
    assert done.exit_code == 0
    assert done.stdout_bytes == handle(request, endpoint).body


def test_the_file_that_is_written_says_the_type_of_the_answer(predict, tmp_path) -> None:
    """--output scores.npy is an array, and nothing is printed; --accept wins over the ending."""
    source, out = written(tmp_path, ".jsonl"), tmp_path / "scores.npy"
    assert predict(source, "--output", out).output == ""
    expected = np.exp(VECTORS) / np.exp(VECTORS).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(np.load(out), expected, atol=1e-6)
    predict(source, "--output", out, "--accept", "application/json")
    assert [row["class"] for row in json.loads(out.read_bytes())["predictions"]] == ["bad", "good", "good"]


def test_a_bad_record_is_refused_or_reported_in_its_place(predict, tmp_path) -> None:
    """By default the message names file and row; `report` answers the other rows, in order."""
    source = tmp_path / "rows.jsonl"
    source.write_text("[1, 0]\n[1, 2, 3]\n[0, 1]\n")
    refused = predict(source)
    assert isinstance(refused.exception, UserError)
    assert "rows.jsonl: row 1 (counted from 0) has width 3, expected 2" in str(refused.exception)
    lines = [json.loads(line) for line in predict(source, "--bad-records", "report").stdout.splitlines()]
    assert [line.get("class") for line in lines] == ["bad", None, "good"]
    assert "width 3" in lines[1]["error"]


@pytest.fixture
def audit(model, predict) -> Callable[..., Result]:
    """Run the command on the model of treated labels that knows its noise and has seen the first vector."""
    rows = np.sort(training_rows.hashes(VECTORS[:1]))
    noise = np.array([[0.8, 0.2], [0.1, 0.9]])
    known = dataclasses.replace(artifact.load(model), noise=noise, fitted_on="treated", training_rows=rows)
    artifact.save(model, known)
    return predict


@pytest.mark.parametrize(
    ("name", "text", "arguments"),
    [
        ("rows.csv", "a,b,label\n1,0,good\n0,1,good\n", []),
        ("rows.csv", "good,1,0\ngood,0,1\n", ["--content-type", "text/csv; label_size=1"]),
        ("rows.data", "good,1,0\ngood,0,1\n", ["--content-type", "text/csv;label_size=1", "--accept", "text/csv"]),
    ],
)
def test_a_table_with_labels_is_audited(audit, tmp_path, name, text, arguments) -> None:
    """Each line of the answer ends with its label, the probability that it is wrong, a better one, and whether it was trained on."""
    (tmp_path / name).write_text(text)
    first, second = (line.split(",")[4:] for line in audit(tmp_path / name, *arguments).stdout.splitlines())
    likely = np.exp(1) / (np.exp(1) + 1)
    assert [float(first[1]), float(second[1])] == pytest.approx(
        [0.2 * likely / (0.2 * likely + 0.9 * (1 - likely)), 0.2 * (1 - likely) / (0.2 * (1 - likely) + 0.9 * likely)]
    )
    assert (first[0], first[2:], second[0], second[2:]) == ("good", ["good", "true"], "good", ["good", "false"])


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("rows.data", [], r"rows\.data.*\.json, \.jsonl, \.csv, \.npy"),
        ("rows.txt", [], r"rows\.txt: .*takes vectors of 2 numbers"),
        ("rows.csv", ["--accept", "text/html"], r"rows\.csv: .*Accept.*application/json"),
        ("rows.npy", [], r"rows\.npy: .*numpy\.save"),
    ],
)
def test_what_cannot_be_answered_is_the_users_error(predict, tmp_path, name, arguments, said) -> None:
    """An unknown ending, a type that is not spoken, a file that is not what its ending says: a message, and no file."""
    (tmp_path / name).write_bytes(BODIES[".csv"])
    done = predict(tmp_path / name, "--output", tmp_path / "out", *arguments)
    with pytest.raises(UserError, match=said):
        raise done.exception
    assert not (tmp_path / "out").exists()


def test_a_refusal_ends_with_exit_code_2(model, tmp_path, capsys) -> None:
    """And its message is on standard error."""
    (tmp_path / "rows.json").write_text("{}")
    with pytest.raises(SystemExit) as ended:
        main(["predict", "--model", str(model), str(tmp_path / "rows.json")])
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("ERROR rows.json: ")


def test_no_training_library_is_loaded(model, tmp_path) -> None:
    """Predicting imports neither torch nor lightning, pandas, pyarrow or cleanlab."""
    code = (
        "import sys; from relabel.cli.main import commands; commands(sys.argv[1:], standalone_mode=False); "
        "print(sorted({'torch', 'pytorch_lightning', 'pandas', 'pyarrow', 'cleanlab'} & set(sys.modules)))"
    )
    arguments = [
        "predict",
        "--model",
        str(model),
        str(written(tmp_path, ".csv")),
        "--output",
        str(tmp_path / "out.csv"),
    ]
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
    assert len((tmp_path / "out.csv").read_text().splitlines()) >= 3
