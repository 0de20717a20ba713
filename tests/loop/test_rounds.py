"""Promises of a loop's rounds, with a job that is handed in."""

from __future__ import annotations

import csv
import io
import itertools
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from click.testing import CliRunner

from relabel.cli.main import commands
from relabel.data import planted, reading, reviews
from relabel.errors import UserError
from relabel.loop import asking, places, rounds, standing, starting, training
from relabel.loop import folder as folders
from relabel.loop import rows as stored
from relabel.loop.asking import Asked
from relabel.loop.folder import Loop
from relabel.loop.journal import Journal, sha256
from relabel.loop.training import Job
from relabel.model import artifact
from relabel.model.artifact import Artifact, Model
from relabel.settings import TrainSettings

WIDTH = 4
CLEAN = np.eye(2)


class Traffic(NamedTuple):
    """Captured rows."""

    ids: np.ndarray
    vectors: np.ndarray | None
    texts: np.ndarray | None


def model(folder: Path, bias: float) -> Path:
    """Write a model that differs from others by its bias."""
    tensors = {"mean": np.zeros(WIDTH, np.float32), "scale": np.ones(WIDTH, np.float32)}
    tensors |= {"weight.0": np.eye(WIDTH, 2, dtype=np.float32), "bias.0": np.full(2, bias, np.float32)}
    sizes = {"inputs": WIDTH, "width": 1, "depth": 0, "classes": 2}
    artifact.save(folder, Artifact(Model("dense", sizes, tensors), ("0", "1"), "given"))
    return folder


def traffic(rows: int, seed: int) -> Traffic:
    """Draw traffic."""
    made = planted.reviews(rows, width=WIDTH, noise=CLEAN, seed=seed)
    ids = np.array([f"{seed}-{n}/0" for n in range(rows)], np.object_)
    return Traffic(ids, made.embeddings, np.array(made.texts, np.object_))


def see(rows):
    """Say that all is as unsure as its first number is small."""
    one = 1 / (1 + np.exp(-rows.vectors[:, 0].astype(np.float64)))
    return np.stack([1 - one, one], axis=1), rows.vectors


def job(decision: str = "promote", *, fails: bool = False):
    """Make a job that writes what a real one writes; each model is another."""
    number = itertools.count(1)
    seen: list[Job] = []

    def run(asked: Job) -> None:
        seen.append(asked)
        if fails:
            raise UserError("the job ended with 3")
        model(asked.output / "model", float(next(number)))
        scores = {side: {"accuracy": 0.8} for side in ("champion", "challenger")}
        found = {"decision": decision, "reason": "so it is", "rows": 100, "scores": scores, "gain": {}}
        path = asked.output / "output" / "data" / "champion.json"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(found))

    return run, seen


@pytest.fixture
def loop(tmp_path) -> Loop:
    """A loop that has begun."""
    for name, rows, seed in (("train", 60, 0), ("dev", 20, 1), ("test", 20, 2)):
        planted.write(tmp_path / "data", name, planted.reviews(rows, width=WIDTH, noise=CLEAN, seed=seed))
    return begun(tmp_path)


def begun(tmp_path: Path) -> Loop:
    """Begin, or come back."""
    (tmp_path / "loop").mkdir(exist_ok=True)
    clock = itertools.count()
    journal = Journal(tmp_path / "loop", lambda: f"2026-01-01T00:00:{next(clock):02}", "ann")
    examples = reading.read({"train": tmp_path / "data"}, TrainSettings())
    first = model(tmp_path / "model", 0.0)
    return starting.start(journal, examples, first, artifact.load(first), {"seed": 1, "settings": {"seeds": "2"}})


def chosen(loop: Loop, count: int = 30, seed: int = 7):
    """Collect and select."""
    rounds.collect(loop, traffic(100, seed))
    return rounds.select(loop, see, count, test_share=0.2, random_share=0.2, method="margin")


