"""Promises of model.tar.gz."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import tarfile
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from relabel.cli.main import commands
from relabel.errors import UserError
from relabel.model import artifact, package, unpacking
from relabel.model.artifact import Artifact, Model


@pytest.fixture
def folder(tmp_path) -> Path:
    """A folder with a linear model of width 2."""
    tensors = {
        "mean": np.zeros(2, np.float32),
        "scale": np.ones(2, np.float32),
        "weight.0": np.eye(2, dtype=np.float32),
        "bias.0": np.zeros(2, np.float32),
    }
    sizes = {"inputs": 2, "width": 1, "depth": 0, "classes": 2}
    artifact.save(tmp_path / "model", Artifact(Model("dense", sizes, tensors), ("bad", "good"), "given"))
    return tmp_path / "model"


def unpacked(path: Path) -> Path:
    """Take a model out of an archive into a folder of its own."""
    folder = path.with_name("there")
    folder.mkdir()
    unpacking.unpack(path, folder)
    return folder


def test_what_is_unpacked_is_the_model(folder, tmp_path) -> None:
    """The files lie at the top level, plain and without an owner, and load."""
    packed = package.pack(folder, tmp_path / "out" / "model.tar.gz")
    with tarfile.open(packed.path) as archive:
        members = archive.getmembers()
        (tmp_path / "there").mkdir()
        for member in members:
            (tmp_path / "there" / member.name).write_bytes(archive.extractfile(member).read())
    assert [member.name for member in members] == sorted(artifact.FILES)
    assert {(m.mode, m.mtime, m.uid, m.gid, m.uname, m.isfile()) for m in members} == {(0o644, 0, 0, 0, "", True)}
    assert artifact.load(tmp_path / "there").classes == ("bad", "good")
    assert packed.sha256 == hashlib.sha256(packed.path.read_bytes()).hexdigest()
    assert packed.size == packed.path.stat().st_size


def test_training_rows_are_packed_with_their_model(folder, tmp_path) -> None:
    """Where there are any; a file of that name which the model does not know is a stranger."""
    loaded = artifact.load(folder)
    (folder / artifact.TRAINING_ROWS).write_bytes(b"of another model")
    with pytest.raises(UserError, match=r"training_rows\.npy beside the model"):
        package.pack(folder, tmp_path / "model.tar.gz")
    artifact.save(folder, dataclasses.replace(loaded, training_rows=np.arange(5, dtype=np.uint64)))
    there = unpacked(package.pack(folder, tmp_path / "model.tar.gz").path)
    assert artifact.load(there).training_rows.tolist() == [0, 1, 2, 3, 4]


def test_the_same_model_is_the_same_bytes(folder, tmp_path) -> None:
    """Whatever its files' times and modes are, and whatever the archive is called."""
    first = package.pack(folder, tmp_path / "a.tar.gz")
    for name in artifact.FILES:
        os.utime(folder / name, (1, 1))
        (folder / name).chmod(0o600)
    assert package.pack(folder, tmp_path / "b.tar.gz").sha256 == first.sha256


def test_a_broken_model_and_strangers_are_refused_and_nothing_is_left(folder, tmp_path) -> None:
    """What is packed is served: a notebook, a key or a link does not get in by chance."""
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(UserError, match=r"notes.txt beside the model"):
        package.pack(folder, tmp_path / "model.tar.gz")
    (folder / "notes.txt").unlink()
    (folder / artifact.TENSORS).rename(tmp_path / "elsewhere")
    (folder / artifact.TENSORS).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UserError, match=artifact.TENSORS):
        package.pack(folder, tmp_path / "model.tar.gz")
    (folder / artifact.TENSORS).unlink()
    (folder / artifact.TENSORS).write_bytes(b"broken")
    with pytest.raises(UserError, match="hash"):
        package.pack(folder, tmp_path / "model.tar.gz")
    assert not list(tmp_path.glob("model.tar.gz*"))


def test_the_command_says_what_it_wrote(folder, tmp_path) -> None:
    """Path, size and hash, in one line."""
    done = CliRunner().invoke(commands, ["pack", "--model", str(folder), "--output", str(tmp_path / "m.tar.gz")])
    assert done.exit_code == 0
    assert done.output.startswith(str(tmp_path / "m.tar.gz"))
    assert hashlib.sha256((tmp_path / "m.tar.gz").read_bytes()).hexdigest() in done.output


def test_a_package_is_unpacked_as_the_folder_that_it_was_made_of(folder, tmp_path) -> None:
    """The same model comes out."""
    there = unpacked(package.pack(folder, tmp_path / "model.tar.gz").path)
    assert artifact.load(there).tensors_sha256 == artifact.load(folder).tensors_sha256


def test_only_the_files_of_a_model_are_taken_out_of_a_package(folder, tmp_path) -> None:
    """Names that lead elsewhere, links and strangers are passed over; a leading `./` is none of them."""
    path = tmp_path / "model.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name in artifact.FILES:
            archive.add(folder / name, f"./{name}")
        archive.add(folder / artifact.DESCRIPTION, "../../stranger.py")
        link = tarfile.TarInfo("deeper/model.json")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    found = unpacked(path)
    assert sorted(each.name for each in found.iterdir()) == sorted(artifact.FILES)
    assert artifact.load(found).classes == ("bad", "good")


@pytest.mark.parametrize("content", [b"", b"no archive", b"\x1f\x8b torn"])
def test_what_is_no_package_is_refused(tmp_path, content) -> None:
    """With its name, and with what to give."""
    path = tmp_path / "model.tar.gz"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"model\.tar\.gz.*give"):
        unpacked(path)
