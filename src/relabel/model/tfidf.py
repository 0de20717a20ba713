"""Linear models of the terms of a text, weighted by how rare they are (TF-IDF), in numpy alone.

The weight of a term in a text is (1 + log of how often it stands there) times its inverse document frequency; a text's weights have the
length 1 together. A text's logits are sums in the order of its terms' ids, so it gets the same probabilities to the last bit whatever texts
come with it.

Letters: n texts, V terms, C classes, E entries: distinct terms of all texts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from relabel.data.tokens import FIRST, Tokens
from relabel.errors import UserError
from relabel.model.artifact import Model

KIND = "tfidf"
BLOCK = 1 << 20
"""Tokens counted at a time: bounds the memory of many texts."""


@dataclass(frozen=True, slots=True, eq=False)
class Entries:
    """What texts are made of, text by text, and by ids inside of each.

    row:   (E,) int64 number of the text.
    term:  (E,) int64 id.
    value: (E,) float64, how often the term stands there, or what it weighs.
    rows:  n.
    """

    row: NDArray[np.int64]
    term: NDArray[np.int64]
    value: NDArray[np.float64]
    rows: int

    def summed(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sum values (E,) by text: (n,), in the order of ids."""
        return np.asarray(np.bincount(self.row, values, self.rows), np.float64)


def counted(tokens: Tokens, ids: int) -> Entries:
    """Count the terms of each text; ids lie below `ids`, which is V + FIRST."""
    row = np.repeat(np.arange(len(tokens)), tokens.lengths)
    keys = row * ids + tokens.ids
    keys.sort()
    first = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]) if keys.size else np.empty(0, np.bool_))
    row, term = np.divmod(keys[first], ids)
    return Entries(row, term, np.diff(first, append=keys.size).astype(np.float64), len(tokens))


def weighted(entries: Entries, idf: NDArray[np.float64]) -> Entries:
    """Weigh counted terms by their rareness (V + FIRST,), each text to the length 1; one that has no known term keeps zeros."""
    value = (1.0 + np.log(entries.value)) * idf[entries.term]
    length = np.sqrt(entries.summed(value * value))
    length[length == 0] = 1.0
    return Entries(entries.row, entries.term, value / length[entries.row], entries.rows)


def blocks(tokens: Tokens) -> Iterator[tuple[slice, Tokens]]:
    """Give the texts in runs of about BLOCK tokens, with their place."""
    start = 0
    while start < len(tokens):
        end = int(np.searchsorted(tokens.starts, tokens.starts[start] + BLOCK, "right")) - 1
        place = slice(start, min(max(end, start + 1), len(tokens)))
        inside = tokens.starts[place.start : place.stop + 1]
        yield place, Tokens(tokens.ids[inside[0] : inside[-1]], inside - inside[0])
        start = place.stop


class TfidfPredictor:
    """Probabilities of a `tfidf` Model.

    Tensors: `idf` (V + FIRST,), 0 for NOTHING, UNKNOWN and terms that the model never saw; `weight` (V + FIRST, C); `bias` (C,).

    Raises UserError where a tensor is missing or of another shape.
    """

    def __init__(self, model: Model) -> None:
        self.inputs, self.classes, self.ids = 0, model.sizes["classes"], model.sizes["terms"] + FIRST
        _check(model, {"idf": (self.ids,), "weight": (self.ids, self.classes), "bias": (self.classes,)})
        self.idf = model.tensors["idf"].astype(np.float64)
        self.idf[:FIRST] = 0.0
        self.weight = model.tensors["weight"].astype(np.float64).T.copy()  # (C, V + FIRST)
        self._bias = model.tensors["bias"].astype(np.float64)

    def __call__(self, inputs: Tokens) -> NDArray[np.float32]:
        """Give probabilities (n, C) of texts (n,)."""
        out = np.empty((len(inputs), self.classes), np.float32)
        for place, texts in blocks(inputs):
            out[place] = self._block(texts)
        return out

    def entries(self, texts: Tokens) -> Entries:
        """Give the terms of texts with what they weigh there."""
        return weighted(counted(texts, self.ids), self.idf)

    def _block(self, texts: Tokens) -> NDArray[np.float64]:
        entries = self.entries(texts)
        logits = np.stack(
            [
                entries.summed(entries.value * weight[entries.term]) + bias
                for weight, bias in zip(self.weight, self._bias, strict=True)
            ]
        )
        shares = np.exp(logits - logits.max(axis=0))
        return np.asarray(shares / sum(shares)).T  # class after class: the order of the sum must not hang on n


def _check(model: Model, shapes: dict[str, tuple[int, ...]]) -> None:
    problems = [
        f"model tensor {name}: shape {model.tensors[name].shape if name in model.tensors else 'missing'}, expected {shape}"
        for name, shape in shapes.items()
        if name not in model.tensors or model.tensors[name].shape != shape
    ]
    if problems:
        raise UserError(*problems)
