"""Stacks of CloudFormation: made, changed, deleted, waited for, with what happens told as it happens.

Whatever is broken off can be started again: a change that runs is waited for first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from relabel.errors import PlatformError, UserError

BEGUN = "_IN_PROGRESS"
REVIEWED = "REVIEW_IN_PROGRESS"
"""A stack that somebody began and never made; nothing runs."""
GOOD = {"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"}
BACK = {"UPDATE_ROLLBACK_COMPLETE", "IMPORT_ROLLBACK_COMPLETE"}
"""As it was before an update that failed; it can be updated again."""
NEVER_MADE = {"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED", REVIEWED}
"""Stacks that can only be deleted."""
PATIENCE, PAUSE = 3600.0, 3.0
"""Seconds that a change may take, and between two looks at it."""
FOLLOWS = ("Resource creation cancelled", "Resource update cancelled", "Resource deletion cancelled")
"""What CloudFormation says of resources that were let go because another one failed."""

Stack = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Formation:
    """CloudFormation, and who is told.

    client: boto3's. say: takes a line for each thing that happens. sleep: waits some seconds.
    """

    client: Any
    say: Callable[[str], None]
    sleep: Callable[[float], None]

    def settled(self, name: str) -> Stack | None:
        """Give a stack, once whatever changes it now has ended; None where there is none."""
        stack = self._found(name)
        if stack is None or not _runs(stack):
            return stack
        self.say(f"{name} is being changed ({stack['StackStatus']}): waiting for the end")
        return self._waited(stack["StackId"], self._seen(stack))

    def put(self, name: str, template: str, parameters: Mapping[str, str], stack: Stack | None) -> Stack:
        """Make a stack, or change the one that is there, and wait until it is as wished.

        Raises UserError with every reason where that fails.
        """
        seen = self._seen(stack)
        told = {
            "StackName": name,
            "TemplateBody": template,
            "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
            "Capabilities": ["CAPABILITY_NAMED_IAM"],  # no tags: each resource would ask for one more permission
        }
        try:
            made = self.client.create_stack(**told) if stack is None else self.client.update_stack(**told)
        except ClientError as error:
            if stack is None or "no updates are to be performed" not in str(error).lower():
                raise
            self.say(f"{name} is as it should be")
            return stack
        ended = self._waited(made["StackId"], seen)
        if ended is None or ended["StackStatus"] not in GOOD:
            raise self._failure(name, made["StackId"], ended, seen)
        return ended

    def delete(self, stack: Stack) -> None:
        """Delete a stack, and wait until it is gone.

        Raises UserError with every reason where something stays.
        """
        seen = self._seen(stack)
        self.client.delete_stack(StackName=stack["StackId"])
        ended = self._waited(stack["StackId"], seen)
        if ended is not None:
            raise self._failure(stack["StackName"], stack["StackId"], ended, seen)

    def physical(self, stack: Stack, logical: str) -> str:
        """Name what a stack has made of a resource; "" where that is not there."""
        found = self.client.describe_stack_resources(StackName=stack["StackId"])["StackResources"]
        made = (one for one in found if one.get("LogicalResourceId") == logical)
        return next(
            (one.get("PhysicalResourceId", "") for one in made if one["ResourceStatus"] != "DELETE_COMPLETE"), ""
        )

    def _waited(self, number: str, seen: set[str]) -> Stack | None:
        """Wait for the end of a change, and say each event that is not in `seen`; None where the stack is then gone."""
        told = set(seen)
        for _ in range(int(PATIENCE / PAUSE)):
            stack = self._found(number)
            for event in self._new(number, told):
                self.say(_line(event))
            if stack is None or not _runs(stack):
                return stack
            self.sleep(PAUSE)
        raise PlatformError(f"{number} has not settled within an hour: run the command again, it goes on where it was")

    def _found(self, name: str) -> Stack | None:
        """Look at a stack; a deleted one can be asked about by its number for a while, and is none."""
        try:
            found: Stack = self.client.describe_stacks(StackName=name)["Stacks"][0]
        except ClientError as error:
            if "does not exist" not in str(error):
                raise
            return None
        return None if found["StackStatus"] == "DELETE_COMPLETE" else found

    def _seen(self, stack: Stack | None) -> set[str]:
        """List the events of a stack that have been."""
        seen: set[str] = set()
        if stack is not None:
            self._new(stack["StackId"], seen)
        return seen

    def _new(self, number: str, seen: set[str]) -> list[Mapping[str, Any]]:
        """Give the events that are not in `seen`, the oldest first, and put them there."""
        pages = self.client.get_paginator("describe_stack_events").paginate(StackName=number)
        found = []
        for event in (event for page in pages for event in page["StackEvents"]):  # the newest first
            if event["EventId"] in seen:
                break
            found.append(event)
        seen.update(event["EventId"] for event in found)
        return found[::-1]

    def _failure(self, name: str, number: str, ended: Stack | None, seen: set[str]) -> UserError:
        """Say what failed, in order; what was only let go for that is left out."""
        failed = [one for one in self._new(number, set(seen)) if one.get("ResourceStatus", "").endswith("FAILED")]
        told = [
            f"{one['LogicalResourceId']} ({one['ResourceType']}): {one.get('ResourceStatusReason', '')}"
            for one in failed
            if not one.get("ResourceStatusReason", "").startswith(FOLLOWS)
        ]
        status = "DELETE_COMPLETE" if ended is None else ended["StackStatus"]
        reason = "" if ended is None else ended.get("StackStatusReason", "")
        after = "it is as it was before" if status in BACK else "mend what follows, and run the command again"
        return UserError(f"the stack {name} ended as {status}: {after}. {reason}".rstrip(), *told)


def _runs(stack: Stack) -> bool:
    return str(stack["StackStatus"]).endswith(BEGUN) and stack["StackStatus"] != REVIEWED


def _line(event: Mapping[str, Any]) -> str:
    status, reason = event.get("ResourceStatus", ""), event.get("ResourceStatusReason", "")
    shown = f"{status.lower().replace('_', ' '):<22}{event.get('LogicalResourceId', '')}"
    return f"{shown}: {reason}" if reason and status.endswith("FAILED") else shown
