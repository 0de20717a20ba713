"""Promises of pipelines in an account."""

from __future__ import annotations

import json

from click.testing import CliRunner

from relabel.aws import account
from relabel.cli.main import commands


def test_a_pipeline_is_made_once_and_brought_up_to_date_after_that(nothing) -> None:
    """Under the account's own role and bucket; the definition is there as it was given last."""
    for number, what in (("3", "made"), ("5", "updated")):
        done = CliRunner().invoke(
            commands, ["loop", "pipeline", "--create", "--region", nothing, "--max-epochs", number]
        )
        assert done.exit_code == 0, done.exception
        assert done.output.startswith(what)
    client = account.find(nothing).client("sagemaker")
    assert len(client.list_pipelines()["PipelineSummaries"]) == 1
    found = client.describe_pipeline(PipelineName="relabel-loop")
    assert found["RoleArn"] == "arn:aws:iam::123456789012:role/relabel-execution"
    parameters = {one["Name"]: one.get("DefaultValue") for one in json.loads(found["PipelineDefinition"])["Parameters"]}
    assert parameters["Output"] == f"s3://relabel-123456789012-{nothing}/out"
    assert parameters["max_epochs"] == "5"