def answer(loop: Loop, *, reviewer: str = "ann", says: str = "", rows: slice = slice(None)) -> str:
    """Export, fill in, import; what the import printed."""
    folder = loop.folder
    sheet = folder.parent / "queue.csv"
    done = CliRunner().invoke(commands, ["loop", "export", str(folder), "--output", str(sheet)])
    assert done.exit_code == 0, done.exception
    records = [*csv.DictReader(io.StringIO(sheet.read_text("utf-8-sig"), newline=""))]
    for one in records[rows]:
        right = str(int(any(word in one["text"] for word in planted.PRAISE)))
        one |= {"answer": says or right, "reviewer": reviewer}
    with sheet.open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=[*records[0]])
        writer.writeheader()
        writer.writerows(records)
    taken = CliRunner().invoke(commands, ["loop", "import", str(folder), str(sheet)])
    return taken.output if taken.exit_code == 0 else str(taken.exception)


def labels(path: Path) -> dict[str, str]:
    """Read the labels of a file by row."""
    return {one["row_hash"]: one["label"] for one in csv.DictReader(io.StringIO(path.read_text(), newline=""))}


def test_a_round_trains_on_old_and_new_labels_and_promotes(loop) -> None:
    """Test rows apart, the champion handed to the job, the settings of the loop beside those of the moment."""
    asked = chosen(loop)
    assert "30 new answers" in answer(loop)
    run, seen = job()
    facts = training.train(loop, run, {"max_epochs": "2"})
    assert facts["labels"] == {"random": 5, "test": 6, "unsure": 19}
    assert seen[0].settings == {"seeds": "2", "max_epochs": "2"}
    assert seen[0].champion == loop.folder / "models" / artifact.load(loop.folder.parent / "model").short_hash
    data = seen[0].data
    assert {path.name for path in data.glob("*.csv")} == {
        "train.csv",
        "dev.csv",
        "test.csv",
        "train-asked.csv",
        "test-asked.csv",
    }
    assert {*labels(data / "test-asked.csv")} == {*asked.hash[asked.why == "test"].tolist()}
    assert len(reading.read({"train": data}, TrainSettings())) == 130
    assert rounds.decide(loop, places.Here())["promoted"]
    assert loop.champion().name == facts["challenger"]
    assert loop.at() == (2, "")


def test_people_who_disagree_are_told_and_a_third_settles_it(loop) -> None:
    """The row is trained on by nobody until then, is exported again first, and no answer is lost."""
    chosen(loop)
    answer(loop)
    told = answer_again(loop, "bob", wrong=3)
    assert "27 of 30 rows settled; 3 open, 3 of them disputed" in told
    run, seen = job()
    training.train(loop, run, {})
    assert sum(len(labels(seen[0].data / f"{name}-asked.csv")) for name in ("train", "test")) == 27
    assert "30 of 30 rows settled" in answer(loop, reviewer="cleo")
    assert len(loop.answers()) == 63


def answer_again(loop: Loop, reviewer: str, wrong: int) -> str:
    """Let another person answer the same sheet, the first rows otherwise."""
    sheet = loop.folder.parent / "queue.csv"
    records = [*csv.DictReader(io.StringIO(sheet.read_text(), newline=""))]
    for n, one in enumerate(records):
        one |= {"reviewer": reviewer, "answer": str(1 - int(one["answer"])) if n < wrong else one["answer"]}
    with sheet.open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=[*records[0]])
        writer.writeheader()
        writer.writerows(records)
    return CliRunner().invoke(commands, ["loop", "import", str(loop.folder), str(sheet)]).output


def test_answers_come_in_parts_and_late_ones_are_for_the_next_round(loop) -> None:
    """What is open stays open; rows that no class fits are settled, and left out."""
    chosen(loop)
    assert "10 of 30 rows settled" in answer(loop, rows=slice(10))
    assert "15 of 30 rows settled" in answer(loop, rows=slice(5), says="neither")
    run, seen = job("keep")
    training.train(loop, run, {})
    rounds.decide(loop, places.Here())
    answer(loop)
    chosen(loop, seed=8)
    answer(loop)
    training.train(loop, run, {})
    counts = [sum(len(labels(one.data / f"{name}-asked.csv")) for name in ("train", "test")) for one in seen]
    assert counts == [10, 55]


