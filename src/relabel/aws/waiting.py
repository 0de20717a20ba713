"""Waiting for AWS: look, say, wait, look again."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from relabel.errors import PlatformError

T = TypeVar("T")
Say = Callable[[str], None]
"""Is told of a state, often in the same words."""
EVERY = 10.0
"""Seconds between two looks: AWS takes minutes for what is waited for."""
PATIENCE = 3600.0


def until(
    look: Callable[[], T],
    is_done: Callable[[T], bool],
    say: Callable[[T, float], None],
    *,
    every: float | None = None,
    patience: float = PATIENCE,
) -> T:
    """Look until it is done, `every` so many seconds; the last look. `say` is given each look and the seconds since the first.

    Raises PlatformError when it takes longer than `patience`.
    """
    begun = time.monotonic()
    while not is_done(seen := look()):
        waited = time.monotonic() - begun
        if waited > patience:
            raise PlatformError(f"not done after {waited / 60:.0f} minutes: run the command again to go on waiting")
        say(seen, waited)
        time.sleep(EVERY if every is None else every)
    return seen


def last_lines(client: Callable[[str], object], group: str, prefix: str = "", *, most: int = 20) -> list[str]:
    """Give the last lines of a log group (of its streams with a prefix), as far as they may be read; [] where not."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    logs = client("logs")
    named = {"logStreamNamePrefix": prefix} if prefix else {}
    lines: list[str] = []
    try:
        for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group, **named):  # type: ignore[attr-defined]
            lines = [*lines, *(event["message"].rstrip() for event in page["events"])][-most:]
    except (ClientError, BotoCoreError):
        return []
    return lines
