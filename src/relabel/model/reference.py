"""What a model's rows look like: a sample of rows that it never learned from, against which later traffic is held.

    reference.safetensors    directions learned on the training rows; along these, and by a few plain measures, the sampled rows; the model's
                             probabilities of them

No text and no whole vector is in it. Rows that come as texts are seen by the numbers of their terms, as the model reads them, hashed into a vector.
A row that has what no training row has, such as another language, lies outside of the directions: how far is a measure of its own.
Letters: m rows of the sample, n rows, W numbers of a row before it is seen along d directions, k measures, C classes.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import safetensors
import safetensors.numpy
from numpy.typing import NDArray

from relabel.data.tokens import NOTHING, UNKNOWN, Tokens
from relabel.errors import UserError

FILE = "reference.safetensors"
SCHEMA = 1
DIRECTIONS = 64
"""More of them would hold more noise than drift; what lies outside has a measure."""

LEARNED_ON = 4096
"""Training rows from which means, deviations and directions are learned."""

BUCKETS = 256
"""Numbers that the terms of a text are hashed into."""

MULTIPLIER = 2_654_435_761
"""Of Knuth's multiplicative hashing: the upper bits of id times this are well mixed."""

FLAT = 1e-6
"""A number whose deviation is below this part of its size does not vary."""

BLOCK = 4096
OUTSIDE, LENGTH, STRANGE = "distance from what the model has seen", "number of words", "share of unknown words"

Kind = Literal["vectors", "tokens"]
Inputs = NDArray[np.float32] | Tokens


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """How rows are seen.

    kind:        of what the model takes.
    mean, scale: (W,) float32, standardisation; the scale is 0 for numbers that do not vary.
    directions:  (W, d) float16, orthonormal but for rounding.
    """

    kind: Kind
    mean: NDArray[np.float32]
    scale: NDArray[np.float32]
    directions: NDArray[np.float16]

    @property
    def names(self) -> tuple[str, ...]:
        """What the numbers of a seen row are: d directions, then k measures."""
        measures = (OUTSIDE,) if self.kind == "vectors" else (OUTSIDE, LENGTH, STRANGE)
        return (*(f"direction {n + 1}" for n in range(self.directions.shape[1])), *measures)

    def __call__(self, inputs: Inputs) -> NDArray[np.float32]:
        """See rows (n,): (n, d + k), rounded to float16 as the reference is, so that equal rows look equal."""
        seen = np.empty((len(inputs), len(self.names)), np.float32)
        for start in range(0, len(inputs), BLOCK):
            block = np.arange(start, min(start + BLOCK, len(inputs)))
            seen[block] = self._block(inputs.take(block) if isinstance(inputs, Tokens) else inputs[block])
        return _rounded(seen)

    def _block(self, inputs: Inputs) -> NDArray[np.float32]:
        plain = _plain(inputs)
        if plain.shape[1] != self.mean.size:
            raise UserError(
                f"rows of {plain.shape[1]} numbers, the model's reference has {self.mean.size}: it is another model's"
            )
        with np.errstate(over="ignore", invalid="ignore"):
            standard = (plain - self.mean) * self.scale
            along = standard @ self.directions.astype(np.float32)
            rest = np.square(standard).sum(axis=1) - np.square(along).sum(axis=1)
            outside = np.log1p(np.sqrt(rest.clip(min=0)))
        measures = (
            [outside] if not isinstance(inputs, Tokens) else [outside, np.log1p(_lengths(inputs)), _strange(inputs)]
        )
        return np.concatenate([along, np.stack(measures, axis=1)], axis=1)


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """A sample of rows.

    view:        how rows are seen.
    seen:        (m, d + k) float32, the rows so; each stands for all its duplicates.
    probability: (m, C) float32 by the model, which learned from none of them.
    """

    view: View
    seen: NDArray[np.float32]
    probability: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.seen)


@dataclass(frozen=True, slots=True)
class Stored:
    """A reference in its file, which an endpoint never opens."""

    path: Path
    sha256: str

    def read(self) -> Reference:
        """Read it. Raises UserError where the file is not the one that was written."""
        try:
            return unpacked(self.path.read_bytes())
        except (OSError, ValueError, KeyError, TypeError, safetensors.SafetensorError) as error:
            raise UserError(f"{self.path} cannot be read ({error}): give the artifact as the job wrote it") from None


