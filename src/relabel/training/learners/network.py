"""The networks that read words, trained one member at a time under Lightning."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from numpy.typing import NDArray

from relabel.data.tokens import FIRST, Tokens
from relabel.model.artifact import Model
from relabel.model.networks.of_words import OfWords
from relabel.model.networks.pooling import POOLINGS
from relabel.training import trainer
from relabel.training.learner import Run, Watch
from relabel.training.learners.one_by_one import OneByOne
from relabel.training.member import Member
from relabel.training.network_fit import NetworkFit, Recipe

CHUNK = 8
"""Steps between two safe points; Lightning sees a chunk as one training step."""


@dataclass(frozen=True, slots=True)
class Network:
    """Fits networks of one kind; inputs are Tokens.

    kind:   one of of_words.NETWORKS.
    sizes:  of the network, see its class.
    recipe: of the training.
    device: "auto" takes a GPU when there is one.
    """

    kind: str
    sizes: Mapping[str, int]
    recipe: Recipe
    device: str = "auto"

    def identity(self) -> Mapping[str, Any]:
        """Give what decides a fit; not the device, which changes last digits only."""
        return {"kind": self.kind, "sizes": dict(self.sizes), "recipe": dataclasses.asdict(self.recipe)}

    def fit_one(self, inputs: Tokens, member: Member, watch: Watch | None, run: Run) -> Model:
        """Fit a member, going on from where an earlier run of it was stopped."""
        blueprint = OfWords(self.kind, self.sizes)
        return ended(NetworkFit(blueprint, self.recipe, inputs=inputs, member=member, watch=watch), run, self.device)


def learner(
    kind: str,
    *,
    classes: int,
    vocabulary: int,
    embedding_width: int,
    width: int,
    depth: int = 1,
    dense: int = 0,
    pooling: str = "all",
    recipe: Recipe,
    device: str = "auto",
) -> OneByOne:
    """Make the learner of a kind of network.

    vocabulary: terms that a Words reader knows; ids are FIRST more.
    depth, dense, pooling: of `lstm` alone: layers of cells (1 at least), units of a tanh layer behind them (0 is none), and one of POOLINGS.
    """
    sizes = {"words": vocabulary + FIRST, "embedding_width": embedding_width, "width": width, "classes": classes}
    if kind == "lstm":
        sizes |= {"depth": max(1, depth), "dense": dense, "pooling": POOLINGS.index(pooling)}
    return OneByOne(Network(kind, sizes, recipe, device))


def ended(fit: NetworkFit, run: Run, device: str) -> Model:
    """Go through a fit under Lightning, from where an earlier run of it was stopped; give its model."""
    if run.kept is not None:
        fit.restore(run.kept)
    trainer.quiet(device).fit(_Training(fit, run), _Chunks(fit))
    if fit.ended is None:
        raise RuntimeError(f"the fit ended at step {fit.step} of {fit.total} without a model")
    return fit.ended


class _Chunks:
    """The loader Lightning iterates over: lists of batches, from where the fit stands."""

    def __init__(self, fit: NetworkFit) -> None:
        self._fit = fit

    def __iter__(self) -> Iterator[list[NDArray[np.int32]]]:
        batches = self._fit.batches()
        while chunk := list(islice(batches, CHUNK)):
            yield chunk


class _Training(pl.LightningModule):
    """Lightning's side: one `training_step` takes the steps of a chunk, then comes to a safe point."""

    def __init__(self, fit: NetworkFit, run: Run) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.network = fit.network
        self._fit, self._run = fit, run

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return self._fit.optimiser

    def on_fit_start(self) -> None:
        self._fit.to(self.device)

    def transfer_batch_to_device(
        self, batch: list[NDArray[np.int32]], device: torch.device, dataloader_idx: int
    ) -> list[NDArray[np.int32]]:
        """Leave the row numbers as they are: the fit brings what they stand for to the device."""
        del device, dataloader_idx
        return batch

    def training_step(self, chunk: list[NDArray[np.int32]]) -> None:
        """Take the steps, until the fit ends."""
        for rows in chunk:
            self._fit.run(rows)
            if self._fit.ended is not None:
                self.trainer.should_stop = True
                return
        self._run.figures |= self._fit.figures(len(chunk))
        self._run.safe_point(self._fit.step, self._fit.total, self._fit.snapshot)
