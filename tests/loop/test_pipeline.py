"""Promises of the pipeline's definition: AWS's own model of the requests takes each step's arguments."""

from __future__ import annotations

import io
import json
import random
import re
import tarfile
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator
from click.testing import CliRunner

from relabel.cli.main import commands
from relabel.errors import UserError
from relabel.loop import pipeline
from relabel.loop.pipeline import Pipeline

PARAMETERS = {
    "Data": "s3://b/data/",
    "Champion": "s3://b/model.tar.gz",
    "Image": "1.dkr/relabel",
    "Output": "s3://b/out",
}
PARAMETERS |= {"Role": "arn:aws:iam::123456789012:role/relabel-execution", "max_epochs": "3"}
WANTED = Pipeline(settings={"max_epochs": "3"})
NAMED = {"Training": "TrainingJobName", "Processing": "ProcessingJobName"}
OPERATIONS = {
    "Training": "CreateTrainingJob",
    "Processing": "CreateProcessingJob",
    "RegisterModel": "CreateModelPackage",
}
OUTPUTS = {
    "Training": {
        "TrainingJobName": "job",
        "OutputDataConfig.S3OutputPath": "s3://b/out",
        "ModelArtifacts.S3ModelArtifacts": "s3://b/m",
    },
    "Processing": {},
}
EVIDENCE = {
    "decision": "promote",
    "reason": "it is better",
    "rows": 400,
    "scores": {"champion": {"accuracy": 0.8}, "challenger": {"accuracy": 0.9}},
}


def steps(definition: dict[str, Any]) -> list[dict[str, Any]]:
    """List all steps, those inside conditions too."""
    found = []
    for step in definition["Steps"]:
        inner = step["Arguments"] if step["Type"] == "Condition" else {}
        found += [step, *inner.get("IfSteps", []), *inner.get("ElseSteps", [])]
    return found


def resolved(value: Any, names: dict[str, Any], said: dict[str, Any]) -> Any:
    """Put in what references name; KeyError where they name nothing."""
    if isinstance(value, dict) and value.keys() == {"Get"}:
        return names[value["Get"]]
    if isinstance(value, dict) and value.keys() == {"Std:Join"}:
        join = value["Std:Join"]
        return join["On"].join(resolved(one, names, said) for one in join["Values"])
    if isinstance(value, dict) and value.keys() == {"Std:JsonGet"}:
        assert resolved(value["Std:JsonGet"]["PropertyFile"], names, said) == pipeline.WRITTEN
        return said[value["Std:JsonGet"]["Path"]]
    if isinstance(value, dict):
        return {name: resolved(one, names, said) for name, one in value.items()}
    return [resolved(one, names, said) for one in value] if isinstance(value, list) else value


def names_of(definition: dict[str, Any]) -> dict[str, Any]:
    """List what references may name."""
    names = {f"Parameters.{one['Name']}": one.get("DefaultValue", "") for one in definition["Parameters"]}
    names |= {f"Parameters.{name}": value for name, value in PARAMETERS.items()}
    names["Execution.PipelineExecutionId"] = "abc"
    for step in definition["Steps"]:
        names |= {f"Steps.{step['Name']}.{name}": value for name, value in OUTPUTS.get(step["Type"], {}).items()}
        files = step.get("PropertyFiles", [])
        names |= {f"Steps.{step['Name']}.PropertyFiles.{one['PropertyFileName']}": one["FilePath"] for one in files}
    return names


@pytest.fixture
def archive(tmp_path):
    """Results of a job, as the platform packs them."""
    data = json.dumps(EVIDENCE).encode()
    with tarfile.open(tmp_path / "output.tar.gz", "w:gz") as file:
        about = tarfile.TarInfo("data/champion.json")
        about.size = len(data)
        file.addfile(about, io.BytesIO(data))
    return tmp_path / "output.tar.gz"


