"""Promises of `relabel aws train`: started once, come back to, fetched whole, and clear when it fails."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import boto3
import pytest
from moto.core import enable_iam_authentication
from moto.iam.access_control import IAMRequestBase

from relabel.aws import account, training, watching
from relabel.container import metrics

BUCKET = "relabel-123456789012-eu-west-1"
FAST = ("--poll", "0.05")


def started(relabel, _cloud, data, *options: object) -> str:
    """Start a job and leave it running; its name."""
    ended = relabel("aws", "train", "--data", data, "--no-wait", "--json", *options)
    assert ended.code == 0, ended.err
    return json.loads(ended.out)["job"]


def test_everything_is_said_of_a_job_that_can_be_said(relabel, cloud, data) -> None:
    """Spot and checkpoints, the code's own metrics, network, keys, tags, disk and settings reach the platform."""
    (data.parent / "reviews.jsonl").write_text("{}\n")
    cloud.client("s3").put_object(Bucket=BUCKET, Key="out/old/model.tar.gz", Body=b"x")
    name = started(
        *(relabel, cloud, data),
        *("--reviews", data.parent / "reviews.jsonl", "--champion", f"s3://{BUCKET}/out/old/"),
        *("--image", "image:1", "--role", "arn:aws:iam::123456789012:role/other", "--instance-type", "ml.m5.large"),
        *("--instance-count", 2, "--volume-gb", 50, "--max-hours", 1.5, "--spot", "--max-wait-hours", 3),
        *("--subnet", "subnet-1", "--subnet", "subnet-2", "--security-group", "sg-1"),
        *("--kms-key", "key-1", "--volume-kms-key", "key-2", "--tag", "team=labels"),
        *("--environment", "RELABEL_REQUIRE_GPU=1", "--lr", "1e-3", "--standardise", "false", "--name", "mine"),
    )
    job = cloud.jobs()[name]
    assert name == "relabel-mine"
    assert job.hyper_parameters == {"lr": "1e-3", "standardise": "false"}
    assert job.role_arn == "arn:aws:iam::123456789012:role/other"
    assert job.resource_config == {
        "InstanceType": "ml.m5.large",
        "InstanceCount": 2,
        "VolumeSizeInGB": 50,
        "VolumeKmsKeyId": "key-2",
    }
    assert job.stopping_condition == {"MaxRuntimeInSeconds": 5400, "MaxWaitTimeInSeconds": 10800}
    assert job.enable_managed_spot_training
    assert job.checkpoint_config == {"S3Uri": f"s3://{BUCKET}/out/relabel-mine/checkpoints/"}
    assert job.vpc_config == {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1", "subnet-2"]}
    assert job.output_data_config == {"S3OutputPath": f"s3://{BUCKET}/out/", "KmsKeyId": "key-1"}
    assert job.enable_network_isolation
    assert {"Key": "team", "Value": "labels"} in job.tags
    places = {each["ChannelName"]: each["DataSource"]["S3DataSource"] for each in job.input_data_config}
    assert places.keys() == {"train", "reviewed", "model"}
    assert places["model"]["S3Uri"] == f"s3://{BUCKET}/out/old/"
    assert {each["S3DataDistributionType"] for each in places.values()} == {"FullyReplicated"}


def test_the_metrics_of_a_job_are_the_codes_own_list() -> None:
    """Every one of them, and no other."""
    assert [(each["name"], each["regex"]) for each in training.definitions()] == [
        (each["Name"], each["Regex"]) for each in metrics.definitions()
    ]


def test_a_job_is_shown_fetched_and_not_started_again(relabel, cloud, data, archives) -> None:
    """The log and the stages are shown; results lie as `relabel train` lays them; the same again moves nothing; a new setting is a new job."""
    name = started(relabel, cloud, data)
    cloud.log(name, "INFO the first line", "dev_log_loss=0.5;")
    cloud.leave(name, archives)
    cloud.end_soon(name)
    ended = relabel("aws", "train", "--data", data, "--output", "out", *FAST)
    assert ended.code == 0, ended.err
    assert ended.out.count("INFO the first line") == ended.out.count("dev_log_loss=0.5;") == 1
    assert "InProgress (Training)" in ended.err
    assert "40 s billable" in ended.err
    assert "accuracy 0.7350 before, 0.7525 after: gain +0.0175 (95% interval -0.0020 to +0.0210)" in ended.out
    assert "out/output/data/report.html" in ended.out
    assert {path.name for path in Path("out").iterdir()} == {"model", "output", "job.json"}
    assert {path.name for path in Path("out/model").iterdir()} == {"model.json", "model.safetensors"}
    assert (Path("out/output/data/report.html")).is_file()
    cloud.client("s3").delete_object(Bucket=BUCKET, Key=f"out/{name}/output/model.tar.gz")
    again = relabel("aws", "train", "--data", data, "--output", "out", "--json", *FAST)
    assert json.loads(again.out)["job"] == name
    assert len(cloud.jobs()) == 1
    assert started(relabel, cloud, data, "--lr", "0.01") != name


def test_another_machine_is_no_other_question(relabel, cloud, data) -> None:
    """What does not change the result does not change the name."""
    name = started(relabel, cloud, data)
    assert started(relabel, cloud, data, "--instance-type", "ml.c5.xlarge", "--tag", "a=b") == name
    assert started(relabel, cloud, data, "--image", "other:1") != name
    assert started(relabel, cloud, data, "--environment", "A=B") != name


def test_a_name_belongs_to_one_question(relabel, cloud, data) -> None:
    """The same name with other settings is refused, and says in what it differs."""
    started(relabel, cloud, data, "--name", "mine")
    ended = relabel("aws", "train", "--data", data, "--name", "mine", "--lr", "0.01", "--image", "other:1", "--no-wait")
    assert ended.code == 2
    assert "other image and settings" in ended.err
    ended = relabel("aws", "train", "--data", data, "--name", "mine", "--environment", "A=B", "--no-wait")
    assert "other environment" in ended.err


def test_a_failure_is_the_jobs_own(relabel, cloud, data, archives) -> None:
    """The reason is shown, the exit code is the job's, and what it left is fetched; the same command starts it again, with its checkpoints."""
    reason = "AlgorithmError: lr is 7: give less, exit code: 2"
    name = started(relabel, cloud, data, "--spot")
    cloud.leave(name, {"output.tar.gz": archives["output.tar.gz"]})
    cloud.end_soon(name, status="Failed", reason=reason)
    ended = relabel("aws", "train", "--data", data, "--spot", "--output", "out", *FAST)
    assert (ended.code, reason in ended.err) == (2, True)
    assert Path("out/output/data").is_dir()
    again = started(relabel, cloud, data, "--spot")
    assert again == f"{name}-2"
    assert cloud.jobs()[again].checkpoint_config == cloud.jobs()[name].checkpoint_config


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        ("AlgorithmError: lr is 7: give less, exit code: 2", 2),
        ("AlgorithmError: out of memory, exit code: 3", 3),
        ("AlgorithmError: , exit code: 137", 3),
        ("AlgorithmError: IndexError, exit code: 1", 1),
        ("AlgorithmError: said exit code: 2 itself, exit code: 1", 1),
        ("ClientError: Data download failed: AccessDenied", 2),
        ("InternalServerError: We encountered an internal error", 3),
        ("CapacityError: Unable to provision requested ML compute capacity", 3),
        ("something else", 1),
    ],
)
def test_a_reason_says_who_can_mend_it(reason, code) -> None:
    """By the exit code of the container, or the platform's own word."""
    job = SimpleNamespace(
        training_job_name="a", training_job_status="Failed", secondary_status="Failed", failure_reason=reason
    )
    assert watching.failure(job).exit_code == code


