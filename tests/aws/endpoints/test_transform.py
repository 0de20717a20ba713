"""Promises of `relabel aws transform` against moto's server; the answers are those of our own handler on the real requests."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from moto.sagemaker.models import FakeTransformJob

from relabel.aws import objects, transforming, validation
from relabel.aws.models import Described
from relabel.aws.records import Columns, read
from relabel.errors import PlatformError, UserError

IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/relabel:1"
DEPLOYED = ("--name", "reviews", "--image", IMAGE, "--no-check")
VECTORS = Described(("negative", "positive"), 3)
TEXTS = Described(("negative", "positive"), None)


def test_a_set_is_answered_joined_and_scored(run, aws, model, labelled, *, platform, tmp_path) -> None:
    """Every record stands beside its answer; the figures have intervals around them; labels went nowhere."""
    run("deploy", model, *DEPLOYED)
    ended = run("transform", "reviews", labelled, "--output", tmp_path / "scored")
    assert ended.code == 0, ended.err
    assert "50 labelled records" in ended.out
    said = json.loads((tmp_path / "scored" / "scores.json").read_text())
    value, low, high = said["scores"]["accuracy"]
    assert value == 0.9
    assert low < 0.9 < high
    assert said["scores"]["macro_f1"][1] < said["scores"]["macro_f1"][0]
    with (tmp_path / "scored" / "scores.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["file"] for row in rows] == ["a.csv"] * 40 + ["b.jsonl"] * 10
    assert [row["right"] for row in rows] == ["False"] * 5 + ["True"] * 45
    (job,) = platform()
    assert job["input"]["SplitType"] == "Line"
    sent = b"".join(objects.read(aws, str(each.at)) for each in objects.listing(aws, f"s3://{aws.bucket}/data/"))
    assert b"negative" not in sent
    assert b"label" not in sent


def test_the_same_again_runs_no_second_job(run, model, labelled, platform, tmp_path) -> None:
    """Its answers are fetched again; from S3 the set is the same set."""
    run("transform", model, labelled, "--output", tmp_path / "scored", "--image", IMAGE)
    ended = run("transform", model, labelled, "--output", tmp_path / "again", "--image", IMAGE, "--json")
    assert json.loads(ended.out)["scores"]["rows"] == 50
    assert len(platform()) == 1
    assert (tmp_path / "again" / "scores.csv").read_bytes() == (tmp_path / "scored" / "scores.csv").read_bytes()


def test_a_set_in_s3_without_labels(run, aws, model, platform, tmp_path) -> None:
    """Nothing is scored, every record is answered; one that cannot be read is counted, and fails nothing."""
    source = f"s3://{aws.bucket}/data/new.jsonl"
    objects.write(aws, source, b'[1, 2, 3]\n{"features": [1, 2]}\n{"features": [-1, 2, 3]}\n')
    run("deploy", model, *DEPLOYED)
    ended = run("transform", "reviews", source, "--output", tmp_path / "scored")
    assert "3 records, 1 that could not be read\nno labels" in ended.out
    lines = (tmp_path / "scored" / "scores.csv").read_text().splitlines()
    assert lines[2] == "new.jsonl,1,,,,,"
    assert lines[3].startswith("new.jsonl,2,,positive,,")
    assert len(platform()) == 1


def test_a_job_that_fails_says_why(run, model, labelled, tmp_path, monkeypatch) -> None:
    """AWS's reason is shown, and the next try is a job of another name."""
    made = FakeTransformJob.__init__
    seen = []

    def failing(job: Any, *arguments: Any, **named: Any) -> None:
        made(job, *arguments, **named)
        seen.append(job.transform_job_name)
        job.transform_job_status, job.failure_reason = "Failed", "ClientError: See job logs"

    monkeypatch.setattr(FakeTransformJob, "__init__", failing)
    run("deploy", model, *DEPLOYED)
    for _ in range(2):
        ended = run("transform", "reviews", labelled, "--output", tmp_path / "scored")
        assert ended.code == 3
        assert "ClientError: See job logs" in ended.err
    assert seen[1] == f"{seen[0]}-1"


def test_ctrl_c_and_going_on(run, aws, model, labelled, *, tmp_path, monkeypatch) -> None:
    """The job goes on without the command, and the same command comes back to it."""
    made = FakeTransformJob.__init__
    seen = []

    def running(job: Any, *arguments: Any, **named: Any) -> None:
        made(job, *arguments, **named)
        job.transform_job_status = "InProgress"
        seen.append(job)

    monkeypatch.setattr(FakeTransformJob, "__init__", running)
    run("deploy", model, *DEPLOYED)
    command = [sys.executable, "-m", "relabel", "aws", "transform", "reviews", str(labelled)]
    command += ["--output", str(tmp_path / "scored")]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith("InProgress")
        process.send_signal(signal.SIGINT)
        assert "AWS goes on with the job" in process.stderr.read()
    assert process.returncode == 130
    target = objects.parse(seen[0].transform_output["S3OutputPath"])
    answer = b'{"label": 0, "class": "negative", "probabilities": [0.9, 0.1]}\n'
    for name, rows in (("a.csv", 40), ("b.jsonl", 9)):
        objects.write(aws, str(target.below(f"{name}.jsonl.out")), answer * rows)
    seen[0].transform_job_status = "Completed"
    ended = run("transform", "reviews", labelled, "--output", tmp_path / "scored")
    assert len(seen) == 1
    assert "b.jsonl: 10 records and 9 answers" in ended.err


