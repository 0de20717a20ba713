"""`model.tar.gz`: a model folder as hosting takes it, the same folder always as the same bytes."""

from __future__ import annotations

import gzip
import hashlib
import tarfile
from dataclasses import dataclass
from pathlib import Path

from relabel import files
from relabel.errors import UserError
from relabel.model import artifact, predictor

MODE = 0o644


@dataclass(frozen=True, slots=True)
class Package:
    """What was packed: where, its size in bytes, its hash."""

    path: Path
    size: int
    sha256: str


def pack(folder: Path, path: Path) -> Package:
    """Pack a model folder, its files at the top level, without times and owners, so that a hash tells models apart.

    Raises UserError where the folder holds no usable model, or anything beside it: what is packed is served, so nothing gets in by chance.
    """
    loaded = artifact.load(folder)
    predictor.load(loaded.model)
    strangers = sorted(
        name
        for each in folder.rglob("*")
        if (name := each.relative_to(folder).as_posix()) not in loaded.files
        if each.is_symlink() or not each.is_dir()
    )
    strangers += sorted(name for name in loaded.files if (folder / name).is_symlink())
    if strangers:
        raise UserError(
            f"{folder}: {', '.join(strangers)} beside the model: take it out, only {', '.join(loaded.files)} are packed"
        )
    with files.replacing(path) as temporary:
        with (
            temporary.open("wb") as raw,
            gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) as packed,
            tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive,
        ):
            for name in sorted(loaded.files):
                archive.add(folder / name, name, filter=_plain)
        with temporary.open("rb") as written:
            sha256 = hashlib.file_digest(written, "sha256").hexdigest()
        size = temporary.stat().st_size
    return Package(path, size, sha256)


def _plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.mode, member.mtime = MODE, 0
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member
