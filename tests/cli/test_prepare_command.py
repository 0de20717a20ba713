"""Promises of `relabel prepare`."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from relabel.cli.prepare import command
from relabel.errors import UserError


def prepare(*arguments: object) -> Result:
    """Run the command; a refusal is raised."""
    return CliRunner().invoke(command, [str(each) for each in arguments], catch_exceptions=False)


@pytest.fixture
def source(tmp_path) -> Path:
    """100 texts of two classes as CSV, two of them equal."""
    path = tmp_path / "reviews.csv"
    path.write_text("content,stars\n" + "".join(f'"text {row % 99}, really",{row % 99 % 2}\n' for row in range(100)))
    return path


def test_it_says_what_it_made(source, tmp_path) -> None:
    """Rows of each split and class, duplicates, and where the card is."""
    done = prepare(source, "--output", tmp_path / "out", "--label-column", "stars", "--size", 50, "--seed", 3)
    assert done.exit_code == 0
    assert "csv: 100 rows read\nleft out 50: not drawn for the size asked for\n" in done.output
    assert "texts that stand more than once: 1, with more than one label: 0" in done.output
    assert "50" not in done.output.split("train")[1].split("\n")[0]
    card = json.loads((tmp_path / "out" / "card.json").read_text())
    assert (card["seed"], card["size"]) == (3, 50)
    assert (tmp_path / "out" / "card.md").read_text().startswith("# reviews.csv\n")


def test_the_card_knows_no_place_and_no_time(source, tmp_path) -> None:
    """A source that was moved has the same card."""
    prepare(source, "--output", tmp_path / "a", "--label-column", "stars")
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    prepare(source.rename(moved / source.name), "--output", tmp_path / "b", "--label-column", "stars")
    for name in ("card.json", "card.md"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_a_kind_that_is_said_is_not_guessed(source, tmp_path) -> None:
    """A CSV read as Sentiment140 is refused for its columns."""
    with pytest.raises(UserError, match=r"reviews.csv: more or fewer values than the 6 columns in 101 rows"):
        prepare(source, "--output", tmp_path / "out", "--kind", "sentiment140")


def test_shares_are_those_of_the_settings(source, tmp_path) -> None:
    """And checked like them."""
    prepare(source, "--output", tmp_path / "out", "--label-column", "stars", "--dev-share", 0.3, "--test-share", 0.3)
    card = json.loads((tmp_path / "out" / "card.json").read_text())
    assert [split["rows"] for split in card["splits"].values()] == [40, 30, 30]
    with pytest.raises(UserError, match="dev_share is '2'"):
        prepare(source, "--output", tmp_path / "out", "--label-column", "stars", "--dev-share", 2)