@pytest.mark.parametrize(
    ("text", "takes", "columns", "lines", "labels"),
    [
        ("1,2,3\n4,5,6\n", VECTORS, Columns(), ['{"features": [1.0, 2.0, 3.0]}', '{"features": [4.0, 5.0, 6.0]}'], "|"),
        ("a,b,c,truth\n1,2,3,yes\n", VECTORS, Columns("truth"), ['{"features": [1.0, 2.0, 3.0]}'], "yes"),
        ('id,review,label\n7,"two\nlines, é",1\n', TEXTS, Columns(), ['{"text": "two\\nlines, \\u00e9"}'], "1"),
        ("dull\ngreat\n", TEXTS, Columns(), ['{"text": "dull"}', '{"text": "great"}'], "|"),
    ],
    ids=["numbers alone", "named columns", "a text of two lines", "texts alone"],
)
def test_tables_become_lines(tmp_path, text, takes, columns, *, lines, labels) -> None:
    """One record is one line of JSON whatever is in it, and its label stays beside it."""
    path = tmp_path / "set.csv"
    path.write_text(text, encoding="utf-8")
    found = list(read(path, takes, columns))
    assert [each.line for each in found] == lines
    assert "|".join(each.label for each in found) == labels


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.csv", "x,y,label\n1,2,no\n", "2 columns beside label"),
        ("a.csv", "1,2,3\n1,2\n", "line 2: 2 fields"),
        ("a.csv", "1,2,3\n1,nan,secret\n", "line 2, field 2 of the vector"),
        ("a.csv", "", "no line"),
        ("a.jsonl", "{\n", "line 1: no JSON"),
        ("a.jsonl", '{"secret": 1}\n', "none of the keys"),
    ],
)
def test_what_does_not_fit_is_named_and_not_shown(tmp_path, name, text, said) -> None:
    """File and line, and nothing of the record."""
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(UserError, match=said) as caught:
        list(read(path, VECTORS, Columns()))
    assert "secret" not in str(caught.value)


def test_answers_that_do_not_count_up_are_not_scored() -> None:
    """Fewer answers than records, a label of no class, an answer of another model: each is refused."""
    answers = np.array([[0.9, 0.1]])
    with pytest.raises(PlatformError, match="2 records and 1 answers"):
        validation.join([("a", ["", ""], answers)], ["no", "yes"])
    with pytest.raises(UserError, match="1 different labels are no class"):
        validation.join([("a", ["maybe"], answers)], ["no", "yes"])
    with pytest.raises(PlatformError, match="line 1: no prediction of 3 classes"):
        validation.answers(b'{"probabilities": [0.5, 0.5]}', 3, "a")


def test_files_are_part_of_a_set(tmp_path) -> None:
    """The same records under another name are another set: answers lie under the names of its files."""
    digests = set()
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).write_text("1,2,3\n")
        digests.add(transforming.prepare(tmp_path / name, tmp_path / "to" / name, VECTORS, Columns()).digest)
    assert len(digests) == 2


def test_a_file_without_records_is_left_out(tmp_path) -> None:
    """The platform answers nothing to it; a set of no others is refused."""
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "a.csv").write_text("label,x,y,z\n")
    with pytest.raises(UserError, match="no records in it"):
        transforming.prepare(tmp_path / "set", tmp_path / "requests", VECTORS, Columns())
    (tmp_path / "set" / "b.jsonl").write_text('{"features": [1, 2, 3]}\n')
    prepared = transforming.prepare(tmp_path / "set", tmp_path / "requests", VECTORS, Columns())
    assert prepared.labels == {"b.jsonl": ("",)}
    assert [each.name for each in prepared.folder.iterdir()] == ["b.jsonl.jsonl"]


def test_answers_of_one_model_do_not_pass_for_those_of_another(
    run, aws, model, other_model, labelled, *, platform, tmp_path
) -> None:
    """Two jobs that leave their answers in one place do not write over each other's, which the same command would find again."""
    place = ("--answers", f"s3://{aws.bucket}/out/mine/", "--image", IMAGE)
    first = run("transform", model, labelled, "--output", tmp_path / "a", *place)
    assert first.code == 0, first.err
    run("transform", other_model, labelled, "--output", tmp_path / "b", *place)
    run("transform", model, labelled, "--output", tmp_path / "again", *place)
    assert len(platform()) == 2
    assert len({job["output"]["S3OutputPath"] for job in platform()}) == 2