@pytest.mark.parametrize(
    ("stage", "option"), [("MaxRuntimeExceeded", "--max-hours"), ("MaxWaitTimeExceeded", "--max-wait-hours")]
)
def test_a_job_that_ran_out_of_time_says_which_option(relabel, cloud, data, stage, option) -> None:
    """It is stopped, not failed; what to change is the hours of work, or those of waiting for a spare machine."""
    name = started(relabel, cloud, data)
    cloud.end_soon(name, status="Stopped", stage=stage)
    ended = relabel("aws", "train", "--data", data, *FAST)
    assert ended.code == 3
    assert f"give {option};" in ended.err


def test_a_job_without_a_model_is_no_success(relabel, cloud, data, archives) -> None:
    """Where the platform says Completed and nothing lies in S3, the command says so, and tries again the next time."""
    name = started(relabel, cloud, data)
    cloud.end(name)
    assert relabel("aws", "train", "--data", data, "--output", "out", *FAST).code == 3
    cloud.leave(name, archives)
    assert relabel("aws", "train", "--data", data, "--output", "out", *FAST).code == 0


def test_nobodys_files_are_replaced(relabel, cloud, data, archives) -> None:
    """A folder with something else in it is refused before the job is waited for."""
    Path("out").mkdir()
    Path("out/thesis.txt").write_text("mine")
    cloud.leave(started(relabel, cloud, data), archives)
    ended = relabel("aws", "train", "--data", data, "--output", "out", *FAST)
    assert ended.code == 2
    assert "give another folder" in ended.err
    assert Path("out/thesis.txt").read_text() == "mine"


