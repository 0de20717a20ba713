"""Promises of the file of decisions."""

from __future__ import annotations

import sqlite3
import tempfile
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relabel.errors import PlatformError, UserError
from relabel.review import store as stores
from relabel.review.schema import SCHEMA
from relabel.review.store import Mark, Said, Store

CLASSES = ("0", "1")


def said(once: str, row: str = "a", reviewer: str = "ann", answer: str | None = "1") -> Said:
    """Put a decision into words."""
    return Said(once, row, reviewer, answer, "worst", 1.5)


@pytest.fixture
def path(tmp_path) -> Path:
    """Give the place of a store."""
    return tmp_path / "review.sqlite"


def test_what_was_said_is_there_in_another_process_s_store(path) -> None:
    """Another connection sees the decision as soon as `add` has returned, with all that was said."""
    with Store(path, "d", CLASSES) as one, Store(path, "d", CLASSES) as other:
        added = one.add(said("x"))
        assert other.all() == (added,)
    assert (added.row_hash, added.reviewer, added.answer, added.why, added.seconds) == ("a", "ann", "1", "worst", 1.5)
    assert datetime.fromisoformat(added.time).tzinfo is not None
    assert len(added.time) == len("2026-01-01T00:00:00.000000+00:00")


def test_said_twice_it_counts_once(path) -> None:
    """A decision whose confirmation was lost is said again by its name."""
    with Store(path, "d", CLASSES) as store:
        assert store.add(said("x")) == store.add(said("x"))
        assert len(store.all()) == 1


def test_a_withdrawn_decision_stays_and_says_so(path) -> None:
    """Only its own person takes it back, and a second time changes nothing."""
    with Store(path, "d", CLASSES) as store:
        added = store.add(said("x"))
        assert store.withdraw(added.id, "bob") is None
        back = store.withdraw(added.id, "ann")
        assert back is not None
        assert back.withdrawn > back.time
        assert store.withdraw(added.id, "ann") == back
        assert store.all() == (back,)


def test_no_statement_changes_or_deletes_a_decision(path) -> None:
    """The file itself refuses, whoever writes to it."""
    with Store(path, "d", CLASSES) as store:
        store.add(said("x"))
        store.withdraw(1, "ann")
    database = sqlite3.connect(path)
    for statement in ("UPDATE decisions SET answer = '0'", "DELETE FROM decisions", "DELETE FROM withdrawals"):
        with pytest.raises(sqlite3.DatabaseError, match="stay"):
            database.execute(statement)
    database.close()


def test_a_later_decision_has_a_later_time_though_the_clock_goes_back(path) -> None:
    """So the latest answer of a person is the one that was given last."""
    moments = iter(
        [datetime(2026, 3, 2, 9, tzinfo=UTC), datetime(2026, 3, 1, 9, tzinfo=UTC), datetime(2026, 3, 1, 8, tzinfo=UTC)]
    )
    with Store(path, "d", CLASSES, clock=lambda: next(moments)) as store:
        times = [store.add(said(str(n))).time for n in range(3)]
    assert times == sorted(set(times))


def test_a_clock_that_was_ahead_dates_nobody_else_s_decisions(path) -> None:
    """What others say after it was put right has the right time."""
    moments = iter([datetime(2036, 3, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)])
    with Store(path, "d", CLASSES, clock=lambda: next(moments)) as store:
        times = [store.add(said(name, reviewer=name)).time for name in ("ann", "bob")]
    assert [time[:4] for time in times] == ["2036", "2026"]


def test_a_decision_instead_of_others_takes_them_back_in_the_same_moment(path) -> None:
    """Those of this person on this row that stand; names that nobody knows, other rows and other people are left alone."""
    with Store(path, "d", CLASSES) as store:
        for one in (said("a"), said("b", row="other"), said("c", reviewer="bob")):
            store.add(one)
        added = store.add(said("d"), ["a", "b", "c", "d", "unknown"])
        assert store.add(said("d"), ["a"]) == added
        assert [one.id for one in store.all() if one.withdrawn] == [1]


def test_reading_a_store_makes_and_changes_nothing(path, tmp_path) -> None:
    """Neither where there is none, nor in an empty file, nor in a store; one of other data is refused."""
    with pytest.raises(UserError, match="cannot be read"):
        stores.read(path, "d", CLASSES)
    assert not path.exists()
    empty = tmp_path / "empty"
    empty.touch()
    with pytest.raises(UserError, match="no file of decisions"):
        stores.read(empty, "d", CLASSES)
    assert empty.stat().st_size == 0
    with Store(path, "d", CLASSES) as store:
        added = store.add(said("x"))
    before = path.read_bytes()
    assert stores.read(path, "d", CLASSES) == (added,)
    assert path.read_bytes() == before
    with pytest.raises(UserError, match="other data"):
        stores.read(path, "e", CLASSES)


def test_a_store_that_another_program_holds_is_not_called_unwritable(path, monkeypatch) -> None:
    """It is waited for, and then named as what it is; the same to whoever reads."""
    monkeypatch.setattr(stores, "BUSY", 0.05)
    Store(path, "d", CLASSES).close()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(PlatformError, match="another program"):
        Store(path, "d", CLASSES)
    with pytest.raises(PlatformError, match="another program"):
        stores.read(path, "d", CLASSES)
    other.close()


