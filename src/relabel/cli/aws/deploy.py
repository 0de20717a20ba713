"""`relabel aws deploy`: a model as an endpoint."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from relabel.cli.aws.place import JSON, here_too, left, on_aws, pairs, say_state

if TYPE_CHECKING:
    from relabel.aws.account import Account
    from relabel.aws.endpoints import Change
    from relabel.aws.hosting import Wanted
    from relabel.aws.scaling import Scale

LEFT = "left; AWS goes on with the endpoint: the same command comes back to it"
LEFT_HERE = "left; what was begun here is gone: the same command begins anew"
DONE = {
    "made": "in service",
    "updated": "in service with this model and configuration",
    "unchanged": "is so already: nothing was changed",
    "rolled back": "back on the configuration before",
}
Say = Callable[[str], None]


@click.command()
@click.argument("model", required=False, default="")
@click.option("--name", required=True, help="name of the endpoint; 'relabel-' is put before it where it is missing")
@click.option("--rollback", is_flag=True, help="go back to the model and configuration before the present ones")
@click.option("--image", default="", metavar="URI", help="image [default: the training job's, or relabel:VERSION-cpu]")
@click.option("--role", default="", metavar="ARN", help="execution role [default: relabel-execution of the account]")
@click.option("--instance-type", default="ml.m5.large", show_default=True, help="machine")
@click.option("--instance-count", default=1, show_default=True, type=click.IntRange(1), help="machines")
@click.option("--serverless", is_flag=True, help="no machine of its own: costs only while it answers")
@click.option("--memory-mb", default=2048, show_default=True, type=int, help="with --serverless, 1024 to 6144")
@click.option("--max-concurrency", default=5, show_default=True, type=click.IntRange(1, 200), help="with --serverless")
@click.option("--asynchronous", is_flag=True, help="requests and answers are files in S3, and requests may wait")
@click.option(
    "--output", default="", metavar="S3", help="with --asynchronous, place of the answers [default: out/NAME/answers/]"
)
@click.option(
    "--ami", default="", metavar="VERSION", help="InferenceAmiVersion: the GPU driver, see docs/on_sagemaker.md"
)
@click.option(
    "--capture", default=0, type=click.IntRange(0, 100), metavar="PERCENT", help="share of the traffic to keep"
)
@click.option("--capture-to", default="", metavar="S3", help="place of captured traffic [default: out/NAME/captured/]")
@click.option("--autoscale", default="", metavar="MIN:MAX", help="machines; 0 at the least is for --asynchronous")
@click.option(
    "--target",
    default=100.0,
    show_default=True,
    type=click.FloatRange(0, min_open=True),
    help="with --autoscale: requests to a machine in a minute, or waiting for it where it is asynchronous",
)
@click.option("--environment", multiple=True, metavar="K=V", help="variable of the server; again for each")
@click.option("--tag", "tags", multiple=True, metavar="K=V", help="tag of what is made; again for each")
@click.option("--kms-key", default="", help="key that encrypts the machine's disk")
@click.option("--subnet", "subnets", multiple=True, help="subnet of a network of your own; again for each")
@click.option("--security-group", "groups", multiple=True, help="its security group; again for each")
@click.option("--isolation/--no-isolation", default=True, show_default=True, help="a server that reaches no network")
@click.option("--check/--no-check", default=True, show_default=True, help="ask it for one prediction once it is there")
@click.option("--wait/--no-wait", default=True, show_default=True, help="stay until it is in service")
@JSON
@here_too
@on_aws
def command(*, model: str, name: str, local: bool, local_folder: Path, as_json: bool, **said: Any) -> None:
    """Serve MODEL: a model folder, a model.tar.gz, s3://…, a training job (relabel-…), or the ARN of a model package.

    The same again changes nothing; another model or configuration updates the endpoint, and --rollback goes back.
    """
    from relabel.aws import names
    from relabel.errors import UserError

    if bool(model) == said["rollback"]:
        raise UserError("give the MODEL to serve, or --rollback")
    say = partial(click.echo, err=as_json)
    with left(LEFT_HERE if local else LEFT):
        told = (
            _here(local_folder, names.full(name), model, said, say)
            if local
            else _there(names.full(name), model, said, say)
        )
    if as_json:
        click.echo(json.dumps(told))


def _there(name: str, model: str, said: dict[str, Any], say: Say) -> dict[str, Any]:
    from relabel.aws import account as accounts
    from relabel.aws import endpoints, hosting, models, scaling

    account = accounts.find(said["region"], said["profile"])
    if said["rollback"]:
        return _told(endpoints.rollback(account, name, wait=said["wait"], say=say_state), say, wait=said["wait"])
    wanted = _wanted(account, name, said)
    scale = None
    if said["autoscale"]:
        scale = scaling.parse(said["autoscale"], said["target"], asynchronous=said["asynchronous"])
    for warning in hosting.check(wanted):
        click.echo(f"WARNING {warning}", err=True)
    named = models.resolve(account, model, name=name, image=said["image"])
    change = endpoints.apply(account, wanted, named, wait=said["wait"], say=say_state)
    told = _told(change, say, wait=said["wait"])
    if scale is not None:
        _scale(account, name, scale, said, say)
    if said["check"] and said["wait"]:
        from relabel.aws import asking

        asking.try_out(account, change.endpoint, models.described(account, named))
        say("it answers: one made record came back with a prediction")
    return told


def _wanted(account: Account, name: str, said: dict[str, Any]) -> Wanted:
    from relabel.aws.hosting import Wanted
    from relabel.errors import UserError

    if said["output"] and not said["asynchronous"]:
        raise UserError("--output is for --asynchronous endpoints: leave it out")
    if said["autoscale"] and said["serverless"]:
        raise UserError("--autoscale is for machines, and a serverless endpoint has none: leave it out")
    below = f"s3://{account.bucket}/out/{name}"
    return Wanted(
        name=name,
        role=said["role"] or account.role,
        instance_type=said["instance_type"],
        count=said["instance_count"],
        memory=said["memory_mb"] if said["serverless"] else 0,
        concurrency=said["max_concurrency"],
        answers=(said["output"] or f"{below}/answers/") if said["asynchronous"] else "",
        ami=said["ami"],
        capture=said["capture"],
        captured=(said["capture_to"] or f"{below}/captured/") if said["capture"] else "",
        environment=pairs(said["environment"], "environment"),
        tags=pairs(said["tags"], "tag"),
        kms_key=said["kms_key"],
        subnets=said["subnets"],
        groups=said["groups"],
        isolation=said["isolation"],
    )


def _scale(account: Account, name: str, scale: Scale, said: dict[str, Any], say: Say) -> None:
    from relabel.aws import scaling

    if not said["wait"]:
        say("scaling waits for the endpoint: run the command again, with --wait")
        return
    scaling.apply(account, name, scale, asynchronous=said["asynchronous"])
    say(f"scales between {scale.least} and {scale.most} machines")


def _told(change: Change, say: Say, *, wait: bool) -> dict[str, Any]:
    at = change.endpoint
    say(f"{at.name}: {DONE[change.what] if wait or change.what == 'unchanged' else at.status}")
    for what, value in (("model", at.model_uri), ("kind", at.kind), ("captured", at.captured), ("before", at.previous)):
        if value:
            say(f"{what:<10}{value}")
    return {"what": change.what, **asdict(at)}


def _here(folder: Path, name: str, model: str, said: dict[str, Any], say: Say) -> dict[str, Any]:
    from relabel.aws import local_hosting
    from relabel.errors import UserError

    if said["rollback"]:
        raise UserError("local mode keeps no configuration to go back to: deploy the model before again")
    if not said["image"]:
        raise UserError("--local needs --image: one of this machine, as ./build_and_push.sh --no-push builds it")
    told = local_hosting.deploy(
        folder, name, model, said["image"], pairs(said["environment"], "environment"), check=said["check"]
    )
    say(f"{name}: {DONE[told['what']]}, at http://127.0.0.1:{told['port']}")
    return told
