"""Which models are loaded, remembered beyond the death of the process that has them.

It lies in a file without a name, which the parent of the server opens and its worker inherits: a worker that takes the place of a killed one reads
there what the platform believes to be loaded.
"""

from __future__ import annotations

import json
import logging
import tempfile
import time
import zlib
from collections.abc import Mapping
from contextlib import suppress
from typing import Self

from relabel.serving.fleet.models import Models
from relabel.serving.fleet.refusal import RefusalError

log = logging.getLogger(__name__)

HEAD = 16
"""Bytes before the content: its checksum and its size."""


class Journal:
    """Made before the worker is forked; open until its block ends."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115  # it is open for as long as the server is

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def write(self, models: Mapping[str, str]) -> None:
        """Remember name -> url of all that are loaded; on a full disk what was remembered before, or nothing, is left."""
        content = json.dumps(dict(models)).encode()
        with suppress(OSError):
            self._file.seek(0)
            self._file.write(_head(content) + content)

    def read(self) -> dict[str, str]:
        """Give what was last remembered; nothing where that was not written to its end."""
        self._file.seek(0)
        head, content = self._file.read(HEAD), self._file.read()
        content = content[: int.from_bytes(head[8:])]
        found: dict[str, str] = json.loads(content) if content and head == _head(content) else {}
        return found


def restore(models: Models, remembered: Mapping[str, str], seconds: float) -> None:
    """Load what a process before had loaded, for at most so many seconds; the log names what could not be."""
    end = time.monotonic() + seconds
    for name, url in remembered.items():
        if time.monotonic() > end:
            log.warning("there was no more time to load the others again")
            break
        try:
            models.load(name, url)
        except RefusalError as error:
            log.warning("model %s is no longer loaded: %s", json.dumps(name), error)
    if remembered:
        log.warning(
            "a process was lost: %d models that it had loaded were loaded again", len(models.after("", len(remembered)))
        )


def _head(content: bytes) -> bytes:
    return zlib.crc32(content).to_bytes(8) + len(content).to_bytes(8)
