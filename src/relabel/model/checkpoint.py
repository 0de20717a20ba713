"""Checkpoints of the plain recipe, as Lightning keeps them, made into artifacts. No code of a file is ever run.

Letters: D width, H hidden units, C classes.
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path, PosixPath
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

import relabel
from relabel.data import phrases
from relabel.data.formats import pt
from relabel.errors import UserError
from relabel.model import dense
from relabel.model.artifact import Artifact, Model

STATE = "state_dict"
HARMLESS = (argparse.Namespace, PosixPath)
"""What people keep among the hyperparameters, and what can do nothing."""
REMEDY = "save the weights alone: torch.save(network.state_dict(), path)"
EXPECTED = "expected are linear layers alone, each `….weight` (outputs, inputs) and `….bias` (outputs,)"

Array = NDArray[np.float32]
Layer = tuple[Array, Array]
"""Weight (inputs, outputs) and bias (outputs,)."""


def convert(
    path: Path, classes: Sequence[str] | None = None, fitted_on: Literal["given", "treated"] = "given"
) -> Artifact:
    """Make an artifact of a checkpoint of Lightning, or of a bare state_dict, saved on whatever device.

    classes: names in the order of the outputs, "0", "1", … where none are given.

    The network is linear layers in the order of the file, ReLU between them, on embeddings that are not standardised: activations and
    dropout leave nothing in a file. One output is the logit z of the second of two classes, and softmax([0, z]) is sigmoid(z).

    Raises UserError where the file holds code, is torn, holds other layers, or the names are not as many as the classes.
    """
    try:
        found = _loaded(path)
        layers = _two_outputs(_layers(_arrays(found)))
        sizes = {
            "inputs": layers[0][0].shape[0],
            "width": layers[0][0].shape[1] if len(layers) > 1 else 1,
            "depth": len(layers) - 1,
            "classes": layers[-1][1].size,
        }
        names = _names(classes, sizes["classes"])
    except UserError as error:
        raise UserError(*(f"{path.name}: {problem}" for problem in error.problems)) from None
    tensors = {"mean": np.zeros(sizes["inputs"], np.float32), "scale": np.ones(sizes["inputs"], np.float32)}
    for n, (weight, bias) in enumerate(layers):
        tensors |= {f"weight.{n}": weight, f"bias.{n}": bias}
    return Artifact(Model(dense.KIND, sizes, tensors), names, fitted_on, provenance=_provenance(path, found))


def _loaded(path: Path) -> Mapping[str, Any]:
    import torch  # noqa: PLC0415  # seconds, so only where a checkpoint is read

    with torch.serialization.safe_globals([*HARMLESS]):
        found = pt.loaded(path, REMEDY)
    if not isinstance(found, Mapping):
        raise UserError(f"a {type(found).__name__} where a checkpoint is expected; {REMEDY}")
    return found


def _arrays(found: Mapping[str, Any]) -> dict[str, Array]:
    """Give the network's tensors by name, in the order in which it declares its layers."""
    import torch  # noqa: PLC0415  # is loaded by now

    state = found.get(STATE, found)
    if (
        not isinstance(state, Mapping)
        or not state
        or not all(isinstance(each, torch.Tensor) for each in state.values())
    ):
        raise UserError(f"no tensors of a network, only {phrases.names([*map(str, found)])}; {REMEDY}")
    return {str(name): tensor.detach().float().numpy() for name, tensor in state.items()}


def _layers(arrays: Mapping[str, Array]) -> list[Layer]:
    """Pair weights and biases; every array must be of a linear layer that takes what the one before gives."""
    owner = {name: name.removesuffix("weight").removesuffix("bias") for name in arrays}
    strange = [name for name in arrays if not _is_linear(arrays, owner[name])]
    if strange:
        seen = phrases.names([f"{name} {arrays[name].shape}" for name in strange])
        raise UserError(f"{seen}: {EXPECTED}")
    layers = [
        (arrays[f"{each}weight"].T.copy(), arrays[f"{each}bias"].copy()) for each in dict.fromkeys(owner.values())
    ]
    shapes = [weight.shape for weight, _ in layers]
    if any(one[1] != two[0] for one, two in pairwise(shapes)) or len({outputs for _, outputs in shapes[:-1]}) > 1:
        seen = ", ".join(f"{inputs} to {outputs}" for inputs, outputs in shapes)
        raise UserError(
            f"linear layers from {seen}: expected is that each takes what the one before gives, hidden ones of one width"
        )
    if not all(np.isfinite(array).all() for array in arrays.values()):
        raise UserError(
            "weights that are NaN or infinite: this network can predict nothing; take an earlier checkpoint"
        )
    return layers


def _is_linear(arrays: Mapping[str, Array], owner: str) -> bool:
    """Tell whether exactly these two arrays are there, and fit each other."""
    weight, bias = arrays.get(f"{owner}weight"), arrays.get(f"{owner}bias")
    return weight is not None and bias is not None and weight.ndim == 2 and bias.shape == weight.shape[:1]  # noqa: PLR2004


def _two_outputs(layers: list[Layer]) -> list[Layer]:
    """Give a network of one logit z the two logits 0 and z."""
    weight, bias = layers[-1]
    if bias.size > 1:
        return layers
    return [*layers[:-1], (np.pad(weight, ((0, 0), (1, 0))), np.pad(bias, (1, 0)))]


def _names(classes: Sequence[str] | None, count: int) -> tuple[str, ...]:
    names = tuple(map(str, range(count))) if classes is None else tuple(name.strip() for name in classes)
    if len(names) != count or len(set(names)) != count or not all(names):
        raise UserError(
            f"class names {phrases.names(names)} for a network of {count} classes: give {count}, all different"
        )
    return names


def _provenance(path: Path, found: Mapping[str, Any]) -> dict[str, Any]:
    """Say where the model comes from."""
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    told = {"lightning": found.get("pytorch-lightning_version"), "epoch": found.get("epoch")}
    facts = {name: value for name, value in told.items() if isinstance(value, str | int)}
    return {"relabel": relabel.__version__, "checkpoint": {"file": path.name, "sha256": sha256, **facts}}
