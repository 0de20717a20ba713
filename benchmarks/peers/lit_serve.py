"""LitServe with its defaults, JSON alone, and the model in numpy.

MODEL_DIR=DIR python lit_serve.py PORT WORKERS
"""

from __future__ import annotations

import sys

import litserve
import numpy as np


class Api(litserve.LitAPI):
    """The model of one worker."""

    def setup(self, device: str) -> None:  # noqa: ARG002  # the processor
        """Load the model."""
        from fast_api import probabilities  # noqa: PLC0415  # here, not in the parent, as LitServe wants it

        self.model = probabilities

    def decode_request(self, request: dict) -> np.ndarray:
        """Read the rows of a body."""
        return np.array(request["instances"], dtype=np.float32)

    def predict(self, rows: np.ndarray) -> np.ndarray:
        """Give probabilities (n, C) of rows (n, D)."""
        return self.model(rows)

    def encode_response(self, scores: np.ndarray) -> dict:
        """Write them."""
        return {"predictions": scores.tolist()}


if __name__ == "__main__":
    port, workers = map(int, sys.argv[1:])
    server = litserve.LitServer(
        Api(api_path="/invocations"), accelerator="cpu", workers_per_device=workers, healthcheck_path="/ping"
    )
    server.run(host="127.0.0.1", port=port, log_level="warning", generate_client_file=False)
