"""Encoders with a layer of classes, as predictors: tokens in, probabilities out."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from relabel.data.tokens import Tokens
from relabel.model.artifact import Model
from relabel.model.networks import fine_tuned
from relabel.text.encoder import BATCH_TOKENS, batches


class FineTunedPredictor:
    """Probabilities of a `fine_tuned` Model. Several threads may use it at once.

    device: "auto" takes a GPU where there is one.

    Raises UserError where a tensor is missing or of another shape, or transformers knows no such encoder.
    """

    def __init__(self, model: Model, device: str = "auto") -> None:
        self.inputs = 0
        self.classes = model.sizes["classes"]
        self._device = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
        self._network = fine_tuned.filled(model).to(self._device)

    def __call__(self, tokens: Tokens, /) -> NDArray[np.float32]:
        """Give probabilities (n, C) of n texts. Texts of like lengths are computed together; an answer does not depend on its company."""
        out = np.empty((len(tokens), self.classes), np.float32)
        with torch.inference_mode():
            for rows in batches(tokens.lengths, BATCH_TOKENS.get(self._device, BATCH_TOKENS["cpu"])):
                ids = torch.from_numpy(tokens.take(rows).padded()).to(self._device)
                out[rows] = self._network(ids).softmax(1).cpu().numpy()
        return out
