"""FastAPI with pydantic, on uvicorn with uvloop and httptools: JSON alone, and a model in numpy, the kinder choice.

MODEL_DIR=DIR uvicorn --workers 2 fast_api:app
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import safetensors.numpy
from fastapi import FastAPI
from pydantic import BaseModel


class Instances(BaseModel):
    """What is asked."""

    instances: list[list[float]]


class Predictions(BaseModel):
    """What is answered."""

    predictions: list[list[float]]


saved = safetensors.numpy.load_file(Path(os.environ["MODEL_DIR"]) / "model.safetensors")
app = FastAPI()


def probabilities(rows: np.ndarray) -> np.ndarray:
    """Give probabilities (n, C) of rows (n, D)."""
    hidden = np.maximum(rows @ saved["weight.0"] + saved["bias.0"], 0)
    logits = hidden @ saved["weight.1"] + saved["bias.1"]
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    return odds / odds.sum(axis=1, keepdims=True)


@app.get("/ping")
async def ping() -> None:
    """Say that the model is loaded."""


@app.post("/invocations")
async def invocations(body: Instances) -> Predictions:
    """Predict."""
    return Predictions(predictions=probabilities(np.array(body.instances, dtype=np.float32)).tolist())
