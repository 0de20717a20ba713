"""Room for embeddings and texts: what of them may lie in memory, and where the others go."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from relabel.data.stored import Held
from relabel.errors import DISK_ERRNOS, PlatformError

NETWORK = ("fuse", "nfs", "cifs", "smb", "9p", "ceph", "lustre", "gcsfuse", "s3fs")
"""Beginnings of the names of file systems that are not on this machine: FastFile mode is one of fuse. They are read once, from beginning to end."""

SHARE = 0.25
"""Of the memory, that embeddings may take; those that need more stay on disk. The models that lie beside them, and all that is kept of each row,
take the rest."""


def mounted(table: Path = Path("/proc/self/mounts")) -> dict[Path, str]:
    """Give the kind of each mounted file system by its folder; {} where the system does not tell."""
    try:
        lines = table.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return {}
    entries = [line.split() for line in lines]
    return {Path(_plain(entry[1])): entry[2] for entry in entries if len(entry) > 2}  # noqa: PLR2004  # device, folder, kind


def _plain(folder: str) -> str:
    """Undo the octal escapes of spaces and the like."""
    return os.fsdecode(folder.encode("latin-1", "replace").decode("unicode_escape").encode("latin-1", "replace"))


@dataclass(frozen=True, slots=True)
class Room:
    """Where embeddings may lie.

    memory: bytes that they may take in memory as float32; beyond that they stay on disk.
    folder: on a disk of this machine, for those that cannot be read where they lie.
    mounts: folder -> kind of file system, of this machine.
    """

    memory: int
    folder: Path = field(default_factory=lambda: Path(tempfile.gettempdir()))
    mounts: Mapping[Path, str] = field(default_factory=mounted)

    @classmethod
    def within(cls, limit: int) -> Room:
        """Give the room of a process that may take so many bytes of memory."""
        return cls(int(limit * SHARE))

    def holds(self, rows: int, width: int) -> bool:
        """Whether so many embeddings may lie in memory."""
        return 4 * rows * width <= self.memory

    def keeps(self, size: int) -> bool:
        """Whether the system can keep so many bytes of files at hand: it has twice of what embeddings may take, whatever else the job holds."""
        return size <= 2 * self.memory

    def file(self) -> Held:
        """Open a file that has no name: it is gone with the process, however that ends.

        Raises OSError where the disk is full or broken, PlatformError where the folder takes no files.
        """
        try:
            with tempfile.TemporaryFile(dir=self.folder) as file:
                return Held(os.dup(file.fileno()))
        except OSError as error:
            if error.errno in DISK_ERRNOS:
                raise
            raise PlatformError(
                f"{self.folder}: no file can be made there ({error.strerror}): set TMPDIR to a folder on a disk of this machine"
            ) from error

    def append(self, file: Held, data: bytes | memoryview) -> None:
        """Write at the end of a file of ours. Raises OSError, with the folder's name, where the disk is full."""
        left = memoryview(data)
        try:
            while left:  # the system may take less than it is given
                left = left[os.write(file.number, left) :]
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(self.folder)) from None  # the file itself has no name

    def is_near(self, path: Path) -> bool:
        """Whether a file lies on a disk of this machine, where any row can be read at any time."""
        real = path.resolve()
        kind = next((self.mounts[folder] for folder in (real, *real.parents) if folder in self.mounts), "")
        return not kind.startswith(NETWORK)
