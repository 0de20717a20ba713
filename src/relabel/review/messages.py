"""What the page sends, checked."""

from __future__ import annotations

import unicodedata
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from relabel.review.desk import Person

JOINERS = "\u200c\u200d"
"""They do not show, and Persian names and some emoji need them."""


def one_form(name: str) -> str:
    """Give a name in the one form in which it counts: `é` may be one sign or two."""
    return unicodedata.normalize("NFC", name.strip())


def _printable(name: str) -> str:
    """Take a name that shows; a line end or a sign that turns the reading direction in it would spoil what stands around it."""
    if any(unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Zl", "Zp") for letter in name if letter not in JOINERS):
        raise ValueError("signs that do not show")
    return one_form(name)


Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60), AfterValidator(_printable)]
Key = Annotated[str, StringConstraints(min_length=8, max_length=64, pattern=r"^[A-Za-z0-9-]+$")]
Why = Literal["", "conflict", "disputed", "random", "worst"]
Hash = Annotated[str, StringConstraints(min_length=1, max_length=128)]


class _Message(BaseModel):
    """A request of somebody: the name, and the window, for one person may have two."""

    model_config = ConfigDict(extra="forbid", strict=True)
    reviewer: Name
    window: Key

    @property
    def person(self) -> Person:
        """Give who asks."""
        return Person(self.reviewer, self.window)


class Next(_Message):
    """Asks for a question; `besides` are cards that the page has."""

    besides: Annotated[list[Hash], Field(max_length=20)] = []


class Decide(_Message):
    """An answer, or null for a skip. `once` is the same when it is said again. `queued`: it was asked, not looked up.

    instead: names of earlier answers on this card of which the page does not know whether they were kept.
    why:     why the card said that it is asked; "" where it did not.
    """

    card: Hash
    answer: Annotated[str, StringConstraints(max_length=1000)] | None
    once: Key
    instead: Annotated[list[Key], Field(max_length=20)] = []
    seconds: Annotated[float, Field(ge=0, le=86400, allow_inf_nan=False)]
    queued: bool
    why: Why = ""


class Undo(_Message):
    """Takes a decision back."""

    decision: Annotated[int, Field(gt=0, lt=1 << 62)]


class Hold(_Message):
    """Says which cards the page still shows."""

    cards: Annotated[list[Hash], Field(max_length=20)]
