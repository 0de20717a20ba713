"""Promises of the pages: their commands run as written, one after another; those on SageMaker against an imitation of AWS on this machine."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import botocore.session
import pytest
from botocore.validate import ParamValidator
from moto.core import enable_iam_authentication
from moto.iam.access_control import IAMRequestBase
from moto.server import ThreadedMotoServer

from relabel.container import metrics

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "on_sagemaker.md").read_text()
PART = re.compile(
    r"^## (?P<section>[^\n]+)$|^(?:<!-- (?P<mark>[^\n]+) -->\n)?```(?P<language>\w+)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
PARAMETERS = "tests check the parameters of this block only"
SDK = "tests run this block where the SDK is installed"
ADMINISTRATORS = ("Names", "Once, as an administrator")
REGION, ACCOUNT = "eu-west-1", "123456789012"
IMAGE = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/relabel@sha256:{'0' * 64}"
UNSEEN = {
    *("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:CompleteLayerUpload", "ecr:GetDownloadUrlForLayer"),
    *("ecr:InitiateLayerUpload", "ecr:PutImage", "ecr:UploadLayerPart"),  # what `docker push` and `docker pull` need
    "iam:PassRole",
    "sagemaker:StopTrainingJob",
}
"""Actions that the launcher needs and that nothing here asks for."""
NO_OPERATIONS = {"iam:PassRole", "s3:ListBucket", "sagemaker:InvokeEndpoint", "sagemaker:InvokeEndpointAsync"}
"""Actions that are not named after an operation of their service."""


@dataclass(frozen=True)
class Block:
    """Code, the section that it stands in, and what a comment before it says of its tests."""

    section: str
    mark: str
    language: str
    text: str


def blocks() -> Iterator[Block]:
    """List the page's blocks in order."""
    section = ""
    for part in PART.finditer(PAGE):
        section = part["section"] or section
        if part["language"]:
            yield Block(section, part["mark"] or "", part["language"], part["text"])


BLOCKS = list(blocks())


def interpreter(block: Block) -> str:
    """Name the Python that runs a block, "" where there is none: SDK_V3_PYTHON and SDK_V2_PYTHON are environments with an SDK."""
    if block.language != "python":
        return ""
    if block.mark != SDK:
        return sys.executable
    return os.environ.get("SDK_V3_PYTHON" if "ModelTrainer" in block.text else "SDK_V2_PYTHON", "")


@dataclass
class Reader:
    """Somebody who pastes the page into a shell, in a folder of their own.

    url:         where the imitation of AWS answers.
    environment: what the shell exports.
    asked:       actions that AWS was asked for.
    """

    folder: Path
    url: str
    environment: dict[str, str]
    asked: set[str] = field(default_factory=set)

    def paste(self, block: Block) -> None:
        """Run a block; AssertionError where a command of it fails."""
        code = block.text
        if block.language == "python":
            (self.folder / "block.py").write_text(code)
            code = f"{interpreter(block)} block.py"
        if block.mark == PARAMETERS:
            code = code.rstrip() + " --generate-cli-skeleton output"
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", f"{code}\nenv --null > exported"],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{block.text}\n{done.stdout}\n{done.stderr}"
        exported = (self.folder / "exported").read_text().split("\0")
        self.environment = dict(line.split("=", 1) for line in exported if line)

    def aws(self, service: str) -> Any:
        """Look at AWS from outside, as somebody who may do everything."""
        keys = {"aws_access_key_id": self.environment["ROOT_ID"], "aws_secret_access_key": self.environment["ROOT_KEY"]}
        return boto3.client(service, endpoint_url=self.url, region_name=REGION, **keys)

    def user(self, name: str) -> tuple[str, str]:
        """Make a user of the account; its keys."""
        self.aws("iam").create_user(UserName=name)
        keys = self.aws("iam").create_access_key(UserName=name)["AccessKey"]
        return keys["AccessKeyId"], keys["SecretAccessKey"]

    def sign_in(self, keys: tuple[str, str]) -> None:
        """Use somebody's keys for what follows."""
        self.environment["AWS_ACCESS_KEY_ID"], self.environment["AWS_SECRET_ACCESS_KEY"] = keys