@pytest.mark.parametrize("kind", OPERATIONS)
def test_arguments_of_each_step_are_a_request_that_aws_takes(kind) -> None:
    """Once references are put in, and with the name that an execution gives."""
    definition = pipeline.definition(WANTED)
    (step,) = (step for step in steps(definition) if step["Type"] == kind)
    arguments = resolved(step["Arguments"], names_of(definition), {})
    if kind in NAMED:
        arguments[NAMED[kind]] = "relabel-1"
    model = botocore.session.get_session().get_service_model("sagemaker").operation_model(OPERATIONS[kind])
    assert ParamValidator().validate(arguments, model.input_shape).generate_report() == ""
    unknown = {*arguments} - {*model.input_shape.members}
    assert not unknown


def test_steps_follow_each_other_and_read_what_the_ones_before_wrote(tmp_path, archive) -> None:
    """The file that the condition asks is the one that the command writes where the step's output is taken from."""
    definition = json.loads(json.dumps(pipeline.definition(WANTED)))
    assert definition["Version"] == "2020-12-01"
    named = [step["Name"] for step in steps(definition)]
    assert named == ["Train", "Compare", "Better", "Register", "Kept"]
    train, compare, better = definition["Steps"]
    assert train["Arguments"]["InputDataConfig"][1]["ChannelName"] == "model"
    names = names_of(definition)
    (given,) = compare["Arguments"]["ProcessingInputs"]
    assert resolved(given["S3Input"]["S3Uri"], names, {}) == "s3://b/out/job/output/output.tar.gz"
    command = compare["Arguments"]["AppSpecification"]["ContainerEntrypoint"]
    (output,) = compare["Arguments"]["ProcessingOutputConfig"]["Outputs"]
    assert command[-2:] == [given["S3Input"]["LocalPath"] + "/output.tar.gz", output["S3Output"]["LocalPath"]]
    done = CliRunner().invoke(commands, [*command[1:-2], str(archive), str(tmp_path / "evidence")])
    assert done.exit_code == 0, done.exception
    said = json.loads((tmp_path / "evidence" / compare["PropertyFiles"][0]["FilePath"]).read_text())
    (condition,) = better["Arguments"]["Conditions"]
    assert resolved(condition["LeftValue"], names, said) == condition["RightValue"] == 1
    kept = better["Arguments"]["ElseSteps"][0]
    assert resolved(kept["Arguments"], names, said) == {"ErrorMessage": "the champion stays: it is better"}


def test_every_setting_given_is_a_parameter_and_no_reference_names_what_is_not_there() -> None:
    """What has no default must be given by each execution; names are those that AWS allows."""
    definition = pipeline.definition(WANTED)
    names = names_of(definition)
    for step in steps(definition):
        resolved(step["Arguments"], names, {"promote": 1, "reason": "so"})
    parameters = {one["Name"]: one for one in definition["Parameters"]}
    assert parameters["max_epochs"]["DefaultValue"] == "3"
    assert "DefaultValue" not in parameters["Data"]
    assert all(re.fullmatch(r"[A-Za-z0-9_-]+", name) for name in parameters)


@pytest.mark.parametrize("cut", [20, 200, 2000])
def test_an_archive_that_ends_in_the_middle_is_refused(tmp_path, cut) -> None:
    """Wherever it ends, it is said what to give."""
    path, content = tmp_path / "output.tar.gz", random.Random(0).randbytes(5000)  # noqa: S311  # bytes that cannot be packed
    with tarfile.open(path, "w:gz") as file:
        about = tarfile.TarInfo("data/predictions.csv")
        about.size = len(content)
        file.addfile(about, io.BytesIO(content))
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(UserError, match=r"output\.tar\.gz"):
        pipeline.evidence(path, tmp_path)


@pytest.mark.parametrize("content", [b"no archive", None])
def test_results_without_a_comparison_are_refused(tmp_path, content) -> None:
    """An archive of something else, and something that is none."""
    path = tmp_path / "output.tar.gz"
    if content is None:
        with tarfile.open(path, "w:gz") as file:
            file.addfile(tarfile.TarInfo("data/metrics.json"))
    else:
        path.write_bytes(content)
    with pytest.raises(UserError, match=r"output\.tar\.gz"):
        pipeline.evidence(path, tmp_path)
