"""Promises of `relabel select`."""

from collections.abc import Callable

import numpy as np
import pytest
from click.testing import CliRunner, Result

from relabel.cli.main import commands
from relabel.errors import UserError
from relabel.model import artifact, package
from relabel.model.artifact import Artifact, Model
from relabel.results.columns import read_csv

TENSORS = {
    "mean": np.zeros(32, np.float32),
    "scale": np.ones(32, np.float32),
    "weight.0": np.eye(32, 2, dtype=np.float32),
    "bias.0": np.zeros(2, np.float32),
}
MODEL = Model("dense", {"inputs": 32, "width": 1, "depth": 0, "classes": 2}, TENSORS)


@pytest.fixture
def select(tmp_path) -> Callable[..., Result]:
    """Run the command on forty rows; the model is unsure of the first twenty, of which 10 to 19 repeat 0 to 9."""
    artifact.save(tmp_path / "model", Artifact(MODEL, ("bad", "good"), "given"))
    package.pack(tmp_path / "model", tmp_path / "model.tar.gz")
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(40, 32)).astype(np.float32)
    vectors[:20, 1] = vectors[:20, 0] + 0.1
    vectors[20:, 0] = vectors[20:, 1] + 6
    vectors[10:20] = vectors[:10]
    np.save(tmp_path / "pool.npy", vectors)
    lines = [f'{"bad" if row in (0, 20) else ""},n{row},"text, {row}"' for row in range(40)]
    (tmp_path / "pool.csv").write_text("label,id,review\n" + "".join(f"{line}\n" for line in lines))

    def run(*arguments: str, model: str = "model") -> Result:
        given = ["select", str(tmp_path / model), str(tmp_path / "pool.npy"), *arguments]
        return CliRunner().invoke(commands, given)

    return run


def test_a_table_lists_the_batch_with_what_is_known_of_each_row(select, tmp_path) -> None:
    """In order, by row and id, with prediction, margin, score and text; unsure rows first, none labelled, no duplicate."""
    done = select("--count", "5", "--output", str(tmp_path / "next.csv"))
    assert done.exit_code == 0, done.exception
    rows = read_csv(tmp_path / "next.csv")
    assert [*rows[0]] == ["order", "row", "id", "predicted", "margin", "score", "label", "review"]
    assert [row["order"] for row in rows] == ["1", "2", "3", "4", "5"]
    numbers = [int(row["row"]) for row in rows]
    assert not {0, 10, 20} & {*numbers}
    assert all(row["id"] == f"n{n}" and row["review"] == f"text, {n}" for n, row in zip(numbers, rows, strict=True))
    assert rows[0]["predicted"] in ("bad", "good")
    assert [float(row["score"]) for row in rows] == sorted(float(row["score"]) for row in rows)
    assert "5 rows chosen of 38 without a label" in done.output


@pytest.mark.parametrize("method", ["margin", "activelab", "random"])
def test_a_folder_and_its_package_choose_alike(select, method) -> None:
    """The table goes to standard output, the same for model/ and model.tar.gz, and for the same seed."""
    asked = ("--count", "6", "--method", method, "--seed", "3")
    folder, packed = select(*asked), select(*asked, model="model.tar.gz")
    assert folder.exit_code == packed.exit_code == 0
    assert folder.stdout == packed.stdout
    assert len(folder.stdout.splitlines()) == 7


def test_fewer_rows_than_asked_for_are_said_to_be_fewer(select) -> None:
    """Forty rows, ten of them duplicates, one more of a labelled row, two with labels."""
    done = select("--count", "100")
    assert done.exit_code == 0
    assert len(done.stdout.splitlines()) == 1 + 28
    assert "fewer than the 100 asked for" in done.stderr


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"model": "nothing"}, "no such file or folder"),
        ({"model": "pool.npy"}, "no model.tar.gz can be read"),
        ({"table": "label\n" + "good\n" * 40}, "every row has a label"),
        ({"table": "label\nfair\n" + "good\n" * 39}, "does not know the label `fair`"),
        ({"vectors": np.ones((40, 3), np.float32)}, "the model is 32"),
    ],
)
def test_what_does_not_fit_is_refused(select, tmp_path, change, word) -> None:
    """Exit code 2's error says what was seen; nothing is written."""
    if "table" in change:
        (tmp_path / "pool.csv").write_text(change["table"])
    if "vectors" in change:
        np.save(tmp_path / "pool.npy", change["vectors"])
    done = select("--count", "3", "--output", str(tmp_path / "next.csv"), model=change.get("model", "model"))
    assert isinstance(done.exception, UserError)
    assert word in str(done.exception)
    assert not (tmp_path / "next.csv").exists()
