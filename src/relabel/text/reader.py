"""How a model's texts are read: data that an artifact carries, and what can be called with it."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

from relabel.errors import UserError
from relabel.text.preprocessing import Preprocessing
from relabel.text.words import Words

Kind = Literal["words", "subwords", "encoder"]


class Reader(Protocol):
    """Turns texts into what a model takes."""

    def __call__(self, texts: Sequence[str], /) -> Any:
        """Give Tokens of texts (n,), or vectors (n, D) float32."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class TextInput:
    """How texts are read, as data.

    kind:     `words`: terms of a vocabulary; `subwords`: an encoder's own tokens; `encoder`: vectors by an encoder.
    settings: JSON values that the reader takes.
    terms:    of `words`, from the most frequent on.
    folder:   where the files lie that the reader needs, those of an encoder or its tokenizer; None for `words`.
    files:    these files, as paths below the folder with `/`.
    """

    kind: Kind
    settings: Mapping[str, Any]
    terms: tuple[str, ...] = ()
    folder: Path | None = None
    files: tuple[str, ...] = ()


def of_words(words: Words) -> TextInput:
    """Describe a reader of words."""
    chosen = words.preprocessing
    return TextInput(
        "words",
        {
            "preprocessing": {name: getattr(chosen, name) for name in Preprocessing.__dataclass_fields__},
            "ngrams": words.ngrams,
            "max_tokens": words.max_tokens,
            "truncate": words.truncate,
        },
        words.terms,
    )


def load(about: TextInput) -> Reader:
    """Make the reader. Nothing heavy is imported for words.

    Raises UserError for a kind that this version does not know, or settings that do not fit.
    """
    if about.kind not in READERS:
        raise UserError(
            f"texts read as {about.kind!r}: this version knows {', '.join(READERS)}; use the relabel that wrote it"
        )
    try:
        return READERS[about.kind](about)
    except (TypeError, KeyError) as error:
        raise UserError(
            f"how texts are read is not described as this version expects ({error}): use the relabel that wrote it"
        ) from None


def _words(about: TextInput) -> Reader:
    said = dict(about.settings)
    return Words(Preprocessing(**said.pop("preprocessing")), about.terms, **said)


def _subwords(about: TextInput) -> Reader:
    read: Reader = importlib.import_module("relabel.text.subwords").load(about.folder, **about.settings)
    return read


def _encoder(about: TextInput) -> Reader:
    read: Reader = importlib.import_module("relabel.text.encoder").Encoder(about)
    return read


READERS: dict[str, Callable[[TextInput], Reader]] = {"words": _words, "subwords": _subwords, "encoder": _encoder}
"""Kind -> what makes its reader. What may need torch is imported by its name, so that no import of this module leads there."""
