"""The stacked learner: all members in one set of tensors, one step for all of them, under Lightning.

K-fold training of a small network is bound by the launch of its many small operations, not by arithmetic; M members side by side share every
launch. Each member keeps its own rows, seed, clipping and end, so it comes out as if it had been trained alone.

Letters: M members, B batch rows, K steps of a chunk.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from numpy.typing import NDArray

from relabel.data.examples import Features, Inputs
from relabel.data.sharded import Sharded
from relabel.model import dense
from relabel.model.artifact import Model
from relabel.model.networks.stacked_mlp import StackedMLP
from relabel.training import data_parallel, sampler, standardise, trainer
from relabel.training.learner import Hooks, Snapshot, Watch
from relabel.training.member import Member
from relabel.training.stack import Recipe, Stack

CHUNK = 32
"""Steps between two safe points; Lightning sees a chunk as one training step."""


@dataclass(frozen=True, slots=True)
class Stacked:
    """Fits multilayer perceptrons, all members in one pass.

    classes: C.
    recipe:  sizes and schedule of the training.
    device:  "auto" takes a GPU when there is one.
    dtype:   of the arithmetic.
    """

    classes: int
    recipe: Recipe
    device: str = "auto"
    dtype: torch.dtype = torch.float32
    kind: str = dense.KIND

    def identity(self) -> Mapping[str, Any]:
        """Give what decides a fit; not the device, which changes last digits only."""
        recipe = dataclasses.asdict(self.recipe)
        return {"kind": self.kind, "classes": self.classes, "dtype": str(self.dtype), "recipe": recipe}

    def sizes(self, width: int) -> dict[str, int]:
        """Give the sizes of its models of vectors of a width."""
        return {"inputs": width, "width": self.recipe.width, "depth": self.recipe.depth, "classes": self.classes}

    def fit(self, inputs: Inputs, members: Sequence[Member], watch: Watch | None, hooks: Hooks) -> list[Model]:
        """Fit every member, going on from a kept snapshot if there is one; models come in the members' order. The inputs are vectors."""
        hooks = data_parallel.led(hooks, inputs)
        stack = self._stack(inputs, members, watch)
        kept = hooks.store.load() if hooks.store else None
        if kept is not None:
            stack.restore(kept)
        chunks = _Chunks(members, self.recipe, kept, inputs.mixed if isinstance(inputs, Sharded) else None)
        trainer.quiet(self.device).fit(_Training(stack, hooks), chunks)
        return stack.models()

    def _stack(self, features: Features, members: Sequence[Member], watch: Watch | None) -> Stack:
        width = features.shape[1]
        shape = (len(members), width)
        mean, scale = (
            standardise.moments(features, members) if self.recipe.standardise else (np.zeros(shape), np.ones(shape))
        )
        network = StackedMLP([member.seed for member in members], self.sizes(width), mean, scale, self.dtype)
        for m, member in enumerate(members):
            if member.start is not None:
                network.begin(m, member.start)
        return Stack(network, members, features, watch, self.recipe)


class _Chunks:
    """The loader Lightning iterates over: chunks of steps from where the fit stands."""

    def __init__(
        self, members: Sequence[Member], recipe: Recipe, kept: Snapshot | None, mixed: NDArray[np.int32] | None
    ) -> None:
        self._members, self._recipe, self._start, self._mixed = members, recipe, kept.step if kept else 0, mixed

    def __iter__(self) -> Iterator[sampler.Chunk]:
        size, epochs = self._recipe.batch_size, self._recipe.max_epochs
        return sampler.chunks(self._members, size, epochs, CHUNK, self._start, mixed=self._mixed)


class _Training(pl.LightningModule):
    """Lightning's side: one `training_step` runs a chunk of steps, then asks the hooks."""

    def __init__(self, stack: Stack, hooks: Hooks) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.network = stack.network
        self._stack, self._hooks = stack, hooks

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return self._stack.optimiser

    def on_fit_start(self) -> None:
        self._stack.to(self.device)

    def transfer_batch_to_device(
        self, batch: sampler.Chunk, device: torch.device, dataloader_idx: int
    ) -> sampler.Chunk:
        """Leave the chunk as it is: the stack knows what belongs on the device."""
        del device, dataloader_idx
        return batch

    def training_step(self, chunk: sampler.Chunk) -> None:
        """Run the chunk, then report, and save where it is time or the job must end."""
        self._stack.run(chunk)
        self._hooks.progress(self._stack.step, self._stack.total)
        self._measure(chunk)
        if self._stack.ended:
            self.trainer.should_stop = True
            return
        try:
            self._hooks.check()
        except BaseException:
            self._save()
            raise
        if self._hooks.due():
            self._save()

    def _measure(self, chunk: sampler.Chunk) -> None:
        curve = self._hooks.curve
        if curve and curve.due(self._stack.step, self._stack.total):
            curve.add(self._stack.figures(chunk), self._stack.step)

    def _save(self) -> None:
        if self._hooks.store:
            self._hooks.store.save(self._stack.snapshot())
