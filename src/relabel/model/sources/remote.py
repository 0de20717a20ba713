"""What the places that models come from have in common."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol


class Remote(Protocol):
    """A file or a folder elsewhere.

    shown: its address as people may read it: without passwords and signatures.
    key:   its address in full, to know it again by; never shown.
    """

    @property
    def shown(self) -> str:
        """Its address as people may read it."""
        ...

    @property
    def key(self) -> str:
        """Its address in full."""
        ...

    def names(self) -> list[str]:
        """List the files of the folder, as paths below it with `/`."""
        ...

    def save(self, name: str, to: Path, known: str = "") -> str | None:
        """Write a file of the folder, or with "" the file itself, to `to`.

        Gives the tag of this version, "" where there is none, or None where it is still the version with the tag `known`, and writes nothing then.

        Raises UserError where it is not there or may not be read, PlatformError where nobody answers.
        """
        ...
