"""`application/json`: `{"instances": [[…], …]}`, `{"inputs": …}`, a bare list of vectors, one vector, or records `{"features": […]}`."""

from __future__ import annotations

import json
from typing import Any

from relabel.codecs import objects, vectors
from relabel.codecs.codec import Predictions, Records, finite
from relabel.errors import UserError

SHAPES = 'send {"instances": [[number, …], …]}, a list of vectors, or one vector'


def decode(body: bytes, width: int) -> Records:
    """Read the records of a body; the literals NaN and Infinity, which JSON does not have, are read, and are problems of their record."""
    fast = vectors.parse(body, width)
    return finite(fast) if fast is not None else objects.records(_rows(_parsed(body)), width)


def encode(predictions: Predictions) -> bytes:
    """Write `{"predictions": [{"label": index, "class": name, "probabilities": [C numbers]}, …]}`."""
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


def _rows(value: Any) -> list[Any]:
    """Find the list of records in all shapes."""
    if isinstance(value, dict):
        found = [name for name in vectors.WRAPPERS if name in value]
        if not found and vectors.FEATURES in value:
            return [value]
        if len(found) != 1:
            raise UserError(
                f"an object {'with both' if found else 'without'} `instances` {'and' if found else 'or'} `inputs`: {SHAPES}"
            )
        value = value[found[0]]
    if not isinstance(value, list):
        raise UserError(f"{objects.name(value)} where vectors are expected: {SHAPES}")
    if not value:
        raise UserError(f"an empty list: {SHAPES}")
    return [value] if objects.is_number(value[0]) else value
