"""`model.tar.gz`: a model folder as hosting takes it, the same folder always as the same bytes."""

from __future__ import annotations

import gzip
import hashlib
import shutil
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
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


@contextmanager
def unpacked(path: Path) -> Iterator[Path]:
    """Give the folder of a model: the one at `path`, or, of a file as `pack` writes it, a temporary one while it is needed.

    Only the files of a model are read from it, wherever their names say that they belong.

    Raises UserError where there is nothing at `path`, or it is neither a folder nor such a file.
    """
    if path.is_dir():
        yield path
        return
    if not path.is_file():
        raise UserError(f"{path}: no such file or folder: give a model folder or its model.tar.gz")
    with tempfile.TemporaryDirectory(prefix="relabel-model-") as made:
        folder = Path(made) / path.name
        folder.mkdir()
        try:
            with tarfile.open(path) as archive:
                for member in archive:
                    if member.isfile() and Path(member.name).name in (*artifact.FILES, artifact.TRAINING_ROWS):
                        _copy(archive, member, folder / Path(member.name).name)
        except (tarfile.TarError, EOFError, gzip.BadGzipFile, zlib.error):
            raise UserError(
                f"{path}: no model.tar.gz can be read from it: it is no archive, or torn; give the file as it was packed"
            ) from None
        yield folder


def _copy(archive: tarfile.TarFile, member: tarfile.TarInfo, to: Path) -> None:
    source = archive.extractfile(member)
    if source is not None:
        with source, to.open("wb") as file:
            shutil.copyfileobj(source, file)


def _plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.mode, member.mtime = MODE, 0
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member