def test_a_bad_file_changes_nothing_and_all_that_is_wrong_is_said(loop) -> None:
    """An answer that is no class stops the import."""
    chosen(loop)
    assert "no class" in answer(loop, says="maybe")
    assert loop.answers() == ()
    assert loop.journal.last("import") is None


def test_a_job_that_fails_is_run_again_on_the_same_data(loop) -> None:
    """Even where answers came in between; the round is not over before."""
    chosen(loop)
    answer(loop, rows=slice(10))
    with pytest.raises(UserError, match="ended with 3"):
        training.train(loop, job(fails=True)[0], {})
    before = {path.name: path.read_bytes() for path in (loop.round_folder(1) / "data").iterdir()}
    answer(loop)
    assert loop.at() == (1, "select")
    training.train(loop, job()[0], {})
    assert {path.name: path.read_bytes() for path in (loop.round_folder(1) / "data").iterdir()} == before


def test_without_evidence_the_champion_stays_unless_a_person_says_why(loop) -> None:
    """The reason stands in the journal; the one before can serve again, and then the other."""
    first = loop.champion()
    for number, force in ((1, ""), (2, "the old one is too slow")):
        chosen(loop, seed=number)
        answer(loop)
        training.train(loop, job("keep")[0], {})
        facts = rounds.decide(loop, places.Here(), force=force)
        assert facts["promoted"] == bool(force)
        assert (loop.champion() == first) != bool(force)
    decided = loop.journal.last("decide")
    assert decided is not None
    assert decided.facts["forced"] == "the old one is too slow"
    second = loop.champion()
    assert places.rollback(loop, places.Here()) == first.name
    assert loop.champion() == first
    assert places.rollback(loop, places.Here()) == second.name
    assert [event.step for event in loop.journal.events()][-2:] == ["rollback", "rollback"]


def test_steps_out_of_their_order_say_what_comes_first(loop) -> None:
    """And nothing is written."""
    run, _ = job()
    with pytest.raises(UserError, match="relabel loop collect"):
        rounds.select(loop, see, 5, test_share=0, random_share=0, method="margin")
    with pytest.raises(UserError, match="relabel loop select"):
        training.train(loop, run, {})
    with pytest.raises(UserError, match="nothing to go back to"):
        places.rollback(loop, places.Here())
    chosen(loop)
    with pytest.raises(UserError, match="no answers yet"):
        training.train(loop, run, {})
    with pytest.raises(UserError, match="relabel loop train"):
        rounds.decide(loop, places.Here())
    with pytest.raises(UserError, match="collect for the next round"):
        rounds.collect(loop, traffic(5, 99))
    assert [event.step for event in loop.journal.events()] == ["start", "collect", "select"]


def test_steps_done_twice_are_done_once(loop, tmp_path) -> None:
    """Beginning, choosing and deciding; more traffic before the choice is added to the round."""
    again = begun(tmp_path)
    assert again.about == loop.about
    assert rounds.collect(loop, traffic(10, 3))["rows"] == 10
    assert rounds.collect(loop, traffic(10, 3))["rows"] == 0
    assert rounds.collect(loop, traffic(15, 4))["in_round"] == 25
    one = rounds.select(loop, see, 9, test_share=0.3, random_share=0.2, method="margin")
    two = rounds.select(loop, see, 5, test_share=0.9, random_share=0.2, method="random")
    assert one.hash.tolist() == two.hash.tolist()
    answer(loop)
    training.train(loop, job()[0], {})
    assert rounds.decide(loop, places.Here()) == rounds.decide(loop, places.Here())
    steps = [event.step for event in loop.journal.events()]
    assert steps == ["start", "collect", "collect", "select", "import", "train", "decide"]


def test_files_of_a_step_that_broke_off_are_no_part_of_the_loop(loop) -> None:
    """A crash before the line in the journal leaves a round that begins anew."""
    rounds.collect(loop, traffic(10, 3))
    whole = loop.journal.path.read_bytes()
    rounds.select(loop, see, 5, test_share=0, random_share=0, method="margin")
    loop.journal.path.write_bytes(whole)  # as if the power had gone before the line
    assert loop.at() == (1, "collect")
    assert standing.waiting(loop).asked == 0
    again = rounds.select(loop, see, 3, test_share=0, random_share=0, method="margin")
    assert len(again) == 3


