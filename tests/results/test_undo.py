"""Promises of taking changes back."""

import dataclasses
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relabel.data import planted
from relabel.data.identity import row_hash
from relabel.errors import UserError
from relabel.results import changes, originals, restoring
from relabel.results.changes import Change
from relabel.results.undo import Choice, Listing, plan
from relabel.settings import TrainSettings

CLASSES = ("bad", "fair", "good")
SETTINGS = TrainSettings(text_column="review")
TEXTS = st.text(st.sampled_from('ab ,"\n\u2028é'), min_size=1, max_size=5)


def change(row, decision="drop", old="bad", new=None, **about) -> Change:
    """A change of a row of train/a.csv."""
    facts = {"file": "train/a.csv", "id": "", "row_hash": "", "posterior": 0.9, "text": f"text {row}", "data": "d"}
    return Change(**{**facts, "row": row, "decision": decision, "old_label": old, "new_label": new, **about})


def table(rows) -> str:
    """Write (file, row, text, label) as cleaned.csv is written, strings quoted and numbers not."""
    quoted = ['"' + text.replace('"', '""') + f'","{label}","{file}",{row},""' for file, row, text, label in rows]
    return "\n".join(["review,label,file,row,id", *quoted]) + "\n"


@st.composite
def treated(draw):
    """An original table of two files, and a journal that drops or flips some of it, never all of it."""
    rows = [
        (file, row, draw(TEXTS), draw(st.sampled_from(CLASSES)))
        for file in ("train/a.csv", "train/b.csv")
        for row in range(draw(st.integers(2, 6)))
    ]
    journal = []
    for file, row, text, label in rows[1:]:
        decision = draw(st.sampled_from(["keep", "drop", "flip"]))
        new = draw(st.sampled_from([name for name in CLASSES if name != label])) if decision == "flip" else None
        if decision != "keep":
            journal.append(change(row, decision, label, new, file=file, text=text))
    return rows, journal


def applied(rows, journal):
    """Do to the rows what a journal says."""
    done = {one.place: one for one in journal}
    kept = [row for row in rows if row[:2] not in done or done[row[:2]].decision == "flip"]
    return [(*row[:3], done[row[:2]].new_label if row[:2] in done else row[3]) for row in kept]


@pytest.fixture(scope="module")
def undo(tmp_path_factory):
    """Take chosen changes back in a text, through a file as the command does."""
    path = tmp_path_factory.mktemp("undo") / "cleaned.csv"

    def undone(text, journal, chosen) -> str:
        path.write_bytes(text.encode())
        found = restoring.read(path)
        listing = restoring.listing(path, found, journal, SETTINGS)
        return restoring.restored(found, plan(journal, {one.place for one in chosen}, listing), SETTINGS)

    return undone


@given(treated(), st.data())
def test_undoing_any_subset_gives_the_table_with_the_other_changes_alone(undo, case, data) -> None:
    """To the byte: the original with only those changes that were not taken back; for all of them, the original."""
    rows, journal = case
    chosen = data.draw(st.lists(st.sampled_from(journal), unique=True)) if journal else []
    rest = [one for one in journal if one not in chosen]
    text = table(applied(rows, journal))
    half = undo(text, journal, chosen)
    assert half == table(applied(rows, rest))
    assert undo(half, journal, chosen) == half, "a second time changes nothing"
    assert undo(half, journal, rest) == undo(text, journal, journal) == table(rows)


@given(treated())
def test_a_file_with_all_its_rows_gets_its_flips_back(case) -> None:
    """Rows are known by their number; dropped ones are still there; the original itself needs nothing."""
    rows, journal = case
    mine = [row for row in rows if row[0] == "train/a.csv"]
    flips = [one for one in journal if one.decision == "flip" and one.file == "train/a.csv"]
    new = {one.row: one.new_label for one in flips}
    known = {"name": "a.csv", "places": [row[:2] for row in mine], "texts": [row[2] for row in mine], "complete": True}
    listing = Listing(labels=[new.get(row, label) for _, row, _, label in mine], **known)
    chosen = {one.place for one in journal if one.file == "train/a.csv"}
    undoing = plan(journal, chosen, listing)
    assert undoing.labels == {one.row: one.old_label for one in flips}
    assert not undoing.back
    again = plan(journal, chosen, Listing(labels=[row[3] for row in mine], **known))
    assert not again.labels
    assert again.before == len(chosen)


def listing(*rows, **about) -> Listing:
    """A table of (row, label) of train/a.csv with the texts of `change`."""
    facts = {"name": "cleaned.csv", "texts": [f"text {row}" for row, _ in rows]}
    places = [("train/a.csv", row) for row, _ in rows]
    return Listing(**{**facts, **about}, places=places, labels=[label for _, label in rows])


@pytest.mark.parametrize(
    ("found", "word"),
    [
        (listing((1, "bad"), (2, "good"), texts=["text 1", "other"]), "another text"),
        (listing((1, "bad"), (2, "good"), ids=["x", "y"]), "another id"),
        (listing((1, "bad"), (2, "fair")), "seen `fair`, expected `bad` or `good`"),
        (listing((1, "bad")), "missing"),
        (listing((2, "good"), complete=True), "missing"),
        (listing((1, "bad"), (2, "good"), (2, "good")), "more than once"),
    ],
)
def test_a_table_that_is_not_the_journals_is_refused(found, word) -> None:
    """Other rows, a label that is neither old nor new, rows that are lost: named, and no plan."""
    journal = [change(1, id="a"), change(2, "flip", "bad", "good", id="b")]
    with pytest.raises(UserError, match=word):
        plan(journal, {one.place for one in journal}, found)


