"""The mean of a text's words, and a dense layer.

Letters: B texts, L words of the longest, E embedding width, H width, C classes.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from relabel.data.tokens import NOTHING
from relabel.model.networks import pooling
from relabel.model.networks.headed import Headed


class Pooled(Headed):
    """Words, their mean, a ReLU layer, classes.

    sizes: words (ids there are), embedding_width, width, classes.
    """

    def __init__(self, sizes: Mapping[str, int]) -> None:
        super().__init__()
        self.embedding = nn.Embedding(sizes["words"], sizes["embedding_width"], padding_idx=NOTHING)
        self.dense = nn.Linear(sizes["embedding_width"], sizes["width"])
        self.head = nn.Linear(sizes["width"], sizes["classes"])

    def hidden(self, ids: Tensor, lengths: Tensor, drop: pooling.Drop = pooling.nothing) -> Tensor:
        """Give what the head takes, (B, H)."""
        text = pooling.mean(self.embedding(ids), lengths)  # (B, E)
        hidden: Tensor = self.dense(drop(text, text.shape)).relu()
        return hidden
