"""`application/json`: `{"instances": [[…], …]}`, `{"inputs": …}`, a bare list of vectors, one vector, or records `{"features": […]}`.

Labels stand inside the records, `{"features": […], "label": …}`, or beside them all, `{"instances": …, "labels": […]}`.
"""

from __future__ import annotations

import json
from typing import Any

from relabel.codecs import objects, vectors
from relabel.codecs.codec import Predictions, Records, finite
from relabel.codecs.labels import ABSENT, LABEL, LABELS
from relabel.errors import UserError

SHAPES = 'send {"instances": [[number, …], …]}, a list of vectors, or one vector'


def decode(body: bytes, width: int) -> Records:
    """Read the records of a body; the literals NaN and Infinity, which JSON does not have, are read, and are problems of their record."""
    fast = vectors.parse(body, width)
    if fast is not None:
        return finite(fast[0], (), fast[1])
    rows, beside = _rows(_parsed(body))
    return objects.records(rows, width, beside)


def encode(predictions: Predictions) -> bytes:
    """Write `{"predictions": [{"label": index, "class": name, "probabilities": [C numbers]}, …]}`, and of a label that was given what it is worth."""
    return f'{{"predictions": [{", ".join(objects.texts(predictions))}]}}'.encode()


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
    except UnicodeDecodeError as error:
        where = f"byte {error.start} is no UTF-8"
    except (ValueError, RecursionError):  # a number of thousands of digits, lists thousands deep
        where = "too long a number, or lists too deep"
    raise UserError(f"the body is not JSON ({where}): {SHAPES}")


def _rows(value: Any) -> tuple[list[Any], list[Any] | None]:
    """Find the list of records in all shapes, and the labels beside them."""
    beside = ABSENT
    if isinstance(value, dict):
        found = [name for name in vectors.WRAPPERS if name in value]
        if not found and vectors.FEATURES in value:
            return [value], None
        if len(found) != 1:
            raise UserError(
                f"an object {'with both' if found else 'without'} `instances` {'and' if found else 'or'} `inputs`: {SHAPES}"
            )
        if LABEL in value:
            raise UserError(f"`{LABEL}` beside `{found[0]}`: send `{LABELS}`, a list with one for each record")
        value, beside = value[found[0]], value.get(LABELS, ABSENT)
    if not isinstance(value, list):
        raise UserError(f"{objects.name(value)} where vectors are expected: {SHAPES}")
    if not value:
        raise UserError(f"an empty list: {SHAPES}")
    rows = [value] if objects.is_number(value[0]) else value
    return rows, None if beside is ABSENT else _beside(beside, len(rows))


def _beside(given: Any, count: int) -> list[Any]:
    """Check that labels beside the records are as many as these."""
    if not isinstance(given, list) or len(given) != count:
        seen = f"{len(given):,} long" if isinstance(given, list) else objects.name(given)
        raise UserError(
            f"`{LABELS}` is {seen}, expected a list of {count:,}: one for each record, null where it has none"
        )
    return given
