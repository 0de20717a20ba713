"""As many machines as the requests need: application-autoscaling of an endpoint's one variant."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from relabel.aws.account import Account
from relabel.aws.hosting import VARIANT
from relabel.aws.refusals import explained, is_missing
from relabel.errors import UserError

SPACE, DIMENSION = "sagemaker", "sagemaker:variant:DesiredInstanceCount"
POLICY, WAKING = "relabel-target", "relabel-waking"
COOL = 300
"""Seconds after which machines are taken away."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Between how many machines, and the requests to a machine that are aimed at: in a minute, or waiting where it is asynchronous."""

    least: int
    most: int
    target: float


def parse(text: str, target: float, *, asynchronous: bool) -> Scale:
    """Read `MIN:MAX`. Raises UserError where it does not fit."""
    least, _, most = text.partition(":")
    if not (least.isdecimal() and most.isdecimal()) or not 0 <= int(least) <= int(most) or int(most) < 1:
        raise UserError(f"--autoscale {text}: give MIN:MAX, as 1:4")
    if least == "0" and not asynchronous:
        raise UserError("--autoscale 0:… is for --asynchronous endpoints, whose requests can wait: give 1 or more")
    return Scale(int(least), int(most), target)


def apply(account: Account, name: str, scale: Scale, *, asynchronous: bool) -> None:
    """Register the endpoint and its policy; the same again changes nothing."""
    client, at = account.client("application-autoscaling"), _at(name)
    with explained():
        client.register_scalable_target(**at, MinCapacity=scale.least, MaxCapacity=scale.most)
        client.put_scaling_policy(
            **at,
            PolicyName=POLICY,
            PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration=tracking(name, scale.target, asynchronous=asynchronous),
        )
        if asynchronous and not scale.least:
            _wake(account, client, name)


def tracking(name: str, target: float, *, asynchronous: bool) -> dict[str, Any]:
    """Give the policy: requests to a machine in a minute, or of a queue those that wait for each machine."""
    metric: dict[str, Any] = {
        "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}
    }
    if asynchronous:
        metric = {
            "CustomizedMetricSpecification": {
                "MetricName": "ApproximateBacklogSizePerInstance",
                "Namespace": "AWS/SageMaker",
                "Dimensions": [{"Name": "EndpointName", "Value": name}],
                "Statistic": "Average",
            }
        }
    return {"TargetValue": target, "ScaleInCooldown": COOL, "ScaleOutCooldown": COOL // 5, **metric}


def counts(account: Account, name: str) -> tuple[int, int] | None:
    """Give the least and the most machines of an endpoint, None where it does not scale."""
    with explained():
        found = account.client("application-autoscaling").describe_scalable_targets(
            ServiceNamespace=SPACE, ResourceIds=[_at(name)["ResourceId"]], ScalableDimension=DIMENSION
        )["ScalableTargets"]
    return (found[0]["MinCapacity"], found[0]["MaxCapacity"]) if found else None


def remove(account: Account, name: str) -> bool:
    """Take the endpoint out of scaling, its policies and alarm too; whether there was anything."""
    calls = (
        # The alarm first: whatever stops this leaves the target, by which the same command finds the rest.
        lambda: account.client("cloudwatch").delete_alarms(AlarmNames=[_alarm(name)]),
        lambda: account.client("application-autoscaling").deregister_scalable_target(**_at(name)),
    )
    return [_is_done(call) for call in calls][-1]


def _is_done(call: Callable[[], object]) -> bool:
    """Delete; False where there was nothing."""
    with explained():
        try:
            call()
        except ClientError as error:
            if is_missing(error) or "no scalable target" in str(error).lower():
                return False
            raise
    return True


def by_hand(region: str, name: str) -> str:
    """Say how to take an endpoint out of scaling, which AWS wants before another type of machine, and which nothing does unasked."""
    at = _at(name)
    told = f"--service-namespace {SPACE} --resource-id {at['ResourceId']} --scalable-dimension {DIMENSION}"
    return (
        "It scales: take it out with "
        f"'aws application-autoscaling deregister-scalable-target --region {region} {told}', "
        "then run the command again, with --autoscale"
    )


def _wake(account: Account, client: Any, name: str) -> None:
    """Let the first request that waits start a machine: a backlog per machine says nothing where there is no machine."""
    step = {"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}
    policy = client.put_scaling_policy(
        **_at(name),
        PolicyName=WAKING,
        PolicyType="StepScaling",
        StepScalingPolicyConfiguration={
            "AdjustmentType": "ChangeInCapacity",
            "MetricAggregationType": "Average",
            "Cooldown": COOL,
            "StepAdjustments": [step],
        },
    )
    account.client("cloudwatch").put_metric_alarm(
        AlarmName=_alarm(name),
        MetricName="HasBacklogWithoutCapacity",
        Namespace="AWS/SageMaker",
        Statistic="Average",
        Dimensions=[{"Name": "EndpointName", "Value": name}],
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        TreatMissingData="missing",
        AlarmActions=[policy["PolicyARN"]],
    )


def _alarm(name: str) -> str:
    return f"{name}-waking"


def _at(name: str) -> dict[str, str]:
    return {
        "ServiceNamespace": SPACE,
        "ResourceId": f"endpoint/{name}/variant/{VARIANT}",
        "ScalableDimension": DIMENSION,
    }