def test_all_problems_are_said_before_anything_is_uploaded(relabel, cloud, data) -> None:
    """Settings, data, network and pairs in one message; AWS holds nothing after it, and no value of a variable is shown."""
    (data / "train.csv").unlink()
    ended = relabel(
        *("aws", "train", "--data", data, "--data", "dev=none", "--lr", 7, "--folds", 1),
        *("--environment", "hunter2", "--subnet", "subnet-1"),
    )
    assert ended.code == 2
    for said in ("lr is", "folds is", "dev: no file", "--security-group"):
        assert said in ended.err
    assert "Contents" not in cloud.client("s3").list_objects_v2(Bucket=BUCKET)
    ended = relabel("aws", "train", "--data", data)
    assert ended.code == 2
    assert "train.npy" in ended.err


def test_a_missing_permission_is_named(relabel, cloud, data, monkeypatch) -> None:
    """Which action, for whom, and where the policies are."""
    monkeypatch.setattr(IAMRequestBase, "check_signature", lambda _request: None)
    iam = cloud.client("iam")
    iam.create_user(UserName="ann")
    keys = iam.create_access_key(UserName="ann")["AccessKey"]
    allowed = {"Effect": "Allow", "Action": ["s3:*", "ecr:*", "sagemaker:DescribeTrainingJob"], "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    iam.put_user_policy(UserName="ann", PolicyName="some", PolicyDocument=policy)
    session = boto3.session.Session(keys["AccessKeyId"], keys["SecretAccessKey"], region_name="eu-west-1")
    monkeypatch.setattr(account, "find", lambda _region="", _profile="": account.Account(session, "eu-west-1"))
    with enable_iam_authentication():
        ended = relabel("aws", "train", "--data", data, "--no-wait")
    assert ended.code == 2
    assert "allow sagemaker:CreateTrainingJob" in ended.err
    assert "docs/on_sagemaker.md" in ended.err


def test_an_image_that_was_never_pushed_is_said_before_anything_is_uploaded(relabel, cloud, data) -> None:
    """With the command that pushes it; a job would fail on it minutes later."""
    cloud.client("ecr").delete_repository(repositoryName="relabel", force=True)
    ended = relabel("aws", "train", "--data", data, "--no-wait")
    assert ended.code == 2
    assert "push it with ./build_and_push.sh" in ended.err
    assert "Contents" not in cloud.client("s3").list_objects_v2(Bucket=BUCKET)
    assert not cloud.jobs()


def test_ctrl_c_leaves_the_job_running_and_the_same_command_comes_back(relabel, cloud, data, archives) -> None:
    """A process that is interrupted while it waits ends with 130, says how to go on, and what it started is fetched by the next."""
    command = [sys.executable, "-u", "-m", "relabel", "aws", "train", "--data", str(data), "--output", "out", *FAST]
    with subprocess.Popen(
        command, env={**os.environ}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, process_group=0
    ) as process:
        said = ""
        while "InProgress" not in said and (line := process.stdout.readline()):
            said += line
        process.send_signal(signal.SIGINT)
        said += process.communicate(timeout=20)[0]
    assert process.returncode == 130, said
    assert "the same command comes back to it" in said
    (name,) = cloud.jobs()
    assert cloud.jobs()[name].training_job_status == "InProgress"
    assert not Path("out").exists()
    cloud.end(name)
    cloud.leave(name, archives)
    assert relabel(*command[4:]).code == 0
    assert list(cloud.jobs()) == [name]


def test_lines_that_come_late_are_shown_once(cloud) -> None:
    """Each look gives what is new, also with an older time; other jobs' lines are not shown."""
    log = watching.Log(cloud.account, "relabel-a")
    assert list(log.lines()) == []
    cloud.log("relabel-a", "one")
    cloud.log("relabel-ab", "another's")
    assert list(log.lines()) == ["one"]
    cloud.log("relabel-a", "two", "three")
    assert list(log.lines()) == ["two", "three"]
    assert list(log.lines()) == []
