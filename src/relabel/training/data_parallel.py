"""Fits of rows that lie on several hosts: every host takes every step, with those rows of its batches that it holds.

The batches are those that one host would take, so a step's gradient is the sum of what the hosts make of their parts of it, and all hosts
have the same weights after it. Letters: K steps, M members, B batch rows, b of them on this host at most.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import safetensors.numpy
import torch
from numpy.typing import NDArray
from torch import Tensor

from relabel.container.company import Company
from relabel.data.examples import Features
from relabel.data.sharded import Sharded
from relabel.training.learner import Hooks, Snapshot, Store
from relabel.training.sampler import Chunk


def portion(chunk: Chunk, features: Sharded) -> tuple[Chunk, NDArray[np.int64]]:
    """Give this host's part (K, M, b) of a chunk (K, M, B), by its own row numbers, and where in the batch each row of it stands.

    A row that counts for nothing is nobody's; what fills up the shorter lines has weight 0.
    """
    own = features.holds(chunk.rows) & (chunk.weights > 0)
    most = int(own.sum(axis=-1).max(initial=0))
    places = np.argsort(~own, axis=-1, kind="stable")[..., :most]
    mine, rows, weights = (np.take_along_axis(each, places, axis=-1) for each in (own, chunk.rows, chunk.weights))
    along = places if chunk.targets.ndim == places.ndim else places[..., None]
    targets: NDArray[Any] = np.take_along_axis(chunk.targets, along, axis=places.ndim - 1)
    return Chunk(
        start=chunk.start,
        rows=np.where(mine, features.place[rows], 0).astype(np.int64),
        targets=targets,
        weights=np.where(mine, weights, 0.0),
    ), places


def masks(keep: Sequence[Tensor], places: NDArray[np.int64]) -> list[Tensor]:
    """Give the dropout factors (K, M, b, H) of this host's part of those of whole batches (K, M, B, H)."""
    return [
        each.gather(2, torch.from_numpy(places).to(each.device)[..., None].expand(*places.shape, each.shape[-1]))
        for each in keep
    ]


def add_up(gradients: Sequence[Tensor], company: Company) -> None:
    """Sum gradients over all hosts, in place, in one exchange."""
    whole = torch.cat([gradient.flatten() for gradient in gradients])
    company.add_(whole)
    parts = torch.split(whole, [gradient.numel() for gradient in gradients])
    for gradient, part in zip(gradients, parts, strict=True):
        gradient.copy_(part.view_as(gradient))


def led(hooks: Hooks, features: Features) -> Hooks:
    """Give the hooks of a fit that all hosts take part in: the first host alone keeps it, and says where it goes on."""
    if not isinstance(features, Sharded):
        return hooks
    due = hooks.due if features.company.rank == 0 else lambda: False
    return dataclasses.replace(hooks, due=due, store=_Led(hooks.store, features.company))


class _Led:
    """The first host's store, for all hosts."""

    def __init__(self, store: Store | None, company: Company) -> None:
        self._store, self._company = store if company.rank == 0 else None, company

    def load(self) -> Snapshot | None:
        kept = self._store.load() if self._store else None
        said = json.dumps({"step": kept.step, "facts": dict(kept.facts)}).encode() if kept else b""
        facts = self._company.gather_bytes(said)[0]
        tensors = self._company.gather_bytes(safetensors.numpy.save(_plain(kept.tensors)) if kept else b"")[0]
        if not facts:
            return None
        about = json.loads(facts)
        return Snapshot(about["step"], safetensors.numpy.load(tensors), about["facts"])

    def save(self, snapshot: Snapshot) -> None:
        if self._store:
            self._store.save(snapshot)


def _plain(tensors: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    return {name: np.ascontiguousarray(value) for name, value in tensors.items()}
