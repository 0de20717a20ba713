"""A model's files among others: which they are, and how they are taken out of an archive that nobody vouches for."""

from __future__ import annotations

import gzip
import shutil
import tarfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, cast

from relabel.errors import PlatformError, UserError
from relabel.model import artifact, reference

LARGEST = 16 << 30
"""Bytes that a model may have, unpacked."""
MOST = 10_000
"""Files that may lie beside and below it."""
PIECE = 1 << 22
"""Bytes that are read at once: what says that it is one larger header is no tar that anybody made of a model."""
DEEPEST, LONGEST = 16, 255
"""Parts of a file's path, and bytes of a part."""
GZIP = b"\x1f\x8b"

Choose = Callable[[Iterable[str], str], dict[str, str]]
"""Gives of an archive's names, and where they are from, those to take: path below the folder -> name."""


def of_model(names: Iterable[str], where: str = "") -> dict[str, str]:
    """Find the files of a model among paths with `/`: path below the model's folder -> name as it was given.

    The model is where the uppermost `model.json` lies. Strangers and paths that lead elsewhere are passed over. Raises UserError, with `where`
    the names are from, where that is not one place.

    >>> of_model(["./a/model.json", "a/encoder/config.json", "a/run.py", "../model.safetensors"])
    {'model.json': './a/model.json', 'encoder/config.json': 'a/encoder/config.json'}
    """
    found = {name: parts for name in names if (parts := _parts(name))}
    roots = [parts[:-1] for parts in found.values() if parts[-1] == artifact.DESCRIPTION]
    if not roots:
        return {}
    root = min(roots, key=len)
    if len({each for each in roots if len(each) == len(root)}) > 1:
        folders = ", ".join(sorted("/".join(each) for each in set(roots)))
        raise UserError(f"{where}: models in {folders}: name the folder of one")
    below = {"/".join(parts[len(root) :]): name for name, parts in found.items() if parts[: len(root)] == root}
    return {path: name for path, name in below.items() if _is_wanted(path)}


def all_of(names: Iterable[str], _where: str = "") -> dict[str, str]:
    """Give every file whose path leads nowhere else: path -> name as it was given.

    >>> all_of(["./data/report.html", "../../etc/passwd"])
    {'data/report.html': './data/report.html'}
    """
    return {"/".join(parts): name for name in names if (parts := _parts(name))}


def unpack(path: Path, folder: Path, *, largest: int = LARGEST, chosen: Choose = of_model) -> None:
    """Write a model's files from an archive, plain or gzipped tar, into `folder`, which must be there and empty.

    chosen: which files are taken, and to which path below the folder each goes.

    Links, devices and strangers are passed over.

    Raises UserError where it is no such archive, is torn, or would unpack to more than `largest` bytes.
    """
    try:
        with path.open("rb") as raw:
            zipped = raw.read(len(GZIP)) == GZIP
            raw.seek(0)
            plain = _Bounded(cast("BinaryIO", gzip.GzipFile(fileobj=raw)) if zipped else raw, path, largest)
            with tarfile.open(fileobj=cast("BinaryIO", plain), mode="r:") as archive:
                members = {member.name: member for member in _members(archive, path)}
                for below, name in chosen(members, str(path)).items():
                    _copy(archive, members[name], folder / below)
    except (tarfile.TarError, EOFError, gzip.BadGzipFile, zlib.error, ValueError, RecursionError):
        raise UserError(
            f"{path}: no model.tar.gz can be read from it: it is no archive, or torn; give the file as it was packed"
        ) from None


def copied(source: BinaryIO, to: Path, *, largest: int = LARGEST) -> int:
    """Write what comes from elsewhere to a file; its size.

    Raises UserError beyond `largest` bytes, PlatformError where the file cannot be written: an OSError is then one of the source.
    """
    size = 0
    try:
        file = to.open("wb")
    except OSError as error:
        raise _unwritten(error) from None
    with file:
        while piece := source.read(1 << 20):
            size += len(piece)
            if size > largest:
                raise UserError(f"more than {largest:,} bytes: too large for a model")
            try:
                file.write(piece)
            except OSError as error:
                raise _unwritten(error) from None
    return size


class _Bounded:
    """A file whose reader gets no more than so many bytes of it, in pieces of bounded size."""

    def __init__(self, file: BinaryIO, path: Path, largest: int) -> None:
        self._file = file
        self._path = path
        self._largest = largest

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= PIECE or self.tell() + size > self._largest + PIECE:
            raise self._refusal()
        return self._file.read(size)

    def seek(self, position: int) -> int:
        if position > self._largest:
            raise self._refusal()
        return self._file.seek(position)

    def tell(self) -> int:
        return self._file.tell()

    def _refusal(self) -> UserError:
        return UserError(
            f"{self._path}: it unpacks to more than {self._largest:,} bytes, or has a part that no model has: "
            "give the file as it was packed"
        )


def _members(archive: tarfile.TarFile, path: Path) -> Iterator[tarfile.TarInfo]:
    """Give what is a plain file; one with holes would take more room than was read."""
    for number, member in enumerate(archive):
        if number == MOST:
            raise UserError(f"{path}: more than {MOST:,} files: give the file as it was packed")
        if member.isreg() and not member.issparse():
            yield member


def _copy(archive: tarfile.TarFile, member: tarfile.TarInfo, to: Path) -> None:
    source = archive.extractfile(member)
    if source is not None:
        to.parent.mkdir(parents=True, exist_ok=True)
        with source, to.open("wb") as file:
            shutil.copyfileobj(source, file)


def _unwritten(error: OSError) -> PlatformError:
    return PlatformError(f"{error.filename or 'the model'} cannot be written: {error.strerror}: give it more room")


def _parts(name: str) -> tuple[str, ...]:
    """Split a path; () where it is none that a model's file has."""
    parts = tuple(part for part in name.split("/") if part != ".")
    plain = all(part not in ("", "..") and part.isprintable() and "\\" not in part for part in parts)
    if not plain or len(parts) > DEEPEST:
        return ()
    return parts if all(len(part.encode()) <= LONGEST for part in parts) else ()


def _is_wanted(path: str) -> bool:
    known = (*artifact.FILES, artifact.TRAINING_ROWS, reference.FILE, artifact.TEXT)
    return path in known or path.startswith(f"{artifact.ENCODER}/")
