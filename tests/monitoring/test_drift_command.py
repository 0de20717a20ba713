"""`relabel drift`: exit codes for a scheduler, figures for people and programs, a state between runs."""

from __future__ import annotations

import contextlib
import io
import json
import re
import shutil
import urllib.request

import boto3
import pytest
from moto.server import ThreadedMotoServer

from relabel.cli.main import main
from relabel.model import artifact, package

DRIFT = 4


def run(*arguments) -> tuple[int, str, str]:
    """Give the exit code and what is said."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), pytest.raises(SystemExit) as ended:
        main(["drift", *map(str, arguments)])
    return int(ended.value.code or 0), out.getvalue(), err.getvalue()


def test_no_drift_is_0_and_drift_is_4(watched_model, came):
    """A scheduler learns by the exit code alone whether to wake somebody; the sentences say why."""
    code, said, _ = run(watched_model, came(0.0, folder="quiet"), "--window", "1d")
    assert (code, said.splitlines()[-1]) == (0, "No drift in the last of 1 window")
    code, said, _ = run(watched_model, came(0.0, 0.5, folder="loud"), "--window", "200")
    assert code == DRIFT
    assert "window 2" in said
    assert "moved most: " in said


def test_a_packed_model_and_a_page(tmp_path, watched_model, came):
    """model.tar.gz will do, and the page is written."""
    package.pack(watched_model, tmp_path / "model.tar.gz")
    code, _, _ = run(tmp_path / "model.tar.gz", came(0.0), "--output", tmp_path / "drift.html")
    assert code == 0
    assert (tmp_path / "drift.html").read_text().startswith("<!DOCTYPE html>")


def test_the_next_run_goes_on(tmp_path, watched_model, came):
    """With a state only new windows are judged, rows of a window that is not full wait, and the alarm stands."""
    state = tmp_path / "state.json"
    folder = came(0.5, 0.5)
    command = (watched_model, folder, "--window", "150", "--state", state, "--json")
    code, said, _ = run(*command)
    assert code == DRIFT
    assert [one["number"] for one in json.loads(said)["windows"]] == [1, 2]  # 100 rows wait
    came(0.0, first=3)
    code, said, _ = run(*command)
    found = json.loads(said)
    assert code == DRIFT
    assert found["windows_before"] == 2
    assert [one["rows"] for one in found["windows"]] == [150, 150]
    assert found["alarm_window"] == 1
    ids = {name for one in found["windows"] for name in one["unlike"]}
    assert not any(name.startswith("1-") for name in ids)
    assert json.loads(run(*command)[1])["windows"] == []


def test_metrics_are_the_only_lines(watched_model, came):
    """With --emf standard output holds a line of JSON for each window and nothing else."""
    _, said, _ = run(watched_model, came(0.0, 0.5), "--window", "1d", "--emf")
    assert [json.loads(line)["Drift"] for line in said.splitlines()] == [0, 1]


def test_labels_that_came_later_are_scored(tmp_path, watched_model, came):
    """The accuracy stands beside its interval, and where it surely fell the exit code says so."""
    labels = tmp_path / "labels.csv"
    folder = came(0.0)
    _, said, _ = run(watched_model, folder, "--json")
    assert json.loads(said)["accuracy"] is None
    labels.write_text("id,label\n" + "".join(f"1-{n},good\n" for n in range(200)))
    code, said, _ = run(watched_model, folder, "--labels", labels, "--json", "--output", tmp_path / "drift.html")
    found = json.loads(said)["accuracy"]
    assert code == DRIFT  # half of the rows are predicted `bad`
    assert found["matched"] == 200
    assert found["all"]["fell"]
    assert found["all"]["low"] < found["all"]["accuracy"] < found["all"]["high"] < 0.9
    assert (tmp_path / "drift.html").read_text().count("<svg") == 5


def test_labels_of_old_rows_leave_no_new_row_out(tmp_path, watched_model, came):
    """Where more rows came than are held, the windows that are new are whole, and labels are held against a draw of all."""
    state, labels = tmp_path / "state.json", tmp_path / "labels.csv"
    labels.write_text("id,label\n" + "".join(f"1-{n},good\n" for n in range(200)))
    command = ("--window", "200", "--state", state, "--json", "--most", "250")
    assert run(watched_model, came(0.0), *command)[0] == 0
    found = json.loads(run(watched_model, came(0.0, first=2), *command, "--labels", labels)[1])
    assert [one["rows"] for one in found["windows"]] == [200]
    assert 0 < found["accuracy"]["matched"] < 200


@pytest.mark.parametrize("broken", ['{"schema": 1', "[]", "null", "windows", "stakes", "evidence"])
def test_a_state_that_is_none_is_2(tmp_path, watched_model, came, broken):
    """Half a file, another file, and one with parts missing: the message names it, and it stays."""
    state, folder = tmp_path / "state.json", came(0.0)
    if broken in ("windows", "stakes", "evidence"):
        run(watched_model, folder, "--window", "1d", "--state", state)
        said = json.loads(state.read_text())
        if broken == "stakes":
            said["evidence"]["stakes"] = [0.0]
        else:
            said[broken] = [1]
        broken = json.dumps(said)
    state.write_text(broken)
    code, _, error = run(watched_model, folder, "--window", "1d", "--state", state)
    assert code == 2
    assert "state.json is no state" in error
    assert state.read_text() == broken


def test_since_bounds_what_is_read(watched_model, came):
    """Only later traffic counts."""
    _, said, _ = run(watched_model, came(0.0, 0.0, 0.0), "--window", "1d", "--since", "2026-03-03", "--json")
    assert [one["start"][:10] for one in json.loads(said)["windows"]] == ["2026-03-03"]


def test_traffic_of_which_nothing_can_be_read_is_2(tmp_path, watched_model, came):
    """Another width, or broken lines: a schedule with the wrong model is not green, and the reasons are said."""
    other = came(0.0, folder="other")
    for path in other.rglob("*.jsonl"):
        path.write_text(re.sub(r"\[[-0-9., e]+\]", "[1, 2]", path.read_text()))
    code, _, error = run(watched_model, other, "--state", tmp_path / "state.json")
    assert (code, "none of 200 records" in error, "another width: 200" in error) == (2, True, True)
    assert not (tmp_path / "state.json").exists()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "a.jsonl").write_text("{not json\n" * 3)
    code, _, error = run(watched_model, tmp_path / "broken")
    assert (code, "no captured request: 3" in error) == (2, True)


def test_old_traffic_alone_is_no_fault(tmp_path, watched_model, came):
    """Where all that is readable came before, or was judged, a run without new rows is quiet, though a line is broken."""
    folder, state = came(0.0), tmp_path / "state.json"
    (folder / "z.jsonl").write_text("{not json\n" * 40)
    assert run(watched_model, folder, "--since", "2026-04-01")[0] == 0
    for _ in range(2):
        code, _, error = run(watched_model, folder, "--window", "200", "--state", state)
        assert (code, "broken" in error) == (0, False)


def test_new_traffic_that_cannot_be_read_is_2_behind_a_state(tmp_path, watched_model, came):
    """When clients begin to send something else, the next run says so."""
    folder, state = came(0.0), tmp_path / "state.json"
    assert run(watched_model, folder, "--window", "200", "--state", state)[0] == 0
    came(0.0, first=2)
    [later] = folder.glob("2026/03/02/**/*.jsonl")
    later.write_text(re.sub(r"\[[-0-9., e]+\]", "[1, 2]", later.read_text()))
    code, _, error = run(watched_model, folder, "--window", "200", "--state", state)
    assert (code, "none of 200 new records" in error) == (2, True)


def test_traffic_of_which_most_cannot_be_read_is_loud(watched_model, came):
    """Whatever form is asked for, a line on standard error says it."""
    folder = came(0.0)
    (folder / "z.jsonl").write_text("{not json\n" * 300)
    code, said, error = run(watched_model, folder, "--json")
    assert (code, "MOST COULD NOT BE READ: 300 of 500" in error) == (0, True)
    assert json.loads(said)["windows"]


def test_rows_that_are_not_compared_and_labels_that_do_not_match_are_said(tmp_path, watched_model, came):
    """On the terminal, and of labels on the page too; labels of which none matches are refused."""
    folder, labels = came(0.0), tmp_path / "labels.csv"
    path = next(folder.rglob("*.jsonl"))
    path.write_text(path.read_text() + "".join(path.read_text().splitlines(keepends=True)[:50]))
    labels.write_text("id,label\n1-60,good\n1-61,ugly\ngone,bad\n")
    _, said, _ = run(watched_model, folder, "--labels", labels, "--output", tmp_path / "drift.html")
    assert "250 rows, 200 compared, 50 that the model was trained on or repeated" in said
    line = "labels: 1 matched, 1 of rows not in the traffic, 1 no class of the model"
    assert line in said
    assert line.capitalize() in (tmp_path / "drift.html").read_text()
    labels.write_text("id,label\ngone,bad\n")
    code, _, error = run(watched_model, folder, "--labels", labels)
    assert (code, "0 matched, 1 of rows not in the traffic" in error) == (2, True)


def test_traffic_in_s3_is_fetched(tmp_path, watched_model, came, monkeypatch):
    """An address of S3 will do for the traffic."""
    folder = came(0.0)
    for name, value in {
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_DEFAULT_REGION": "eu-west-1",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        # Other tests of this process may have used it.
        urllib.request.urlopen(f"http://{host}:{port}/moto-api/reset", data=b"").close()
        client = boto3.client("s3")
        client.create_bucket(Bucket="traffic", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        for path in folder.rglob("*.jsonl"):
            client.upload_file(str(path), "traffic", f"captured/{path.relative_to(folder).as_posix()}")
        code, said, _ = run(watched_model, "s3://traffic/captured/", "--json")
    finally:
        server.stop()
    assert code == 0
    assert json.loads(said)["windows"][0]["rows"] == 200


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--window", "1w"), "a window of '1w'"),
        (("--json", "--emf"), "give one of the two"),
        (("--since", "yesterday"), "--since is no time"),
    ],
)
def test_wrong_commands_are_2(watched_model, came, arguments, said):
    """What the user can mend has the exit code 2, apart from drift."""
    code, _, error = run(watched_model, came(0.0), *arguments)
    assert code == 2
    assert said in error


def test_a_model_without_a_reference_is_said(tmp_path, watched_model, came):
    """An older model cannot be watched, and how to mend that is said; so are wrong places."""
    loaded = artifact.load(watched_model)
    artifact.save(tmp_path / "old", artifact.Artifact(loaded.model, loaded.classes, "given"))
    code, _, error = run(tmp_path / "old", came(0.0))
    assert (code, "train it again" in error) == (2, True)
    code, _, error = run(watched_model, tmp_path / "nowhere")
    assert (code, "no such folder" in error) == (2, True)
    shutil.rmtree(tmp_path / "captured")
    (tmp_path / "captured").mkdir()
    code, _, error = run(watched_model, tmp_path / "captured")
    assert (code, "no file of captured traffic" in error) == (2, True)
