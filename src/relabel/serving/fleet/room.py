"""The memory that models may take: what a model is expected to need, and what it took."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from relabel.errors import UserError
from relabel.model import artifact
from relabel.serving import process
from relabel.serving.capacity import MB, SHARE
from relabel.serving.fleet.refusal import RefusalError
from relabel.settings import ServeSettings

WHILE_LOADING = 10
"""Bytes that loading takes at most per byte of a model's files: 6 for layers, 9 for terms; what stays are 2 and 7."""
MAPPED = 2
"""The same of an encoder's files, of which the weights are mapped."""
LEAST = 1 * MB
"""Bytes that any model is expected to need."""


@dataclass(frozen=True, slots=True)
class Room:
    """Memory in bytes.

    models:  what all models together may take.
    most:    what the process may hold right after a model was loaded, whatever it holds it for.
    held:    tells what the process holds now.
    """

    models: int
    most: int
    held: Callable[[], int] = process.held

    def admit(self, need: int, taken: int) -> None:
        """Let a model in that needs so much while it is loaded, beside others that have taken so much.

        Raises RefusalError 507 where that does not fit: the platform unloads others, and comes again.
        """
        if need > self.models - taken or need > self.most - self.held():
            raise RefusalError(
                507,
                f"no memory for this model: it may need {_shown(need)} while it is loaded, {_shown(taken)} of {_shown(self.models)} "
                "are taken by others: unload some, or take an instance with more memory",
            )

    def check(self) -> None:
        """Refuse a model that is loaded and took more than was expected: RefusalError 507."""
        if self.held() > self.most:
            raise RefusalError(507, f"no memory for this model: with it the process has more than {_shown(self.most)}")


def of(settings: ServeSettings, memory: int) -> Room:
    """Divide the memory (bytes) of this machine or container.

    Raises UserError where nothing is left for models.
    """
    models = int(memory * settings.models_share) - process.held()
    if models < LEAST:
        raise UserError(
            f"{_shown(memory)} of memory leave nothing for models with models_share {settings.models_share}: "
            "give the container more, or the models a larger share"
        )
    return Room(models, int(memory * max(SHARE, settings.models_share)))


class Expected(NamedTuple):
    """Bytes that a model takes: at least once it is loaded, and at most while that is done."""

    least: int
    most: int


def expected(folder: Path) -> Expected:
    """Say it by the sizes of a model's files. Training rows and the reference do not count: they are mapped for moments, or never opened.

    Raises OSError where they cannot be looked at.
    """
    own = _bytes(folder / name for name in (*artifact.FILES, artifact.TEXT))
    encoder = _bytes((folder / artifact.ENCODER).rglob("*"))
    return Expected(own + encoder, LEAST + WHILE_LOADING * own + MAPPED * encoder)


def _bytes(paths: Iterable[Path]) -> int:
    return sum(path.stat().st_size for path in paths if path.is_file())


def _shown(size: int) -> str:
    return f"{size / MB:,.0f} MB"
