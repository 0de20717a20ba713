"""What the networks that read words share: a vector for each text, and a layer of classes on it.

Letters: B texts, L words of the longest, H width of a text's vector, C classes.
"""

from __future__ import annotations

from abc import abstractmethod

from torch import Tensor, nn

from relabel.model.networks import pooling


class Headed(nn.Module):
    """A network whose last layer, the head, takes one vector of each text."""

    head: nn.Linear

    def forward(self, ids: Tensor, lengths: Tensor, drop: pooling.Drop = pooling.nothing) -> Tensor:
        """Give logits (B, C) of ids (B, L) int64 and lengths (B,) int64, of which each is 1 at least."""
        text = self.hidden(ids, lengths, drop)
        logits: Tensor = self.head(drop(text, text.shape))
        return logits

    @abstractmethod
    def hidden(self, ids: Tensor, lengths: Tensor, drop: pooling.Drop = pooling.nothing) -> Tensor:
        """Give what the head takes, (B, H)."""
