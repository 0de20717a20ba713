"""Promises of the journal."""

import json

import pytest

from relabel.errors import UserError
from relabel.loop.journal import Journal, sha256


@pytest.fixture
def journal(tmp_path) -> Journal:
    """An empty journal, whose clock counts."""
    clock = iter(range(100))
    return Journal(tmp_path, lambda: f"2026-01-01T00:00:{next(clock):02}", "ann")


def test_a_line_says_what_when_who_and_the_hash_of_every_file(journal, tmp_path) -> None:
    """Files of a folder are named one by one."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "train.csv").write_text("x")
    (tmp_path / "one.json").write_text("y")
    journal.write("train", 3, {"rows": 2}, [tmp_path / "data", tmp_path / "one.json"])
    (event,) = journal.events()
    assert (event.step, event.round, event.time, event.who) == ("train", 3, "2026-01-01T00:00:00", "ann")
    assert event.files == {name: sha256(tmp_path / name) for name in ("data/train.csv", "one.json")}


@pytest.mark.parametrize("torn", [b"{", b'{"step": "collect", "round": 1, "time": "", "who": ""}', b"\xff\xfe"])
def test_a_torn_end_is_cut_off_and_nothing_before_it(journal, torn) -> None:
    """What a crash left of a line is no event, and the next line stands in its place."""
    journal.write("collect", 1, {}, [])
    whole = journal.path.read_bytes()
    journal.path.write_bytes(whole + torn)
    assert [event.step for event in journal.events()] == ["collect"]
    journal.write("select", 1, {}, [])
    assert journal.path.read_bytes().startswith(whole)
    assert [json.loads(line)["step"] for line in journal.path.read_text().splitlines()] == ["collect", "select"]


def test_a_line_that_was_changed_by_hand_is_refused(journal) -> None:
    """The line is named, and not quoted."""
    journal.write("collect", 1, {}, [])
    journal.path.write_bytes(b"secret\n" + journal.path.read_bytes())
    with pytest.raises(UserError, match="line 1 is no event") as error:
        journal.events()
    assert "secret" not in str(error.value)


def test_two_commands_do_not_work_on_one_loop(journal, tmp_path) -> None:
    """The second is told so."""
    other = Journal(tmp_path, str, "bob")
    with journal.alone(), pytest.raises(UserError, match="another command"), other.alone():
        pass
    with other.alone():
        pass
