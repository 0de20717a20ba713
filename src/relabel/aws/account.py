"""Whose account is worked in, where, and under which names.

Everything that is made is called `relabel-…`: data below `data/` of one bucket, results below `out/`, one execution role. The smallest permissions
(docs/on_sagemaker.md) are written for these names.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import boto3
from botocore.config import Config

from relabel.aws.refusals import explained
from relabel.errors import UserError

TRIES = Config(retries={"mode": "adaptive", "total_max_attempts": 8})
"""AWS asks callers to slow down as a matter of course."""


@dataclass(frozen=True)
class Account:
    """An AWS account as one person may use it; nothing is asked of AWS before it is needed.

    session: boto3's, with credentials and region. Endpoints other than AWS's own come from AWS_ENDPOINT_URL, which boto3 reads.
    """

    session: boto3.session.Session = field(repr=False)
    region: str

    @cached_property
    def number(self) -> str:
        """The account's twelve digits."""
        return str(self._identity["Account"])

    @property
    def partition(self) -> str:
        """`aws`, or `aws-cn` and its kin."""
        return str(self._identity["Arn"]).split(":")[1]

    @property
    def bucket(self) -> str:
        """The bucket of data and results, where none is named."""
        return f"relabel-{self.number}-{self.region}"

    @property
    def repository(self) -> str:
        """The repository of the images."""
        suffix = "amazonaws.com.cn" if self.partition == "aws-cn" else "amazonaws.com"
        return f"{self.number}.dkr.ecr.{self.region}.{suffix}/relabel"

    @property
    def role(self) -> str:
        """ARN of the execution role, where none is named."""
        return f"arn:{self.partition}:iam::{self.number}:role/relabel-execution"

    def client(self, service: str) -> Any:
        """Give boto3's client of a service, always the same one."""
        if service not in self._clients:
            self._clients[service] = self.session.client(service, config=TRIES)
        return self._clients[service]

    @cached_property
    def _clients(self) -> dict[str, Any]:
        return {}

    @cached_property
    def _identity(self) -> dict[str, Any]:
        with explained():
            return dict(self.client("sts").get_caller_identity())


def find(region: str = "", profile: str = "") -> Account:
    """Take credentials and region as every AWS tool does: the arguments, the environment, the configuration files.

    Raises UserError where there is no region, or no such profile.
    """
    with explained():
        session = boto3.session.Session(profile_name=profile or None, region_name=region or None)
    if not session.region_name:
        raise UserError("no AWS region: give --region, set AWS_DEFAULT_REGION, or run 'aws configure'")
    return Account(session, session.region_name)
