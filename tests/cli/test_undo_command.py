"""Promises of `relabel undo` on what a job wrote."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from relabel.cli.undo import command
from relabel.container import environment
from relabel.data import planted
from relabel.errors import UserError
from relabel.job.main import train
from relabel.results import columns

QUICK = {
    "policy": "drop",
    "seeds": 1,
    "report": "off",
    "folds": 3,
    "passes": 1,
    "max_epochs": 4,
    "lr": 0.003,
    "threads": 1,
    "flip_above": 0.0,
}
NOISE = np.array([[0.95, 0.05], [0.2, 0.8]])


@pytest.fixture(scope="module")
def jobs(tmp_path_factory) -> Path:
    """A folder with the data, and the results of jobs with every policy."""
    root = tmp_path_factory.mktemp("jobs")
    data = root / "data"
    for name, rows, seed in (("train", 600, 0), ("dev", 200, 1), ("test", 200, 2)):
        planted.write(data, name, planted.reviews(rows, width=16, noise=NOISE, seed=seed))
    for policy in ("drop", "flip", "weight", "soft", "keep"):
        place = root / policy
        (place / "input" / "data").mkdir(parents=True)
        (place / "input" / "data" / "train").symlink_to(data)
        here = environment.read({"RELABEL_ROOT": str(place)})
        assert train(here.paths, here, {**QUICK, "policy": policy}, lambda _name, _done, _total: None).code == 0
    return root


def results(root: Path, policy: str) -> Path:
    """The folder of a job's tables."""
    return root / policy / "output" / "data"


def undo(root: Path, policy: str, output: Path, *arguments: object, labels: Path | None = None) -> Result:
    """Run the command on a job's journal and, unless other labels are given, its cleaned.csv."""
    found = results(root, policy)
    given = ["--journal", found / "journal.jsonl", "--labels", labels or found / "cleaned.csv", "--output", output]
    return CliRunner().invoke(command, [str(value) for value in (*given, *arguments)])


@pytest.mark.parametrize("policy", ["drop", "flip"])
def test_undoing_everything_gives_what_a_job_that_keeps_everything_writes(jobs, tmp_path, policy) -> None:
    """To the byte, with every hash checked; a second undo says that all was undone before."""
    back, again = tmp_path / "back.csv", tmp_path / "again.csv"
    done = undo(jobs, policy, back, "--all", "--data", jobs / "data")
    assert done.exit_code == 0, done.output
    assert (results(jobs, policy) / "cleaned.csv").read_bytes() != back.read_bytes()
    assert back.read_bytes() == (results(jobs, "keep") / "cleaned.csv").read_bytes()
    assert "undone: 0 dropped rows brought back, 0 labels" in undo(jobs, policy, again, "--all", labels=back).output
    assert again.read_bytes() == back.read_bytes()


@pytest.mark.parametrize("policy", ["weight", "soft"])
def test_rows_that_count_in_part_count_as_a_whole_again(jobs, tmp_path, policy) -> None:
    """Weights become 1 and soft labels sure, for all rows or those that are chosen; the other cells stay."""
    kept = columns.read_csv(results(jobs, "keep") / "cleaned.csv")
    given = columns.read_csv(results(jobs, policy) / "cleaned.csv")
    shares = {name for name in given[0] if name not in kept[0]}
    assert shares == ({"weight"} if policy == "weight" else {"p_0", "p_1"})
    assert undo(jobs, policy, tmp_path / "all.csv", "--all").exit_code == 0
    back = columns.read_csv(tmp_path / "all.csv")
    assert [{name: row[name] for name in kept[0]} for row in back] == kept
    for row in back:
        sure = {"0": ["1", "0"], "1": ["0", "1"]}[row["label"]]
        assert [row[name] for name in sorted(shares)] == (["1"] if policy == "weight" else sure)
    done = undo(jobs, policy, tmp_path / "some.csv", "--above", "0.5")
    assert done.exit_code == 0, done.output
    some = columns.read_csv(tmp_path / "some.csv")
    changed = {n for n, (one, other) in enumerate(zip(given, some, strict=True)) if one != other}
    in_part = {n for n, (one, other) in enumerate(zip(given, back, strict=True)) if one != other}
    assert 0 < len(changed) < len(in_part)
    assert changed < in_part


