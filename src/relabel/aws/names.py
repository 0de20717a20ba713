"""Names and tags of what is made: every name begins with `relabel-`, and nothing else is ever changed or deleted."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

import relabel
from relabel.errors import UserError

PREFIX = "relabel-"
OWNED = "relabel"
"""Tag of all that is made; its value is the version that made it."""
PREVIOUS = "relabel-previous"
"""Tag of an endpoint: the configuration to go back to."""
LONGEST = 63 - 9
"""SageMaker's names have up to 63 characters, and a dash and eight of a hash come behind these."""
PATTERN = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9])*")
HASHED = re.compile(r"-[0-9a-f]{8}")


def full(name: str) -> str:
    """Give a name its prefix, where it has none.

    >>> full("reviews")
    'relabel-reviews'

    Raises UserError where SageMaker would not take it.
    """
    made = name if name.startswith(PREFIX) else PREFIX + name
    if not PATTERN.fullmatch(made) or len(made) > LONGEST:
        raise UserError(
            f"{name}: no name for SageMaker: letters, digits and single dashes between them, {LONGEST} characters with '{PREFIX}'"
        )
    return made


def hashed(name: str, content: Any) -> str:
    """Name something by what it is, so that the same is known again."""
    text = json.dumps(content, sort_keys=True, default=str)
    return f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def belongs(found: str, name: str) -> bool:
    """Whether a model or a configuration was made for an endpoint's name."""
    return found == name or (found.startswith(name) and HASHED.fullmatch(found[len(name) :]) is not None)


def tags(own: Mapping[str, str]) -> list[dict[str, str]]:
    """Give tags as AWS takes them, our own among them."""
    return [{"Key": key, "Value": value} for key, value in {**own, OWNED: relabel.__version__}.items()]
