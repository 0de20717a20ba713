"""Promises of the settings."""

from __future__ import annotations

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relabel import settings
from relabel.errors import UserError
from relabel.settings import ServeSettings, TrainSettings, parse


@pytest.mark.parametrize("encode", [str, json.dumps, lambda value: json.dumps(str(value)), lambda value: value])
def test_values_come_as_strings_or_json_or_json_in_strings(encode) -> None:
    """What boto3, the old and the new SDK send for the same setting means the same."""
    got = parse(
        TrainSettings, {"max_epochs": encode(3), "lr": encode(0.01), "policy": encode("flip"), "patience": encode(2)}
    )
    assert (got.max_epochs, got.lr, got.policy, got.patience) == (3, 0.01, "flip", 2)


@pytest.mark.parametrize(
    ("text", "value"), [("true", True), ("True", True), ("1", True), ("false", False), ("0", False)]
)
def test_truth_has_many_spellings(text, value) -> None:
    """true, True, 1 and their opposites are understood."""
    assert parse(TrainSettings, {"standardise": text}).standardise is value


def test_the_seeds_names_work() -> None:
    """max_epochs, batch_size, model_width and lr are taken; ckpt_dir and review_save_dir are accepted and explained."""
    raw = {
        "max_epochs": "2",
        "batch_size": "64",
        "model_width": "128",
        "lr": "0.001",
        "ckpt_dir": "/x",
        "review_save_dir": "y",
    }
    got = parse(TrainSettings, raw)
    assert (got.max_epochs, got.batch_size, got.width, got.lr) == (2, 64, 128, 0.001)
    assert len(settings.retired_notes(TrainSettings, raw)) == 2


def test_the_defaults_are_the_seeds() -> None:
    """64 wide, Adam at 3e-4, batches of 32, one epoch; the policy is auto."""
    got = parse(TrainSettings, {})
    assert (got.width, got.lr, got.batch_size, got.max_epochs, got.policy) == (64, 3e-4, 32, 1, "auto")


def test_what_the_platform_adds_is_passed_over() -> None:
    """sagemaker_… keys, the tuning metric's name, null and empty strings are no settings."""
    raw = {
        "sagemaker_program": "x",
        "_tuning_objective_metric": "dev_log_loss",
        "lr": "null",
        "folds": None,
        "seed": "",
    }
    assert parse(TrainSettings, raw) == TrainSettings()


def test_every_problem_is_in_one_message() -> None:
    """Unknown names, wrong kinds, values out of range, one setting under two names: all at once, each with what to do."""
    raw = {
        "epoch": "3",
        "lr": "0",
        "width": "64",
        "model_width": "32",
        "policy": "burn",
        "standardise": "maybe",
        "folds": "1.5",
    }
    with pytest.raises(UserError) as caught:
        parse(TrainSettings, raw)
    said = str(caught.value)
    assert said.startswith("6 problems")
    for part in (
        "did you mean `epochs`",
        "lr is '0': give a number, above 0",
        "width is given twice",
        "'burn'",
        "maybe",
        "1.5",
    ):
        assert part in said


def test_a_preset_comes_before_the_users_values() -> None:
    """A preset changes defaults, what the user sets wins over it."""
    got = parse(TrainSettings, {"preset": "seed", "folds": "7"})
    assert (got.seeds, got.policy, got.folds) == (1, "flip", 7)


@given(st.sampled_from(sorted(settings.fields(TrainSettings))))
def test_every_default_is_within_its_own_range(name) -> None:
    """A setting's default, given as a string, parses to itself; so does each value of a preset."""
    hint, default, about = settings.fields(TrainSettings)[name]
    assert about.help
    if default != "":
        assert getattr(parse(TrainSettings, {name: str(default)}), name) == default
    for preset, values in TrainSettings.presets.items():
        if preset and name in values:
            assert getattr(parse(TrainSettings, {name: str(values[name])}), name) == values[name], hint


def test_the_environment_names_settings_too() -> None:
    """RELABEL_<NAME> wins over the names in use elsewhere; what is empty is not said."""
    environment = {
        "SAGEMAKER_BIND_TO_PORT": "9000",
        "MODEL_SERVER_WORKERS": "3",
        "RELABEL_WORKERS": "2",
        "RELABEL_TIMEOUT": "",
    }
    found = settings.from_environment(ServeSettings, environment)
    assert parse(ServeSettings, found) == dataclasses.replace(ServeSettings(), port=9000, workers=2)
