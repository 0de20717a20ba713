"""The weights of a network as arrays, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import torch
from numpy.typing import NDArray
from torch import nn

from relabel.errors import UserError

Network = TypeVar("Network", bound=nn.Module)


def arrays(network: nn.Module) -> dict[str, NDArray[Any]]:
    """Copy the weights of a network: name -> array."""
    return {name: value.detach().cpu().numpy().copy() for name, value in network.state_dict().items()}


def begin(network: nn.Module, tensors: Mapping[str, NDArray[Any]]) -> None:
    """Give a network weights to be trained on from, name -> array; each must be there, in its shape."""
    network.load_state_dict({name: torch.tensor(tensors[name]) for name in network.state_dict()})


def filled(network: Network, tensors: Mapping[str, NDArray[Any]]) -> Network:
    """Give a network its weights, name -> array, to predict with; other arrays are passed over.

    Raises UserError where one is missing or of another shape.
    """
    expected = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    problems = [
        f"model tensor {name}: shape {tensors[name].shape if name in tensors else 'missing'}, expected {shape}"
        for name, shape in expected.items()
        if name not in tensors or tensors[name].shape != shape
    ]
    if problems:
        raise UserError(*problems)
    network.load_state_dict({name: torch.tensor(tensors[name]) for name in expected})
    return network.eval().requires_grad_(requires_grad=False)
