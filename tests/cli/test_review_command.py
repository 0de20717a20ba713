"""Promises of `relabel review`: out to people, back in, and into the next training job."""

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from relabel.cli.review import command
from relabel.cli.undo import command as undo
from relabel.container import environment
from relabel.data import planted
from relabel.data.reviews import read
from relabel.errors import UserError
from relabel.job.main import train
from relabel.results import audit_table, changes, cleaned, columns, metrics_file
from relabel.results.reviewing import queue

QUICK = {
    "policy": "drop",
    "seeds": 2,
    "folds": 3,
    "passes": 1,
    "max_epochs": 4,
    "lr": 0.003,
    "threads": 1,
    "report": "off",
}
NOISE = np.array([[0.95, 0.05], [0.2, 0.8]])
SIZES = {"train": (500, 0), "dev": (200, 1), "test": (300, 2)}


def job(root: Path, **more: object) -> Path:
    """Run a job in a folder and give its results."""
    here = environment.read({"RELABEL_ROOT": str(root)})
    assert train(here.paths, here, {**QUICK, **more}, lambda _name, _done, _total: None).code == 0
    return root / "output" / "data"


@pytest.fixture(scope="module")
def audited(tmp_path_factory) -> Path:
    """Give a folder with data whose truth is in its texts, and a job's results."""
    root = tmp_path_factory.mktemp("audited")
    for name, (rows, seed) in SIZES.items():
        made = planted.reviews(rows, width=16, noise=NOISE, seed=seed)
        if name == "train":  # duplicates that contradict each other
            made.embeddings[1], made.texts[1] = made.embeddings[0], made.texts[0]
            made.truth[1] = made.truth[0]
            made.given[:2] = [0, 1]
        planted.write(root / "input" / "data" / "train", name, made)
    job(root)
    return root


def truth(text: str) -> str:
    """Tell the right label of a made review."""
    return str(int(any(word in text for word in planted.PRAISE)))


def run(*arguments: object) -> Result:
    """Run the command."""
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def exported(folder: Path, results: Path, *arguments: object) -> list[dict[str, str]]:
    """Export a sheet and give its records."""
    done = run("export", results, "--output", folder / "queue.csv", *arguments)
    assert done.exit_code == 0, done.output
    return [*csv.DictReader(io.StringIO((folder / "queue.csv").read_text("utf-8-sig"), newline=""))]