def test_rows_of_label_issues_can_be_named(jobs, tmp_path) -> None:
    """A cut of label_issues.csv brings back its rows and no other; what was never changed is said."""
    few = tmp_path / "few.csv"
    lines = (results(jobs, "drop") / "label_issues.csv").read_text().splitlines()
    few.write_text("\n".join([*lines[:4], '"train/train.csv",0,"","","","","","","","",""']) + "\n")
    named = {(row["file"], row["row"]) for row in columns.read_csv(few)}
    done = undo(jobs, "drop", tmp_path / "out.csv", "--rows", few)
    assert done.exit_code == 0, done.output
    before, after = (
        {(row["file"], row["row"]) for row in columns.read_csv(path)}
        for path in (results(jobs, "drop") / "cleaned.csv", tmp_path / "out.csv")
    )
    assert before < after
    assert after - before <= named


def test_the_least_sure_changes_alone_come_back(jobs, tmp_path) -> None:
    """--below and --above divide the changes between them."""
    done = [undo(jobs, "drop", tmp_path / name, f"--{name}", "0.8") for name in ("above", "below")]
    assert all(one.exit_code == 0 for one in done)
    counts = [len((tmp_path / name).read_text().splitlines()) for name in ("above", "below")]
    cleaned = len((results(jobs, "drop") / "cleaned.csv").read_text().splitlines())
    assert min(counts) > cleaned
    assert sum(counts) == cleaned + 601


def test_the_original_file_needs_nothing(jobs, tmp_path) -> None:
    """Its labels are the old ones already: the output is the same file."""
    done = undo(jobs, "flip", tmp_path / "out.csv", "--all", labels=jobs / "data" / "train.csv")
    assert done.exit_code == 0, done.output
    assert (tmp_path / "out.csv").read_bytes() == (jobs / "data" / "train.csv").read_bytes()


def test_a_label_file_that_took_the_flips_over_gets_them_back(jobs, tmp_path) -> None:
    """A copy of the original file with new labels becomes the original again, to the byte."""
    new = {row["row"]: row["label"] for row in columns.read_csv(results(jobs, "flip") / "cleaned.csv")}
    lines = (jobs / "data" / "train.csv").read_text().splitlines()
    copied = [lines[0], *(f"{line.rsplit(',', 1)[0]},{new[str(n)]}" for n, line in enumerate(lines[1:]))]
    copy = tmp_path / "mine.csv"
    copy.write_bytes(("\r\n".join(copied) + "\r\n").encode())
    done = undo(jobs, "flip", tmp_path / "out.csv", "--all", "--file", "train/train.csv", labels=copy)
    assert done.exit_code == 0, done.output
    assert copy.read_bytes() != (jobs / "data" / "train.csv").read_bytes()
    assert (tmp_path / "out.csv").read_bytes() == (jobs / "data" / "train.csv").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "labels", "word"),
    [
        ([], None, "say which changes"),
        (["--all", "--decision", "drop"], None, "say which changes"),
        (["--all"], "data/dev.csv", "--file"),
        (["--all", "--file", "train/train.csv"], "data/dev.csv", "another text"),
        (["--all", "--label-column", "stars"], None, "no column `stars`"),
        (["--all"], "flip/output/data/prob.csv", "none of the files"),
    ],
)
def test_what_does_not_belong_together_is_refused_and_nothing_is_written(
    jobs, tmp_path, arguments, labels, word
) -> None:
    """Each by its name, before anything is written."""
    output = tmp_path / "out.csv"
    done = undo(jobs, "drop", output, *arguments, labels=labels and jobs / labels)
    assert isinstance(done.exception, UserError)
    assert word in str(done.exception)
    assert not output.exists()


def test_nothing_is_written_over_the_labels_themselves(jobs) -> None:
    """The treated table is kept."""
    cleaned = results(jobs, "drop") / "cleaned.csv"
    before = cleaned.read_bytes()
    assert isinstance(undo(jobs, "drop", cleaned, "--all").exception, UserError)
    assert cleaned.read_bytes() == before
