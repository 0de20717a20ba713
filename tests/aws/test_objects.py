"""Promises of files on their way to S3 and back."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from relabel.aws import objects
from relabel.errors import UserError


@pytest.fixture
def folder(tmp_path) -> Path:
    """A folder with two files."""
    made = tmp_path / "files"
    (made / "below").mkdir(parents=True)
    (made / "a.txt").write_text("first")
    (made / "below" / "b.txt").write_text("second")
    return made


def place(account) -> str:
    """Give a folder of the bucket."""
    return f"s3://{account.bucket}/out/files/"


def test_what_goes_up_comes_down(aws, folder, tmp_path) -> None:
    """A folder's files come back as they were, and again nothing is moved in either direction."""
    assert objects.upload(aws, folder, place(aws)).copied == 2
    assert objects.upload(aws, folder, place(aws)).copied == 0
    back = tmp_path / "back"
    assert objects.download(aws, place(aws), back) == objects.Moved(("a.txt", "below/b.txt"), 2, 11)
    assert (back / "below" / "b.txt").read_text() == "second"
    assert objects.download(aws, place(aws), back).copied == 0
    assert objects.download(aws, place(aws), back, unless_there=False).copied == 2


def test_what_changed_is_moved_alone(aws, folder, tmp_path) -> None:
    """Of the same size too: the checksum tells."""
    objects.upload(aws, folder, place(aws))
    objects.download(aws, place(aws), tmp_path / "back")
    (folder / "a.txt").write_text("FIRST")
    told = []
    assert objects.upload(aws, folder, place(aws), told=lambda name, size: told.append((name, size))).copied == 1
    assert told == [("a.txt", 5)]
    assert objects.download(aws, place(aws), tmp_path / "back").copied == 1
    assert (tmp_path / "back" / "a.txt").read_text() == "FIRST"


def test_a_large_file_goes_in_parts_and_is_known_again(aws, tmp_path) -> None:
    """The ETag of parts says nothing of the content; the hash that is left beside them does."""
    large = tmp_path / "large.bin"
    large.write_bytes(os.urandom(9 << 20))
    objects.upload(aws, large, place(aws))
    stored = objects.described(aws, f"{place(aws)}large.bin")
    assert stored is not None
    assert "-" in stored.etag
    assert objects.upload(aws, large, place(aws)).copied == 0
    assert objects.download(aws, place(aws), tmp_path).copied == 0


def test_one_file_goes_to_the_address_named(aws, folder) -> None:
    """Without a `/` at its end an address is the object's own."""
    objects.upload(aws, folder / "a.txt", f"s3://{aws.bucket}/out/renamed.txt")
    assert objects.read(aws, f"s3://{aws.bucket}/out/renamed.txt") == b"first"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("out/files", "no address in S3"),
        ("https://bucket/key", "no address in S3"),
        ("s3:///key", "nothing is no name of a bucket"),
        ("s3://Bucket/key", "Bucket is no name of a bucket"),
        ("s3://bucket/a//b", "part of the key is empty"),
        ("s3://bucket/../b", "part of the key"),
    ],
)
def test_no_address(text, said) -> None:
    """What is no address is said with what one looks like."""
    with pytest.raises(UserError, match=said):
        objects.parse(text)


def test_nothing_there(aws, tmp_path) -> None:
    """A prefix without objects, an object that is none, a folder without files: each is named."""
    with pytest.raises(UserError, match="nothing lies there"):
        objects.download(aws, place(aws), tmp_path)
    with pytest.raises(UserError, match="no such object"):
        objects.read(aws, f"{place(aws)}a")
    with pytest.raises(UserError, match="no file in this folder"):
        objects.upload(aws, tmp_path, place(aws))
    with pytest.raises(UserError, match="no bucket nobodys"):
        objects.download(aws, "s3://nobodys/a", tmp_path)


def test_ctrl_c_and_again(aws, tmp_path) -> None:
    """An upload that is stopped keeps whole files; the next one moves only the others."""
    many = tmp_path / "many"
    many.mkdir()
    for n in range(120):
        (many / f"{n:03}.bin").write_bytes(os.urandom(1 << 16))
    code = (
        "import signal; from pathlib import Path; from relabel.aws import account, objects\n"
        "told = lambda name, size: signal.raise_signal(signal.SIGINT)\n"
        f"objects.upload(account.find(), Path({str(many)!r}), {place(aws)!r}, told=told)"
    )
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60, check=False)
    there = len(list(objects.listing(aws, place(aws))))
    assert process.returncode != 0
    assert 0 < there < 120
    assert objects.upload(aws, many, place(aws)).copied == 120 - there
