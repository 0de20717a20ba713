"""Texts that records carry: where they stand, what counts as one, and how many words of theirs may be asked for."""

from __future__ import annotations

from typing import Any

from relabel.codecs import kinds
from relabel.codecs.codec import Problem
from relabel.errors import UserError

NAMES = ("text", "review")
"""Names under which a record may hold its text, and of a text's column."""
ALSO = ("sentence", "content")
"""Further names of a text's column, where a header has none of NAMES: data for training has them too (see `data.text_column`)."""

LONGEST = 1 << 20
"""Characters of a text: longer ones would keep all others waiting."""
MOST = 1_000_000
"""Texts of one body: even empty ones take memory."""

EXPLAIN = "explain"
"""Name under which a request asks for the words that drove a prediction."""
WORDS, MOST_WORDS = 10, 100
"""Words that are given where none are said, and the most."""
MANY = 9
"""Digits of a number that is too large whatever it is."""


def problem(n: int, value: Any) -> Problem | None:
    """Say why a value is no text that can be read."""
    if not isinstance(value, str):
        return Problem(n, f" is {kinds.name(value)}, expected a text")
    if len(value) > LONGEST:
        return Problem(n, f" has {len(value):,} characters, expected {LONGEST:,} at most")
    if not value.isascii() and not _encodes(value):
        return Problem(n, " is no text in Unicode: half of a surrogate pair, or bytes of another encoding")
    return None


def check_count(count: int) -> None:
    """Raise UserError where a body has too many texts."""
    if count > MOST:
        raise UserError(f"more than {MOST:,} texts in one request: send fewer")


def words(asked: Any) -> int:
    """Give how many words of each text are asked for, as a JSON value or as it is written in a header: a number, or true for WORDS.

    Raises UserError where it is neither, or too many.
    """
    if isinstance(asked, str):
        asked = {"true": True, "false": False}.get(
            asked, int(asked) if asked.isdecimal() and len(asked) < MANY else asked
        )
    if asked is None or asked is False:
        return 0
    if asked is True:
        return WORDS
    if type(asked) is not int or not 0 <= asked <= MOST_WORDS:
        raise UserError(f"`{EXPLAIN}` is neither true, false nor a number of words, {MOST_WORDS} at most")
    return asked


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
