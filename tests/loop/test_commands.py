"""Promises of what the commands of a loop say and refuse."""

from __future__ import annotations

import csv
import io
import itertools
import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from click.testing import CliRunner, Result

from relabel.cli.main import commands
from relabel.data import planted, reading
from relabel.data.examples import Examples
from relabel.errors import UserError
from relabel.loop import places, rounds, rows, standing, starting, training, wording
from relabel.loop.folder import Loop
from relabel.loop.journal import Journal
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


def model(folder: Path, bias: float, width: int = WIDTH) -> Path:
    """Write a model of embeddings that differs from others by its bias."""
    tensors = {"mean": np.zeros(width, np.float32), "scale": np.ones(width, np.float32)}
    tensors |= {"weight.0": np.eye(width, 2, dtype=np.float32), "bias.0": np.full(2, bias, np.float32)}
    sizes = {"inputs": width, "width": 1, "depth": 0, "classes": 2}
    artifact.save(folder, Artifact(Model("dense", sizes, tensors), ("0", "1"), "given"))
    return folder


def journal(folder: Path) -> Journal:
    """Open a journal whose clock counts."""
    folder.mkdir(exist_ok=True)
    clock = itertools.count()
    return Journal(folder, lambda: f"2026-01-01T00:00:{next(clock):02}", "ann")


def data(folder: Path) -> Examples:
    """Write labelled rows, and read them."""
    for name, count, seed in (("train", 60, 0), ("dev", 20, 1), ("test", 20, 2)):
        planted.write(folder, name, planted.reviews(count, width=WIDTH, noise=CLEAN, seed=seed))
    return reading.read({"train": folder}, TrainSettings())


def start(examples: Examples, folder: Path, served: Path, **about: str) -> Loop:
    """Begin, or come back."""
    whole = {"seed": 1, "settings": {}, "endpoint": "", **about}
    return starting.start(journal(folder), examples, served, artifact.load(served), whole)


@pytest.fixture
def loop(tmp_path) -> Loop:
    """A loop that has begun."""
    return start(data(tmp_path / "data"), tmp_path / "loop", model(tmp_path / "model", 0.0))


def see(found):
    """Say that all is as unsure as its first number is small."""
    one = 1 / (1 + np.exp(-found.vectors[:, 0].astype(np.float64)))
    return np.stack([1 - one, one], axis=1), found.vectors


def chosen(loop: Loop, count: int = 9, seed: int = 7) -> None:
    """Collect embeddings without texts, and select."""
    made = planted.reviews(40, width=WIDTH, noise=CLEAN, seed=seed)
    ids = np.array([f"{seed}-{n}/0" for n in range(40)], np.object_)
    rounds.collect(loop, Traffic(ids, made.embeddings, None))
    rounds.select(loop, see, count, test_share=0.2, random_share=0.2, method="margin")


def run(*words: object) -> Result:
    """Run a command of the loop."""
    return CliRunner().invoke(commands, ["loop", *map(str, words)])


def refused(*words: object) -> str:
    """Give why a command is refused."""
    done = run(*words)
    assert isinstance(done.exception, UserError), done.output
    return str(done.exception)


def records(path: Path) -> list[dict[str, str]]:
    """Read a sheet."""
    return [*csv.DictReader(io.StringIO(path.read_text("utf-8-sig"), newline=""))]


def answered(loop: Loop, reviewer: str = "ann", says: str = "1") -> Result:
    """Fill in what was exported, the first time it is, and import it."""
    sheet = loop.folder.parent / "queue.csv"
    if not sheet.is_file():
        run("export", loop.folder, "--output", sheet)
    lines = [{**one, "answer": says, "reviewer": reviewer} for one in records(sheet)]
    with sheet.open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=[*lines[0]])
        writer.writeheader()
        writer.writerows(lines)
    return run("import", loop.folder, sheet)


def job(decision: str):
    """Make a job that writes what a real one writes; each model is another."""
    number = itertools.count(1)
    seen: list[Job] = []

    def train(asked: Job) -> None:
        seen.append(asked)
        model(asked.output / "model", float(next(number)))
        scores = {side: {"accuracy": 0.8} for side in ("champion", "challenger")}
        found = {"decision": decision, "reason": "so it is", "rows": 100, "scores": scores, "gain": {}}
        path = asked.output / "output" / "data" / "champion.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(found))

    return train, seen


def kept(loop: Loop, decision: str = "keep") -> str:
    """Go through a round; give the name of its model."""
    chosen(loop)
    answered(loop)
    name: str = training.train(loop, job(decision)[0], {})["challenger"]
    rounds.decide(loop, places.Here())
    return name


