"""Where models may lie: a path that somebody sends is taken below these folders alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from relabel.serving.fleet.refusal import RefusalError


def find(url: str, roots: Sequence[Path]) -> Path:
    """Give the folder that `url`, an absolute path, names below one of `roots`, with links followed.

    Raises RefusalError: 400 where it is no path or leads elsewhere, whether there is something or not; 404 where there is no folder.
    """
    try:
        found = Path(url).resolve()
        below = Path(url).is_absolute() and any(root.resolve() in found.parents for root in roots)
    except (OSError, ValueError, RuntimeError):  # a NUL, a character that no file's name has, links that go in circles
        below = False
    if not below:
        allowed = " or ".join(map(str, roots))
        raise RefusalError(400, f"`url` is no path below {allowed}: give the absolute path of the model's folder")
    try:
        there = found.is_dir()
    except OSError:  # a name that is too long, a folder that may not be entered
        there = False
    if not there:
        raise RefusalError(404, "there is no folder at `url`: give the path where the model was unpacked")
    return found
