"""Promises of sources made into splits."""

import csv
import io
import json
import tarfile
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relabel.data import corpora, reading
from relabel.data.corpora.drawing import LEFT_OUT, Draw, drawn
from relabel.data.corpora.preparation import prepare
from relabel.data.corpora.survey import NO_SPLIT, Survey, normalised
from relabel.data.examples import Split
from relabel.errors import UserError
from relabel.settings import TrainSettings

SHARES = {Split.DEV: 0.1, Split.TEST: 0.2}


def made(source: Path, folder: Path, *, size: int = 0, seed: int = 0, suffix: str = "csv", **options) -> dict:
    """Prepare a source of whatever kind; give the card."""
    neutral = options.pop("neutral", False)
    corpus = corpora.KINDS[corpora.kind_of(source)](source, TrainSettings(**options), neutral)
    return prepare(corpus, folder, Draw(size=size, seed=seed, shares=SHARES), suffix, lambda _name, _done, _total: None)


def rows(folder: Path) -> dict[str, list[dict[str, str]]]:
    """Read the tables: split -> rows."""
    return {
        split: [*csv.DictReader(io.StringIO((folder / f"{split}.csv").read_text("utf-8"), newline=""))]
        for split in ("train", "dev", "test")
    }


def table(path: Path, texts: list[str], labels: list[object], **columns: list[object]) -> Path:
    """Write a source as JSON Lines."""
    named = {"text": texts, "label": labels, **columns}
    lines = [json.dumps(dict(zip(named, values, strict=True))) for values in zip(*named.values(), strict=True)]
    path.write_text("".join(line + "\n" for line in lines))
    return path


@pytest.fixture
def reviews(tmp_path) -> Path:
    """200 different texts of two classes."""
    return table(tmp_path / "reviews.jsonl", [f"text {row}" for row in range(200)], [row % 2 for row in range(200)])


@pytest.fixture
def imdb(tmp_path) -> Path:
    """IMDb's layout, small; one text of train is also in test."""
    for split in ("train", "test"):
        for label in ("neg", "pos"):
            for row in range(30):
                path = tmp_path / "aclImdb" / split / label / f"{row}_7.txt"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(f"{'train' if row == 29 else split} {label} {row} é\n", "utf-8")
    (tmp_path / "aclImdb" / "train" / "unsup").mkdir()
    for row in range(3):
        (tmp_path / "aclImdb" / "train" / "unsup" / f"{row}_0.txt").write_text("nobody knows")
    for name in ("train/labeledBow.feat", "train/urls_pos.txt", "imdbEr.txt", "README"):
        (tmp_path / "aclImdb" / name).write_text("x")
    return tmp_path / "aclImdb"


def archived(folder: Path, mode: str = "w:gz") -> Path:
    """Pack a folder, as its archive is published."""
    path = folder.with_name("aclImdb_v1.tar.gz")
    with tarfile.open(path, mode) as archive:
        archive.add(folder, folder.name)
    return path


def tweets(path: Path, *, rows: int = 120) -> Path:
    """Write rows as Sentiment140 has them; every tenth is neutral, and two have one id."""
    with path.open("w", newline="", encoding="latin-1") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL)
        for row in range(rows):
            polarity = 2 if row % 10 == 9 else 4 * (row % 2)
            text = f'café no. {row}, "so" &amp; so'
            writer.writerow([polarity, 7 if row in (3, 4) else 1000 + row, "Mon Apr 06", "NO_QUERY", "ann", text])
    return path


