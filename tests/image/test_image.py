"""Promises of the image itself."""

from __future__ import annotations

import json
import stat

import pytest

pytestmark = pytest.mark.image


def test_any_other_command_is_executed(image, tmp_path) -> None:
    """Clients clean up and start through the image's own programs, and get their output and exit code."""
    ended = image.run(tmp_path, "echo", "hi")
    assert (ended.code, ended.log) == (0, "hi\n")
    assert image.run(tmp_path, "/bin/bash", "-c", "exit 7").code == 7


def test_clients_clean_up_with_the_image(image, tmp_path) -> None:
    """`IMAGE chmod -R 777 /delete` opens a mounted folder, whoever made what is in it."""
    made = "mkdir -m 700 /opt/ml/a && touch /opt/ml/a/b && chmod 400 /opt/ml/a/b"
    assert image.run(tmp_path, "sh", "-c", made).code == 0
    assert image.clean(tmp_path).code == 0
    assert {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("a", "a/b")} == {0o777}


def test_what_clients_call_is_on_the_path(image, tmp_path) -> None:
    """Start scripts of the SDK want bash, python3 and pip3; python3 is the one with relabel."""
    ended = image.run(tmp_path, "bash", "-c", "command -v bash python3 pip3 train serve && python3 -c 'import relabel'")
    assert ended.code == 0, ended.log


def test_nothing_of_the_image_lies_where_the_platform_mounts(image) -> None:
    """The folder is the platform's alone."""
    assert image.call("run", "--rm", image.tag, "ls", "/opt").log.split() == ["program", "relabel"]


def test_the_image_tells_the_platform_what_it_can(image) -> None:
    """Port by variable, exec-form entry point, port 8080, no command of its own."""
    told = json.loads(image.call("inspect", "--format", "{{json .Config}}", image.tag).log)
    assert told["Labels"]["com.amazonaws.sagemaker.capabilities.accept-bind-to-port"] == "true"
    assert told["Entrypoint"] == ["/opt/program/entrypoint"]
    assert "8080/tcp" in told["ExposedPorts"]
    assert not told["Cmd"]
