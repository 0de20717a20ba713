"""Pipelines of SageMaker: made, or brought up to date."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal

from botocore.exceptions import ClientError

from relabel.aws.account import Account
from relabel.aws.refusals import explained, is_missing

DESCRIPTION = "relabel: a new model, compared with the one that serves, registered if it is better"


def put(
    account: Account, name: str, definition: Mapping[str, Any], role: str
) -> tuple[str, Literal["made", "updated"]]:
    """Make a pipeline of this definition, or give the one of this name the definition; its ARN.

    role: ARN of the role by which the pipeline starts its jobs.

    Raises UserError or PlatformError where AWS refuses.
    """
    client = account.client("sagemaker")
    said = {
        "PipelineName": name,
        "PipelineDefinition": json.dumps(definition),
        "PipelineDescription": DESCRIPTION,
        "RoleArn": role,
    }
    with explained():
        try:
            client.describe_pipeline(PipelineName=name)
        except ClientError as error:
            if not is_missing(error):
                raise
            return str(client.create_pipeline(**said)["PipelineArn"]), "made"
        return str(client.update_pipeline(**said)["PipelineArn"]), "updated"
