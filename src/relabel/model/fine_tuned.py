"""Encoders with a layer of classes, as predictors: tokens in, probabilities out."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from relabel.data.tokens import Tokens
from relabel.model.artifact import Model
from relabel.model.networks import fine_tuned
from relabel.text.encoder import BATCH_TOKENS, batches
from relabel.text.placed import Placed


class FineTunedPredictor:
    """Probabilities of a `fine_tuned` Model. Several threads may use it at once.

    device: "auto" takes a GPU where there is one.

    Raises UserError where a tensor is missing or of another shape, or transformers knows no such encoder.
    """

    def __init__(self, model: Model, device: str = "auto") -> None:
        self.inputs = 0
        self.classes = model.sizes["classes"]
        network = fine_tuned.filled(model)
        self.hidden_width: int = network.head.in_features
        self._placed = Placed(network, device)

    def __call__(self, tokens: Tokens, /) -> NDArray[np.float32]:
        """Give probabilities (n, C) of n texts. Texts of like lengths are computed together; an answer does not depend on its company."""
        return self._each(tokens, self.classes, lambda ids: self._placed.network(ids).softmax(1))

    def hidden(self, tokens: Tokens, /) -> NDArray[np.float32]:
        """Give the vector, (n, H), that the encoder makes of each of n texts."""
        return self._each(tokens, self.hidden_width, self._placed.network.hidden)

    def _each(self, tokens: Tokens, width: int, compute: Callable[[Tensor], Tensor]) -> NDArray[np.float32]:
        """Give what is computed of ids, (n, width)."""
        out = np.empty((len(tokens), width), np.float32)
        device = self._placed.device
        with torch.inference_mode():
            for rows in batches(tokens.lengths, BATCH_TOKENS.get(device, BATCH_TOKENS["cpu"])):
                ids = torch.from_numpy(tokens.take(rows).padded()).to(device)
                out[rows] = compute(ids).cpu().numpy()
        return out
