"""Promises of `relabel curve`."""

import json

import pytest
from click.testing import CliRunner

from relabel.cli.main import commands
from relabel.errors import UserError

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