def test_every_commit_is_on_the_disk(path) -> None:
    """SQLite is told to flush the database and the end of its journal."""
    with Store(path, "d", CLASSES) as store:
        assert store._database.execute("PRAGMA synchronous").fetchone() == (2,)
        assert store._database.execute("PRAGMA journal_mode").fetchone() == ("truncate",)


@pytest.mark.parametrize(
    ("data", "classes", "what"), [("e", CLASSES, "other data"), ("d", ("0", "1", "2"), "other classes")]
)
def test_another_job_s_store_is_refused_with_what_to_do(path, data, classes, what) -> None:
    """Its decisions are of other rows."""
    Store(path, "d", CLASSES).close()
    with pytest.raises(UserError, match=rf"{what}.*--store"):
        Store(path, data, classes)


def test_a_file_that_is_no_store_is_refused_and_left_alone(tmp_path) -> None:
    """A text, another program's database, one of a later version, and a folder that cannot be had."""
    text = tmp_path / "text.sqlite"
    text.write_text("no database, but long enough to be looked at as one" * 30)
    with pytest.raises(UserError, match="no file of decisions"):
        Store(text, "d", CLASSES)
    assert text.read_text().startswith("no database")
    other = tmp_path / "other.sqlite"
    database = sqlite3.connect(other)
    database.execute("CREATE TABLE theirs (x)")
    database.close()
    with pytest.raises(UserError, match="no file of decisions"):
        Store(other, "d", CLASSES)
    later = tmp_path / "later.sqlite"
    Store(later, "d", CLASSES).close()
    database = sqlite3.connect(later)
    database.execute(f"PRAGMA user_version = {SCHEMA + 1}")
    database.close()
    with pytest.raises(UserError, match="later relabel"):
        Store(later, "d", CLASSES)
    with pytest.raises(UserError, match="--store"):
        Store(tmp_path / "nowhere" / "x.sqlite", "d", CLASSES)


def test_a_decision_that_cannot_be_kept_is_no_decision(path) -> None:
    """Whoever decides hears of it, and nothing is half written."""
    with Store(path, "d", CLASSES) as store:
        store.add(said("x"))
        store._database.execute("PRAGMA max_page_count = 1")
        with pytest.raises(PlatformError, match="not kept"):
            store.add(said("y" * 100_000))
        kept = len(store.all())
    with Store(path, "d", CLASSES) as store:
        assert len(store.all()) == kept


def test_many_threads_and_two_stores_lose_nothing(path, monkeypatch) -> None:
    """Each decision is there once, and every store hears of all of them."""
    monkeypatch.setattr(
        stores, "BUSY", 60.0
    )  # on a slow disk who waits may get no turn while others write without a pause
    with Store(path, "d", CLASSES) as one, Store(path, "d", CLASSES) as other:
        threads = [
            threading.Thread(
                target=lambda store=store, n=n: [store.add(said(f"{n}-{i}", reviewer=str(n))) for i in range(25)]
            )
            for n, store in enumerate([one, other, one, other])
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(one.all()) == len({(decision.reviewer, decision.time) for decision in other.all()}) == 100
        assert one.since(Mark()).decisions == other.all()


ACTS = st.lists(
    st.tuples(
        st.sampled_from(["ann", "bob"]), st.sampled_from(["0", "1", None, "undo", "again", "reopen"]), st.integers(0, 3)
    ),
    max_size=25,
)


@settings(max_examples=30, deadline=None)
@given(ACTS)
def test_whatever_two_people_do_in_turn_nothing_is_lost(acts) -> None:
    """Decisions, undos, repetitions and a file that is closed and opened between them: what should be there is, in order."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "review.sqlite"
        stores = {name: Store(path, "d", CLASSES) for name in ("ann", "bob")}
        expected: list[list[object]] = []
        mark, heard = Mark(), {}
        for turn, (name, act, row) in enumerate(acts):
            if act == "reopen":
                stores[name].close()
                stores[name] = Store(path, "d", CLASSES)
            elif act == "undo":
                standing = [place for place, one in enumerate(expected) if one[0] == name and not one[3]]
                if standing:
                    stores[name].withdraw(standing[-1] + 1, name)
                    expected[standing[-1]][3] = True
            elif act == "again" and expected:
                stores[name].add(said("0"))
            elif act != "again":
                stores[name].add(said(str(len(expected)), str(row), name, act))
                expected.append([name, str(row), act, False])
            if turn % 3 == 0:
                news = stores["bob"].since(mark)
                mark = news.mark
                heard |= {one.id: one for one in news.decisions}
        found = stores["ann"].all()
        assert [[one.reviewer, one.row_hash, one.answer, bool(one.withdrawn)] for one in found] == expected
        heard |= {one.id: one for one in stores["bob"].since(mark).decisions}
        assert sorted(heard) == [one.id for one in found]
        for store in stores.values():
            store.close()
