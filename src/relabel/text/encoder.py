"""Texts to vectors by an encoder of transformers, without a network and without any code but the library's.

Letters: n texts, D width of a vector, L tokens.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from relabel.data.tokens import Tokens
from relabel.text import encoder_files, encoder_network, subwords
from relabel.text.placed import Placed
from relabel.text.pooling import pooled
from relabel.text.reader import TextInput

if TYPE_CHECKING:
    import torch

BLOCK = 4096
"""Texts read at once: their lengths are evened out inside a block."""

BATCH_TOKENS = {"cpu": 4096, "cuda": 65536}
"""Tokens of a batch, padding included."""


class Encoder:
    """Reads texts into vectors (n, D) float32; on processors the same text gives the same vector, to 1e-5, whatever it comes with.

    about:        see `encoder_files.describe`.
    device:       "auto" takes a GPU where there is one. There arithmetic is float16, with its fewer digits, and float32 where that
                  overflows.
    batch_tokens: tokens of a batch, padding included; 0 is what suits the device.

    Raises UserError where the folder is no encoder, its weights do not fit its config.json, or it asks for code of its own.
    """

    def __init__(self, about: TextInput, *, device: str = "auto", batch_tokens: int = 0) -> None:
        said, folder = dict(about.settings), encoder_files.place(about)
        self._poolings, self._normalise = str(said.pop("pooling")).split("+"), bool(said.pop("normalise"))
        self._read = subwords.load(folder, **said)
        network = encoder_network.loaded(folder)
        self.width = encoder_network.vector_width(network.config, self._poolings)
        self._placed = Placed(network, device)
        self._batch_tokens = batch_tokens

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Give vectors (n, D)."""
        out = np.empty((len(texts), self.width), np.float32)
        most = self._batch_tokens or BATCH_TOKENS.get(self._placed.device, BATCH_TOKENS["cpu"])
        for start in range(0, len(texts), BLOCK):
            tokens = self._read(texts[start : start + BLOCK])
            for rows in batches(tokens.lengths, most):
                out[start + rows] = self._vectors(tokens.take(rows))
        return out

    def _vectors(self, tokens: Tokens) -> NDArray[np.float32]:
        import torch  # noqa: PLC0415  # seconds, so only where vectors are made

        ids, mask = encoder_network.inputs(
            torch.from_numpy(tokens.padded()).to(self._placed.device), self._placed.network.config
        )
        with torch.inference_mode():
            with torch.autocast("cuda", torch.float16, enabled=self._placed.device == "cuda"):
                vectors = self._pooled(ids, mask)
            if not torch.isfinite(vectors).all():
                vectors = self._pooled(ids, mask)
        made: NDArray[np.float32] = vectors.cpu().numpy()
        return made

    def _pooled(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        import torch  # noqa: PLC0415

        hidden = self._placed.network(input_ids=ids, attention_mask=mask.long()).last_hidden_state
        vectors = pooled(hidden.float(), mask, self._poolings)
        return torch.nn.functional.normalize(vectors, dim=1) if self._normalise else vectors


def batches(lengths: NDArray[np.int64], tokens: int) -> Iterator[NDArray[np.intp]]:
    """Divide texts (n,) by their lengths into batches of rows, the longest first, each of at most `tokens` with its padding, or of one text."""
    order = np.argsort(-lengths, kind="stable")
    start = 0
    while start < order.size:
        count = max(1, tokens // int(lengths[order[start]]))
        yield order[start : start + count]
        start += count
