"""Texts that are shown in part: how long they may be for a page to stay light."""

from __future__ import annotations

import re
from collections.abc import Sequence

ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"
JOINERS = "\N{ZERO WIDTH JOINER}\N{VARIATION SELECTOR-16}"
NEAR = 12
"""A cut goes back to a space that is at most this far."""

SPECIAL = re.compile(r"[<>&'\"\\\x00-\x1f\x7f]")
ESCAPED = 5
"""Bytes that a character which JSON or HTML must escape costs at most beyond its own."""


def cut(text: str, most: int) -> tuple[str, int]:
    """Cut a text to `most` characters, at a space if one is near, and say how many characters are left out.

    >>> cut("Works as promised", 9)
    ('Works as…', 9)
    >>> cut("Wonderful", 9)
    ('Wonderful', 0)
    """
    if len(text) <= most:
        return text, 0
    space = text.rfind(" ", max(0, most - NEAR), most)
    kept = text[: space if space > 0 else most].rstrip().rstrip(JOINERS)
    return kept + ELLIPSIS, len(text) - len(kept)


def longest(texts: Sequence[str], cuts: Sequence[int], budget: int) -> int:
    """Choose the first of `cuts`, falling, at which the texts together take at most `budget` bytes in a page; the last if none does."""
    return next((most for most in cuts if sum(_bytes(cut(text, most)[0]) for text in texts) <= budget), cuts[-1])


def _bytes(text: str) -> int:
    """Bytes that a text takes in a page, at most."""
    return len(text.encode(errors="replace")) + ESCAPED * len(SPECIAL.findall(text))
