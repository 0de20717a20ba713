"""Multilayer perceptrons in numpy: the one prediction path of out-of-fold scores, test figures and the endpoint."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from relabel.errors import UserError
from relabel.model.artifact import Model

KIND = "dense"
BLOCK = 8192
"""Rows computed at once: bounds the memory of large inputs."""


def layer_sizes(sizes: dict[str, int]) -> list[tuple[int, int]]:
    """Give (inputs, outputs) of each layer from first to last."""
    widths = [sizes["inputs"], *[sizes["width"]] * sizes["depth"], sizes["classes"]]
    return list(pairwise(widths))


class DensePredictor:
    """Probabilities of a `dense` Model.

    Tensors: `mean` and `scale` (D,), then for each layer l `weight.l` (inputs, outputs) and `bias.l` (outputs,); ReLU between
    layers, softmax after the last. The standardisation is folded into the first layer here, once.

    Raises UserError where a tensor is missing or of another shape.
    """

    def __init__(self, model: Model) -> None:
        if model.sizes["depth"] > len(model.tensors):  # before a list of as many layers is made
            raise UserError(f"model depth {model.sizes['depth']:,}, but only {len(model.tensors)} tensors")
        shapes = layer_sizes(dict(model.sizes))
        _check(model, shapes)
        tensors = {name: np.asarray(value, dtype=np.float64) for name, value in model.tensors.items()}
        weights = [tensors[f"weight.{n}"] for n in range(len(shapes))]
        biases = [tensors[f"bias.{n}"] for n in range(len(shapes))]
        weights[0] = weights[0] / tensors["scale"][:, None]
        biases[0] = biases[0] - tensors["mean"] @ weights[0]
        self.inputs = model.sizes["inputs"]
        self.classes = model.sizes["classes"]
        self.hidden_width = shapes[-1][0] if len(shapes) > 1 else 0
        self._layers = [(w.astype(np.float32), b.astype(np.float32)) for w, b in zip(weights, biases, strict=True)]

    def __call__(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """Give probabilities (n, C) of inputs (n, D)."""
        if len(inputs) <= BLOCK:
            return self._block(inputs)
        out = np.empty((len(inputs), self.classes), dtype=np.float32)
        for start in range(0, len(inputs), BLOCK):
            out[start : start + BLOCK] = self._block(inputs[start : start + BLOCK])
        return out

    def hidden(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """Give what the last layer takes, (n, H), of inputs (n, D); with depth 0 these are the inputs."""
        hidden = inputs
        for weight, bias in self._layers[:-1]:
            hidden = hidden @ weight
            hidden += bias
            np.maximum(hidden, 0, out=hidden)
        return hidden

    def _block(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        hidden = self.hidden(inputs)
        weight, bias = self._layers[-1]
        logits = hidden @ weight
        logits += bias
        logits -= np.maximum.reduce(logits, axis=1, keepdims=True)
        np.exp(logits, out=logits)
        logits /= np.add.reduce(logits, axis=1, keepdims=True)
        return logits


def _check(model: Model, shapes: list[tuple[int, int]]) -> None:
    expected: dict[str, tuple[int, ...]] = {"mean": (shapes[0][0],), "scale": (shapes[0][0],)}
    for n, shape in enumerate(shapes):
        expected |= {f"weight.{n}": shape, f"bias.{n}": shape[1:]}
    problems = [
        f"model tensor {name}: shape {model.tensors[name].shape if name in model.tensors else 'missing'}, expected {shape}"
        for name, shape in expected.items()
        if name not in model.tensors or model.tensors[name].shape != shape
    ]
    if problems:
        raise UserError(*problems)