def test_traffic_that_broke_off_between_its_two_files_is_collected_again(loop) -> None:
    """More traffic in a round rewrites both; a crash after the first, or before the line in the journal, loses and doubles nothing."""
    rounds.collect(loop, traffic(10, 3))
    path = loop.round_folder(1) / "pool.csv"
    table, journal = path.read_bytes(), loop.journal.path.read_bytes()
    rounds.collect(loop, traffic(15, 4))
    whole = path.read_bytes()
    loop.journal.path.write_bytes(journal)  # as if the power had gone before the line
    assert [len(rows) for _, rows in loop.pools()] == [10]
    path.write_bytes(table)  # and before the table
    [(_, rows)] = loop.pools()
    assert rows.vectors is not None
    assert rows.vectors.tolist() == traffic(10, 3).vectors.tolist()
    assert rounds.collect(loop, traffic(15, 4))["in_round"] == 25
    assert path.read_bytes() == whole


def test_evidence_against_a_model_that_serves_no_more_promotes_nothing(loop) -> None:
    """Whoever goes back between training and promoting has to compare with what serves then."""
    for number in (1, 2):
        chosen(loop, seed=number)
        answer(loop)
        training.train(loop, job()[0] if number == 1 else (run := second()), {})
        if number == 1:
            rounds.decide(loop, places.Here())
    places.rollback(loop, places.Here())
    with pytest.raises(UserError, match="relabel loop train"):
        rounds.decide(loop, places.Here())
    training.train(loop, run, {})
    assert rounds.decide(loop, places.Here())["promoted"]


def second():
    """Make a job that may run again, and makes the same model."""

    def run(asked: Job) -> None:
        shutil.rmtree(asked.output, ignore_errors=True)
        job()[0](asked)
        model(asked.output / "model", 9.0)

    return run


def test_going_back_is_done_once_where_it_broke_off(loop) -> None:
    """A crash between the pointer and the line in the journal: the next try writes the line, and does not go forward again."""
    first = loop.champion()
    chosen(loop)
    answer(loop)
    training.train(loop, job()[0], {})
    journal = loop.journal.path.read_bytes()
    rounds.decide(loop, places.Here())
    decided = loop.journal.path.read_bytes()
    loop.journal.path.write_bytes(journal)  # as if the power had gone before the line
    with pytest.raises(UserError, match="promote` broke off"):
        places.rollback(loop, places.Here())
    loop.journal.path.write_bytes(decided)
    for _ in range(2):
        assert places.rollback(loop, places.Here()) == first.name
        assert loop.champion() == first
        loop.journal.path.write_bytes(decided)


def test_people_answer_while_a_job_runs(loop) -> None:
    """A job takes hours; both write into one journal, and no line is lost."""
    chosen(loop)
    answer(loop, rows=slice(10))

    def run(asked: Job) -> None:
        assert "20 new answers" in answer(loop)
        job()[0](asked)

    with loop.journal.alone():
        training.train(loop, run, {})
    assert [event.step for event in loop.journal.events()][-3:] == ["import", "import", "train"]


def test_a_standing_loop_is_not_touched_by_a_start_of_other_data(loop, tmp_path) -> None:
    """The refusal leaves its first rows as they are."""
    before = {path.name: path.read_bytes() for path in loop.base.iterdir()}
    planted.write(tmp_path / "data", "train", planted.reviews(50, width=WIDTH, noise=CLEAN, seed=9))
    with pytest.raises(UserError, match="another folder"):
        begun(tmp_path)
    assert {path.name: path.read_bytes() for path in loop.base.iterdir()} == before
    assert [path.name for path in (loop.folder / "rounds" / "0000").iterdir()] == ["data"]