def test_every_row_goes_to_one_split(reviews, tmp_path) -> None:
    """With classes in proportion, text and label as they are, in the order of the source."""
    made(reviews, tmp_path / "out")
    found = rows(tmp_path / "out")
    assert {split: len(own) for split, own in found.items()} == {"train": 140, "dev": 20, "test": 40}
    every = [row["review"] for own in found.values() for row in own]
    assert sorted(every) == sorted(f"text {row}" for row in range(200))
    for own in found.values():
        assert Counter(row["label"] for row in own) == {"0": len(own) // 2, "1": len(own) // 2}
        numbers = [int(row["review"].split()[1]) for row in own]
        assert numbers == sorted(numbers)
        assert all(int(row["label"]) == number % 2 for row, number in zip(own, numbers, strict=True))


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_the_same_source_and_seed_give_the_same_bytes(reviews, tmp_path, suffix) -> None:
    """All files, card and page among them; another seed gives others."""
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        made(reviews, tmp_path / name, seed=seed, size=100, suffix=suffix)
    first, again, other = (
        {path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in ("a", "b", "c")
    )
    assert {*first} == {"card.json", "card.md", *(f"{split}.{suffix}" for split in ("train", "dev", "test"))}
    assert first == again
    assert first[f"train.{suffix}"] != other[f"train.{suffix}"]


@settings(max_examples=60)
@given(st.data())
def test_equal_texts_lie_in_one_split_whatever_the_data(data) -> None:
    """Rows of a given split stay or are left out, those of the size are as many, and classes are in proportion."""
    n = data.draw(st.integers(60, 200))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    text = rng.integers(0, n, n).astype(np.uint64)
    given_test = data.draw(st.booleans())
    label = np.arange(n) % 2
    own = np.where(given_test & (rng.random(n) < 0.3), np.uint8(Split.TEST), np.uint8(NO_SPLIT)).astype(np.uint8)
    zeros = np.zeros(n, np.int32)
    survey = Survey(text, label, own, zeros, zeros, zeros > 0, False, ("a", "b"), Counter())
    most = int((~_beaten(text, own)).sum())
    size = data.draw(st.sampled_from([0, most // 2, most]))
    seed = data.draw(st.integers(0, 99))
    asked = Draw(size=size, seed=seed, shares={Split.DEV: 0.2, Split.TEST: 0.2})
    found = drawn(survey, asked)
    assert np.array_equal(found.split, drawn(survey, asked).split)
    kept = found.split != LEFT_OUT
    assert kept.sum() == (size or most)
    for value in set(text[kept].tolist()):
        assert np.unique(found.split[kept & (text == value)]).size == 1
    if own.min() == Split.TEST:
        assert ((found.split == Split.TEST) <= (own == Split.TEST)).all()
        assert ((own == Split.TEST) & kept <= (found.split == Split.TEST)).all()
    assert {split.name for split in Split} == {Split(s).name for s in np.unique(found.split[kept]).tolist()}


def _beaten(text: np.ndarray, own: np.ndarray) -> np.ndarray:
    """Training rows whose text is also in test."""
    return (own != Split.TEST) & np.isin(text, text[own == Split.TEST])


def test_the_size_is_met_with_classes_in_proportion(tmp_path) -> None:
    """Of three to one."""
    source = table(
        tmp_path / "a.jsonl", [f"t{row}" for row in range(400)], ["rare" if r % 4 == 0 else "usual" for r in range(400)]
    )
    card = made(source, tmp_path / "out", size=101)
    assert sum(split["rows"] for split in card["splits"].values()) == 101
    labels = Counter(row["label"] for own in rows(tmp_path / "out").values() for row in own)
    assert labels["rare"] in (25, 26)
    assert card["rows"] == {"read": 400, "dropped": {"not drawn for the size asked for": 299}}


def test_texts_are_equal_whatever_their_case_and_white_space(tmp_path) -> None:
    """Such rows lie in one split; they and their contradictions are counted."""
    texts = [f"text {row}" for row in range(100)] + [f"  TEXT\n{row} " for row in range(60)]
    labels = [row % 2 for row in range(100)] + [row % 2 if row < 50 else 1 - row % 2 for row in range(60)]
    card = made(table(tmp_path / "a.jsonl", texts, labels), tmp_path / "out")
    where = {}
    for split, own in rows(tmp_path / "out").items():
        for row in own:
            where.setdefault(normalised(row["review"]), set()).add(split)
    assert all(len(splits) == 1 for splits in where.values())
    assert card["duplicates"]["groups"] == 60
    assert card["duplicates"]["rows"] == 120
    assert card["duplicates"]["conflicts"] == {"groups": 10, "rows": 20}


def test_rows_without_text_or_label_are_left_out_and_counted(tmp_path) -> None:
    """Blanks are no text."""
    texts = [f"text {row}" for row in range(40)] + ["", " \n", "x"]
    card = made(table(tmp_path / "a.jsonl", texts, [*([0, 1] * 20), 1, 1, None]), tmp_path / "out")
    assert card["rows"] == {"read": 43, "dropped": {"empty text": 2, "no label": 1}}


def test_sentiment140_is_known_by_its_columns(tmp_path) -> None:
    """In latin-1, with classes by name, without neutral tweets, and an id only once."""
    card = made(tweets(tmp_path / "tweets.csv"), tmp_path / "out")
    assert card["source"]["kind"] == "sentiment140"
    assert card["rows"] == {"read": 120, "dropped": {"neutral": 12}}
    found = {row["review"]: row for own in rows(tmp_path / "out").values() for row in own}
    assert found['café no. 3, "so" &amp; so'] == {"review": 'café no. 3, "so" &amp; so', "label": "positive", "id": "7"}
    assert found['café no. 4, "so" &amp; so']["id"] == ""
    assert card["ids"] == {"given": True, "repeated": 1}
    kept = made(tmp_path / "tweets.csv", tmp_path / "all", neutral=True)
    assert kept["rows"]["dropped"] == {}
    assert "neutral" in kept["splits"]["train"]["classes"]


def test_another_polarity_is_named_with_its_row(tmp_path) -> None:
    """Rows are counted over the whole file."""
    path = tweets(tmp_path / "tweets.csv")
    path.write_text(path.read_text("latin-1") + '"3","1","","","","x"\n', "latin-1")
    with pytest.raises(UserError, match=r"tweets.csv: the polarity is none of 0, 2, 4 in row 120"):
        made(path, tmp_path / "out")
    assert not (tmp_path / "out" / "train.csv").exists()


def test_the_test_split_of_imdb_is_kept(imdb, tmp_path) -> None:
    """Dev is drawn from train, which loses what test has too; texts without labels are counted."""
    card = made(imdb, tmp_path / "out")
    found = rows(tmp_path / "out")
    assert {row["id"].split("/")[0] for row in found["test"]} == {"test"}
    assert {row["id"].split("/")[0] for row in found["train"] + found["dev"]} == {"train"}
    assert len(found["test"]) == 60
    assert len(found["train"]) + len(found["dev"]) == 58
    assert {split: about["from"] for split, about in card["splits"].items()} == {
        "train": "given",
        "dev": "drawn",
        "test": "given",
    }
    assert sum(card["rows"]["dropped"].values()) == 5
    assert card["rows"]["read"] == 123


@pytest.mark.parametrize("mode", ["w:gz", "w"])
def test_the_archive_of_imdb_gives_the_rows_of_its_folder(imdb, tmp_path, mode) -> None:
    """Whatever order they come in, and nothing is unpacked."""
    path = archived(imdb, mode)
    before = sorted(tmp_path.rglob("*"))
    made(path, tmp_path / "a")
    made(imdb, tmp_path / "b")
    assert sorted(set(tmp_path.rglob("*")) - set(before)) == sorted(
        each for name in ("a", "b") for each in (tmp_path / name, *(tmp_path / name).iterdir())
    )
    ids = [{row["id"]: row for own in rows(tmp_path / name).values() for row in own} for name in ("a", "b")]
    assert ids[0] == ids[1]


def test_members_that_lead_elsewhere_are_no_rows(imdb, tmp_path) -> None:
    """Links and names with `..` are read as what they hold, or not at all; no file appears anywhere."""
    path = archived(imdb, "w")
    with tarfile.open(path, "a") as archive:
        link = tarfile.TarInfo("aclImdb/train/pos/link.txt")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
        escape = tarfile.TarInfo("../../train/pos/escape.txt")
        escape.size = 6
        archive.addfile(escape, io.BytesIO(b"escape"))
    made(path, tmp_path / "out")
    ids = {row["id"]: row["review"] for own in rows(tmp_path / "out").values() for row in own}
    assert "train/pos/link" not in ids
    assert ids["train/pos/escape"] == "escape"
    assert not [*tmp_path.parent.rglob("escape.txt")]


@pytest.mark.parametrize("left", [0.3, 0.5, 0.7, 0.9, 0.95, 0.99, 0.999])
def test_a_torn_archive_is_refused(imdb, tmp_path, left) -> None:
    """Wherever it is torn, with its name; nothing is written."""
    path = archived(imdb)
    path.write_bytes(path.read_bytes()[: int(left * path.stat().st_size)])
    with pytest.raises(UserError, match=r"aclImdb_v1.tar.gz: no archive can be read from it"):
        made(path, tmp_path / "out")
    assert not (tmp_path / "out" / "train.csv").exists()


def test_an_archive_without_texts_is_refused(tmp_path) -> None:
    """With what is expected."""
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "a.txt").write_text("x")
    with pytest.raises(UserError, match=r"no texts as train/<class>/<name>.txt"):
        made(archived(tmp_path / "x"), tmp_path / "out")


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_training_job_reads_what_is_written(reviews, tmp_path, suffix) -> None:
    """The three splits as they were drawn, without a note; the card is not missed."""
    card = made(reviews, tmp_path / "out", suffix=suffix)
    examples = reading.read({"train": tmp_path / "out"}, TrainSettings())
    assert np.bincount(examples.split).tolist() == [split["rows"] for split in card["splits"].values()]
    assert examples.notes == ()


def test_parquet_holds_what_csv_holds(imdb, tmp_path) -> None:
    """Row for row."""
    for suffix in ("csv", "parquet"):
        made(imdb, tmp_path / suffix, suffix=suffix)
    for split, own in rows(tmp_path / "csv").items():
        assert pq.read_table(tmp_path / "parquet" / f"{split}.parquet").to_pylist() == own


def test_other_tables_in_the_folder_are_refused(reviews, tmp_path) -> None:
    """A job would read them too; the tables of an earlier run of the same format are replaced."""
    made(reviews, tmp_path / "out")
    made(reviews, tmp_path / "out", seed=3)
    with pytest.raises(UserError, match=r"`dev.csv`, `test.csv`, `train.csv` would be read"):
        made(reviews, tmp_path / "out", suffix="parquet")


@pytest.mark.parametrize(
    ("texts", "labels", "said"),
    [
        (["a", "b", "c"], ["x", "x", "x"], "the classes of the rows with a text and a label are `x`"),
        (["a", "b"], ["x" * 200, "y"], "labels of up to 200 characters.*--label-column"),
        (["a", "b"], ["x", "y"], "no row is left for dev"),
        (["a", ""], ["x", "y"], "label are `x`: give two or more"),
        ([""], ["x"], "label are none"),
    ],
)
def test_sources_that_make_no_data_are_refused(tmp_path, texts, labels, said) -> None:
    """With what is wrong and what to do."""
    with pytest.raises(UserError, match=said):
        made(table(tmp_path / "a.jsonl", texts, labels), tmp_path / "out")


def test_a_size_beyond_the_rows_is_refused(reviews, tmp_path) -> None:
    """With both figures."""
    with pytest.raises(UserError, match="size is 201, and there are 200 rows"):
        made(reviews, tmp_path / "out", size=201)


def test_a_byte_order_mark_is_no_part_of_a_name(tmp_path) -> None:
    """As spreadsheets write it."""
    path = tmp_path / "a.csv"
    path.write_text("text,label\n" + "".join(f"t{row},{row % 2}\n" for row in range(40)), "utf-8-sig")
    assert made(path, tmp_path / "out")["rows"]["read"] == 40


@pytest.mark.parametrize("content", ["text,label\n", "text,label\nx\n", 'text,label\n"x,1\n', "text,label\n\xff,1\n"])
def test_unsound_tables_are_refused_in_our_words(tmp_path, content) -> None:
    """No rows and so no classes, values that are missing, a quote that is never closed, another encoding: with the file's name, once."""
    (tmp_path / "a.csv").write_text(content, "latin-1")
    with pytest.raises(UserError) as caught:
        made(tmp_path / "a.csv", tmp_path / "out")
    (problem,) = caught.value.problems
    assert problem.count("a.csv: ") == 1
    assert any(word in problem for word in ("none", "values", "UTF-8"))


def test_columns_that_are_not_there_are_named(tmp_path) -> None:
    """Both at once, with the options that name others."""
    path = tmp_path / "a.csv"
    path.write_text("body,stars\nx,1\n")
    with pytest.raises(UserError) as caught:
        made(path, tmp_path / "out")
    first, second = caught.value.problems
    assert "--label-column" in first
    assert "--text-column" in second


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("a.csv", b"review,label\nx,1\n", "csv"),
        ("a.txt", b'"0","146","Mon","NO_QUERY","ann","x"\n', "sentiment140"),
        ("a.csv", b"0,146,Mon,NO_QUERY,ann,x\n", "sentiment140"),
        ("a.data", b' {"text": "x"}\n', "jsonl"),
        ("a.data", b"PAR1...", "parquet"),
        ("a.tgz", b"", "imdb"),
    ],
)
def test_kinds_are_found_by_name_or_content(tmp_path, name, content, kind) -> None:
    """Without opening the source as such."""
    (tmp_path / name).write_bytes(content)
    assert corpora.kind_of(tmp_path / name) == kind


@pytest.mark.parametrize(("name", "content", "said"), [("a.csv", b"", "empty"), ("a.gz", b"\x1f\x8bxx", "gunzip")])
def test_what_is_of_no_kind_is_refused(tmp_path, name, content, said) -> None:
    """With the way out; so is a folder without texts."""
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=said):
        corpora.kind_of(tmp_path / name)
    with pytest.raises(UserError, match=r"no folders of .txt files"):
        corpora.kind_of(tmp_path)
