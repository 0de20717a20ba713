"""Labels as people write them, and the classes they mean."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

UNLABELLED = -1
WHOLE = re.compile(r"([+-]?[0-9]{1,4000})(?:\.0*)?")
"""A whole number, of no more digits than Python makes an int of."""
NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|[+-]?(?:nan|inf|infinity)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    """Labels as indices of classes.

    codes:   (N,) int64 into `classes`, or UNLABELLED where the cell is empty or no label.
    classes: names; the order of numbers where all are whole numbers, else sorted.
    refused: (N,) bool; labels that are no whole number, where all labels are numbers.
    """

    codes: NDArray[np.int64]
    classes: tuple[str, ...]
    refused: NDArray[np.bool_]


def encode(values: NDArray[np.object_]) -> Encoded:
    """Turn labels (N,) str into classes: whole numbers (`1`, also `1.0`) or names; spaces around them do not count.

    Numbers that are not whole are no labels where all others are numbers too: probabilities, or NaN written out.
    """
    raw = values.tolist()
    meaning = {value: value.strip() for value in set(raw)}
    texts = {text for text in meaning.values() if text}
    if all(NUMBER.fullmatch(text) for text in texts):
        meaning = {value: _whole(text) for value, text in meaning.items()}
        classes = sorted(_known(meaning.values()), key=int)
        refused = {value for value, whole in meaning.items() if value.strip() and not whole}
    else:
        classes, refused = sorted(_known(meaning.values())), set()
    number = {name: code for code, name in enumerate(classes)}
    code_of = {value: number.get(name, UNLABELLED) for value, name in meaning.items()}
    codes = np.fromiter((code_of[value] for value in raw), np.int64, len(raw))
    return Encoded(codes, tuple(classes), _among(refused, raw))


def named(values: NDArray[np.object_]) -> tuple[tuple[str, ...], NDArray[np.int32]]:
    """Give the distinct labels of (N,) str as they are written, sorted, and each row's place among them, (N,)."""
    raw = values.tolist()
    names = sorted(set(raw))
    place = {name: code for code, name in enumerate(names)}
    return tuple(names), np.fromiter((place[value] for value in raw), np.int32, len(raw))


def known(texts: Collection[str], classes: Sequence[str]) -> list[int]:
    """Give each label its place among classes that are there already, UNLABELLED where it is none of them; spelled as `encode` takes them.

    >>> known(["1.0", " 0", "yes"], ["0", "1"]), known(["1.0", " no"], ["no", "yes"])
    ([1, 0, -1], [-1, 0])
    """
    number = {name: code for code, name in enumerate(classes)}
    whole = all(WHOLE.fullmatch(name) for name in classes)
    place: dict[str, int] = {}
    for text in {*texts}:
        name = text.strip()
        place[text] = number.get(name, number.get(_whole(name), UNLABELLED) if whole else UNLABELLED)
    return [place[text] for text in texts]


def empty(values: NDArray[np.object_]) -> NDArray[np.bool_]:
    """Values (N,) str that are nothing but spaces."""
    raw = values.tolist()
    return _among({value for value in set(raw) if not value.strip()}, raw)


def _whole(text: str) -> str:
    """Give a whole number in its one spelling, "" for any other."""
    match = WHOLE.fullmatch(text)
    return str(int(match[1])) if match else ""


def _known(names: Iterable[str]) -> set[str]:
    return {name for name in names if name}


def _among(values: set[str], raw: list[str]) -> NDArray[np.bool_]:
    return np.fromiter((value in values for value in raw), np.bool_, len(raw))
