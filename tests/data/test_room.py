"""Promises of the room that embeddings have."""

import os
from pathlib import Path

import pytest

from relabel.data import room
from relabel.data.room import Room


@pytest.mark.parametrize(
    ("kind", "near"),
    [("ext4", True), ("overlay", True), ("fuse.mountpoint-s3", False), ("fuse", False), ("nfs4", False)],
)
def test_a_mount_of_the_network_is_not_near(tmp_path, kind, near) -> None:
    """What counts is the innermost mount that a file lies in."""
    inner = tmp_path / "input" / "data" / "train"
    inner.mkdir(parents=True)
    here = Room(0, tmp_path, {Path("/"): "fuse" if near else "ext4", inner: kind})
    assert here.is_near(inner / "a.npy") is near


def test_a_link_lies_where_it_leads(tmp_path) -> None:
    """Data that is linked into a channel is judged by its own place."""
    (tmp_path / "far").mkdir()
    (tmp_path / "near").mkdir()
    (tmp_path / "near" / "link.npy").symlink_to(tmp_path / "far" / "a.npy")
    here = Room(0, tmp_path, {Path("/"): "ext4", tmp_path / "far": "fuse.s3fs"})
    assert not here.is_near(tmp_path / "near" / "link.npy")


def test_mounts_are_read_as_the_system_tells_them(tmp_path) -> None:
    """Folders may hold spaces; a system that tells nothing has none."""
    table = tmp_path / "mounts"
    table.write_text("/dev/vda / ext4 rw 0 0\nbucket /opt/my\\040data fuse.goofys ro 0 0\n")
    assert room.mounted(table) == {Path("/"): "ext4", Path("/opt/my data"): "fuse.goofys"}
    assert room.mounted(tmp_path / "none") == {}


def test_a_file_of_ours_has_no_name(tmp_path) -> None:
    """Nothing is left behind, however the process ends."""
    held = Room(0, tmp_path).file()
    assert os.fstat(held.number).st_size == 0
    assert [*tmp_path.iterdir()] == []
