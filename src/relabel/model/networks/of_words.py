"""The networks that read words, by kind, and their weights before training."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from numpy.typing import NDArray
from torch import nn

from relabel.data.tokens import NOTHING
from relabel.model.artifact import Model
from relabel.model.networks import weights
from relabel.model.networks.convolutional import Convolutional
from relabel.model.networks.headed import Headed
from relabel.model.networks.lstm import LSTM
from relabel.model.networks.pooled import Pooled

NETWORKS: dict[str, Callable[[Mapping[str, int]], Headed]] = {
    "lstm": LSTM,
    "pooled": Pooled,
    "convolutional": Convolutional,
}
"""Kind of model -> its network. All take (ids, lengths, drop) and give logits."""

WORD_SPREAD = 0.1
"""Deviation of the numbers that stand for a word before training."""


def drawn(kind: str, sizes: Mapping[str, int], seed: int) -> Headed:
    """Make a network whose weights follow from the seed alone."""
    network = _empty(kind, sizes)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for module in network.modules():
            _draw(module, generator)
    return network


def filled(model: Model) -> Headed:
    """Make the network of a model, with its weights, to predict with.

    Raises UserError where a tensor is missing or of another shape.
    """
    return weights.filled(_empty(model.kind, model.sizes), model.tensors)


@dataclass(frozen=True, slots=True)
class OfWords:
    """What a network that reads words is before it is trained: its kind and sizes."""

    kind: str
    sizes: Mapping[str, int]

    def drawn(self, seed: int) -> Headed:
        """Make the network; its weights follow from the seed alone."""
        return drawn(self.kind, self.sizes, seed)

    def model(self, tensors: Mapping[str, NDArray[Any]]) -> Model:
        """Make a model of the network's arrays."""
        return Model(self.kind, self.sizes, tensors)


def _empty(kind: str, sizes: Mapping[str, int]) -> Headed:
    """Make a network without weights: torch would draw them from the generator that all threads share."""
    with torch.device("meta"):
        network = NETWORKS[kind](sizes)
    return network.to_empty(device="cpu")


def _draw(module: nn.Module, generator: torch.Generator) -> None:
    if isinstance(module, nn.Embedding):
        module.weight.normal_(std=WORD_SPREAD, generator=generator)
        module.weight[NOTHING] = 0
    elif isinstance(module, nn.LSTM):
        for name, value in module.named_parameters():
            _draw_cells(name, value, generator)
    elif isinstance(module, nn.Linear | nn.Conv1d):
        nn.init.kaiming_uniform_(module.weight, nonlinearity="linear", generator=generator)
        if module.bias is not None:
            module.bias.zero_()


def _draw_cells(name: str, value: torch.Tensor, generator: torch.Generator) -> None:
    """Draw the weights of one layer of cells: the gates' rows stand in the order input, forget, cell, output."""
    width = value.shape[0] // 4
    if name.startswith("weight_ih"):
        nn.init.xavier_uniform_(value, generator=generator)
    elif name.startswith("weight_hh"):
        for gate in range(4):
            nn.init.orthogonal_(value[gate * width : (gate + 1) * width], generator=generator)
    else:
        value.zero_()
        if name.startswith("bias_ih"):
            value[width : 2 * width] = 1  # a gate that begins open remembers
