"""Files that are whole or not there: written beside their place, flushed to the disk, then renamed into it."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from relabel.errors import PlatformError, UserError, explained

TEMPORARY = ".relabel-tmp"
"""Suffix of a file that is being written; whoever finds one after a crash may delete it."""


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`, which takes its place when the block ends well and is gone when it does not.

    Raises OSError where the disk is full or not writable, with the name of a file; `path` is then as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{uuid.uuid4().hex[:8]}{TEMPORARY}")
    try:
        yield temporary
        _flush(temporary)
        temporary.replace(path)
        _flush(path.parent)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename in (None, str(temporary)):
            error.filename = str(path)  # a write that fails names no file
        raise


def sweep(*folders: Path) -> None:
    """Delete what a process that was killed had begun to write in and below the folders, some of which may not be there."""
    for folder in folders:
        for temporary in folder.rglob(f"*{TEMPORARY}"):
            temporary.unlink(missing_ok=True)


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Say in one line that `path`, which the user named, cannot be written.

    Raises UserError where another place would do, PlatformError where the disk is full or failing.
    """
    try:
        yield
    except OSError as error:
        if isinstance(known := explained(error), PlatformError):
            raise known from None
        raise UserError(f"{path}: cannot be written ({error.strerror}): name a place where you may write") from None


def write_bytes(path: Path, data: bytes) -> None:
    """Write `data` to `path`, atomically."""
    with replacing(path) as temporary:
        temporary.write_bytes(data)


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path` as UTF-8, atomically."""
    write_bytes(path, text.encode())


def write_json(path: Path, value: Any) -> None:
    """Write `value` to `path` as indented JSON with a last newline, atomically; NaN is refused."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