@pytest.fixture
def reader(tmp_path) -> Iterator[Reader]:
    """Somebody who has pasted the whole page; permissions are enforced after the administrator's part."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    url = "http://{}:{}".format(*server.get_host_and_port())
    # Other tests of this process may have used it; the address is that of the line above.
    urllib.request.urlopen(f"{url}/moto-api/reset", data=b"").close()  # noqa: S310
    reader = Reader(tmp_path, url, surroundings(tmp_path, url))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(IAMRequestBase, "check_action_permitted", noting(reader.asked))
        # Its reckoning of a signature fails on a request without a body.
        patch.setattr(IAMRequestBase, "check_signature", lambda _request: None)
        try:
            read(reader)
            yield reader
        finally:
            server.stop()


def surroundings(folder: Path, url: str) -> dict[str, str]:
    """Lay out what the page expects; the AWS command line is the real one, Docker and the push are stand-ins."""
    (folder / "my-data").mkdir()
    (folder / "my-data" / "train.csv").write_text("review,label\n")
    (folder / "request.json").write_text('{"instances": [[0.1]]}')
    (folder / "bin").mkdir()
    programs = {
        "bin/docker": f'[ "$1 $2 $4" = "run --rm python3" ] || exit 1\nshift 4\nexec {sys.executable} "$@"',
        "build_and_push.sh": f'{ROOT}/build_and_push.sh "$@" --dry-run\n'
        "aws ecr describe-repositories --repository-names relabel || aws ecr create-repository --repository-name relabel\n"
        f"aws ecr get-login-password\necho {IMAGE}",
    }
    for name, code in programs.items():
        (folder / name).write_text(f"#!/bin/sh\nset -e\n{code}\n")
        (folder / name).chmod(0o755)
    plain = {name: text for name, text in os.environ.items() if not name.startswith("AWS_")}
    path = f"{folder / 'bin'}:{Path(sys.executable).parent}:{plain['PATH']}"
    keys = dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "ROOT_ID", "ROOT_KEY"), "anybody")
    nobodys = dict.fromkeys(("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"), str(folder / "none"))
    return {**plain, **keys, **nobodys, "PATH": path, "AWS_ENDPOINT_URL": url, "AWS_EC2_METADATA_DISABLED": "true"}


def noting(asked: set[str]) -> Callable[[Any, str], None]:
    """Make the imitation note an action before it decides whether the user may do it."""
    decide = IAMRequestBase.check_action_permitted

    def noted(request: Any, resource: str) -> None:
        if request._access_key.arn.endswith(":user/ann"):
            asked.add(request._action)
        decide(request, resource)

    return noted


def read(reader: Reader) -> None:
    """Paste every block in order; what the platform does by itself is done where it is due."""
    everything = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
    root, launcher = reader.user("root"), reader.user("ann")
    reader.aws("iam").put_user_policy(UserName="root", PolicyName="all", PolicyDocument=json.dumps(everything))
    reader.environment["ROOT_ID"], reader.environment["ROOT_KEY"] = root
    runnable = [block for block in BLOCKS if block.language == "sh" or interpreter(block)]
    for block in runnable:
        if block.section in ADMINISTRATORS:
            reader.paste(block)
    forget_resources(reader)
    reader.sign_in(launcher)
    with enable_iam_authentication():
        for block in runnable:
            if block.section not in ADMINISTRATORS:
                reader.paste(block)
            if block.text.endswith("create-training-job --cli-input-json file://job.json\n"):
                train(reader)


def forget_resources(reader: Reader) -> None:
    """Let the launcher's policy be for all resources, but for those of S3: the imitation knows no others."""
    policy = json.loads((reader.folder / "launcher.json").read_text())
    for statement in policy["Statement"]:
        if "s3:" not in str(statement["Action"]):
            statement["Resource"] = "*"
    reader.aws("iam").put_user_policy(UserName="ann", PolicyName="relabel", PolicyDocument=json.dumps(policy))


