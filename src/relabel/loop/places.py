"""Which model serves: a pointer that is swapped at once, to a folder that never changes. The one before stays for the way back.

A place elsewhere, such as an endpoint, is handed in as an object with `put`, which is told before the pointer moves: the pointer never says
more than is true. Being told twice must do nothing.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Protocol

from relabel import files
from relabel.errors import UserError
from relabel.loop.folder import POINTER, Loop

MODELS = "models"


class Place(Protocol):
    """Where models serve, beside the pointer."""

    def put(self, model: Path) -> None:
        """Let this model folder, named for its hash, serve here; nothing where it does already. Returns when requests reach it."""
        ...


class Here:
    """Nowhere else: whoever serves reads the pointer."""

    def put(self, model: Path) -> None:
        """Do nothing."""


def keep(folder: Path, model: Path, name: str) -> str:
    """Copy a model folder to where it stays, and give that place below the loop's folder."""
    place = folder / MODELS / name
    if not place.is_dir():
        temporary = place.with_name(f"{name}{files.TEMPORARY}")
        shutil.rmtree(temporary, ignore_errors=True)
        shutil.copytree(model, temporary)
        temporary.rename(place)
    return place.relative_to(folder).as_posix()


def point(folder: Path, *, current: str, previous: str | None) -> None:
    """Let another model serve."""
    files.write_json(folder / POINTER, {"current": current, "previous": previous})


def pointer(loop: Loop) -> Path:
    """Give the file that says which model serves."""
    return loop.folder / POINTER


def promote(loop: Loop, model: Path, name: str, place: Place) -> None:
    """Let a model serve, and keep the one that served; nothing where it serves already."""
    kept, serving = keep(loop.folder, model, name), loop.serving()
    place.put(loop.folder / kept)
    if serving["current"] != kept:
        point(loop.folder, current=kept, previous=serving["current"])


def rollback(loop: Loop, place: Place) -> str:
    """Let the model serve that did before, and give its name; the one that served is then the one before.

    Raises UserError where there is none.
    """
    serving = loop.serving()
    if serving["previous"] is None:
        raise UserError("no model served before this one: there is nothing to go back to")
    number, step = loop.at()
    current, previous = (Path(serving[key]).name for key in ("current", "previous"))
    if current != _told(loop):  # the last step broke off behind the pointer, before its line
        if step == "train":
            raise UserError("`relabel loop promote` broke off: run it again first")
        current, previous = previous, current
    else:
        place.put(loop.folder / serving["previous"])
        point(loop.folder, current=serving["previous"], previous=serving["current"])
    loop.journal.write("rollback", number - 1, {"from": current, "to": previous}, [loop.folder / POINTER])
    return previous


def _told(loop: Loop) -> str:
    """Give the name of the model that serves, as the journal says it."""
    named = {"start": "model", "decide": "challenger", "rollback": "to"}
    moved = [each for each in loop.journal.events() if each.step in named and each.facts.get("promoted", True)]
    return str(moved[-1].facts[named[moved[-1].step]])
