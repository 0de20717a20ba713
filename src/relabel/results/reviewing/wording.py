"""Class names as people are shown them, and what they mean."""

from __future__ import annotations

from collections.abc import Sequence

from relabel.data import reviews
from relabel.results.seed_files import SENTIMENT

NEITHER_SHOWN = "Neither"


def shown(name: str, classes: Sequence[str]) -> str:
    """Give the choice that stands for a class: its name, or `Negative` and `Positive` where the classes are 0 and 1."""
    return SENTIMENT.get(name, name) if tuple(classes) == tuple(SENTIMENT) else name


def choice(answer: str, classes: Sequence[str]) -> str:
    """Give the choice that stands for an answer: a class, or that none fits."""
    return NEITHER_SHOWN if answer == reviews.NEITHER else shown(answer, classes)


def choices(classes: Sequence[str]) -> list[str]:
    """List all choices, in the order of the classes; the last is that none fits."""
    return [*(shown(name, classes) for name in classes), NEITHER_SHOWN]


def meant(choice: str, classes: Sequence[str]) -> str | None:
    """Give the class that a choice stands for, or NEITHER; None where it stands for nothing known."""
    by_choice = {shown(name, classes): name for name in classes}
    return by_choice.get(choice.strip()) or reviews.meant(choice, classes)
