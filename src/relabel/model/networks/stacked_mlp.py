"""M multilayer perceptrons of one shape, side by side in one set of tensors.

Letters: M members, B rows of a batch, D inputs, H hidden units, C classes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from relabel.model import dense
from relabel.model.artifact import Model

INITIALISATION = 1
"""Keeps a member's stream of initial weights apart from its other random streams."""


class StackedMLP(nn.Module):
    """The forward pass of M members at once; a member's weights depend on its own seed alone.

    seeds: one per member.
    sizes: inputs, width, depth, classes, as in a dense Model.
    mean, scale: (M, D) standardisation of each member.
    """

    mean: Tensor
    inverse: Tensor

    def __init__(
        self,
        seeds: Sequence[int],
        sizes: dict[str, int],
        mean: NDArray[np.float64],
        scale: NDArray[np.float64],
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        self.sizes = sizes
        layers = dense.layer_sizes(sizes)
        drawn = [initial(seed, layers) for seed in seeds]
        self.weights = nn.ParameterList(
            nn.Parameter(torch.tensor(np.stack([d[n][0] for d in drawn]), dtype=dtype)) for n in range(len(layers))
        )  # (M, in, out)
        self.biases = nn.ParameterList(
            nn.Parameter(torch.tensor(np.stack([d[n][1] for d in drawn])[:, None], dtype=dtype))
            for n in range(len(layers))
        )  # (M, 1, out)
        self.register_buffer("mean", torch.tensor(mean[:, None], dtype=dtype))  # (M, 1, D)
        self.register_buffer("inverse", torch.tensor(1 / scale[:, None], dtype=dtype))

    def forward(self, x: Tensor, keep: Sequence[Tensor] = ()) -> list[Tensor]:
        """Give what enters each layer, and last the logits (M, B, C), of x (M, B, D), which is standardised in place.

        keep: dropout factors (M, B, H) of each hidden layer.
        """
        values = [x.sub_(self.mean).mul_(self.inverse)]
        last = len(self.weights) - 1
        for n in range(last):
            hidden = torch.baddbmm(self.biases[n], values[-1], self.weights[n]).relu_()  # (M, B, H)
            values.append(hidden.mul_(keep[n]) if keep else hidden)
        return [*values, torch.baddbmm(self.biases[last], values[-1], self.weights[last])]

    @torch.no_grad()
    def differentiate(self, x: Tensor, targets: Tensor, weights: Tensor, keep: Sequence[Tensor] = ()) -> None:
        """Set every parameter's gradient of sum(weights * cross entropy).

        Written out, because on networks this small the bookkeeping of automatic differentiation costs as much as the arithmetic.
        x: (M, B, D), changed; targets: (M, B) int64, or (M, B, C) probabilities; weights: (M, B).
        """
        *values, logits = self(x, keep)
        error = torch.softmax(logits, dim=-1)  # (M, B, C), from here on the gradient of what leaves a layer
        if targets.dim() == error.dim():
            error.sub_(targets)
        else:
            error.scatter_add_(2, targets.unsqueeze(-1), error.new_full((), -1).expand(*targets.shape, 1))
        error.mul_(weights.unsqueeze(-1))
        for n in reversed(range(len(values))):
            weight, bias = self.weights[n], self.biases[n]
            torch.bmm(values[n].mT, error, out=_gradient(weight))
            torch.sum(error, dim=1, keepdim=True, out=_gradient(bias))
            if n:
                error = torch.bmm(error, weight.mT).mul_(values[n] > 0)
                if keep:
                    error.mul_(keep[n - 1])

    @torch.no_grad()
    def begin(self, m: int, model: Model) -> None:
        """Give member m the weights of a dense model of the same sizes, so that it computes the same function.

        The model's inputs are standardised by its own moments, the member's by those of its own rows: the first layer takes up the difference.
        """
        mean, scale = self.mean[m, 0].double().cpu().numpy(), 1 / self.inverse[m, 0].double().cpu().numpy()
        tensors = {name: np.asarray(value, dtype=np.float64) for name, value in model.tensors.items()}
        first = tensors["weight.0"] / tensors["scale"][:, None]  # of inputs as they are
        tensors["bias.0"] = tensors["bias.0"] + (mean - tensors["mean"]) @ first
        tensors["weight.0"] = first * scale[:, None]
        for n, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            weight[m] = torch.from_numpy(tensors[f"weight.{n}"])
            bias[m, 0] = torch.from_numpy(tensors[f"bias.{n}"])

    @torch.no_grad()
    def member(self, m: int) -> Model:
        """Copy member m out as arrays."""
        tensors = {"mean": self.mean[m, 0], "scale": 1 / self.inverse[m, 0]}
        for n, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            tensors |= {f"weight.{n}": weight[m], f"bias.{n}": bias[m, 0]}
        arrays = {name: _plain(tensor).numpy().copy() for name, tensor in tensors.items()}
        return Model(dense.KIND, self.sizes, arrays)


def _plain(tensor: Tensor) -> Tensor:
    """Give a tensor as numpy can have it, which knows no bfloat16."""
    found = tensor.detach().cpu()
    return found.float() if found.dtype == torch.bfloat16 else found


def _gradient(parameter: Tensor) -> Tensor:
    """Give the place of a gradient, made anew where a trainer has cleared it."""
    if parameter.grad is None:
        parameter.grad = torch.empty_like(parameter)
    return parameter.grad


def initial(seed: int, layers: Sequence[tuple[int, int]]) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Draw weights (in, out) and biases (out,) of each layer, uniform within 1 / sqrt(in), as torch's own Linear does."""
    rng = np.random.default_rng((seed, INITIALISATION))
    bounds = [1 / np.sqrt(inputs) for inputs, _ in layers]
    return [
        (rng.uniform(-bound, bound, (inputs, outputs)), rng.uniform(-bound, bound, outputs))
        for bound, (inputs, outputs) in zip(bounds, layers, strict=True)
    ]
