"""Promises of docs/aws_hosting.md: its commands run as written against moto's server, with exactly the permissions that it names."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from moto.core import enable_iam_authentication
from moto.iam.access_control import IAMRequestBase

from relabel.aws import drivers

DOCS = Path(__file__).parents[3] / "docs"
PAGE, FIRST_PAGE = (DOCS / "aws_hosting.md").read_text(), (DOCS / "on_sagemaker.md").read_text()
BLOCK = re.compile(
    r"^(?P<mark><!-- tests run this block where there is a Docker engine -->\n)?```sh\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
UNSEEN = {
    "iam:CreateServiceLinkedRole",  # AWS's own doing
    "pricing:GetProducts",  # moto has no price list
    "sagemaker:DescribeModelPackage",  # of a package, which the page does not deploy
    "sagemaker:DescribeHyperParameterTuningJob",  # of one that failed
}
"""Actions that the page's policy names, and that its commands do not ask for here."""
ANSWER = '{"predictions": [{"label": 0, "class": "negative", "probabilities": [0.5, 0.5]}]}'


README = re.compile(r"^<!-- tests/aws run this block -->\n```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)


def commands() -> Iterator[list[str]]:
    """List the page's commands, but those of local mode and the administrator's."""
    for block in BLOCK.finditer(PAGE):
        if not block["mark"] and not block["text"].startswith("cat >"):
            for line in block["text"].replace("\\\n", " ").splitlines():
                yield shlex.split(line)


def policy(page: str, name: str) -> list[dict[str, Any]]:
    """Read the statements of a policy that a page shows."""
    found = re.search(rf"^cat > {name} <<EOF\n(.*?)^EOF$", page, flags=re.MULTILINE | re.DOTALL)
    assert found is not None
    return list(json.loads(found[1])["Statement"])


def actions(statements: list[dict[str, Any]]) -> set[str]:
    """List the actions of statements."""
    said = [statement["Action"] for statement in statements]
    return {action for each in said for action in ([each] if isinstance(each, str) else each)}


@pytest.fixture
def asked(aws, monkeypatch) -> set[str]:
    """Be the launcher, with the policies of both pages; gives the actions that AWS was asked for."""
    iam, seen = aws.client("iam"), set()
    iam.create_user(UserName="ann")
    statements = policy(FIRST_PAGE, "launcher.json") + policy(PAGE, "hosting.json")
    for statement in statements:  # moto knows no resources but those of S3
        statement["Resource"] = "*"
        statement.pop("Condition", None)
    spelled = json.dumps(statements).replace('"cloudwatch:', '"monitoring:')  # moto calls it by its address
    document = {"Version": "2012-10-17", "Statement": json.loads(spelled)}
    iam.put_user_policy(UserName="ann", PolicyName="relabel", PolicyDocument=json.dumps(document))
    keys = iam.create_access_key(UserName="ann")["AccessKey"]
    decide = IAMRequestBase.check_action_permitted

    def noted(request: Any, resource: str) -> None:
        if "/ann" in request._access_key.arn:
            seen.add(request._action.replace("monitoring:", "cloudwatch:"))
        decide(request, resource)

    monkeypatch.setattr(IAMRequestBase, "check_action_permitted", noted)
    # Its reckoning of a signature fails on a request without a body.
    monkeypatch.setattr(IAMRequestBase, "check_signature", lambda _request: None)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", keys["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", keys["SecretAccessKey"])
    return seen


@pytest.fixture
def reader(aws, model, other_model, labelled, *, tmp_path, monkeypatch, answering, push_image) -> Path:
    """A folder with what the page speaks of, the image in ECR, and a price list that cannot be reached."""
    folder = tmp_path / "page"
    for name, source in {"model": model, "better": other_model, "labelled": labelled}.items():
        shutil.copytree(source, folder / name)
    (folder / "request.json").write_text('{"instances": [[1, 2, 3]]}')
    (folder / "rows.csv").write_text("1,2,3\n")
    monkeypatch.chdir(folder)
    monkeypatch.setenv("AWS_ENDPOINT_URL_PRICING", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    push_image(aws.client("ecr"))
    answering(*[ANSWER] * 20)
    return folder


def test_the_page_runs_as_written(reader, run, platform, asked) -> None:
    """Every command, in order, ends with 0, needs exactly the launcher's permissions, and leaves nothing that costs."""
    with enable_iam_authentication():
        for line in commands():
            assert line[:2] == ["relabel", "aws"]
            ended = run(*line[2:])
            assert ended.code == 0, f"{line}\n{ended.out}\n{ended.err}"
        assert json.loads(run("cost", "--json").out)["running"] == []
    assert (reader / "answer.json").read_text() == ANSWER
    assert json.loads((reader / "scored" / "scores.json").read_text())["scores"]["accuracy"][0] == 0.9
    assert len(platform()) == 1
    first, second = (
        actions(policy(page, f"{name}.json")) for page, name in ((FIRST_PAGE, "launcher"), (PAGE, "hosting"))
    )
    assert first & second == set()
    assert asked - first - {"sts:GetCallerIdentity"} == second - UNSEEN


def test_the_readme_runs_as_written(reader, run) -> None:
    """From a trained model to an endpoint that answers, and to nothing that costs."""
    shutil.copytree(reader / "model", reader / "out" / "model")
    (block,) = README.findall((DOCS.parent / "README.md").read_text())
    for line in block.splitlines():
        ended = run(*shlex.split(line)[2:])
        assert ended.code == 0, f"{line}\n{ended.out}\n{ended.err}"
    assert json.loads(run("cost", "--json").out)["running"] == []


def test_no_action_has_a_wildcard_and_every_action_is_real() -> None:
    """Names of actions are names of the services' operations."""
    session = botocore.session.get_session()
    for action in sorted(actions(policy(PAGE, "hosting.json"))):
        service, _, operation = action.partition(":")
        assert operation in session.get_service_model(service).operation_names, action


def test_the_drivers_are_those_of_the_table() -> None:
    """What `deploy` warns of and takes stands in the table of docs/on_sagemaker.md, and no more."""
    shown = re.findall(r"^\| `(\S+-inference-gpu-\S+)` \| (\d+) \|", FIRST_PAGE, flags=re.MULTILINE)
    assert {version: int(driver) for version, driver in shown} == drivers.CHOICES
    machines = re.findall(r"^\| endpoints \| ([^|]+) \| (\d+) \|", FIRST_PAGE, flags=re.MULTILINE)
    listed = {name.strip()[3:]: int(driver) for names, driver in machines for name in names.split(",")}
    assert listed == drivers.DEFAULTS


def test_links_lead_somewhere() -> None:
    """To a page of the project and a heading of it."""
    for target, anchor in re.findall(r"\]\((?!https:)([^)#]+)#?([^)]*)\)", PAGE):
        headings = re.findall(r"^#+ (.+)$", (DOCS / target).read_text(), flags=re.MULTILINE)
        slugs = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
        assert not anchor or anchor in slugs, f"{target}#{anchor}"