def test_a_model_that_was_kept_back_can_be_forced_until_the_next_round(loop) -> None:
    """The reason stands in the journal and in the status; the second time changes nothing."""
    name = kept(loop)
    assert loop.champion().name != name
    for _ in range(2):
        done = run("promote", loop.folder, "--force", "faster")
        assert (done.exit_code, loop.champion().name) == (0, name)
    assert [event.facts["forced"] for event in loop.journal.events() if event.step == "decide"] == ["", "faster"]
    assert "promoted by force" in run("status", loop.folder).output
    assert loop.at() == (2, "")


def test_a_force_that_can_do_nothing_is_refused(loop) -> None:
    """Without a reason, where the model serves already, and where a later round has begun."""
    name = kept(loop, "promote")
    assert "no reason" in refused("promote", loop.folder, "--force", " ")
    assert f"{name} serves already" in refused("promote", loop.folder, "--force", "why not")
    chosen(loop, seed=8)
    before = loop.journal.path.read_bytes()
    assert "round 2 has begun" in refused("promote", loop.folder, "--force", "why not")
    assert loop.journal.path.read_bytes() == before


def test_data_that_the_model_does_not_take_begin_no_loop(tmp_path) -> None:
    """Texts alone, and embeddings of another width."""
    examples = data(tmp_path / "data")
    with pytest.raises(UserError, match="width 3, and those of the data have 4"):
        start(examples, tmp_path / "loop", model(tmp_path / "narrow", 0.0, width=3))
    planted.write(tmp_path / "vectors", "train", planted.reviews(60, width=WIDTH, noise=CLEAN, seed=0))
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "train.csv").write_text(
        "review,label\n" + "".join(f"text {n} is such,{n % 2}\n" for n in range(60))
    )
    texts = reading.read({"train": tmp_path / "texts"}, TrainSettings())
    with pytest.raises(UserError, match="takes embeddings, and the data have texts alone"):
        start(texts, tmp_path / "loop", model(tmp_path / "model", 0.0))
    assert [path.name for path in (tmp_path / "loop").iterdir()] == []


def test_rows_of_two_kinds_are_the_users_to_mend() -> None:
    """Whoever gave them can give others."""
    name = np.array(["a"], np.object_)
    with pytest.raises(UserError, match="of one kind"):
        rows.joined([rows.made(name, name, None), rows.made(name, None, np.ones((1, 2), np.float32))])


def test_another_model_begins_no_standing_loop(tmp_path) -> None:
    """Nor does another endpoint; one that serves by now what the loop promoted is the same."""
    examples, first = data(tmp_path / "data"), model(tmp_path / "model", 0.0)
    plain = start(examples, tmp_path / "plain", first)
    with pytest.raises(UserError, match="another folder"):
        start(examples, tmp_path / "plain", model(tmp_path / "other", 2.0))
    with pytest.raises(UserError, match="another folder"):
        start(examples, tmp_path / "plain", first, endpoint="e")
    around = start(examples, tmp_path / "around", first, endpoint="e")
    name = kept(around, "promote")
    promoted = around.folder / "models" / name
    assert start(examples, around.folder, promoted, endpoint="e").champion().name == name
    assert plain.journal.last("start") is not None
    assert len(plain.journal.events()) == 1


def test_texts_that_come_late_are_shown_to_people(loop) -> None:
    """Where none is known export warns; what was chosen stays as it was written, and answers on it are taken."""
    chosen(loop)
    sheet, texts = loop.folder.parent / "late.csv", loop.folder.parent / "texts.csv"
    said = run("export", loop.folder, "--output", sheet)
    assert "WARNING 9 of 9 rows have no text" in said.stderr
    before = (loop.round_folder(1) / "chosen.csv").read_bytes()
    texts.write_text("id,review\n" + "".join(f"7-{n},text {n}\n" for n in range(40)))
    said = run("export", loop.folder, "--output", sheet, "--texts", texts)
    assert said.stderr == ""
    names = {one["row_hash"]: one["id"] for one in records(loop.round_folder(1) / "chosen.csv")}
    assert all(one["text"] == f"text {names[one['row_hash']][2:-2]}" for one in records(sheet))
    assert run("export", loop.folder, "--output", sheet, "--texts", texts).exit_code == 0
    assert [event.step for event in loop.journal.events()].count("texts") == 1
    assert (loop.round_folder(1) / "chosen.csv").read_bytes() == before
    assert "9 of 9 rows settled" in answered(loop).output
    train, seen = job("keep")
    training.train(loop, train, {})
    assert all(one["review"] == "" for one in records(seen[0].data / "train-asked.csv"))


