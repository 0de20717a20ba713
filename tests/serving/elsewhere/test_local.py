"""Promises of models on this machine, of hashes, and of the cache."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from relabel.container import environment
from relabel.errors import PlatformError, UserError
from relabel.model import artifact, source
from relabel.model.sources import cache

OTHER = "0" * 64


def test_a_folder_is_served_where_it_is(fetch, model_folder, tmp_path) -> None:
    """By its path or as file://, and no cache is made for it."""
    assert fetch(str(model_folder)) == model_folder
    assert fetch(f"file://{model_folder}") == model_folder
    assert not (tmp_path / "cache").exists()


def test_an_archive_is_unpacked_into_the_cache_once(fetch, model_folder, packed, tmp_path) -> None:
    """Under its hash; a second time the same folder is given, untouched."""
    first = fetch(str(packed.path))
    assert first == tmp_path / "cache" / "contents" / packed.sha256
    assert artifact.load(first).tensors_sha256 == artifact.load(model_folder).tensors_sha256
    before = (first / artifact.DESCRIPTION).stat().st_ctime_ns
    assert fetch(str(packed.path)) == first
    assert (first / artifact.DESCRIPTION).stat().st_ctime_ns == before
    assert not (tmp_path / "cache" / "partial").exists()


def test_a_hash_is_that_of_the_archive_or_of_the_folder_s_description(fetch, model_folder, packed) -> None:
    """At the end of the address or beside it, in either case of its letters; another one is refused with both hashes."""
    assert fetch(f"{packed.path}#sha256={packed.sha256.upper()}")
    assert fetch(str(packed.path), packed.sha256)
    described = hashlib.sha256((model_folder / artifact.DESCRIPTION).read_bytes()).hexdigest()
    assert fetch(f"{model_folder}#sha256={described}", described) == model_folder
    for place, what in ((packed.path, "the archive"), (model_folder, "model.json")):
        with pytest.raises(UserError, match=f"hash of {what} is [0-9a-f]{{64}}, expected was 0000"):
            fetch(f"{place}#sha256={OTHER}")


@pytest.mark.parametrize(
    ("uri", "beside"), [("m#sha256=", ""), ("m#sha256=abc", ""), ("m", "abc"), ("m#sha256=" + OTHER, "1" * 64)]
)
def test_what_is_no_hash_is_refused(fetch, uri, beside) -> None:
    """A typing error must not switch the check off, and two hashes must be one."""
    with pytest.raises(UserError, match="hash"):
        fetch(uri, beside)


@pytest.mark.parametrize(
    "uri", ["gs://a/b", "ftp://a/b", "s3://", "s3://bucket", "https://", "http://[/", "https://a b/c", "https://a:x/"]
)
def test_an_address_of_no_known_kind_is_refused_with_those_that_are(fetch, uri) -> None:
    """Before anything is asked."""
    with pytest.raises(UserError, match="give"):
        fetch(uri)


def test_nothing_there_is_said(fetch, tmp_path) -> None:
    """With the path."""
    with pytest.raises(UserError, match="nothing: no such file or folder"):
        fetch(str(tmp_path / "nothing"))


def test_a_broken_model_in_the_cache_is_made_anew(fetch, packed) -> None:
    """A disk's fault does not keep an endpoint from starting for ever."""
    place = fetch(str(packed.path))
    (place / artifact.TENSORS).write_bytes(b"broken")
    assert artifact.load(fetch(str(packed.path))).classes


def test_an_archive_without_a_model_leaves_nothing_in_the_cache(fetch, model_folder, tmp_path) -> None:
    """And the problem is said by the archive's own name."""
    (model_folder / artifact.TENSORS).write_bytes(b"broken")
    path = Path(shutil.make_archive(str(tmp_path / "broken"), "gztar", model_folder))
    with pytest.raises(UserError, match=r"broken\.tar\.gz.*its hash is not the one") as refused:
        fetch(str(path))
    assert "partial" not in str(refused.value)
    assert [*(tmp_path / "cache").rglob("model.json")] == []


def test_processes_that_start_together_fetch_one_after_another(fetch, packed, tmp_path) -> None:
    """All get the one model, and what a killed process left is gone."""
    (tmp_path / "cache" / "partial" / "model").mkdir(parents=True)
    with ThreadPoolExecutor(8) as starting:
        assert len(set(starting.map(lambda _: fetch(str(packed.path)), range(8)))) == 1
    assert {each.name for each in (tmp_path / "cache").iterdir()} == {"contents", "lock"}


def test_a_cache_that_cannot_be_written_is_the_machine_s_fault(packed, tmp_path) -> None:
    """With the variable that says where another one may lie."""
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", Path("/proc/none")):
        with pytest.raises(PlatformError, match="set RELABEL_CACHE"):
            source.fetch(str(packed.path), environment.read({"RELABEL_CACHE": str(folder)}))


def test_the_usual_cache_is_this_user_s_alone(tmp_path, monkeypatch) -> None:
    """A folder that somebody else could have prepared is refused: their model would be served."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    folder = cache.at(None).folder
    assert (folder.parent, folder.stat().st_mode & 0o777) == (tmp_path, 0o700)
    folder.chmod(0o777)
    with pytest.raises(UserError, match="set RELABEL_CACHE"):
        cache.at(None)
    folder.rmdir()
    folder.symlink_to(tmp_path)
    with pytest.raises(UserError, match="set RELABEL_CACHE"):
        cache.at(None)
    assert os.getuid() == tmp_path.stat().st_uid


def test_an_address_is_shown_without_its_secrets() -> None:
    """User, password, signature and hash stay out of messages and logs."""
    assert source.shown("https://ann:pass@host:1/a?X-Amz-Signature=1#sha256=2") == "https://host:1/a"
    assert source.shown(f"models:/reviews@champion#sha256={OTHER}") == "models:/reviews@champion"
    assert source.shown("s3://bucket/a.tar.gz") == "s3://bucket/a.tar.gz"


def test_a_model_with_the_hash_that_is_asked_for_is_given_without_asking_anybody(fetch, packed) -> None:
    """Not even whether it is still there."""
    fetch(str(packed.path))
    began = time.monotonic()
    assert fetch(f"https://127.0.0.1:9/model.tar.gz#sha256={packed.sha256}").name == packed.sha256
    assert time.monotonic() - began < 1