def made(learned: Inputs, sampled: Inputs, probability: NDArray[np.float32]) -> Reference:
    """Make a reference of training rows (at most LEARNED_ON of them count) and of rows (m,) that the model never saw."""
    view = _view(
        learned.take(np.arange(min(len(learned), LEARNED_ON))) if isinstance(learned, Tokens) else learned[:LEARNED_ON]
    )
    return Reference(view, view(sampled), probability.astype(np.float32))


def packed(reference: Reference) -> bytes:
    """Give the bytes of the file; the same reference gives the same."""
    about = {"schema": SCHEMA, "kind": reference.view.kind}
    tensors: dict[str, NDArray[Any]] = {
        "mean": reference.view.mean,
        "scale": reference.view.scale,
        "directions": reference.view.directions,
        "seen": reference.seen.astype(np.float16),
        "probability": reference.probability,
    }
    content: bytes = safetensors.numpy.save(
        tensors, {"reference": json.dumps(about)}
    )  # several entries come in any order
    return content


def unpacked(content: bytes) -> Reference:
    """Read the bytes of the file. Raises ValueError where they do not fit together, and what safetensors raises."""
    about = json.loads(json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])["__metadata__"]["reference"])
    if about["schema"] != SCHEMA or about["kind"] not in ("vectors", "tokens"):
        raise ValueError(f"schema {about['schema']!r}, this version reads schema {SCHEMA}")
    found = safetensors.numpy.load(content)
    view = View(about["kind"], found["mean"], found["scale"], found["directions"])
    reference = Reference(view, found["seen"].astype(np.float32), found["probability"])
    if (
        reference.seen.shape != (len(reference.probability), len(view.names))
        or view.mean.shape != view.directions.shape[:1]
    ):
        raise ValueError("its arrays do not fit together")
    return reference


def digest(content: bytes) -> str:
    """Hash the bytes of the file."""
    return hashlib.sha256(content).hexdigest()


def _view(rows: Inputs) -> View:
    """Learn means, deviations and the directions in which rows vary most."""
    plain = _plain(rows).astype(np.float64)
    mean, deviation = plain.mean(axis=0), plain.std(axis=0)
    varies = deviation > FLAT * (1 + np.abs(mean))
    scale = np.divide(1.0, deviation, out=np.zeros_like(deviation), where=varies)
    standard = (plain - mean) * scale
    width = min(DIRECTIONS, plain.shape[1], max(1, len(plain) // 8))
    found = np.linalg.eigh(standard.T @ standard)[1][:, ::-1][:, :width]
    found = found * np.sign(found[np.abs(found).argmax(axis=0), np.arange(width)])  # of the two signs always the same
    kind: Kind = "tokens" if isinstance(rows, Tokens) else "vectors"
    return View(kind, mean.astype(np.float32), scale.astype(np.float32), found.astype(np.float16))


def _plain(inputs: Inputs) -> NDArray[np.float32]:
    """Give rows as vectors (n, W): texts by how often their terms stand there, hashed with signs (Weinberger et al. 2009), of length 1."""
    if not isinstance(inputs, Tokens):
        return inputs
    mixed = (inputs.ids.astype(np.uint64) * np.uint64(MULTIPLIER)) % np.uint64(1 << 32)
    bucket = (mixed >> np.uint64(24)).astype(np.int64)
    sign = np.where((mixed >> np.uint64(23)) & np.uint64(1), 1.0, -1.0)
    row = np.repeat(np.arange(len(inputs)), inputs.lengths)
    counts = np.bincount(row * BUCKETS + bucket, sign * (inputs.ids > UNKNOWN), len(inputs) * BUCKETS)
    counts = counts.reshape(len(inputs), BUCKETS)
    length = np.sqrt(np.square(counts).sum(axis=1, keepdims=True))
    return np.asarray(np.divide(counts, length, out=np.zeros_like(counts), where=length > 0), np.float32)


def _lengths(tokens: Tokens) -> NDArray[np.float64]:
    return _sums(tokens, tokens.ids != NOTHING)


def _strange(tokens: Tokens) -> NDArray[np.float64]:
    return np.asarray(_sums(tokens, tokens.ids == UNKNOWN) / _lengths(tokens).clip(min=1))


def _sums(tokens: Tokens, counted: NDArray[Any]) -> NDArray[np.float64]:
    row = np.repeat(np.arange(len(tokens)), tokens.lengths)
    return np.asarray(np.bincount(row, counted, len(tokens)), np.float64)


def _rounded(values: NDArray[np.float32]) -> NDArray[np.float32]:
    most = np.finfo(np.float16).max
    return np.nan_to_num(values, nan=float(most)).clip(-most, most).astype(np.float16).astype(np.float32)