def train(reader: Reader) -> None:
    """Leave what a training job leaves: a log and results."""
    job, bucket = reader.environment["JOB"], reader.environment["BUCKET"]
    logs = reader.aws("logs")
    where = {"logGroupName": "/aws/sagemaker/TrainingJobs", "logStreamName": f"{job}/algo-1"}
    logs.create_log_group(logGroupName=where["logGroupName"])
    logs.create_log_stream(**where)
    for name in ("model", "output"):
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz") as archive:
            archive.addfile(tarfile.TarInfo(f"{name}.json"))
        reader.aws("s3").put_object(Bucket=bucket, Key=f"out/{job}/output/{name}.tar.gz", Body=packed.getvalue())


def policies() -> dict[str, list[dict[str, Any]]]:
    """Collect every statement of the page: name of its file, or `shown` -> statements."""
    files = re.findall(r"^cat > (\w+\.json) <<EOF\n(.*?)^EOF$", PAGE, flags=re.MULTILINE | re.DOTALL)
    named = {name: json.loads(text) for name, text in files if "Statement" in text}
    shown = [json.loads(block.text) for block in BLOCKS if block.language == "json"]
    return {name: policy["Statement"] for name, policy in named.items()} | {
        "shown": [statement for statement in shown if "Effect" in statement]
    }


def actions(statements: list[dict[str, Any]]) -> set[str]:
    """List the actions of statements."""
    said = [statement["Action"] for statement in statements]
    return {action for each in said for action in ([each] if isinstance(each, str) else each)}


@pytest.mark.sdk
def test_the_whole_page_runs_as_written(reader) -> None:
    """Every command, pasted in order into one shell, ends with 0, with exactly the launcher's permissions, and leaves nothing that costs."""
    job = json.loads((reader.folder / "job.json").read_text())
    assert job["AlgorithmSpecification"]["MetricDefinitions"] == metrics.definitions()
    assert {"answer.json", "output.json"} <= {path.name for path in reader.folder.iterdir()}
    asked = reader.asked - {"sts:GetCallerIdentity"}  # nobody needs a permission for it
    assert actions(policies()["launcher.json"]) == asked | UNSEEN
    assert left_that_costs(reader) == []


def left_that_costs(reader: Reader) -> list[Any]:
    """List all that is still there, once everything is deleted as the page says."""
    sagemaker = reader.aws("sagemaker")
    return [
        *sagemaker.list_endpoints()["Endpoints"],
        *sagemaker.list_endpoint_configs()["EndpointConfigs"],
        *sagemaker.list_models()["Models"],
        *reader.aws("ecr").describe_repositories()["repositories"],
        *reader.aws("s3").list_objects_v2(Bucket=reader.environment["BUCKET"]).get("Contents", []),
    ]


def test_every_block_is_run_or_says_why_not() -> None:
    """Shell and Python run, but for what is marked; JSON is JSON, and Python parses."""
    assert {block.language for block in BLOCKS} == {"sh", "python", "json"}
    assert {block.mark for block in BLOCKS} == {"", PARAMETERS, SDK}
    for block in BLOCKS:
        if block.language == "python":
            compile(block.text, "on_sagemaker.md", "exec")
        if block.language == "json" and (network := json.loads(block.text).get("VpcConfig")):
            shape = botocore.session.get_session().get_service_model("sagemaker").shape_for("VpcConfig")
            assert not ParamValidator().validate(network, shape).has_errors()


def test_no_action_has_a_wildcard_and_every_action_is_real() -> None:
    """Names of actions are names of the services' operations."""
    session = botocore.session.get_session()
    assert policies().keys() == {"trust.json", "execution.json", "launcher.json", "shown"}
    for file, statements in policies().items():
        for action in sorted(actions(statements) - NO_OPERATIONS):
            service, _, operation = action.partition(":")
            assert operation in session.get_service_model(service).operation_names, f"{file}: {action}"


