"""What a failed job leaves behind: the platform's failure file and the whole traceback.

Nothing here raises: a disk that is full must not hide why the job failed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from relabel import files
from relabel.errors import AlgorithmError, RelabelError

LIMIT = 1024
"""What the platform shows of the failure file, in characters; kept in bytes, of which there are never fewer."""

TRACEBACK = "traceback.txt"
ROOM, BLOCK = "failure.room", 4096
"""A file beside the failure file, of one block of the disk, that is kept for it."""

CUT = "…"
OURS = "\nThis looks like a fault of relabel, not of your data: please report it with the log."


@contextmanager
def room(path: Path) -> Iterator[None]:
    """Keep a block of the disk for the failure file while the block of code runs: a job may fail because the disk is full."""
    place = path.with_name(ROOM)
    _written(place, bytes(BLOCK))
    try:
        yield
    finally:
        with suppress(OSError):
            place.unlink()


def write(path: Path, error: RelabelError) -> bool:
    """Write the cause, then what to do, in at most 1024 bytes of UTF-8; False where that was not possible."""
    hint = OURS if isinstance(error, AlgorithmError) else ""
    left = LIMIT - len(hint.encode())
    data = _fitted(str(error).strip() or type(error).__name__, left) + hint.encode()
    return _written(path, data) or _written_into_room(path, data)


def write_traceback(output_data: Path, text: str) -> bool:
    """Write the whole traceback beside the results; False where that was not possible."""
    return _written(output_data / TRACEBACK, text.encode(errors="replace"))


def clear(path: Path, output_data: Path) -> None:
    """Remove what an earlier run in the same folders left, so that it cannot be taken for this one's."""
    for stale in (path, output_data / TRACEBACK):
        with suppress(OSError):
            stale.unlink()


def _fitted(text: str, room: int) -> bytes:
    """Encode `text`, cut at a character's border where it needs more than `room` bytes."""
    encoded = text.encode(errors="replace")
    if len(encoded) <= room:
        return encoded
    return encoded[: room - len(CUT.encode())].decode(errors="ignore").rstrip().encode() + CUT.encode()


def _written(path: Path, data: bytes) -> bool:
    try:
        files.write_bytes(path, data)
    except OSError:
        return False
    return True


def _written_into_room(path: Path, data: bytes) -> bool:
    """Write over the block that was kept, which needs no new one."""
    place = path.with_name(ROOM)
    try:
        with place.open("r+b") as file:
            file.write(data)
            file.truncate()
        place.replace(path)
    except OSError:
        return False
    return True
