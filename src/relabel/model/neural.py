"""Networks that read words, as predictors: tokens in, probabilities out."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from relabel.data.tokens import Tokens
from relabel.model.artifact import Model
from relabel.model.networks import of_words

BATCH_WORDS = 1 << 14
"""Words computed at once, padding included: bounds the memory."""


class NeuralPredictor:
    """Probabilities of a Model whose kind is one of of_words.NETWORKS. Several threads may use it at once.

    Raises UserError where a tensor is missing or of another shape.
    """

    def __init__(self, model: Model) -> None:
        self.inputs = 0
        self.classes = model.sizes["classes"]
        self._network = of_words.filled(model)
        self.hidden_width: int = self._network.head.in_features

    def __call__(self, tokens: Tokens, /) -> NDArray[np.float32]:
        """Give probabilities (n, C) of n texts. Texts of like lengths are computed together; an answer does not depend on its company."""
        return self._each(tokens, self.classes, lambda ids, lengths: self._network(ids, lengths).softmax(1))

    def hidden(self, tokens: Tokens, /) -> NDArray[np.float32]:
        """Give what the last layer takes, (n, H), of n texts."""
        return self._each(tokens, self.hidden_width, self._network.hidden)

    def _each(self, tokens: Tokens, width: int, compute: Callable[[Tensor, Tensor], Tensor]) -> NDArray[np.float32]:
        """Give what is computed of ids and lengths, (n, width)."""
        out = np.empty((len(tokens), width), dtype=np.float32)
        with torch.inference_mode():
            for rows in _batches(tokens.lengths):
                batch = tokens.take(rows)
                ids, lengths = torch.from_numpy(batch.padded().astype(np.int64)), torch.from_numpy(batch.lengths)
                out[rows] = compute(ids, lengths).numpy()
        return out


def _batches(lengths: NDArray[np.int64]) -> Iterator[NDArray[np.intp]]:
    """Yield the numbers of texts that go together, shortest texts first."""
    order = np.argsort(lengths, kind="stable")
    start = 0
    while start < order.size:
        end = start + 1
        while end < order.size and (end + 1 - start) * lengths[order[end]] <= BATCH_WORDS:
            end += 1
        yield order[start:end]
        start = end
