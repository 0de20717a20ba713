"""Promises of `relabel annotators`."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from relabel.cli.annotators import command
from relabel.errors import UserError
from relabel.results.columns import read_csv

PEOPLE = {"ann": 0.95, "bob": 0.85, "cleo": 0.75, "dan, jr": 0.6}


@pytest.fixture
def table(tmp_path) -> tuple[Path, np.ndarray]:
    """A folder with 600 rows' labels by row and by id, a model's probabilities, and the truth; the last ten rows have no label."""
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, 600)
    names = np.array(["bad", "good"])
    lines = [
        (n, person, names[truth[n] if rng.random() < accuracy else 1 - truth[n]])
        for n in range(590)
        for person, accuracy in PEOPLE.items()
        if rng.random() < 0.8
    ]
    (tmp_path / "rows.csv").write_text("row,annotator,label\n" + "".join(f'{n},"{p}",{y}\n' for n, p, y in lines))
    (tmp_path / "ids.csv").write_text("id,annotator,label\n" + "".join(f'r{n},"{p}",{y}\n' for n, p, y in lines))
    good = np.where(truth == 1, 1, -1) * rng.beta(3, 1.5, 600) / 2 + 0.5
    np.save(tmp_path / "p.npy", np.stack([1 - good, good], axis=1).astype(np.float32))
    (tmp_path / "p.csv").write_text("id,bad,good\n" + "".join(f"r{n},{1 - p},{p}\n" for n, p in enumerate(good)))
    return tmp_path, truth


def run(folder: Path, labels: str, *arguments: str) -> Result:
    """Run the command in a folder."""
    given = [str(folder / one) if (folder / one).is_file() else one for one in arguments]
    return CliRunner().invoke(command, ["--labels", str(folder / labels), "--output", str(folder / "out"), *given])


@pytest.mark.parametrize(
    ("labels", "arguments"),
    [
        ("rows.csv", []),
        ("rows.csv", ["--probabilities", "p.npy"]),
        ("rows.csv", ["--probabilities", "p.npy", "--classes", "bad,good"]),
        ("ids.csv", []),
        ("ids.csv", ["--probabilities", "p.csv"]),
    ],
)
def test_three_tables_say_what_holds_who_is_good_and_what_is_next(table, labels, arguments) -> None:
    """One line a labelled row, the best annotator first, the most useful rows first; names as they were given."""
    folder, truth = table
    done = run(folder, labels, *arguments, "--next", "25")
    assert done.exit_code == 0, done.output
    key = labels[:-5]
    rows = read_csv(folder / "out" / "consensus.csv")
    number = [int(row[key].removeprefix("r")) for row in rows]
    assert set(number) <= set(range(590))
    right = [row["label"] == ("bad", "good")[truth[n]] for n, row in zip(number, rows, strict=True)]
    assert np.mean(right) > 0.85
    people = [row["annotator"] for row in read_csv(folder / "out" / "annotators.csv")]
    assert people == list(PEOPLE)
    nearest = read_csv(folder / "out" / "next.csv")
    assert len(nearest) == 25
    assert all(name in done.output for name in PEOPLE)
    if arguments:
        listed = read_csv(folder / "out" / "next.csv")
        assert {row["labels"] for row in listed} & {"0", "1", "2"}


def test_the_same_labels_by_row_and_by_id_come_to_the_same(table) -> None:
    """Only the names of rows differ."""
    folder, _ = table
    texts = []
    for labels in ("rows.csv", "ids.csv"):
        assert run(folder, labels).exit_code == 0
        texts.append([list(row.values())[1:] for row in read_csv(folder / "out" / "consensus.csv")])
    assert texts[0] == texts[1]


@pytest.mark.parametrize(
    ("labels", "arguments", "word"),
    [
        ("rows.csv", ["--label-column", "stars"], "no column `stars`"),
        ("ids.csv", ["--probabilities", "p.npy"], "no column `id`"),
        ("rows.csv", ["--probabilities", "p.npy", "--classes", "bad,fair"], "`good` is none of the classes"),
        ("rows.csv", ["--probabilities", "p.npy", "--classes", "bad,good,best"], "shape"),
        ("p.csv", [], "no column `annotator`, `label`"),
    ],
)
def test_what_does_not_fit_is_said_by_its_file(table, labels, arguments, word) -> None:
    """Exit code 2's error, with the file's name, and nothing is written."""
    folder, _ = table
    done = run(folder, labels, *arguments)
    assert isinstance(done.exception, UserError)
    assert word in str(done.exception)
    assert not (folder / "out").exists()
