"""`text/plain`: one text, or one on each line; as an answer the name of the class alone, one line for each record."""

from __future__ import annotations

from collections.abc import Sequence

from relabel.codecs import charsets, objects
from relabel.codecs.codec import Predictions, Records, Takes
from relabel.errors import UserError


def decode(body: bytes, takes: Takes, *, by_line: bool = False, charset: str = charsets.UTF_8) -> Records:
    r"""Read one text.

    by_line: one text from each line, which `\n` or `\r\n` ends; a blank line is a text without words, so that answers stay beside their lines.
    charset: name of the encoding.

    Raises UserError where the model takes no texts, or the body is empty.
    """
    if not takes.texts:
        raise UserError(
            f"this model takes {takes}: texts are for models that were trained with an encoder, or on texts"
        )
    if not body:
        raise UserError("an empty body: send a text")
    text = charsets.decoded(body, charset)
    return objects.records(_lines(text) if by_line else [text], Takes(None, texts=True))


def encode(predictions: Predictions) -> bytes:
    """Write the name of each row's class; a row that was refused is `error: why`."""
    names = [" ".join(name.splitlines()) for name in predictions.classes]
    written = [names[label] for label in predictions.probabilities.argmax(axis=1).tolist()]
    for row, why in predictions.refused.items():
        written[row] = f"error: {why}"
    return ("\n".join(written) + "\n").encode()


def _lines(text: str) -> Sequence[str]:
    return text.removesuffix("\n").removesuffix("\r").replace("\r\n", "\n").split("\n")
