"""Models that were fetched once, each under its hash.

    contents/SHA256/     model folders, whole: they were made elsewhere and moved here
    seen/SHA256.json     address (hashed) -> the tag that its server gave, and what was there
    partial/             what is being fetched; nobody needs what a killed process left
    lock                 held while something is fetched

Nothing is ever taken out: a worker that starts anew reads its model again.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from relabel import files
from relabel.errors import PlatformError, UserError
from relabel.model import artifact


@dataclass(frozen=True, slots=True)
class Cache:
    """A folder of models."""

    folder: Path

    def found(self, sha256: str) -> Path | None:
        """Give the model with this hash, if it is there and whole."""
        place = self.folder / "contents" / sha256
        try:
            artifact.load(place)
        except UserError:
            return None
        return place

    def seen(self, key: str) -> tuple[str, str]:
        """Give the tag and the hash of what was at an address, ("", "") where that is not known or no longer here."""
        try:
            said = json.loads(self._note(key).read_bytes())
            tag, sha256 = str(said["tag"]), str(said["sha256"])
        except (OSError, ValueError, KeyError, TypeError):
            return "", ""
        return (tag, sha256) if self.found(sha256) else ("", "")

    def keep(self, made: Path, sha256: str) -> Path:
        """Move a model's folder in; what is there under this hash, broken or not, goes."""
        place = self.folder / "contents" / sha256
        place.parent.mkdir(exist_ok=True)
        shutil.rmtree(place, ignore_errors=True)
        return made.rename(place)

    def note(self, key: str, tag: str, sha256: str) -> None:
        """Remember what was at an address."""
        if tag:
            files.write_json(self._note(key), {"tag": tag, "sha256": sha256})

    @contextmanager
    def alone(self) -> Iterator[Path]:
        """Yield an empty folder to fetch into, when no other process fetches; what stays in it is deleted.

        Raises PlatformError where the cache cannot be written.
        """
        partial = self.folder / "partial"
        with _written(str(self.folder)):
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with (self.folder / "lock").open("wb") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)  # the system gives it back when the process ends, however it ends
                shutil.rmtree(partial, ignore_errors=True)
                partial.mkdir()
                try:
                    yield partial
                finally:
                    shutil.rmtree(partial, ignore_errors=True)

    def _note(self, key: str) -> Path:
        return self.folder / "seen" / f"{hashlib.sha256(key.encode()).hexdigest()}.json"


def at(folder: Path | None) -> Cache:
    """Give the cache in a folder, by default in one for this user among the temporary files.

    Raises UserError where somebody else could write into the latter: their models would be served.
    """
    if folder is not None:
        return Cache(folder)
    with _written("the temporary files"):
        folder = Path(tempfile.gettempdir()) / f"relabel-{os.getuid()}"
        with suppress(FileExistsError):
            folder.mkdir(mode=0o700)
    about = folder.lstat()
    if not stat.S_ISDIR(about.st_mode) or about.st_uid != os.getuid() or about.st_mode & 0o022:
        raise UserError(f"{folder}: it is no folder of this user alone: set RELABEL_CACHE to one that is")
    return Cache(folder)


@contextmanager
def _written(where: str) -> Iterator[None]:
    """Say what to do where nothing can be written."""
    try:
        yield
    except OSError as error:
        raise PlatformError(
            f"{error.filename or where}: {error.strerror or error}: set RELABEL_CACHE to a folder with room that can be written"
        ) from None
