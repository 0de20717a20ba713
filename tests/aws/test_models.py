"""Promises of models as people name them."""

from __future__ import annotations

import tarfile
import tracemalloc
from pathlib import Path

import pytest

from relabel.aws import models
from relabel.errors import UserError


def test_a_model_json_without_an_end_is_not_read(tmp_path, monkeypatch) -> None:
    """An archive of a few kilobytes may unpack to more than there is memory."""
    monkeypatch.setattr(models, "LARGEST", 1_000_000)
    member = tarfile.TarInfo("model.json")
    member.size = 100 * models.LARGEST
    with tarfile.open(tmp_path / "model.tar.gz", "w:gz") as archive, Path("/dev/zero").open("rb") as endless:
        archive.addfile(member, endless)
    tracemalloc.start()
    with (tmp_path / "model.tar.gz").open("rb") as file, pytest.raises(UserError, match="of this program"):
        models.peek(file, "model.tar.gz")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 50 * models.LARGEST