def test_late_texts_of_a_step_that_broke_off_are_none(loop) -> None:
    """Only what the journal knows is read."""
    chosen(loop)
    (loop.folder / wording.NAME).write_text("row_hash,review\n" + f"{standing.asked(loop).hash[0]},torn\n")
    assert not any(standing.asked(loop).text)


@pytest.mark.parametrize(
    ("ids", "unread", "said", "not_said"),
    [
        ((), {"unreadable lines": 3}, r"\(3 unreadable lines\)", "wait for more"),
        ((), {}, "among 0 of the traffic: wait for more", "()"),
    ],
)
def test_why_nothing_was_collected_is_said(loop, ids, unread, said, not_said) -> None:
    """Records that could not be read too; waiting mends none of these."""
    nothing = Traffic(np.array(ids, np.object_), np.empty((0, WIDTH), np.float32), None)
    with pytest.raises(UserError, match=said) as told:
        rounds.collect(loop, nothing, None, unread)
    assert not_said not in str(told.value)


def test_collect_tells_of_lines_that_cannot_be_read(loop, tmp_path) -> None:
    """The command hands over what was passed by."""
    (tmp_path / "captured").mkdir()
    (tmp_path / "captured" / "a.jsonl").write_text("{\n")
    assert "(1 " in refused("collect", loop.folder, "--traffic", tmp_path / "captured")


def test_status_says_train_once_all_answers_are_in(loop) -> None:
    """Nobody waits for people then."""
    chosen(loop)
    assert "people answer" in str(standing.stands(loop)["next"])
    answered(loop)
    assert standing.stands(loop)["next"] == "round 1: train"


def test_a_file_without_answers_is_told_from_one_that_is_known(loop) -> None:
    """An untouched sheet is a mistake; a file taken twice is none."""
    chosen(loop)
    sheet = loop.folder.parent / "queue.csv"
    run("export", loop.folder, "--output", sheet)
    assert "queue.csv holds no answer" in run("import", loop.folder, sheet).stderr
    assert answered(loop).stderr == ""
    assert run("import", loop.folder, sheet).stderr == ""
    (loop.folder.parent / "other.csv").write_text("a,b\n1,2\n")
    assert "review export" not in refused("import", loop.folder, loop.folder.parent / "other.csv", "--format", "csv")


def test_answers_without_a_name_are_told_where_others_have_one(loop) -> None:
    """They count as one more person's, as in `relabel review import`."""
    chosen(loop)
    assert answered(loop, reviewer="").stderr == ""
    assert answered(loop, reviewer="bob").stderr == ""
    assert "WARNING 9 answers have no reviewer" in answered(loop, reviewer="").stderr


def test_training_that_is_done_is_not_done_again(loop) -> None:
    """Other settings, or another model that serves, are another job."""
    first = loop.champion()
    kept(loop, "promote")
    chosen(loop, seed=8)
    (loop.folder.parent / "queue.csv").unlink()
    answered(loop)
    train, seen = job("promote")
    assert training.train(loop, train, {}) == training.train(loop, train, {})
    assert len(seen) == 1
    training.train(loop, train, {"max_epochs": "2"})
    assert len(seen) == 2
    places.rollback(loop, places.Here())
    assert training.train(loop, train, {"max_epochs": "2"})["champion"] == first.name
    assert [event.step for event in loop.journal.events() if event.round == 2].count("train") == 3


def test_export_leaves_a_file_alone_where_nothing_is_open(loop) -> None:
    """It may hold answers of people."""
    chosen(loop)
    answered(loop)
    sheet = loop.folder.parent / "queue.csv"
    before = sheet.read_bytes()
    done = run("export", loop.folder, "--output", sheet)
    assert done.exit_code == 0
    assert "nothing is open" in done.output
    assert sheet.read_bytes() == before


@pytest.mark.parametrize(("name", "own"), [("start", "--endpoint"), ("train", "--by"), ("pipeline", "--create")])
def test_help_has_the_loops_own_options_apart(name, own) -> None:
    """Before the settings of the job, under a heading of their own."""
    first, _, second = run(name, "--help").output.partition("Settings of the training job:")
    assert own in first
    assert "--help" in first
    assert "--folds" not in first
    assert "--folds" in second
    assert own not in second
