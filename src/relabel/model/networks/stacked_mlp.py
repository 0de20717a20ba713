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

    def forward(self, x: Tensor, keep: Sequence[Tensor] = ()) -> Tensor:
        """Give logits (M, B, C) of x (M, B, D), which is standardised in place; keep: dropout factors per hidden layer, (M, B, H)."""
        hidden = x.sub_(self.mean).mul_(self.inverse)
        last = len(self.weights) - 1
        for n in range(last):
            hidden = torch.relu(torch.baddbmm(self.biases[n], hidden, self.weights[n]))  # (M, B, H)
            if keep:
                hidden = hidden * keep[n]
        return torch.baddbmm(self.biases[last], hidden, self.weights[last])  # (M, B, C)

    @torch.no_grad()
    def member(self, m: int) -> Model:
        """Copy member m out as arrays."""
        tensors = {"mean": self.mean[m, 0], "scale": 1 / self.inverse[m, 0]}
        for n, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            tensors |= {f"weight.{n}": weight[m], f"bias.{n}": bias[m, 0]}
        arrays = {name: tensor.detach().cpu().numpy().copy() for name, tensor in tensors.items()}
        return Model(dense.KIND, self.sizes, arrays)


def initial(seed: int, layers: Sequence[tuple[int, int]]) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Draw weights (in, out) and biases (out,) of each layer, uniform within 1 / sqrt(in), as torch's own Linear does."""
    rng = np.random.default_rng((seed, INITIALISATION))
    bounds = [1 / np.sqrt(inputs) for inputs, _ in layers]
    return [
        (rng.uniform(-bound, bound, (inputs, outputs)), rng.uniform(-bound, bound, outputs))
        for bound, (inputs, outputs) in zip(bounds, layers, strict=True)
    ]
