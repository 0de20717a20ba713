"""The artifact: what a training job hands to an endpoint, `model.safetensors` beside `model.json`.

Tensors are numpy arrays and nothing in the two files can run: no pickle. The JSON file is written last and carries the hash of
the other, so an artifact is either complete or refused.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import safetensors
import safetensors.numpy
from numpy.typing import NDArray

from relabel import files
from relabel.errors import UserError

SCHEMA = 1
EXPECTED = {"kind", "sizes", "classes", "input", "fitted_on", "noise", "tensors_sha256", "provenance"}
TENSORS = "model.safetensors"
DESCRIPTION = "model.json"
FILES = (TENSORS, DESCRIPTION)
"""All files of an artifact."""


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """One trained model as arrays, standardisation included.

    kind:    names its predictor (see predictor.PREDICTORS).
    sizes:   what the predictor must know of the shape, for example {"inputs": 768, "width": 64, "depth": 1, "classes": 2}.
    tensors: name -> array.
    """

    kind: str
    sizes: Mapping[str, int]
    tensors: Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True, eq=False)
class Artifact:
    """A model with what is needed to use and to judge it.

    classes:    names in the order of the model's outputs.
    input:      what the model takes: embeddings.
    fitted_on:  the labels as given, or as the policy treated them.
    noise:      (C, C) P(given j | true i) of the training labels, or None where it was not estimated.
    provenance: data digest, settings, versions, seed; no times and no hosts.
    tensors_sha256: hash of the tensors' file, "" before it is written.
    """

    model: Model
    classes: tuple[str, ...]
    fitted_on: Literal["given", "treated"]
    input: Literal["embedding"] = "embedding"
    noise: NDArray[np.float64] | None = None
    provenance: Mapping[str, Any] = field(default_factory=dict)
    tensors_sha256: str = ""

    @property
    def short_hash(self) -> str:
        """Twelve characters that tell models apart."""
        return self.tensors_sha256[:12]


def sha256(model: Model) -> str:
    """Give the hash that the tensors' file of a model has once it is written."""
    return hashlib.sha256(_packed(model)).hexdigest()


def save(folder: Path, artifact: Artifact) -> None:
    """Write the two files into `folder`, each atomically, the description last.

    Raises OSError where the disk is full or not writable; no half file stays.
    """
    tensors = _packed(artifact.model)
    description = {
        "schema": SCHEMA,
        "kind": artifact.model.kind,
        "sizes": dict(artifact.model.sizes),
        "classes": list(artifact.classes),
        "input": artifact.input,
        "fitted_on": artifact.fitted_on,
        "noise": None if artifact.noise is None else artifact.noise.tolist(),
        "tensors_sha256": hashlib.sha256(tensors).hexdigest(),
        "provenance": dict(artifact.provenance),
    }
    with files.replacing(folder / DESCRIPTION) as json_file, files.replacing(folder / TENSORS) as tensor_file:
        tensor_file.write_bytes(tensors)
        text = json.dumps(description, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
        json_file.write_text(text, encoding="utf-8")


def load(folder: Path) -> Artifact:
    """Read an artifact back.

    Raises UserError where a file is missing, broken, of another schema, or the two do not belong together.
    """
    try:
        description = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
        tensors = (folder / TENSORS).read_bytes()
    except FileNotFoundError as error:
        raise UserError(
            f"{folder}: no {Path(error.filename).name}; a model folder holds {TENSORS} and {DESCRIPTION}"
        ) from None
    except (OSError, ValueError) as error:
        raise UserError(
            f"{folder}: {DESCRIPTION} cannot be read ({error}): give the artifact as the job wrote it"
        ) from None
    _check(folder, description, tensors)
    return Artifact(
        model=Model(description["kind"], description["sizes"], safetensors.numpy.load(tensors)),
        classes=tuple(description["classes"]),
        fitted_on=description["fitted_on"],
        input=description["input"],
        noise=None if description["noise"] is None else np.array(description["noise"]),
        provenance=description["provenance"],
        tensors_sha256=description["tensors_sha256"],
    )


def _packed(model: Model) -> bytes:
    return safetensors.numpy.save(dict(model.tensors))


def _check(folder: Path, description: Any, tensors: bytes) -> None:
    if not isinstance(description, dict) or description.get("schema") != SCHEMA:
        seen = description.get("schema") if isinstance(description, dict) else type(description).__name__
        raise UserError(
            f"{folder}/{DESCRIPTION}: schema {seen}, this version reads schema {SCHEMA}: use the relabel that wrote it"
        )
    missing = sorted(EXPECTED - description.keys())
    if missing:
        raise UserError(f"{folder}/{DESCRIPTION}: no {', '.join(missing)}: give the artifact as the job wrote it")
    if hashlib.sha256(tensors).hexdigest() != description.get("tensors_sha256"):
        raise UserError(
            f"{folder}/{TENSORS}: its hash is not the one in {DESCRIPTION}: the file was changed, cut or mixed up"
        )