def answered(path: Path, records: list[dict[str, str]], reviewer: str = "ann") -> Path:
    """Answer a sheet rightly; what is answered already stays."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(records[0]))
        writer.writeheader()
        for record in records:
            writer.writerow({**record, "answer": record["answer"] or truth(record["text"]), "reviewer": reviewer})
    return path


def taken(results: Path, reviews: Path, *arguments: object) -> Result:
    """Import files."""
    return run("import", *arguments, "--results", results, "--reviews", reviews)


def test_the_queue_begins_with_the_contradicting_duplicates(audited, tmp_path) -> None:
    """They are one question; the share of drawn rows is there; the splits are those asked for."""
    results = audited / "output" / "data"
    records = exported(tmp_path, results, "--count", 40, "--splits", "train")
    why = [record["why"] for record in records]
    assert (len(records), why.count("conflict"), why.count("random")) == (40, 1, 4)
    assert "conflict" in why[:5]
    assert {record["split"] for record in records} == {"train"}
    both = exported(tmp_path, results, "--count", 40, "--splits", "dev,test", "--random-share", 0)
    assert {record["split"] for record in both} == {"dev", "test"}
    posteriors = [float(record["posterior"]) for record in both]
    assert posteriors == sorted(posteriors, reverse=True)


@pytest.mark.parametrize("form", ["csv", "jsonl", "labelstudio", "groundtruth"])
def test_a_round_trip_through_every_format_comes_to_the_same(audited, tmp_path, form) -> None:
    """Out, answered as the tool writes answers, and in: the same decisions on the same rows, and nothing on a second import."""
    results, reviews = audited / "output" / "data", tmp_path / "reviews.jsonl"
    path = tmp_path / f"queue{'.csv' if form == 'csv' else '.json' if form == 'labelstudio' else '.jsonl'}"
    assert run("export", results, "--output", path, "--format", form, "--count", 30).exit_code == 0
    records = exported(tmp_path, results, "--count", 30)
    if form == "csv":
        answered(path, records)
    elif form == "jsonl":
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        path.write_text("".join(json.dumps({**one, "answer": truth(one["text"])}) + "\n" for one in lines))
    elif form == "labelstudio":
        tasks = json.loads(path.read_text())
        shown = {"0": "Negative", "1": "Positive"}
        for number, task in enumerate(tasks):
            region = {**task["predictions"][0]["result"][0], "origin": "manual"}
            region["value"] = {"choices": [shown[truth(task["data"]["text"])]]}
            when = "2026-03-02T09:00:00.000000Z"
            one = {"id": number, "completed_by": 1, "result": [region], "was_cancelled": False, "created_at": when}
            task.update(id=number, annotations=[{**one, "updated_at": when, "lead_time": 2.5}], meta={})
        path.write_text(json.dumps(tasks))
    else:
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        for line in lines:
            name = {"0": "Negative", "1": "Positive"}[truth(line["source"])]
            about = {"class-name": name, "confidence": 0, "human-annotated": "yes", "job-name": "labeling-job/x"}
            kind = {"type": "groundtruth/text-classification", "creation-date": "2026-03-02T09:00:00.527256"}
            line.update({"x": int(name == "Positive"), "x-metadata": {**about, **kind}})
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    first = taken(results, reviews, path)
    assert first.exit_code == 0, first.output
    kept = reviews.read_bytes()
    answers = read(reviews)
    assert len(answers) == 30
    assert {answer.row_hash: answer.answer for answer in answers} == {
        record["row_hash"]: truth(record["text"]) for record in records
    }
    again = taken(results, reviews, path)
    assert "0 new answers, 30 known before" in again.output
    assert reviews.read_bytes() == kept
    assert not {record["row_hash"] for record in exported(tmp_path, results, "--reviews", reviews)} & {
        answer.row_hash for answer in answers
    }


def test_mistakes_stop_everything_unless_they_are_skipped(audited, tmp_path) -> None:
    """All are said at once and nothing is written; skipped, the good ones count and the bad ones wait to be mended."""
    results, reviews = audited / "output" / "data", tmp_path / "reviews.jsonl"
    records = exported(tmp_path, results, "--count", 10)
    records[3]["answer"] = "Postive"
    records[5]["row_hash"] = "0" * 32
    path = answered(tmp_path / "answers.csv", records)
    refused = taken(results, reviews, path)
    assert isinstance(refused.exception, UserError)
    assert len(refused.exception.problems) == 2
    assert "line 5: an answer `Postive`" in str(refused.exception)
    assert "line 7" in str(refused.exception)
    assert not reviews.exists()
    skipped = taken(results, reviews, path, "--skip-bad")
    assert skipped.exit_code == 0, skipped.output
    assert len(read(reviews)) == 8
    bad = tmp_path / "answers.bad.csv"
    left = [*csv.DictReader(io.StringIO(bad.read_text("utf-8-sig"), newline=""))]
    assert [record["text"] for record in left] == [records[3]["text"], records[5]["text"]]
    left[0]["answer"], left[1]["row_hash"] = "1", ""
    mended = taken(results, reviews, answered(bad, left))
    assert mended.exit_code == 0, mended.output
    assert len(read(reviews)) == 10
    assert read(reviews)[8].answer == "1"


def test_several_files_are_taken_together_or_not_at_all(audited, tmp_path) -> None:
    """A file that cannot be read stops the others, with its name."""
    results, reviews = audited / "output" / "data", tmp_path / "reviews.jsonl"
    good = answered(tmp_path / "good.csv", exported(tmp_path, results, "--count", 5))
    bad = tmp_path / "bad.json"
    bad.write_text("{")
    refused = taken(results, reviews, good, bad, "--skip-bad")
    assert "bad.json: no JSON" in str(refused.exception)
    assert not reviews.exists()


def test_a_dispute_is_asked_again_first_and_a_third_person_settles_it(audited, tmp_path) -> None:
    """Until then neither answer counts."""
    results, reviews = audited / "output" / "data", tmp_path / "reviews.jsonl"
    records = exported(tmp_path, results, "--count", 5)
    taken(results, reviews, answered(tmp_path / "ann.csv", records))
    other = str(1 - int(truth(records[2]["text"])))
    taken(results, reviews, answered(tmp_path / "bob.csv", [{**records[2], "answer": other}], "bob"))
    again = exported(tmp_path, results, "--count", 5, "--reviews", reviews)
    assert (again[0]["row_hash"], again[0]["why"]) == (records[2]["row_hash"], "disputed")
    assert again[1]["why"] != "disputed"
    taken(results, reviews, answered(tmp_path / "cleo.csv", [{**again[0], "answer": other}], "cleo"))
    assert "disputed" not in {record["why"] for record in exported(tmp_path, results, "--reviews", reviews)}
    told = json.loads(run("status", "--results", results, "--reviews", reviews, "--json").output)
    assert told["disputed"] == 0


def test_status_says_how_far_it_is(audited, tmp_path) -> None:
    """As a table and as JSON, the same figures."""
    results, reviews = audited / "output" / "data", tmp_path / "reviews.jsonl"
    records = exported(tmp_path, results, "--count", 60, "--random-share", 0.3)
    taken(results, reviews, answered(tmp_path / "ann.csv", records[:50]))
    arguments = ("status", "--results", results, "--reviews", reviews, "--asked", tmp_path / "queue.csv")
    table, told = run(*arguments), json.loads(run(*arguments, "--json").output)
    assert table.exit_code == 0, table.output
    wrong = sum(record["given"] != truth(record["text"]) for record in records[:50])
    assert (told["asked"], told["answered"], told["wrong"], told["right"]) == (60, 50, wrong, 50 - wrong)
    assert told["precision"]["low"] < told["precision"]["value"] <= told["precision"]["high"]
    assert told["recall"]["low"] <= told["recall"]["value"] <= told["recall"]["high"]
    assert told["remaining"]["low"] <= told["remaining"]["value"] <= told["remaining"]["high"]
    assert told["next"]["10"] <= told["next"]["50"] <= told["next"]["100"]
    assert "50 of 60 asked" in table.output
    assert "worth asking" in table.output


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["export", ".", "--output", "x.csv"], "output/data"),
        (["export", "{results}", "--output", "x.csv", "--splits", "train,tset"], "--splits names 'tset'"),
    ],
)
def test_what_cannot_be_asked_is_said(audited, tmp_path, monkeypatch, arguments, word) -> None:
    """Before anything is written."""
    monkeypatch.chdir(tmp_path)
    done = run(*(one.format(results=audited / "output" / "data") for one in arguments))
    assert isinstance(done.exception, UserError)
    assert word in str(done.exception)
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize("command", ["status", "export", "import"])
def test_the_page_s_own_file_is_no_file_of_answers(audited, tmp_path, command) -> None:
    """Whoever gives it is told the command that writes its decisions as answers."""
    results, store = audited / "output" / "data", tmp_path / "review.sqlite"
    store.write_bytes(b"SQLite format 3\0")
    given = {
        "status": ("--results", results, "--reviews", store),
        "export": (results, "--output", tmp_path / "x.csv", "--reviews", store),
        "import": (store, "--results", results, "--reviews", tmp_path / "reviews.jsonl"),
    }
    done = run(command, *given[command])
    assert isinstance(done.exception, UserError)
    assert f"`relabel review answers {store} --results" in str(done.exception)
    assert [*tmp_path.iterdir()] == [store]


def test_a_file_of_answers_that_is_not_there_yet_is_said(audited, tmp_path) -> None:
    """A review may begin without one; a mistyped name is seen."""
    done = run("status", "--results", audited / "output" / "data", "--reviews", tmp_path / "reviws.jsonl")
    assert done.exit_code == 0
    assert "reviws.jsonl is not there yet: no answers so far" in done.stderr


def test_a_place_that_cannot_be_written_is_said(audited, tmp_path) -> None:
    """In one line, whichever command writes."""
    (tmp_path / "file").write_text("")
    done = run("export", audited / "output" / "data", "--output", tmp_path / "file" / "x.csv")
    assert isinstance(done.exception, UserError)
    assert "file/x.csv: cannot be written" in str(done.exception)


@pytest.fixture(scope="module")
def reviewed(audited, tmp_path_factory) -> Path:
    """Give the folder of a job on the same data, with a channel of answers on rows of all splits."""
    root = tmp_path_factory.mktemp("reviewed")
    results = audited / "output" / "data"
    (root / "input" / "data" / "reviewed").mkdir(parents=True)
    (root / "input" / "data" / "train").symlink_to(audited / "input" / "data" / "train")
    records = exported(root, results, "--count", 150, "--random-share", 0.5)
    named = next(n for n, one in enumerate(records) if one["why"] == "worst" and one["split"] == "train")
    records[named]["answer"] = "neither"
    done = taken(results, root / "input" / "data" / "reviewed" / "reviews.jsonl", answered(root / "a.csv", records))
    assert done.exit_code == 0, done.output
    job(root)
    return root


def test_a_job_trusts_what_people_decided(audited, reviewed) -> None:
    """Reviewed rows carry the answer, are never doubted, flagged or treated, and the rest of the job is as ever."""
    answers = {
        answer.row_hash: answer.answer for answer in read(reviewed / "input" / "data" / "reviewed" / "reviews.jsonl")
    }
    rows = audit_table.read(reviewed / "output" / "data").to_pylist()
    decided = [row for row in rows if row["reviewed"]]
    assert {row["split"] for row in decided} == {"train", "dev", "test"}
    assert len(decided) == 151, "the contradicting duplicates are two rows"
    for row in decided:
        answer = answers.get(row["row_hash"], truth(row["text"]))
        assert row["given_label"] == (None if answer == "neither" else answer)
        assert row["left_out"] == (answer == "neither")
        assert (row["posterior"], row["flagged"], row["decision"]) == (0.0, False, "keep")
    assert any(row["decision"] == "drop" for row in rows)
    figures = metrics_file.read(reviewed / "output" / "data")
    assert sum(figures["data"]["reviewed"].values()) == 151
    assert not {row["row_hash"] for row in decided} & {
        one["row_hash"] for one in exported(reviewed, reviewed / "output" / "data", "--count", 2000)
    }, "what is trusted is not asked again"
    assert metrics_file.read(audited / "output" / "data")["comparison_verified"] is None


def test_verified_test_rows_give_a_comparison_of_their_own(reviewed) -> None:
    """On those drawn by chance, and for all test rows together."""
    found = metrics_file.read(reviewed / "output" / "data")["comparison_verified"]
    rows = [row for row in audit_table.read(reviewed / "output" / "data").to_pylist() if row["split"] == "test"]
    assert found["rows"] == sum(row["reviewed"] for row in rows)
    assert found["drawn"]["rows"] >= 20
    gain = found["gain"]["accuracy"]
    assert gain["low"] <= gain["value"] <= gain["high"]


def test_the_journal_names_who_changed_a_label_and_undo_needs_the_row(reviewed, tmp_path) -> None:
    """People's changes stay under --all; named, they go back, a left-out row among them; a row of test is not put into train."""
    results = reviewed / "output" / "data"
    journal = changes.read(results / "journal.jsonl")
    people = [change for change in journal if change.decision == "review"]
    assert people
    assert {change.reviewer for change in people} == {"ann"}
    assert all(change.new_label is None or change.new_label == truth(change.text) for change in people)
    assert all(change.old_label != change.new_label for change in people)
    assert {change.reviewer for change in journal if change.decision == "drop"} == {None}
    given = [
        "--journal",
        results / "journal.jsonl",
        "--labels",
        results / "cleaned.csv",
        "--output",
        tmp_path / "out.csv",
    ]

    def undone(*arguments: object) -> Result:
        return CliRunner().invoke(undo, [str(one) for one in (*given, *arguments)])

    everything = undone("--all")
    assert everything.exit_code == 0, everything.output
    kept = {(row["file"], int(row["row"])): row["label"] for row in cleaned.read(results)}
    after = {(r["file"], int(r["row"])): r["label"] for r in columns.read_csv(tmp_path / "out.csv")}
    assert all(after[place] == label for place, label in kept.items())
    assert f"{len(people):,} changes that people decided stay" in everything.output
    train_rows = [change for change in people if change.split == "train"]
    assert any(change.new_label is None for change in train_rows)
    named = tmp_path / "rows.csv"
    named.write_text("file,row\n" + "".join(f"{change.file},{change.row}\n" for change in train_rows))
    assert undone("--rows", named).exit_code == 0
    after = {(r["file"], int(r["row"])): r["label"] for r in columns.read_csv(tmp_path / "out.csv")}
    assert {change.place: after[change.place] for change in train_rows} == {c.place: c.old_label for c in train_rows}
    other = next(change for change in people if change.split == "test")
    named.write_text(f"file,row\n{other.file},{other.row}\n")
    assert "give the label file of that split" in str(undone("--rows", named).exception)


