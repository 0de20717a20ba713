"""Promises of changes to a stack: waited for, told, and explained where they fail."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError

from relabel.aws.formation import PAUSE, Formation
from relabel.errors import PlatformError, UserError


class Cloud:
    """Stands for boto3's client of CloudFormation, which the imitation of AWS does not let fail.

    states: what the stack is at each look, "" where it is not there; the last one stays. An event comes with each new one.
    """

    def __init__(self, *states: str, events: tuple[tuple[str, str, str], ...] = (), updates: bool = True) -> None:
        self.states, self.updates = list(states), updates
        self.asked: list[str] = []
        self._events = [_event(number, *one) for number, one in enumerate(events)]

    def describe_stacks(self, StackName: str) -> Mapping[str, Any]:  # noqa: ARG002, N803  # boto3's names
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        if not state:
            raise _refused("Stack with id x does not exist")
        self._events.append(_event(len(self._events), "relabel-web", state, ""))
        return {"Stacks": [{"StackName": "relabel-web", "StackId": "arn:x", "StackStatus": state}]}

    def create_stack(self, **_: Any) -> Mapping[str, str]:
        self.asked.append("create")
        return {"StackId": "arn:x"}

    def update_stack(self, **_: Any) -> Mapping[str, str]:
        self.asked.append("update")
        if not self.updates:
            raise _refused("No updates are to be performed.")
        return {"StackId": "arn:x"}

    def delete_stack(self, **_: Any) -> None:
        self.asked.append("delete")

    def get_paginator(self, _name: str) -> Cloud:
        return self

    def paginate(self, **_: Any) -> Iterator[Mapping[str, Any]]:
        yield {"StackEvents": self._events[::-1]}


def _event(number: int, name: str, status: str, reason: str) -> dict[str, Any]:
    told = {"EventId": str(number), "LogicalResourceId": name, "ResourceStatus": status, "ResourceType": "AWS::X::Y"}
    return {**told, "ResourceStatusReason": reason}


def _refused(message: str) -> ClientError:
    return ClientError({"Error": {"Code": "ValidationError", "Message": message}}, "DescribeStacks")


def formation(cloud: Cloud) -> tuple[Formation, list[str], list[float]]:
    """Give the formation, what it says, and how long it sleeps."""
    said: list[str] = []
    slept: list[float] = []
    return Formation(cloud, said.append, slept.append), said, slept


def test_a_stack_is_made_and_waited_for() -> None:
    """Each event is told once, in order."""
    made, said, slept = formation(Cloud("CREATE_IN_PROGRESS", "CREATE_IN_PROGRESS", "CREATE_COMPLETE"))
    assert made.put("relabel-web", "", {}, None)["StackStatus"] == "CREATE_COMPLETE"
    assert [line.split("  ")[0] for line in said] == ["create in progress", "create in progress", "create complete"]
    assert slept == [PAUSE, PAUSE]


def test_a_change_that_runs_is_waited_for_first() -> None:
    """What was begun before CTRL-C goes on; a stack that is then gone is none."""
    for states, left in ((["UPDATE_IN_PROGRESS", "UPDATE_COMPLETE"], True), (["DELETE_IN_PROGRESS", ""], False)):
        made, said, _ = formation(Cloud(*states))
        assert (made.settled("relabel-web") is not None) == left
        assert "is being changed" in said[0]


def test_nothing_to_change_is_fine() -> None:
    """It is said, and the stack is given as it is."""
    cloud = Cloud("UPDATE_COMPLETE", updates=False)
    made, said, _ = formation(cloud)
    stack = made.settled("relabel-web")
    assert made.put("relabel-web", "", {}, stack) is stack
    assert said == ["relabel-web is as it should be"]


def test_a_failure_says_every_reason_and_none_that_only_follows() -> None:
    """What failed before, in an earlier change, is not told again."""
    old = ("Old", "CREATE_FAILED", "long ago")
    cloud = Cloud("UPDATE_COMPLETE", events=(old,))
    made, _, _ = formation(cloud)
    stack = made.settled("relabel-web")
    for event in (
        ("Role", "CREATE_FAILED", "not authorized to perform: iam:CreateRole"),
        ("Api", "CREATE_FAILED", "Resource creation cancelled"),
        ("Logs", "CREATE_FAILED", "it exists"),
    ):
        cloud._events.append(_event(len(cloud._events), *event))
    cloud.states = ["UPDATE_ROLLBACK_COMPLETE"]
    seen = {"0", "1"}
    failure = made._failure("relabel-web", "arn:x", {"StackStatus": "UPDATE_ROLLBACK_COMPLETE"}, seen)
    assert failure.problems == (
        "the stack relabel-web ended as UPDATE_ROLLBACK_COMPLETE: it is as it was before.",
        "Role (AWS::X::Y): not authorized to perform: iam:CreateRole",
        "Logs (AWS::X::Y): it exists",
    )
    assert stack is not None


def test_a_rollback_is_an_error_of_the_user_s() -> None:
    """With what to do next."""
    made, _, _ = formation(Cloud("CREATE_IN_PROGRESS", "ROLLBACK_IN_PROGRESS", "ROLLBACK_COMPLETE"))
    with pytest.raises(UserError, match="ended as ROLLBACK_COMPLETE: mend what follows"):
        made.put("relabel-web", "", {}, None)


def test_what_stays_after_a_deletion_is_said() -> None:
    """A stack that is gone is the end; one that is not, is an error."""
    stack = {"StackName": "relabel-web", "StackId": "arn:x", "StackStatus": "CREATE_COMPLETE"}
    made, _, _ = formation(Cloud("DELETE_IN_PROGRESS", "DELETE_COMPLETE"))
    made.delete(stack)
    made, _, _ = formation(Cloud("DELETE_IN_PROGRESS", "DELETE_FAILED"))
    with pytest.raises(UserError, match="DELETE_FAILED"):
        made.delete(stack)


def test_a_change_that_never_ends_is_given_up() -> None:
    """After an hour by the clock that it is given."""
    made, _, slept = formation(Cloud("CREATE_IN_PROGRESS"))
    with pytest.raises(PlatformError, match="not settled within an hour"):
        made.put("relabel-web", "", {}, None)
    assert sum(slept) >= 3600
