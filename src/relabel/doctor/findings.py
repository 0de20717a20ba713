"""What an examination says: one finding for each thing looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "warning", "problem"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    level:   ok; warning, where something works worse than it could; problem, where training or serving would fail.
    subject: what was looked at, in a word or two.
    text:    what was seen and, unless all is well, what to do; one line.
    """

    level: Level
    subject: str
    text: str


def ok(subject: str, text: str) -> Finding:
    """Say that a thing is as it should be."""
    return Finding("ok", subject, text)


def warning(subject: str, text: str) -> Finding:
    """Say what could be better, and how."""
    return Finding("warning", subject, text)


def problem(subject: str, text: str) -> Finding:
    """Say what would fail, and what to do."""
    return Finding("problem", subject, text)
