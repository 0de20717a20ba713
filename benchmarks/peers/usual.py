"""The container that most people bring, less nginx and its access log: Flask, stdlib json, pandas, np.load, and a torch model in a class."""

from __future__ import annotations

import functools
import io
import json
import os

import flask
import numpy as np
import pandas as pd
import safetensors.torch
import torch


class ScoringService:
    """The model of this process, loaded when it is first asked for."""

    @classmethod
    @functools.cache
    def get_model(cls) -> torch.nn.Module:
        """Give the network, ready to predict."""
        saved = safetensors.torch.load_file(os.environ["MODEL_DIR"] + "/model.safetensors")
        first, last = (torch.nn.Linear(*saved[f"weight.{n}"].shape) for n in (0, 1))
        for n, layer in enumerate((first, last)):
            layer.load_state_dict({"weight": saved[f"weight.{n}"].t(), "bias": saved[f"bias.{n}"]})
        return torch.nn.Sequential(first, torch.nn.ReLU(), last, torch.nn.Softmax(dim=1)).eval()

    @classmethod
    def predict(cls, rows: np.ndarray) -> np.ndarray:
        """Give probabilities (n, C) of rows (n, D)."""
        with torch.no_grad():
            return cls.get_model()(torch.from_numpy(rows.astype(np.float32))).numpy()


app = flask.Flask(__name__)


@app.get("/ping")
def ping() -> tuple[str, int]:
    """Say that the model can be had."""
    return "", 200 if ScoringService.get_model() else 503


@app.post("/invocations")
def invocations() -> flask.Response:
    """Predict, and answer in the media type of the request."""
    kind, body, out = flask.request.content_type, flask.request.get_data(), io.BytesIO()
    if kind == "application/json":
        scores = ScoringService.predict(np.array(json.loads(body)["instances"]))
        out.write(json.dumps({"predictions": scores.tolist()}).encode())
    elif kind == "text/csv":
        scores = ScoringService.predict(pd.read_csv(io.BytesIO(body), header=None).to_numpy())
        pd.DataFrame(scores).to_csv(out, header=False, index=False)
    else:
        np.save(out, ScoringService.predict(np.load(io.BytesIO(body))))
    return flask.Response(out.getvalue(), mimetype=kind)
