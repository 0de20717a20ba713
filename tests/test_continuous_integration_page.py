"""Promises of the workflow that users copy, and of the role that it runs in."""

from __future__ import annotations

import ast
import fnmatch
import json
import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from moto.server import ThreadedMotoServer

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGE = (DOCS / "continuous_integration.md").read_text()
TEXT = (DOCS / "github_actions" / "image.yml").read_text()
WORKFLOW: dict[Any, Any] = yaml.safe_load(TEXT)
STEPS = [(job, step) for job, about in WORKFLOW["jobs"].items() for step in about["steps"]]
COMMANDS = {step["name"]: step["run"] for _, step in STEPS if "run" in step}
BIN = Path(sys.executable).parent
NAME = "my-organisation@1234/my-repository@5678"
SUBJECT = f"repo:{NAME}"
PROVIDER = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
REGION = "eu-west-1"


@pytest.fixture(scope="module")
def aws() -> Iterator[dict[str, str]]:
    """An imitation of AWS, as variables."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    url = "http://{}:{}".format(*server.get_host_and_port())
    urllib.request.urlopen(f"{url}/moto-api/reset", data=b"").close()  # noqa: S310
    keys = dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "anybody")
    nobodys = dict.fromkeys(("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"), "/none")
    plain = {name: text for name, text in os.environ.items() if not name.startswith("AWS_")}
    yield {**plain, **keys, **nobodys, "AWS_ENDPOINT_URL": url, "AWS_DEFAULT_REGION": REGION, "AWS_PAGER": ""}
    server.stop()


@pytest.fixture(scope="module")
def role(aws, tmp_path_factory) -> dict[str, Any]:
    """The role, after the page's commands have run as written in a checkout."""
    folder = tmp_path_factory.mktemp("checkout")
    (folder / "docs").symlink_to(DOCS)
    commands = re.findall(r"^```sh\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)
    assert f"Repository={NAME}\n" in commands[0]
    # The imitation can make roles by a template, and no identity providers: it is told of one.
    commands[0] = commands[0].replace(NAME, f"{NAME} Provider={PROVIDER}")
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "".join(commands)],
        cwd=folder,
        env={**aws, "PATH": f"{BIN}:{aws['PATH']}"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (folder / ".github" / "workflows" / "image.yml").read_text() == TEXT
    client = boto3.client(
        "iam",
        endpoint_url=aws["AWS_ENDPOINT_URL"],
        region_name=REGION,
        aws_access_key_id="anybody",
        aws_secret_access_key="anybody",  # noqa: S106  # an imitation takes all
    )
    found: dict[str, Any] = client.get_role(RoleName="relabel-github")["Role"]
    assert done.stdout.split()[-1] == found["Arn"]
    policy = client.get_role_policy(RoleName="relabel-github", PolicyName="push")["PolicyDocument"]
    # The imitation keeps a template's policy as Python writes it.
    return {**found, "policy": ast.literal_eval(str(policy))}


def test_the_role_is_for_one_repository_s_branch_and_tags_alone(role) -> None:
    """No pull request, no fork, no other branch and no repository of the same name has it; and the token must be made for AWS."""
    [statement] = role["AssumeRolePolicyDocument"]["Statement"]
    condition = statement["Condition"]
    assert condition["StringEquals"] == {"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"}
    [subjects] = condition["StringLike"].values()

    def may(subject: str) -> bool:
        return any(fnmatch.fnmatchcase(subject, allowed) for allowed in subjects)

    assert may(f"{SUBJECT}:ref:refs/heads/main")
    assert may(f"{SUBJECT}:ref:refs/tags/v1.2.0")
    for other in (
        f"{SUBJECT}:pull_request",
        f"{SUBJECT}:ref:refs/heads/main2",
        f"{SUBJECT}:ref:refs/tags/nightly",
        f"{SUBJECT}:environment:main",
        "repo:my-organisation@1234/my-repository2@9:ref:refs/heads/main",
        "repo:somebody@9/my-repository@5678:ref:refs/heads/main",
        "repo:my-organisation/my-repository:ref:refs/heads/main",
    ):
        assert not may(other), other


def test_the_page_shows_the_role_s_own_trust(role) -> None:
    """As it is made, but for the account's number."""
    [shown] = re.findall(r"^```json\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)
    [statement] = role["AssumeRolePolicyDocument"]["Statement"]
    assert json.loads(shown) == statement


def test_the_role_may_push_and_nothing_else(role) -> None:
    """The launcher's actions on the registry, without the deletion; but for the login on one repository."""
    launcher = (DOCS / "on_sagemaker.md").read_text()
    known = set(re.findall(r'"(ecr:\w+)"', launcher)) - {"ecr:DeleteRepository"}
    login, push = role["policy"]["Statement"]
    assert {login["Action"], *push["Action"]} == known
    assert push["Resource"] == f"arn:aws:ecr:{REGION}:123456789012:repository/relabel"


def test_the_template_and_the_workflow_are_what_their_readers_take() -> None:
    """cfn-lint and GitHub's own schema find nothing."""
    for command in (
        ["cfn-lint", str(DOCS / "github_actions" / "role.yml")],
        ["check-jsonschema", "--builtin-schema", "vendor.github-workflows", str(DOCS / "github_actions" / "image.yml")],
    ):
        done = subprocess.run([BIN / command[0], *command[1:]], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_every_action_is_pinned_to_a_commit() -> None:
    """With its version beside it, and the same one everywhere."""
    used = re.findall(r"uses: (\S+)(.*)", TEXT)
    assert len(used) == 6
    pins = {}
    for action, comment in used:
        assert re.fullmatch(r"[\w.-]+/[\w.-]+@[0-9a-f]{40}", action)
        assert re.fullmatch(r" # v\d+\.\d+\.\d+", comment)
        assert pins.setdefault(action.partition("@")[0], action) == action


def test_permissions_are_the_least_and_there_are_no_secrets() -> None:
    """A token for AWS is in one job; nothing is written to the repository; no credentials stay in the checkout."""
    assert WORKFLOW["permissions"] == {}
    assert "secrets." not in TEXT
    assert WORKFLOW["jobs"]["test"]["permissions"] == {"contents": "read"}
    assert WORKFLOW["jobs"]["image"]["permissions"] == {"contents": "read", "id-token": "write"}
    for about in WORKFLOW["jobs"].values():
        assert about["timeout-minutes"] <= 60
        assert about["runs-on"] != "ubuntu-latest"
    for _, step in STEPS:
        if "checkout" in step.get("uses", ""):
            assert step["with"]["persist-credentials"] is False


def test_it_pushes_from_the_main_branch_and_from_version_tags_alone() -> None:
    """The last two steps, after all that may fail."""
    assert WORKFLOW[True]["push"] == {"branches": ["main"], "tags": ["v*"]}  # YAML reads `on` as a truth
    conditions = [step.get("if") for job, step in STEPS if job == "image"]
    assert conditions[-2:] == ["github.event_name == 'push'"] * 2
    assert set(conditions[:-2]) == {None}


def test_every_command_passes_shellcheck(tmp_path) -> None:
    """As GitHub runs it, in bash that ends at the first fault; nothing of an event is put into a command's text."""
    for name, command in COMMANDS.items():
        assert "${{" not in command, name
        script = tmp_path / "step.sh"
        script.write_text(f"#!/usr/bin/env bash\nset -eo pipefail\n{command}")
        done = subprocess.run([BIN / "shellcheck", script], capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{name}: {done.stdout}"


def test_every_target_of_make_is_there() -> None:
    """And runs what it says."""
    targets = {target for command in COMMANDS.values() for target in re.findall(r"^make (\w+)$", command, re.MULTILINE)}
    assert targets == {"lint", "test", "scan"}
    done = subprocess.run(
        ["make", "--dry-run", *sorted(targets)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "pip-audit" in done.stdout


@pytest.mark.parametrize("name", ["Build", "Push"])
def test_the_build_script_takes_what_the_workflow_gives_it(name) -> None:
    """The image that is scanned and tried is the one that the build names; the push builds the same one from the cache."""
    [command] = re.findall(r"\./build_and_push\.sh[^|\n]*", COMMANDS[name])
    variables = {**os.environ, "AWS_REGION": REGION, "TORCH_INDEX_URL": "https://example.org/cpu"}
    done = subprocess.run(
        [*command.split(), "--dry-run"], cwd=ROOT, env=variables, capture_output=True, text=True, check=True
    )
    assert "--target cpu" in done.stdout
    assert "TORCH_INDEX_URL=https://example.org/cpu" in done.stdout
    assert (" push " in done.stdout) == (name == "Push")
    assert ("--tag relabel:under-test" in done.stdout) == (name == "Build")
    scanned = [step["with"]["image"] for _, step in STEPS if "scan-action" in step.get("uses", "")]
    assert scanned == ["relabel:under-test"]


def test_the_scripts_that_are_called_are_there() -> None:
    """With their payloads."""
    scripts = {path for command in COMMANDS.values() for path in re.findall(r"local_test/\w+\.sh", command)}
    assert {Path(path).name for path in scripts} == {"train_local.sh", "serve_local.sh", "predict.sh"}
    assert all(os.access(ROOT / path, os.X_OK) for path in scripts)
    assert len(list((ROOT / "local_test" / "payloads").glob("embeddings.*"))) == 4
