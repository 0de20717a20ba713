"""From a number of vectors per text to one, and what is left out on the way.

Letters: B texts, L words of the longest, H width.
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

POOLINGS = ("last", "max", "mean", "all")
"""How the states of a text become one vector, by the number that stands for it in a model's sizes: the state at the last word, the largest or mean
value of each unit, or `all`: the largest, the mean, and the mean of the words themselves."""


class Drop(Protocol):
    """Leaves out part of a tensor while a network is trained."""

    def __call__(self, values: Tensor, shape: tuple[int, ...], /) -> Tensor:
        """Give the values times factors of this shape: 0, or what keeps the mean."""
        ...


def nothing(values: Tensor, shape: tuple[int, ...], /) -> Tensor:
    """Leave nothing out: the Drop of a prediction."""
    del shape
    return values


def valid(lengths: Tensor, longest: int) -> Tensor:
    """Say which places (B, L, 1) hold words, of texts with these lengths (B,)."""
    return (torch.arange(longest, device=lengths.device) < lengths[:, None])[:, :, None]


def last(values: Tensor, lengths: Tensor) -> Tensor:
    """Give the vector (B, H) of each text's last word, of values (B, L, H)."""
    return values[torch.arange(len(values), device=values.device), lengths - 1]


def largest(values: Tensor, lengths: Tensor) -> Tensor:
    """Give the largest value (B, H) over each text's words, of values (B, L, H)."""
    return values.masked_fill(~valid(lengths, values.shape[1]), -torch.inf).amax(1)


def mean(values: Tensor, lengths: Tensor) -> Tensor:
    """Give the mean (B, H) over each text's words, of values (B, L, H)."""
    return (values * valid(lengths, values.shape[1])).sum(1) / lengths[:, None]
