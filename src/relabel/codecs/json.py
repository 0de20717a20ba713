"""`application/json`: `{"instances": [[…], …]}`, `{"inputs": …}`, a bare list of vectors, one vector, or records `{"features": […]}`.

Texts stand where vectors do, and as records `{"text": "…"}`. Labels stand inside the records, `{"features": […], "label": …}`, or beside them
all, `{"instances": …, "labels": […]}`. `"explain": true` beside texts asks for words.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from relabel.codecs import kinds, objects, texts, vectors
from relabel.codecs.codec import Predictions, Records, Takes, finite
from relabel.codecs.labels import ABSENT, LABEL, LABELS
from relabel.errors import UserError

OF_VECTORS = 'send {"instances": [[number, …], …]}, a list of vectors, or one vector'
OF_TEXTS = 'send {"instances": ["text", …]}, a list of texts, {"text": "…"}, or one text'


def decode(body: bytes, takes: Takes) -> Records:
    """Read the records of a body; the literals NaN and Infinity, which JSON does not have, are read, and are problems of their record."""
    if takes.width is not None:
        fast = vectors.parse(body, takes.width)
        if fast is not None:
            return finite(fast[0], (), fast[1])
    value = _parsed(body, takes)
    rows, beside = _rows(value, takes)
    records = objects.records(rows, takes, beside)
    if not takes.texts or not isinstance(value, dict):
        return records
    return replace(records, words=texts.words(value.get(texts.EXPLAIN)))


def encode(predictions: Predictions) -> bytes:
    """Write `{"predictions": [{"label": index, "class": name, "probabilities": [C numbers]}, …]}`, and of a label that was given what it is worth.

    Where words were asked for, somebody reads it: `"classes": [C names]` says what the probabilities are of.
    """
    named = "" if predictions.words is None else f', "classes": {json.dumps(predictions.classes, ensure_ascii=False)}'
    return f'{{"predictions": [{", ".join(objects.written(predictions))}]{named}}}'.encode()


def _parsed(body: bytes, takes: Takes) -> Any:
    try:
        return json.loads(body)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
    except UnicodeDecodeError as error:
        where = f"byte {error.start} is no UTF-8"
    except (ValueError, RecursionError):  # a number of thousands of digits, lists thousands deep
        where = "too long a number, or lists too deep"
    raise UserError(f"the body is not JSON ({where}): {_shapes(takes)}")


def _shapes(takes: Takes) -> str:
    """Say what may be sent."""
    return "; or ".join([OF_TEXTS] * takes.texts + [OF_VECTORS] * (takes.width is not None))


def _rows(value: Any, takes: Takes) -> tuple[list[Any], list[Any] | None]:
    """Find the list of records in all shapes, and the labels beside them."""
    beside = ABSENT
    if isinstance(value, dict):
        found = [name for name in vectors.WRAPPERS if name in value]
        if not found and objects.holders(value):
            return [value], None
        if len(found) != 1:
            raise UserError(
                f"an object {'with both' if found else 'without'} `instances` {'and' if found else 'or'} `inputs`: {_shapes(takes)}"
            )
        if LABEL in value:
            raise UserError(f"`{LABEL}` beside `{found[0]}`: send `{LABELS}`, a list with one for each record")
        value, beside = value[found[0]], value.get(LABELS, ABSENT)
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, list):
        raise UserError(f"{kinds.name(value)} where {takes} are expected: {_shapes(takes)}")
    if not value:
        raise UserError(f"an empty list: {_shapes(takes)}")
    rows = [value] if kinds.is_number(value[0]) else value
    return rows, None if beside is ABSENT else _beside(beside, len(rows))


def _beside(given: Any, count: int) -> list[Any]:
    """Check that labels beside the records are as many as these."""
    if not isinstance(given, list) or len(given) != count:
        seen = f"{len(given):,} long" if isinstance(given, list) else kinds.name(given)
        raise UserError(
            f"`{LABELS}` is {seen}, expected a list of {count:,}: one for each record, null where it has none"
        )
    return given
