"""Promises of what is in the image, and of what is not."""

from __future__ import annotations

import json

import pytest

pytestmark = pytest.mark.image

GB = 10**9

EVERYTHING = """
import importlib, io, pkgutil, warnings
warnings.simplefilter("ignore")
import cleanlab.filter, cleanlab.multiannotator, pandas, pyarrow.compute, pyarrow.dataset, pyarrow.parquet, pytorch_lightning
import scipy.optimize, scipy.sparse, scipy.stats, sklearn.linear_model, sklearn.neighbors, torch
import relabel
for module in pkgutil.walk_packages(relabel.__path__, "relabel."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
for name in ("Adam", "AdamW", "SGD", "LBFGS"):
    weight = torch.nn.Parameter(torch.ones(2))
    optimiser = getattr(torch.optim, name)([weight], lr=0.1)
    optimiser.zero_grad()
    (weight**2).sum().backward()
    optimiser.step(lambda: (weight**2).sum())
    assert weight.detach().max() < 1, name
frame = pandas.DataFrame({"a": [1, 2], "b": ["x", None]})
frame.to_parquet("/tmp/t.parquet")
assert pandas.read_parquet("/tmp/t.parquet").equals(frame)
import boto3
for service in ("s3", "sts", "sso", "sso-oidc"):
    boto3.client(service, "eu-west-1", aws_access_key_id="a", aws_secret_access_key="b")
print("all well")
"""

TEXTS = """
import warnings
warnings.simplefilter("ignore")
import numpy, tokenizers, torch, transformers, xgboost
from transformers import AutoModel
transformers.logging.disable_progress_bar()
sizes = dict(hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8, vocab_size=9)
network = AutoModel.from_config(transformers.BertConfig(**sizes))
assert network(torch.ones(2, 3, dtype=torch.long)).last_hidden_state.shape == (2, 3, 8)
network.save_pretrained("/tmp/encoder")
assert AutoModel.from_pretrained("/tmp/encoder", local_files_only=True).config.hidden_size == 8
words = tokenizers.Tokenizer(tokenizers.models.WordLevel({"good": 0, "?": 1}, unk_token="?"))
assert words.encode("good").ids == [0]
rows = numpy.eye(4, dtype=numpy.float32)
fitted = xgboost.train({"objective": "binary:logistic"}, xgboost.DMatrix(rows, [0, 0, 1, 1]), 2)
assert fitted.save_raw("ubj")
print("all well")
"""

UNWELCOME = "gcc cc g++ c++ clang make ld cargo rustc go git curl wget"


def said(image, script: str) -> str:
    """Give what a shell script prints in the image."""
    ended = image.call("run", "--rm", "--network", "none", image.tag, "bash", "-c", script)
    return ended.log.strip()


def test_what_was_taken_out_is_not_missed(image) -> None:
    """Every module of ours loads with all that it imports, torch's optimisers step, a table goes to disk and back."""
    ended = image.call("run", "--rm", "--network", "none", image.tag, "python3", "-c", EVERYTHING)
    assert (ended.code, ended.log) == (0, "all well\n")


def test_the_packages_fit_each_other(image) -> None:
    """As pip sees it."""
    assert said(image, "pip3 check") == "No broken requirements found."


def test_the_image_is_small(image) -> None:
    """Under 1.5 GB uncompressed."""
    size = int(image.call("image", "inspect", "--format", "{{.Size}}", image.tag).log)
    assert size < 1.5 * GB


def test_the_image_for_texts_does_what_texts_ask_of_it(text_image) -> None:
    """Encoders are made, saved and read without a network, terms are found, trees are grown; all of cpu is there too."""
    for script in (EVERYTHING, TEXTS):
        ended = text_image.call("run", "--rm", "--network", "none", text_image.tag, "python3", "-c", script)
        assert (ended.code, ended.log) == (0, "all well\n")
    assert said(text_image, "pip3 check") == "No broken requirements found."


def test_the_image_for_texts_is_little_larger(image, text_image) -> None:
    """By at most .35 GB, all of it above the layers of cpu."""
    size, other = (
        int(each.call("image", "inspect", "--format", "{{.Size}}", each.tag).log) for each in (image, text_image)
    )
    assert other - size < 0.35 * GB
    layers, others = (
        json.loads(each.call("image", "inspect", "--format", "{{json .RootFS.Layers}}", each.tag).log)
        for each in (image, text_image)
    )
    assert others[:-1] == layers


@pytest.mark.parametrize("variant", ["image", "text_image"])
def test_there_are_no_compilers_and_no_downloaders(request, variant) -> None:
    """Who breaks into an endpoint finds nothing to build or fetch tools with."""
    image = request.getfixturevalue(variant)
    assert said(image, f"for each in {UNWELCOME}; do command -v $each; done") == ""


@pytest.mark.parametrize("variant", ["image", "text_image"])
def test_nothing_is_left_of_the_build(request, variant) -> None:
    """No caches, no package lists, no sources, nothing in the folders for temporary files and of root."""
    image = request.getfixturevalue(variant)
    left = (
        "find /tmp /var/tmp /root/.cache /root/.config /var/lib/apt/lists /build /wheel -mindepth 1 2>/dev/null -type f"
    )
    assert said(image, left) == ""


def test_nothing_may_be_written_by_everyone(image) -> None:
    """But in the folders for temporary files, which have their sticky bit."""
    found = said(image, r"find / -xdev \( -type f -o -type d \) -perm -0002 ! -perm -1000")
    assert found == ""


@pytest.mark.parametrize("variant", ["image", "text_image"])
def test_everybody_may_read_and_run_it(request, variant) -> None:
    """Whatever user the container runs as."""
    image = request.getfixturevalue(variant)
    assert said(image, r"find /opt \( ! -perm -o+r -o -type d ! -perm -o+x \)") == ""


def test_no_secrets_lie_in_it(image) -> None:
    """No private keys, no credentials, no settings of pip's, and none in what the history shows of the build."""
    names = "-name 'id_*' -o -name .netrc -o -name pip.conf -o -name .npmrc -o -name credentials -o -path '*/.aws/*' -o -path '*/.docker/*'"
    assert said(image, rf"find /root /home /opt /etc /run -xdev -type f \( {names} \)") == ""
    assert said(image, "grep -rIl 'PRIVATE KEY-----$' /etc /root /home /opt/program 2>/dev/null") == ""
    history = image.call("history", "--no-trunc", "--format", "{{.CreatedBy}}", image.tag).log.lower()
    assert not [word for word in ("password", "token", "secret_access_key", "://") if word in history]


def test_labels_say_what_it_is(image) -> None:
    """Title, licence and description, and that the platform may choose the port and give it many models."""
    labels = image.call("inspect", "--format", "{{json .Config.Labels}}", image.tag).log
    for name in ("title", "description", "licenses", "version", "revision"):
        assert f"org.opencontainers.image.{name}" in labels
    assert '"com.amazonaws.sagemaker.capabilities.accept-bind-to-port":"true"' in labels
    assert '"com.amazonaws.sagemaker.capabilities.multi-models":"true"' in labels
