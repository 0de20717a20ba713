"""Promises of a job's channels."""

from __future__ import annotations

from pathlib import Path

import pytest

from relabel.aws import channels
from relabel.errors import UserError

BUCKET = "relabel-123456789012-eu-west-1"


def test_the_same_files_have_one_digest_wherever_they_lie(tmp_path) -> None:
    """Names and contents decide; hidden files do not, and no content passes for another's name."""
    for folder in ("a", "b", "c"):
        (tmp_path / folder / "pos").mkdir(parents=True)
        (tmp_path / folder / "pos" / "1.txt").write_text("good")
    (tmp_path / "b" / ".DS_Store").write_text("nothing")
    assert channels.digest(tmp_path / "a") == channels.digest(tmp_path / "b")
    (tmp_path / "c" / "pos" / "1.txt").rename(tmp_path / "c" / "pos" / "2.txt")
    assert channels.digest(tmp_path / "a") != channels.digest(tmp_path / "c")
    (tmp_path / "b" / "pos" / "1.txt").write_text("bad")
    assert channels.digest(tmp_path / "a") != channels.digest(tmp_path / "b")


def test_places_are_named_once() -> None:
    """A bare place is the channel train; channels with options of their own come beside; a name that is given twice is refused."""
    assert channels.named(["a", "test=s3://b/c=d/"], model="m", encoder="") == {
        "train": "a",
        "test": "s3://b/c=d/",
        "model": "m",
    }
    assert channels.named(["s3://bucket/x=1/"]) == {"train": "s3://bucket/x=1/"}
    with pytest.raises(UserError, match="train is given twice"):
        channels.named(["a", "train=b"])


def test_what_is_missing_or_empty_is_said_before_anything_is_moved(tmp_path) -> None:
    """All of it at once; places in S3 are not looked at."""
    (tmp_path / "empty").mkdir()
    places = {"train": f"{tmp_path}/none", "dev": f"{tmp_path}/empty", "test": "s3://bucket/x/"}
    missing, empty = channels.problems(places)
    assert missing.startswith("train: no file or folder")
    assert empty.startswith("dev: no files")


def test_data_is_uploaded_once_and_found_by_its_digest(cloud, data) -> None:
    """A second time nothing moves; a changed file makes another place; hidden files stay here."""
    (data / ".env").write_text("secret")
    told: list[str] = []
    (first,) = channels.brought(cloud.account, {"train": str(data)}, BUCKET, told.append)
    (again,) = channels.brought(cloud.account, {"train": str(data)}, BUCKET, told.append)
    assert first == again
    assert "6 files uploaded" in told[0]
    assert "there already" in told[1]
    keys = [each["Key"] for each in cloud.client("s3").list_objects_v2(Bucket=BUCKET)["Contents"]]
    assert {key.rpartition("/")[0] for key in keys} == {f"data/{first.digest}"}
    assert not any(".env" in key for key in keys)
    (data / "dev.csv").write_text((data / "dev.csv").read_text() + "fine,1\n")
    (changed,) = channels.brought(cloud.account, {"train": str(data)}, BUCKET, told.append)
    assert changed.uri != first.uri


def test_data_in_s3_is_used_where_it_lies_and_told_apart_by_its_content(cloud) -> None:
    """Nothing is copied; the digest changes with an object; an address at which nothing lies is refused."""
    s3, uri = cloud.client("s3"), f"s3://{BUCKET}/data/own/"
    s3.put_object(Bucket=BUCKET, Key="data/own/train.csv", Body=b"a")
    (before,) = channels.brought(cloud.account, {"train": uri}, BUCKET)
    s3.put_object(Bucket=BUCKET, Key="data/own/train.csv", Body=b"b")
    (after,) = channels.brought(cloud.account, {"train": uri}, BUCKET)
    assert before.uri == after.uri == uri
    assert before.digest != after.digest
    with pytest.raises(UserError, match="nothing lies there"):
        channels.brought(cloud.account, {"train": f"s3://{BUCKET}/data/none/"}, BUCKET)


def test_local_mode_mounts_folders_and_copies_files(tmp_path) -> None:
    """A folder is mounted where it lies, a file alone in a folder of its own; places in S3 are refused, all at once."""
    (tmp_path / "data").mkdir()
    for name in ("train.csv", "secret.txt"):
        (tmp_path / "data" / name).write_text("x")
    places = {"train": str(tmp_path / "data"), "reviewed": str(tmp_path / "data" / "train.csv")}
    reviewed, train = channels.local(places, tmp_path / "scratch")
    assert train.uri == (tmp_path / "data").as_uri()
    assert [path.name for path in Path(reviewed.uri.removeprefix("file://")).iterdir()] == ["train.csv"]
    with pytest.raises(UserError, match="2 problems"):
        channels.local({"train": "s3://a/b/", "model": "s3://a/c/"}, tmp_path)
