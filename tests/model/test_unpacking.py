"""Promises of archives that nobody vouches for."""

from __future__ import annotations

import gzip
import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relabel.errors import PlatformError, UserError
from relabel.model import unpacking


def archive(path: Path, *members: tuple[str, bytes] | tarfile.TarInfo) -> Path:
    """Write a tar with these files, gzipped where its name says so."""
    with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w") as made:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                made.addfile(member)
            else:
                about = tarfile.TarInfo(member[0])
                about.size = len(member[1])
                made.addfile(about, io.BytesIO(member[1]))
    return path


def special(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    """Make a member that is no file."""
    made = tarfile.TarInfo(name)
    made.type, made.linkname = kind, target
    return made


@pytest.fixture
def there(tmp_path) -> Path:
    """An empty folder to unpack into, with another beside it."""
    (tmp_path / "there").mkdir()
    return tmp_path / "there"


def unpacked(folder: Path) -> set[str]:
    """List what was written."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()}


@pytest.mark.parametrize("name", ["model.tar.gz", "model.tar"])
@pytest.mark.parametrize("before", ["", "./", "reviews/", "./1/artifacts/"])
def test_a_model_is_found_at_any_depth(there, tmp_path, before, name) -> None:
    """Its own files come out, the encoder's in their folders, and nothing else."""
    wanted = ("model.json", "model.safetensors", "text.json", "encoder/config.json", "encoder/1_Pooling/config.json")
    strangers = ("inference.py", "code/requirements.txt", "MLmodel")
    unpacking.unpack(
        archive(tmp_path / name, *((before + each, each.encode()) for each in (*strangers, *wanted))), there
    )
    assert unpacked(there) == set(wanted)
    assert (there / "encoder" / "1_Pooling" / "config.json").read_bytes() == b"encoder/1_Pooling/config.json"


def test_links_and_devices_and_names_that_lead_elsewhere_are_passed_over(there, tmp_path) -> None:
    """Nothing is written outside the folder, and no link is there to be followed."""
    path = archive(
        tmp_path / "model.tar",
        ("model.json", b"{}"),
        ("../model.safetensors", b"outside"),
        ("/etc/model.safetensors", b"outside"),
        ("encoder/../../model.safetensors", b"outside"),
        ("encoder/a\\b", b"strange"),
        ("encoder/a\nb", b"strange"),
        special("model.safetensors", tarfile.SYMTYPE, "/etc/passwd"),
        special("text.json", tarfile.LNKTYPE, "../secret"),
        special("encoder", tarfile.SYMTYPE, ".."),
        special("encoder/pipe", tarfile.FIFOTYPE),
        special("encoder/disk", tarfile.BLKTYPE),
        ("encoder/config.json", b"{}"),
    )
    unpacking.unpack(path, there)
    assert unpacked(there) == {"model.json", "encoder/config.json"}
    assert {each.name for each in tmp_path.iterdir()} == {"model.tar", "there"}


@given(st.lists(st.text(st.sampled_from("./ab\\\0\n") | st.characters(), max_size=12), max_size=6))
def test_no_name_leads_out_of_the_folder(names) -> None:
    """Whatever an archive calls its files, what is taken stays below the model's folder."""
    given = ["model.json", *names, *(f"encoder/{name}" for name in names)]
    for below in unpacking.of_model(given):
        assert Path("/there", below).resolve().is_relative_to("/there")
        assert below == "model.json" or below.startswith("encoder/") or below in ("model.safetensors", "text.json")


def test_a_bomb_is_refused_before_it_fills_the_disk(there, tmp_path) -> None:
    """By what it would unpack to, in files that are wanted or not, in headers, or in holes."""
    plain, large = archive(tmp_path / "a.tar", ("model.json", b"{}"), ("x", bytes(1 << 20))), tmp_path / "a.tar.gz"
    large.write_bytes(gzip.compress(plain.read_bytes()))
    assert large.stat().st_size < 5000
    with pytest.raises(UserError, match="unpacks to more than 500,000 bytes"):
        unpacking.unpack(large, there, largest=500_000)

    header = special("pax", tarfile.XHDTYPE)
    header.size = 1 << 40
    with pytest.raises(UserError, match="a part that no model has"):
        unpacking.unpack(archive(tmp_path / "header.tar", header, ("model.json", b"{}")), there)
    assert unpacked(there) == set()


def test_more_files_than_any_model_has_are_refused(there, tmp_path, monkeypatch) -> None:
    """An archive of millions of empty ones would keep a server from starting."""
    monkeypatch.setattr(unpacking, "MOST", 10)
    with pytest.raises(UserError, match="more than 10 files"):
        unpacking.unpack(archive(tmp_path / "many.tar", *((f"{n}", b"") for n in range(11))), there)


def test_several_models_are_refused(there, tmp_path) -> None:
    """None of them would be served by chance; one that lies deeper than another is part of that."""
    nested = (("a/model.json", b"{}"), ("a/encoder/model.json", b"{}"))
    unpacking.unpack(archive(tmp_path / "one.tar", *nested), there)
    assert unpacked(there) == {"model.json", "encoder/model.json"}
    with pytest.raises(UserError, match=r"two\.tar: models in a, a/encoder, b: name the folder of one"):
        unpacking.unpack(archive(tmp_path / "two.tar", *nested, ("b/model.json", b"{}")), there)


@pytest.mark.parametrize("cut", [0, 10, 600, -1000])
def test_a_torn_archive_is_refused(there, tmp_path, cut) -> None:
    """With its name, and with what to give."""
    path = archive(tmp_path / "model.tar.gz", ("model.json", np.random.default_rng(0).bytes(5000)))
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(UserError, match=r"model\.tar\.gz.*give the file as it was packed"):
        unpacking.unpack(path, there)


def test_what_is_copied_is_bounded_and_a_full_disk_is_the_machine_s_fault(tmp_path) -> None:
    """Nobody takes either for a server that fails."""
    with pytest.raises(UserError, match="more than 10 bytes"):
        unpacking.copied(io.BytesIO(bytes(11)), tmp_path / "a", largest=10)
    with pytest.raises(PlatformError, match="more room"):
        unpacking.copied(io.BytesIO(bytes(1 << 20)), Path("/dev/full"))
    assert unpacking.copied(io.BytesIO(bytes(10)), tmp_path / "a", largest=10) == 10
