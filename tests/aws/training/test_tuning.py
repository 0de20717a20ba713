"""Promises of `relabel aws tune`."""

from __future__ import annotations

import json

import pytest
from moto.sagemaker.models import sagemaker_backends

from relabel.aws import tuning
from relabel.aws.tuning import Range
from relabel.errors import UserError

FAST = ("--poll", "0.05")


def test_ranges_are_what_the_settings_allow() -> None:
    """Whole numbers, numbers, and values; a name may be one of a setting's other names."""
    assert tuning.ranges(["lr=1e-4:1e-2:log", "epochs=1:4", "width=32,64,128", "policy=drop,soft"], {}) == [
        Range("lr", "continuous", ("1e-4", "1e-2"), "Logarithmic"),
        Range("max_epochs", "integer", ("1", "4"), "Auto"),
        Range("width", "categorical", ("32", "64", "128")),
        Range("policy", "categorical", ("drop", "soft")),
    ]


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ("lr=0:1e-2", "lr is '0'"),
        ("lr=1e-2:1e-4", "not below"),
        ("lr=1:9", "lr is '9'"),
        ("dropout=0:0.5:log", "begins above 0"),
        ("lr=1e-4:1e-2:cubic", "cubic"),
        ("width=1.5:3", "width is '1.5'"),
        ("width=64", "one value is no range"),
        ("width=64,", "empty value"),
        ("policy=1:4", "no number"),
        ("policy=drop,shout", "policy is 'shout'"),
        ("wdth=1:2", "did you mean `width`"),
        ("lr", "give NAME="),
        ("seeds=1:3", "a range and a value"),
    ],
)
def test_a_range_that_cannot_be_is_refused(said, problem) -> None:
    """With what is wrong, before anything is asked of AWS; all of them at once."""
    with pytest.raises(UserError, match=problem) as refused:
        tuning.ranges([said, "width=0,1"], {"seeds": "2"})
    assert len(refused.value.problems) > 1 or "width" in said


def test_a_grid_is_of_values() -> None:
    """The platform tries every combination of them, so a range of numbers is refused."""
    with pytest.raises(UserError, match="a grid is of values"):
        tuning.ranges(["lr=1e-4:1e-2"], {}, "grid")


def test_the_best_jobs_settings_are_a_command_to_train_with(relabel, cloud, data) -> None:
    """The one objective is minimised; the same command comes back to the same job; the command line that is shown trains."""
    asked = (
        *("aws", "tune", "--data", data, "--range", "lr=1e-4:1e-2:log", "--range", "width=32,64", "--seeds", 2),
        *("--jobs", 4, "--parallel", 8, "--spot", "--tag", "team=labels", *FAST),
    )
    (first,) = [relabel(*asked, "--no-wait", "--json")]
    name = json.loads(first.out)["tuning_job"]
    job = sagemaker_backends["123456789012"]["eu-west-1"].hyper_parameter_tuning_jobs[name]
    said = job.hyper_parameter_tuning_job_config
    assert said["HyperParameterTuningJobObjective"] == {"Type": "Minimize", "MetricName": "dev_log_loss"}
    assert said["ResourceLimits"] == {"MaxNumberOfTrainingJobs": 4, "MaxParallelTrainingJobs": 4}
    defined = job.training_job_definition
    assert defined["StaticHyperParameters"] == {"seeds": "2"}
    assert defined["EnableManagedSpotTraining"]
    assert defined["CheckpointConfig"]["S3Uri"].endswith(f"/out/{name}/checkpoints/")
    assert any(each["Name"] == "dev_log_loss" for each in defined["AlgorithmSpecification"]["MetricDefinitions"])
    assert {"Key": "team", "Value": "labels"} in job.tags
    job.best_training_job |= {
        "TrainingJobName": f"{name}-003",
        "TunedHyperParameters": {"lr": "0.002", "width": '"64"', "_tuning_objective_metric": "dev_log_loss"},
        "FinalHyperParameterTuningJobObjectiveMetric": {"MetricName": "dev_log_loss", "Value": 0.41},
    }
    ended = relabel(*asked)
    assert f"{name}: is there already" in ended.out
    assert f"best     {name}-003: dev_log_loss 0.4100" in ended.out
    (command,) = [line.removeprefix("train    relabel ") for line in ended.out.splitlines() if "train   " in line]
    assert command.endswith("--seeds 2 --lr 0.002 --width 64")
    assert relabel(*command.split(), "--no-wait").code == 0
    (trained,) = cloud.jobs().values()
    assert trained.hyper_parameters == {"seeds": "2", "lr": "0.002", "width": "64"}


@pytest.mark.usefixtures("cloud")
def test_a_tuning_job_that_failed_says_why(relabel, data) -> None:
    """The reason is the platform's."""
    asked = ("aws", "tune", "--data", data, "--range", "width=32,64", "--name", "mine", *FAST)
    assert relabel(*asked, "--no-wait").code == 0
    job = sagemaker_backends["123456789012"]["eu-west-1"].hyper_parameter_tuning_jobs["relabel-mine"]
    job.hyper_parameter_tuning_job_status, job.failure_reason = "Failed", "No objective metrics found"
    ended = relabel(*asked)
    assert ended.code == 3
    assert "No objective metrics found" in ended.err


@pytest.mark.usefixtures("cloud")
def test_a_name_belongs_to_one_question(relabel, data) -> None:
    """The same again comes back to the job; other ranges or settings are refused, with what differs."""
    asked = ("aws", "tune", "--data", data, "--name", "mine", "--no-wait", "--range")
    ranges = ("lr=1e-4:1e-2:log", "--range", "width=32,64", "--range", "max-epochs=1:4")
    assert relabel(*asked, *ranges).code == 0
    assert "is there already" in relabel(*asked, *ranges).out
    ended = relabel(*asked, "width=32,128", "--seeds", 2)
    assert (ended.code, "other settings and ranges" in ended.err) == (2, True)
