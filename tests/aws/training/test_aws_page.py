"""Promises of docs/aws.md: its commands run as written, with the launcher's permissions and those that the page adds."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from pathlib import Path

import boto3
import pytest
from moto.core import enable_iam_authentication
from moto.iam.access_control import IAMRequestBase

from relabel.aws import account
from relabel.cli.aws import COMMANDS
from relabel.cli.aws.train import command as train

DOCS = Path(__file__).parents[3] / "docs"
PAGE = (DOCS / "aws.md").read_text()
BUCKET = "relabel-123456789012-eu-west-1"
BLOCK = re.compile(r"^(?:<!-- (?P<mark>[^\n]+) -->\n)?```sh\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
IMAGE = "tests of the image run this block"


def test_the_page_runs_as_written(relabel, cloud, data, archives, monkeypatch) -> None:
    """Every command ends with 0 for somebody who may do what the two policies say, and each action that the page adds is asked for."""
    monkeypatch.setattr(IAMRequestBase, "check_signature", lambda _request: None)
    asked = noted(monkeypatch)
    shutil.copytree(data, "my-data")
    for part in ("train", "test"):
        Path("my-data", part).mkdir()
        for suffix in (".csv", ".npy"):
            shutil.copy(data / f"{part}{suffix}", Path("my-data", part))
    Path("reviews.jsonl").write_text("{}\n")
    cloud.client("s3").put_object(Bucket=BUCKET, Key="data/held-out/test.csv", Body=b"review,label\n")
    cloud.leave("relabel-reviews", archives)
    cloud.end_soon("relabel-reviews")
    ann = launcher(cloud)
    monkeypatch.setattr(account, "find", lambda _region="", _profile="": ann)
    monkeypatch.setattr("relabel.cli.aws.job.POLL", 0.05)
    found = [block for block in BLOCK.finditer(PAGE) if block["mark"] != IMAGE]
    with enable_iam_authentication():
        for block in found:
            words = shlex.split(block["text"].replace("\\\n", " "), comments=True)
            extra = ("--poll", "0.05") if words[2] in ("train", "tune") else ()
            ended = relabel(*words[1:], *extra)
            assert ended.code == 0, f"{block['text']}\n{ended.out}\n{ended.err}"
    assert len(found) == 5
    added = {*json.loads(re.search(r"^```json\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)[1])["Action"]}
    assert added - asked == {"sagemaker:AddTags"}  # of what is made with tags; the imitation does not ask for it
    assert Path("trained/output/data/report.html").is_file()


def noted(monkeypatch) -> set[str]:
    """Keep the actions that AWS was asked for."""
    asked: set[str] = set()
    decide = IAMRequestBase.check_action_permitted

    def check(request, resource) -> None:
        asked.add(request._action)
        decide(request, resource)

    monkeypatch.setattr(IAMRequestBase, "check_action_permitted", check)
    return asked


def launcher(cloud) -> account.Account:
    """Sign in as somebody with the policies of the two pages; the imitation knows no resources but those of S3."""
    text = re.search(
        r"^cat > launcher.json <<EOF\n(.*?)^EOF$", (DOCS / "on_sagemaker.md").read_text(), re.MULTILINE | re.DOTALL
    )[1]
    statements = json.loads(text.replace("$BUCKET", BUCKET))["Statement"]
    statements.append(json.loads(re.search(r"^```json\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)[1]))
    for statement in statements:
        if "s3:" not in str(statement["Action"]):
            statement["Resource"] = "*"
    iam = cloud.client("iam")
    iam.create_user(UserName="ann")
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    iam.put_user_policy(UserName="ann", PolicyName="relabel", PolicyDocument=policy)
    keys = iam.create_access_key(UserName="ann")["AccessKey"]
    session = boto3.session.Session(keys["AccessKeyId"], keys["SecretAccessKey"], region_name="eu-west-1")
    return account.Account(session, "eu-west-1")


def test_every_block_is_run_or_says_where() -> None:
    """Shell and JSON only; one block is for the tests of the image."""
    assert PAGE.count("```") == 2 * (len(BLOCK.findall(PAGE)) + PAGE.count("```json"))
    assert [block["mark"] for block in BLOCK.finditer(PAGE) if block["mark"]] == [IMAGE]


def test_the_table_names_options_that_there_are() -> None:
    """And all commands of the group that this page is about."""
    options = {name for parameter in train.params for name in (*parameter.opts, *parameter.secondary_opts)}
    table = re.search(r"^\| option \|.*?\n\n", PAGE, re.MULTILINE | re.DOTALL)[0]
    assert {*re.findall(r"--[a-z][a-z-]+", table)} <= options
    assert {"train", "tune", "register"} <= COMMANDS.keys()


@pytest.mark.parametrize("link", sorted({*re.findall(r"\]\((?!https:)([^)]+)\)", PAGE)}))
def test_links_lead_somewhere(link) -> None:
    """To a heading of a page of the project; the page on endpoints is written beside."""
    target, _, anchor = link.partition("#")
    headings = re.findall(r"^#+ (.+)$", (DOCS / target).read_text(), re.MULTILINE)
    slugs = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    assert not anchor or anchor in slugs
