"""An encoder with a layer of classes on top, all of which is trained.

Letters: B texts, L tokens of the longest, H width of a text's vector, C classes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from relabel.errors import UserError
from relabel.model.artifact import Model
from relabel.model.networks import weights
from relabel.model.networks.pooling import Drop, nothing
from relabel.text import encoder_network
from relabel.text.pooling import pooled

KIND = "fine_tuned"

ABOUT = "about"
"""Tensor that holds what the encoder is: JSON as bytes, with its config and how its tokens are pooled."""


class FineTuned(nn.Module):
    """An encoder, its pooled tokens, classes.

    encoder:  of transformers; it must have no parts that logits do not depend on.
    poolings: how tokens become one vector.

    The encoder's own dropout stays off: it would draw from the generator that all threads share. What is left out while training is part of the
    text's vector, by the `drop` that `forward` is given.
    """

    def __init__(self, encoder: Any, poolings: tuple[str, ...], classes: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = nn.Linear(encoder_network.vector_width(encoder.config, poolings), classes)
        self.poolings = poolings

    def forward(self, ids: Tensor, _lengths: Tensor | None = None, drop: Drop = nothing) -> Tensor:
        """Give logits (B, C) of Tokens' ids (B, L)."""
        text = self.hidden(ids)
        logits: Tensor = self.head(drop(text, text.shape))
        return logits

    def hidden(self, ids: Tensor) -> Tensor:
        """Give the texts' vectors (B, H)."""
        inputs, mask = encoder_network.inputs(ids, self.encoder.config)
        states = self.encoder(input_ids=inputs, attention_mask=mask.long()).last_hidden_state
        return pooled(states, mask, self.poolings)

    def train(self, mode: bool = True) -> Self:  # noqa: FBT001, FBT002  # as nn.Module has it
        """Begin or end training; the encoder works as in use all the while."""
        super().train(mode)
        self.encoder.eval()
        return self


def packed(encoder: Any, poolings: tuple[str, ...]) -> NDArray[np.uint8]:
    """Put what an encoder is into the tensor ABOUT."""
    about = {"config": encoder_network.configuration(encoder), "pooling": "+".join(poolings)}
    return np.frombuffer(json.dumps(about, sort_keys=True).encode(), np.uint8)


def filled(model: Model) -> FineTuned:
    """Make the network of a model, with its weights, to predict with.

    Raises UserError where a tensor is missing or of another shape, or transformers knows no such encoder.
    """
    return weights.filled(_empty(model), model.tensors)


def _empty(model: Model) -> FineTuned:
    try:
        about: Mapping[str, Any] = json.loads(model.tensors[ABOUT].tobytes())
        encoder = encoder_network.built(about["config"])
        return FineTuned(encoder, tuple(about["pooling"].split("+")), model.sizes["classes"])
    except (KeyError, ValueError, AttributeError) as error:
        raise UserError(
            f"model tensor {ABOUT} does not describe an encoder ({type(error).__name__}): use the relabel that wrote it"
        ) from None
