"""What kind of JSON value something is: what messages say in place of the value."""

from __future__ import annotations

from typing import Any

NAMES = {dict: "an object", list: "a list", str: "a text", int: "a number", float: "a number", type(None): "null"}
NUMBERS = {int, float}


def name(value: Any) -> str:
    """Say what kind of JSON value this is, and never which."""
    return NAMES.get(type(value), "true or false")


def is_number(value: Any) -> bool:
    """Tell numbers from all else; true and false are none."""
    return type(value) in NUMBERS
