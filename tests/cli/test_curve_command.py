"""Promises of `relabel curve`."""

import json

import pytest
from click.testing import CliRunner

from relabel.cli.main import commands
from relabel.data import reading
from relabel.data.digest import digest
from relabel.errors import UserError
from relabel.results import metrics_file, outlook_file
from relabel.settings import TrainSettings

QUICK = ["--seeds", "2", "--folds", "3", "--max-epochs", "3", "--width", "8", "--threads", "1"]


def test_a_sentence_and_tables_for_people_and_the_same_figures_for_programs(channel) -> None:
    """The sentence comes first; JSON has it too, with every size and gain."""
    data = str(channel(rows=300) / "input" / "data" / "train")
    shown, told = (CliRunner().invoke(commands, ["curve", data, *QUICK, *more]) for more in ([], ["--json"]))
    assert shown.exit_code == told.exit_code == 0, (shown.exception, told.exception)
    found = json.loads(told.stdout)
    assert shown.stdout.splitlines()[0] == found["sentence"]
    assert found["rows"] == 300
    assert [step["rows"] for step in found["more"]] == [30, 75, 150, 300]
    assert len(found["curve"]) == len(found["plain"]) == 6
    assert f"the {found['doubtful']:,} most doubtful labels" in shown.stdout


def test_texts_alone_are_weighed_by_linear_models(channel) -> None:
    """With the same sentence and figures; nothing else need be set."""
    data = channel(rows=300) / "input" / "data" / "train"
    for path in data.glob("*.npy"):
        path.unlink()
    done = CliRunner().invoke(
        commands, ["curve", str(data), "--seeds", "2", "--folds", "3", "--threads", "1", "--json"]
    )
    assert done.exit_code == 0, done.exception
    found = json.loads(done.stdout)
    assert found["rows"] == 300
    assert found["curve"][-1]["accuracy"]["value"] > 0.8


def test_the_answer_goes_beside_the_results_of_a_job_on_the_same_data(channel, tmp_path) -> None:
    """With --results it is kept there for the report; results of other data are refused before anything is written."""
    data = channel(rows=300) / "input" / "data" / "train"
    digest_of = digest(reading.read({"train": data}, TrainSettings()))
    results = tmp_path / "results"
    results.mkdir()
    (results / metrics_file.NAME).write_text(json.dumps({"data": {"digest": digest_of}}))
    asked = ["curve", str(data), *QUICK, "--json", "--results", str(results)]
    done = CliRunner().invoke(commands, asked)
    assert done.exit_code == 0, done.exception
    assert outlook_file.read(results) == json.loads(done.stdout)

    (results / metrics_file.NAME).write_text(json.dumps({"data": {"digest": "other"}}))
    (results / outlook_file.NAME).unlink()
    done = CliRunner().invoke(commands, asked)
    assert isinstance(done.exception, UserError)
    assert "results of other data" in str(done.exception)
    assert outlook_file.read(results) is None


def test_data_that_cannot_be_read_is_refused(tmp_path) -> None:
    """As `relabel train` refuses it."""
    done = CliRunner().invoke(commands, ["curve", str(tmp_path / "nothing")])
    assert isinstance(done.exception, UserError)


@pytest.mark.parametrize("setting", ["policy", "repeats", "passes"])
def test_settings_without_effect_are_no_options(setting, tmp_path) -> None:
    """Nothing can be set that changes nothing."""
    done = CliRunner().invoke(commands, ["curve", str(tmp_path), f"--{setting}", "1"])
    assert done.exit_code == 2
    assert "No such option" in done.output
