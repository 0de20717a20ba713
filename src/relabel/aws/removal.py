"""Deleting what costs: only what is called `relabel-…`, and what is gone already is no failure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial

from botocore.exceptions import ClientError

from relabel.aws import endpoints, inventory, names, scaling
from relabel.aws.account import Account
from relabel.aws.endpoints import Say, quiet
from relabel.aws.refusals import explained, is_missing
from relabel.errors import AlgorithmError, RelabelError


@dataclass
class Removed:
    """What was deleted, what was gone already, and what AWS did not let be deleted, with its reason."""

    done: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    failed: list[tuple[str, RelabelError]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Plan:
    """Names of what is to be deleted; models and configurations cost nothing, but belong to the endpoints."""

    endpoints: tuple[str, ...]
    configurations: tuple[str, ...]
    models: tuple[str, ...]

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing."""
        return not (self.endpoints or self.configurations or self.models)

    def lines(self) -> list[str]:
        """List it."""
        kinds = (("endpoint", self.endpoints), ("configuration", self.configurations), ("model", self.models))
        return [f"{kind:<14}{name}" for kind, found in kinds for name in found]


def plan(account: Account, name: str = "") -> Plan:
    """Find what belongs to an endpoint's name, or with no name all that there is."""
    found = {
        kind: tuple(
            item.name
            for item in inventory.items(account, [kind])
            if not name or (item.name == name if kind == "endpoint" else names.belongs(item.name, name))
        )
        for kind in ("endpoint", "configuration", "model")
    }
    return Plan(found["endpoint"], found["configuration"], found["model"])


def remove(account: Account, plan: Plan, *, say: Say = quiet) -> Removed:
    """Delete in the order in which AWS lets it be done; a refusal does not keep the rest from being deleted.

    What belongs to an endpoint that stays, stays too: an endpoint without its configuration costs on, and can be neither changed nor understood.
    """
    client = account.client("sagemaker")
    removed = Removed()
    staying = []
    for name in plan.endpoints:
        _try(removed, f"scaling of {name}", partial(scaling.remove, account, name), is_quiet=True)
        if not _try(removed, f"endpoint {name}", partial(_delete_endpoint, account, name, say)):
            staying.append(name)
    kinds: tuple[tuple[str, Iterable[str], Callable[[str], object]], ...] = (
        ("configuration", plan.configurations, lambda name: client.delete_endpoint_config(EndpointConfigName=name)),
        ("model", plan.models, lambda name: client.delete_model(ModelName=name)),
    )
    for kind, found, delete in kinds:
        for name in found:
            if not any(names.belongs(name, each) for each in staying):
                _try(removed, f"{kind} {name}", partial(_delete, delete, name))
    return removed


def _try(removed: Removed, shown: str, delete: Callable[[], bool], *, is_quiet: bool = False) -> bool:
    """Note how a deletion ended; whether the thing is away."""
    try:
        there = delete()
    except RelabelError as error:
        removed.failed.append((shown, error))
        return False
    if there:
        removed.done.append(shown)
    elif not is_quiet:
        removed.gone.append(shown)
    return True


def _delete(delete: Callable[[str], object], name: str) -> bool:
    """Delete one thing of ours; whether it was there."""
    if not name.startswith(names.PREFIX):
        raise AlgorithmError(f"{name} is not called {names.PREFIX}…, and was to be deleted")
    with explained():
        try:
            delete(name)
        except ClientError as error:
            if is_missing(error):
                return False
            raise
    return True


def _delete_endpoint(account: Account, name: str, say: Say) -> bool:
    client = account.client("sagemaker")
    endpoints.settle(account, name, say=say)  # AWS deletes none that it is changing
    there = _delete(lambda each: client.delete_endpoint(EndpointName=each), name)
    if there:
        endpoints.settle_gone(account, name, say=say)
    return there
