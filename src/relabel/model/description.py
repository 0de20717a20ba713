"""What a model's description may say: looked at before anything of it is used, for whoever wrote it may have meant harm."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

LARGEST = 2**31 - 1
"""Most that a size may be."""


def problems(said: Mapping[str, Any]) -> list[str]:
    """Tell what is wrong with the fields of a description that every artifact has; empty where all can be used.

    >>> problems({"temperature": -1})
    ['temperature is no number above 0']
    """
    return [
        f"{name} is {expected}" for name, (fits, expected) in FIELDS.items() if name in said and not fits(said[name])
    ]


def _is_size(value: Any) -> bool:
    return type(value) is int and 0 <= value <= LARGEST


def _are_sizes(value: Any) -> bool:
    return isinstance(value, dict) and all(map(_is_size, value.values()))


def _are_names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value) and len({*value}) == len(value) > 0


def _is_noise(value: Any) -> bool:
    """Tell whether it is none or a square of shares; whether it is as wide as the model, its user finds."""
    if value is None:
        return True
    if not isinstance(value, list) or not value:
        return False
    if not all(isinstance(row, list) and len(row) == len(value) for row in value):
        return False
    numbers = [number for row in value for number in row]
    return all(type(number) in (int, float) for number in numbers) and bool(np.isfinite(numbers).all())


def _is_temperature(value: Any) -> bool:
    return type(value) in (int, float) and 0 < value < math.inf


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_object(value: Any) -> bool:
    return isinstance(value, dict)


FIELDS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "kind": (_is_text, "no text"),
    "sizes": (_are_sizes, f"no object of whole numbers from 0 to {LARGEST:,}"),
    "classes": (_are_names, "no list of different names"),
    "input": (("embedding", "text").__contains__, "neither `embedding` nor `text`"),
    "fitted_on": (("given", "treated").__contains__, "neither `given` nor `treated`"),
    "noise": (_is_noise, "no square of numbers"),
    "temperature": (_is_temperature, "no number above 0"),
    "tensors_sha256": (_is_text, "no text"),
    "provenance": (_is_object, "no object"),
}
"""Field -> whether a value fits, and what to say of one that does not."""