@pytest.mark.parametrize("name", ["loop.json", "serving.json"])
@pytest.mark.parametrize("content", [b"{", b"[]", b"1", b"\xff", b"{}"])
def test_broken_files_are_named(loop, name, content) -> None:
    """What can be mended by hand is no fault of the program."""
    (loop.folder / name).write_bytes(content)
    with pytest.raises(UserError, match=name):
        folders.opened(loop.folder, loop.journal).serving()


def test_labels_that_came_after_a_job_was_begun_are_not_counted_as_its(loop) -> None:
    """The journal says how many labels the model learned from."""
    chosen(loop)
    answer(loop, rows=slice(10))
    with pytest.raises(UserError, match="ended with 3"):
        training.train(loop, job(fails=True)[0], {})
    answer(loop)
    assert sum(training.train(loop, job()[0], {})["labels"].values()) == 10


def test_a_place_elsewhere_is_told_before_the_pointer_moves(loop) -> None:
    """Where it refuses, the model that serves is still the one that the pointer names, and the round is not over."""

    class Refuses:
        def put(self, model: Path) -> None:
            raise UserError(f"{model.name}: no")

    chosen(loop)
    answer(loop)
    training.train(loop, job()[0], {})
    before = loop.serving()
    with pytest.raises(UserError, match="no"):
        rounds.decide(loop, Refuses())
    assert loop.serving() == before
    assert loop.at() == (1, "train")
    assert rounds.decide(loop, places.Here())["promoted"]


def test_other_classes_and_folders_that_are_none_are_refused(loop, tmp_path) -> None:
    """With what to do."""
    with pytest.raises(UserError, match="relabel loop start"):
        folders.opened(tmp_path, loop.journal)
    strange = Artifact(artifact.load(tmp_path / "model").model, ("bad", "good"), "given")
    examples = reading.read({"train": tmp_path / "data"}, TrainSettings())
    with pytest.raises(UserError, match="bad"):
        starting.start(loop.journal, examples, tmp_path / "model", strange, {"seed": 0, "settings": {}})
    with pytest.raises(UserError, match="another folder"):
        starting.start(
            loop.journal, examples, tmp_path / "model", artifact.load(tmp_path / "model"), {"seed": 2, "settings": {}}
        )


def test_doubtful_labels_are_asked_about_again_and_answers_on_them_are_trusted(loop) -> None:
    """The worst first; the answers go to the job as such, and the rows stand in no new file of data."""
    base = stored.read(loop.base / "train.csv")
    nothing = np.full(len(base), "", np.object_)
    given = np.array([*labels(loop.base / "train.csv").values()], np.object_)
    known = Asked(base.hash, base.id, base.texts, nothing, given, np.zeros(len(base), np.int64))
    value = np.arange(len(base), dtype=np.float64)
    doubted = replace(asking.questions(known, loop.classes), flagged=value > 0, value=value)
    rounds.collect(loop, traffic(100, 7))
    asked = rounds.select(loop, see, 10, test_share=0.2, random_share=0.2, method="margin", doubtful=3, doubted=doubted)
    assert asked.hash[asked.why == "doubtful"].tolist() == base.hash[::-1][:3].tolist()
    assert asked.given[asked.why == "doubtful"].tolist() == given[::-1][:3].tolist()
    answer(loop)
    run, seen = job()
    training.train(loop, run, {})
    assert seen[0].reviews is not None
    assert {one.row_hash for one in reviews.read(seen[0].reviews)} == {*base.hash[::-1][:3].tolist()}
    assert len({**labels(seen[0].data / "train-asked.csv"), **labels(seen[0].data / "test-asked.csv")}) == 7


def test_answers_of_an_import_that_broke_off_are_written_down_by_the_next(loop) -> None:
    """None is lost and none counted twice, and the journal has the hash of the file as it is."""
    chosen(loop)
    whole = loop.journal.path.read_bytes()
    answer(loop)
    loop.journal.path.write_bytes(whole)  # as if the power had gone before the line
    done = CliRunner().invoke(commands, ["loop", "import", str(loop.folder), str(loop.folder.parent / "queue.csv")])
    assert "0 new answers, 30 known before" in done.output
    last = loop.journal.last("import")
    assert last is not None
    assert last.files == {"answers.jsonl": sha256(loop.answers_path)}