def test_a_label_that_someone_changed_since_hinders_only_its_own_undoing() -> None:
    """Other changes can still be taken back."""
    journal = [change(1), change(2, "flip", "bad", "good")]
    assert plan(journal, {journal[0].place}, listing((2, "fair"))).back == ((0, journal[0]),)


def test_a_decision_that_is_not_known_is_not_guessed_at() -> None:
    """A journal of another kind of treatment is refused."""
    with pytest.raises(UserError, match="`merge`"):
        plan([change(1, "merge", new="bad")], {("train/a.csv", 1)}, listing((1, "bad")))


def test_what_people_decided_goes_back_like_what_a_policy_did() -> None:
    """A new label becomes the old one, a row that no class fits comes back; one of test is not put among training rows."""
    people = [change(1, "review", "bad", "good", reviewer="ann"), change(2, "review", reviewer="ann")]
    undoing = plan(people, {one.place for one in people}, listing((1, "good")))
    assert undoing.labels == {0: "bad"}
    assert [one.row for _, one in undoing.back] == [2]
    test = change(3, "review", reviewer="ann", split="test")
    with pytest.raises(UserError, match=r"row 3 .*of dev or test"):
        plan([*people, test], {test.place}, listing((1, "good")))


def test_a_choice_takes_what_meets_all_of_it() -> None:
    """By decision, by posterior and by row; above includes its bound, below does not."""
    one = change(3, posterior=0.7, id="x")
    assert Choice().takes(one)
    assert Choice(decision="drop", above=0.7, below=0.71).takes(one)
    assert not Choice(decision="flip").takes(one)
    assert not Choice(below=0.7).takes(one)
    assert Choice(rows={("train/a.csv", 3)}).takes(one)
    assert Choice(rows={"x"}).takes(one)
    assert not Choice(rows={("train/b.csv", 3), "y"}).takes(one)


def test_what_a_person_decided_is_undone_by_name_only() -> None:
    """All changes of the policy are not those of people."""
    one = change(3, reviewer="ann")
    assert not Choice().takes(one)
    assert not Choice(above=0.0).takes(one)
    assert Choice(rows={one.place}).takes(one)


def line(**about) -> str:
    """A line of a journal."""
    return json.dumps({**dataclasses.asdict(change(1)), "folds": [2], **about})


@pytest.mark.parametrize(
    ("lines", "word"),
    [
        (["{}"], "line 1 is no change"),
        ([line(), "torn {"], "line 2"),
        ([line(row="1")], "line 1"),
        ([line(), line(row=2, data="other")], "2 data sets"),
        ([line(), line()], "more than once"),
    ],
)
def test_a_journal_that_is_torn_or_mixed_is_refused(tmp_path, lines, word) -> None:
    """Its line is named and not quoted."""
    path = tmp_path / "journal.jsonl"
    path.write_text("\n".join(lines))
    with pytest.raises(UserError, match=word) as raised:
        changes.read(path)
    assert "torn {" not in str(raised.value)


def test_texts_with_every_kind_of_line_end_come_back(tmp_path) -> None:
    """A line of the journal ends at a newline alone."""
    path = tmp_path / "journal.jsonl"
    text = "a\u2028b\x85c\rd\ne"
    path.write_text(json.dumps(dataclasses.asdict(change(1, text=text)), ensure_ascii=False) + "\n", newline="")
    assert [one.text for one in changes.read(path)] == [text]


@pytest.fixture
def data(tmp_path):
    """A folder of data, and a journal of two of its rows."""
    made = planted.reviews(20, width=4, noise=np.eye(2), seed=0)
    planted.write(tmp_path, "a", made)
    journal = [
        change(row, text=made.texts[row], row_hash=row_hash(made.embeddings[row], made.texts[row])) for row in (3, 8)
    ]
    return tmp_path, journal


def test_the_journals_own_data_pass(data) -> None:
    """Hashes are those of the rows."""
    folder, journal = data
    originals.check(journal, folder, SETTINGS)


def test_data_of_texts_alone_pass(tmp_path) -> None:
    """As a table, and as a folder of text files; rows may stand in any order in the journal."""
    (tmp_path / "a.csv").write_text("review,label\n" + "".join(f"text {row},{row % 2}\n" for row in range(20)))
    journal = [change(row, text=f"text {row}", row_hash=row_hash(None, f"text {row}")) for row in (8, 3)]
    originals.check(journal, tmp_path, SETTINGS)
    for row in range(20):
        path = tmp_path / "train" / ("neg" if row < 10 else "pos") / f"{row:02}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"text {row}")
    originals.check([dataclasses.replace(one, file="train") for one in journal], tmp_path, SETTINGS)


@pytest.mark.parametrize("what", ["vector", "text", "shorter", "no vectors", "no file"])
def test_other_data_are_refused(data, what) -> None:
    """An embedding or a text that differs, or a file that is not there: the row, what was seen and what was expected."""
    folder, journal = data
    made = planted.reviews(20, width=4, noise=np.eye(2), seed=0)
    if what == "vector":
        made.embeddings[8] += 1
    elif what == "text":
        made.texts[8] = "another"
    elif what == "shorter":
        made = planted.reviews(5, width=4, noise=np.eye(2), seed=0)
    planted.write(folder, "a", made)
    if what in ("no vectors", "no file"):
        (folder / ("a.npy" if what == "no vectors" else "a.csv")).unlink()
    said = {
        "vector": f"row 8: seen .*, expected {journal[1].row_hash[:12]}",
        "text": "row 8: seen",
        "shorter": "5 rows, and the journal names row 8",
        "no vectors": "their embeddings are not beside it",
        "no file": "no such file",
    }
    with pytest.raises(UserError, match=said[what]):
        originals.check(journal, folder, SETTINGS)
