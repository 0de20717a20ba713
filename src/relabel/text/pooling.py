"""From the vectors of a text's tokens to one vector. Letters: B texts, L tokens, H width of a token's vector, P poolings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def pooled(hidden: torch.Tensor, mask: torch.Tensor, poolings: Sequence[str]) -> torch.Tensor:
    """Pool vectors (B, L, H) of tokens; several poolings stand side by side: (B, P * H).

    mask: (B, L) bool, true for tokens that count: one at least in each text.
    """
    import torch  # noqa: PLC0415  # seconds, so only where vectors are made

    return torch.cat([POOLINGS[name](hidden, mask) for name in poolings], dim=1)


def _cls(hidden: torch.Tensor, _mask: torch.Tensor) -> torch.Tensor:
    return hidden[:, 0]


def _max(hidden: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    return hidden.masked_fill(~mask[..., None], float("-inf")).amax(dim=1)


def _mean(hidden: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    return hidden.masked_fill(~mask[..., None], 0).sum(dim=1) / mask.sum(dim=1, keepdim=True)


POOLINGS: dict[str, Callable[[torch.Tensor, torch.Tensor], torch.Tensor]] = {"cls": _cls, "max": _max, "mean": _mean}
"""Name -> from (B, L, H) and a mask (B, L) to (B, H): the first token's vector, the largest value, the mean."""
