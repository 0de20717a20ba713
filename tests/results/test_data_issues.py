"""Promises of the files on issues of data."""

from relabel.container import environment
from relabel.job.main import train
from relabel.results import data_issues

QUICK = {"seeds": 1, "folds": 3, "passes": 1, "threads": 1, "report": "off"}


def run(root, **overrides) -> None:
    """Run the job in a folder."""
    here = environment.read({"RELABEL_ROOT": str(root)})
    assert train(here.paths, here, overrides, lambda _name, _done, _total: None).code == 0


def test_figures_and_rows_agree(channel) -> None:
    """Every row of the table belongs to an issue that says how many rows it has; parts are numbers into its figures."""
    root = channel(QUICK)
    run(root)
    figures, rows = data_issues.read(root / "output" / "data")
    assert rows
    for name, said in figures.items():
        own = [row for row in rows if row["issue"] == name]
        assert len({(row["file"], row["row"]) for row in own}) == said["rows"]
        assert said["sentence"]
    pairs = figures["class_overlap"]["pairs"]
    assert {int(row["part"]) for row in rows if row["issue"] == "class_overlap"} <= {*range(len(pairs))}


def test_off_leaves_nothing(channel) -> None:
    """Not even of an earlier job in the same folder."""
    root = channel(QUICK)
    run(root)
    run(root, data_issues="off")
    assert not [path.name for path in (root / "output" / "data").iterdir() if path.name.startswith("data_issues")]