def test_the_role_reaches_what_the_jobs_read_and_write() -> None:
    """What a command names below the bucket lies below data/ or out/; what a job writes lies below out/."""
    below = re.findall(r"s3://\$BUCKET/([\w/$-]*)", PAGE)
    assert {name.partition("/")[0] for name in below} == {"data", "out"}
    written = re.findall(r"(?:S3OutputPath\"?[:=] ?\"?|checkpoint-config \"S3Uri=)s3://\$BUCKET/(\w+)/", PAGE)
    assert written == ["out"] * 4


def test_the_versions_of_machine_images_are_those_that_aws_documents() -> None:
    """Each row of the table, with its driver and CUDA version, stands in the API's own description, and none is missing."""
    model = botocore.session.get_session().get_service_model("sagemaker")
    described = "".join(
        model.shape_for(shape).members[member].documentation
        for shape, member in (
            ("ProductionVariant", "InferenceAmiVersion"),
            ("TransformResources", "TransformAmiVersion"),
        )
    )
    said = re.findall(
        r"<dt>(\S+?-gpu-\S+)</dt>.*?driver version: (\d+)(?:</p> </li> <li> <p>CUDA version: ([\d.]+))?", described
    )
    shown = re.findall(r"^\| `(\S+-gpu-\S+)` \| (\d+) \| ([\d.]*) ?\|$", PAGE, flags=re.MULTILINE)
    assert sorted(shown) == sorted(said)


def test_links_lead_somewhere() -> None:
    """To a heading of this page or of another file of the project."""
    links = re.findall(r"\]\((?!https:)([^)#]*)#?([^)]*)\)", PAGE)
    assert links
    for target, anchor in links:
        file = ROOT / "docs" / target if target else ROOT / "docs" / "on_sagemaker.md"
        headings = re.findall(r"^#+ (.+)$", file.read_text(), flags=re.MULTILINE)
        slugs = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
        assert not anchor or anchor in slugs, f"{target}#{anchor}"


def test_the_page_on_labelling_runs_as_written(channel, tmp_path) -> None:
    """Its commands, pasted in order into one shell, end with 0 and choose rows of the pool."""
    page = (ROOT / "docs" / "select.md").read_text()
    commands = re.findall(r"^```sh\n(.*?)^```", page, flags=re.MULTILINE | re.DOTALL)
    assert len(commands) == page.count("```") / 2
    shutil.copytree(channel(rows=300) / "input" / "data" / "train", tmp_path / "my-data")
    for suffix in (".npy", ".csv"):
        shutil.copy((tmp_path / "my-data" / "dev").with_suffix(suffix), (tmp_path / "pool").with_suffix(suffix))
    lines = (tmp_path / "pool.csv").read_text().splitlines()
    (tmp_path / "pool.csv").write_text("\n".join([lines[0], *(line[:-1] for line in lines[1:])]) + "\n")
    shutil.copytree(tmp_path / "my-data", tmp_path / "my-texts", ignore=shutil.ignore_patterns("*.npy"))
    (tmp_path / "pool.txt").write_text("\n".join(line.rpartition(",")[0] for line in lines[1:]))
    (tmp_path / "relabel").write_text(f'#!/bin/sh\nexec {sys.executable} -m relabel "$@"\n')
    (tmp_path / "relabel").chmod(0o755)
    plain = {**os.environ, "OMP_NUM_THREADS": "1", "RELABEL_CACHE": str(tmp_path / "cache")}
    variables = {**plain, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "".join(commands)],
        cwd=tmp_path,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "labels is worth" in done.stdout or "no label is doubtful" in done.stdout
    chosen = (tmp_path / "next.csv").read_text().splitlines()
    assert chosen[0] == "order,row,predicted,margin,score,review"
    assert len(chosen) > 50
    chosen = (tmp_path / "next-texts.csv").read_text().splitlines()
    assert chosen[0] == "order,row,predicted,margin,score,review"
    assert len(chosen) > 10
