"""Convolutions over runs of words, and the largest answer of each.

Letters: B texts, L words of the longest, E embedding width, H width (filters of each length), C classes.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from relabel.data.tokens import NOTHING
from relabel.model.networks import pooling
from relabel.model.networks.headed import Headed

RUNS = (3, 4, 5)
"""Words that a filter sees."""


class Convolutional(Headed):
    """Words, filters over runs of 3, 4 and 5, each filter's largest answer, classes.

    sizes: words (ids there are), embedding_width, width, classes.

    A filter begins at every word of a text; over its end it sees zeros, which are what padding is, so company changes nothing.
    """

    def __init__(self, sizes: Mapping[str, int]) -> None:
        super().__init__()
        width, filters = sizes["embedding_width"], sizes["width"]
        self.embedding = nn.Embedding(sizes["words"], width, padding_idx=NOTHING)
        self.filters = nn.ModuleList(nn.Conv1d(width, filters, run) for run in RUNS)
        self.head = nn.Linear(len(RUNS) * filters, sizes["classes"])

    def hidden(self, ids: Tensor, lengths: Tensor, drop: pooling.Drop = pooling.nothing) -> Tensor:
        """Give what the head takes, (B, 3 H)."""
        words = self.embedding(ids)  # (B, L, E)
        words = drop(words, (len(words), 1, words.shape[2])).transpose(1, 2)
        answers = [
            pooling.largest(filters(nn.functional.pad(words, (0, run - 1))).transpose(1, 2), lengths)  # (B, H)
            for run, filters in zip(RUNS, self.filters, strict=True)
        ]
        return torch.cat(answers, 1).relu()