def test_no_policy_overrules_a_person(audited, tmp_path) -> None:
    """Labels that the audit is surest are wrong, and that people confirm, stay through a policy that flips everything flagged."""
    root, results = tmp_path / "confirmed", audited / "output" / "data"
    (root / "input" / "data" / "reviewed").mkdir(parents=True)
    (root / "input" / "data" / "train").symlink_to(audited / "input" / "data" / "train")
    records = [{**one, "answer": one["given"]} for one in exported(tmp_path, results, "--random-share", 0)]
    answered(root / "input" / "data" / "reviewed" / "queue.csv", records)
    after = audit_table.read(job(root, policy="flip", flip_above=0.0)).to_pylist()
    kept = {row["row_hash"]: row for row in after}
    for record in records:
        row = kept[record["row_hash"]]
        assert (row["given_label"], row["decision"], row["flagged"]) == (record["given"], "keep", False)
    assert any(row["decision"] == "flip" for row in after)
    labels = {(row["file"], row["row"]): row["label"] for row in cleaned.read(root / "output" / "data")}
    for record in records:
        assert labels.get((record["file"], record["row"]), record["given"]) == record["given"]


def test_a_class_whose_rows_are_all_trusted_breaks_nothing(audited, tmp_path) -> None:
    """Folds, noise rates and the policy go on where nobody doubts a class any more."""
    root = tmp_path / "trusted"
    (root / "input" / "data" / "reviewed").mkdir(parents=True)
    (root / "input" / "data" / "train").symlink_to(audited / "input" / "data" / "train")
    rows = audit_table.read(audited / "output" / "data").to_pylist()
    sheet = root / "input" / "data" / "reviewed" / "all.csv"
    sheet.write_text(
        "row_hash,answer\n" + "".join(f"{row['row_hash']},1\n" for row in rows if truth(row["text"]) == "1")
    )
    results = job(root)
    after = audit_table.read(results).to_pylist()
    assert all(row["given_label"] == "1" and row["decision"] == "keep" for row in after if truth(row["text"]) == "1")


def test_a_report_reckons_with_the_share_that_is_drawn_when_nobody_sets_it() -> None:
    """What it says of the first questions is of those that both commands ask."""
    for name in ("export", "serve"):
        share = next(one for one in command.commands[name].params if one.name == "random_share")
        assert share.default == queue.RANDOM_SHARE
