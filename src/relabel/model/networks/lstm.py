"""A long short-term memory over the words of a text.

Letters: B texts, L words of the longest, E embedding width, H width, C classes.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from relabel.data.tokens import NOTHING
from relabel.model.networks import pooling
from relabel.model.networks.headed import Headed


class LSTM(Headed):
    """Words, layers of memory cells, one vector of all states, an optional tanh layer, classes.

    sizes: words (ids there are), embedding_width, width, depth (layers of cells), pooling (see pooling.POOLINGS), dense (units of the tanh
           layer, 0 is none), classes.

    Texts of a batch should be of like lengths: padding stands behind a text, so it costs time and changes nothing. (One pass over the padded
    batch takes as long as packed sequences do while it is trained, and half as long when it predicts.)
    """

    def __init__(self, sizes: Mapping[str, int]) -> None:
        super().__init__()
        width, words, dense = sizes["width"], sizes["embedding_width"], sizes["dense"]
        self._pooling = pooling.POOLINGS[sizes["pooling"]]
        text = 2 * width + words if self._pooling == "all" else width
        self.embedding = nn.Embedding(sizes["words"], words, padding_idx=NOTHING)
        self.cells = nn.LSTM(words, width, num_layers=sizes["depth"], batch_first=True)
        self.dense = nn.Linear(text, dense) if dense else None
        self.head = nn.Linear(dense or text, sizes["classes"])

    def hidden(self, ids: Tensor, lengths: Tensor, drop: pooling.Drop = pooling.nothing) -> Tensor:
        """Give what the head takes: the text's vector, or the tanh layer where there is one."""
        words = self.embedding(ids)  # (B, L, E)
        words = drop(words, (len(words), 1, words.shape[2]))  # the same numbers of every word of a text
        states, _ = self.cells(words)  # (B, L, H)
        text = self._text(words, states, lengths)
        return text if self.dense is None else self.dense(drop(text, text.shape)).tanh()

    def _text(self, words: Tensor, states: Tensor, lengths: Tensor) -> Tensor:
        """Make one vector (B, H), or (B, 2 H + E), of words (B, L, E) and states (B, L, H)."""
        if self._pooling == "last":
            return pooling.last(states, lengths)
        if self._pooling == "max":
            return pooling.largest(states, lengths)
        if self._pooling == "mean":
            return pooling.mean(states, lengths)
        parts = [pooling.largest(states, lengths), pooling.mean(states, lengths), pooling.mean(words, lengths)]
        return torch.cat(parts, 1)
