"""The mean of a text's words, and a dense layer.

Letters: B texts, L words of the longest, E embedding width, H width, C classes.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from relabel.data.tokens import NOTHING
from relabel.model.networks import pooling


class Pooled(nn.Module):
    """Words, their mean, a ReLU layer, classes.

    sizes: words (ids there are), embedding_width, width, classes.
    """

    def __init__(self, sizes: Mapping[str, int]) -> None:
        super().__init__()
        self.embedding = nn.Embedding(sizes["words"], sizes["embedding_width"], padding_idx=NOTHING)
        self.dense = nn.Linear(sizes["embedding_width"], sizes["width"])
        self.head = nn.Linear(sizes["width"], sizes["classes"])

    def forward(self, ids: Tensor, lengths: Tensor, drop: pooling.Drop = pooling.nothing) -> Tensor:
        """Give logits (B, C) of ids (B, L) int64 and lengths (B,) int64, of which each is 1 at least."""
        text = pooling.mean(self.embedding(ids), lengths)  # (B, E)
        hidden = self.dense(drop(text, text.shape)).relu()  # (B, H)
        logits: Tensor = self.head(drop(hidden, hidden.shape))
        return logits
