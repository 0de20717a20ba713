"""A network that reads words while it trains: its steps, its end, its snapshots.

Letters: N rows, B batch, L words of the longest text, C classes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from relabel.data.tokens import NOTHING, UNKNOWN, Tokens
from relabel.model import predictor
from relabel.model.artifact import Model
from relabel.model.networks import weights
from relabel.model.networks.pooling import Drop
from relabel.settings import Schedule
from relabel.training import buckets
from relabel.training.learner import Snapshot, Watch
from relabel.training.member import Member, own_seed
from relabel.training.out_of_fold import predict

PART = 128
"""Rows of a batch that are computed at once: those of like lengths, in less memory, which takes less time than all of a large batch."""

WEIGHTS_STREAM, DROPOUT_STREAM = 5, 6
"""Keep a seed's initial weights and its dropout apart from its other random streams."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How a network is trained; fields are those of the same names in TrainSettings, and:

    warm_up: share of all steps in which the learning rate rises to its schedule.
    """

    dropout: float = 0.0
    word_dropout: float = 0.1
    batch_size: int = 64
    max_epochs: int = 1
    lr: float = 1e-3
    weight_decay: float = 0.0
    gradient_clip: float = 0.0
    schedule: Schedule = "constant"
    patience: int = 0
    warm_up: float = 0.0


class Blueprint(Protocol):
    """A network before it is trained. Its `forward` takes (ids, lengths, drop) and gives logits."""

    def drawn(self, seed: int) -> nn.Module:
        """Make the network; what chance decides in it follows from the seed alone."""
        ...

    def model(self, tensors: Mapping[str, NDArray[Any]]) -> Model:
        """Make a model of the network's arrays by name."""
        ...


class NetworkFit:
    """One member in training. It ends with its last step, or early where its log loss on the watched rows stops falling."""

    def __init__(
        self,
        blueprint: Blueprint,
        recipe: Recipe,
        *,
        inputs: Tokens,
        member: Member,
        watch: Watch | None,
    ) -> None:
        self.network = blueprint.drawn(own_seed(member.seed, WEIGHTS_STREAM))
        if member.start is not None:
            weights.begin(self.network, member.start.tensors)
        self._parameters = list(self.network.parameters())
        self.optimiser = torch.optim.AdamW(self._parameters, lr=recipe.lr, weight_decay=recipe.weight_decay, fused=True)
        self.step = 0
        self.ended: Model | None = None
        self._blueprint, self._recipe = blueprint, recipe
        self._inputs, self._member = inputs, member
        self._watch = watch if recipe.patience else None
        self._epoch = buckets.steps(member.rows, recipe.batch_size)
        self._best: Model | None = None
        self._best_loss, self._worse = math.inf, 0
        self._losses: list[Tensor] = []  # since they were last asked for
        self._watched: float | None = None

    @property
    def total(self) -> int:
        """Steps, where it does not end early."""
        return self._epoch * self._recipe.max_epochs

    def batches(self) -> Iterator[NDArray[np.int32]]:
        """Yield the rows (B,) of each step that is left."""
        lengths = self._inputs.lengths[self._member.rows]
        recipe = self._recipe
        return buckets.stream(
            self._member.rows,
            lengths,
            recipe.batch_size,
            seed=self._member.seed,
            epochs=recipe.max_epochs,
            start=self.step,
        )

    def to(self, device: torch.device) -> None:
        """Bring the moments to the device of the network."""
        for state in self.optimiser.state.values():
            state.update({name: value.to(device) for name, value in state.items()})

    def run(self, rows: NDArray[np.int32]) -> None:
        """Take the step of a batch (B,): the loss is the mean over its rows, each times its weight."""
        chance = _Chance(own_seed(self._member.seed, DROPOUT_STREAM, self.step), self._parameters[0].device)
        self.optimiser.zero_grad()
        for first in range(0, rows.size, PART):
            loss = self._loss(rows[first : first + PART], chance) / rows.size
            torch.autograd.backward(loss)
            self._losses.append(loss.detach())
        self._update()
        self.step += 1
        if self.step % self._epoch == 0:
            self._end_epoch()

    def _loss(self, rows: NDArray[np.int32], chance: _Chance) -> Tensor:
        """Sum the weighted losses of rows (b,)."""
        device = self._parameters[0].device
        tokens = self._inputs.take(rows)
        ids = torch.from_numpy(tokens.padded().astype(np.int64)).to(device)
        logits = self.network(
            chance.unknown(ids, self._recipe.word_dropout),
            torch.from_numpy(tokens.lengths).to(device),
            chance.drop(self._recipe.dropout),
        )
        targets = torch.from_numpy(self._member.targets[rows]).to(device)
        losses = nn.functional.cross_entropy(logits, targets, reduction="none")  # (b,)
        return (losses * torch.from_numpy(self._member.weights[rows]).to(device)).sum()

    def _update(self) -> None:
        if self._recipe.gradient_clip:
            nn.utils.clip_grad_norm_(self._parameters, self._recipe.gradient_clip)
        left = 1 - self.step / self.total
        share = {"constant": 1.0, "linear": left, "cosine": (1 - math.cos(math.pi * left)) / 2}[self._recipe.schedule]
        risen = min(1.0, (self.step + 1) / max(1.0, self._recipe.warm_up * self.total))
        for group in self.optimiser.param_groups:
            group["lr"] = self._recipe.lr * share * risen
        self.optimiser.step()

    def _end_epoch(self) -> None:
        last = self.step == self.total
        if self._watch is None and not last:
            return
        model = self._blueprint.model(weights.arrays(self.network))
        if self._watch is None:
            self.ended = model
            return
        probability = predict(predictor.load(model), self._inputs, self._watch.rows)
        self._watched = loss = self._watch.loss(probability)
        if loss < self._best_loss or self._best is None:
            self._best, self._best_loss, self._worse = model, loss, 0
        else:
            self._worse += 1
        if last or self._worse >= self._recipe.patience:
            self.ended = self._best

    def figures(self, steps: int) -> dict[str, float]:
        """Say how well the fit does: on the batches of the latest `steps`, and on the watched rows."""
        figures = {"training_log_loss": float(torch.stack(self._losses).sum()) / steps}
        self._losses.clear()
        return figures if self._watched is None else {**figures, "watched_log_loss": self._watched}

    def snapshot(self) -> Snapshot:
        """Copy all that later steps depend on."""
        tensors: dict[str, NDArray[Any]] = {}
        for n, parameter in enumerate(self._parameters):
            state = self.optimiser.state.get(parameter)
            if not state:  # no output depends on it
                continue
            for name, value in (("value", parameter), ("first", state["exp_avg"]), ("second", state["exp_avg_sq"])):
                tensors[f"parameter.{n}.{name}"] = value.detach().cpu().numpy().copy()
        if self._best is not None:
            tensors |= {f"best.{name}": value for name, value in self._best.tensors.items()}
        best_loss = None if math.isinf(self._best_loss) else self._best_loss
        return Snapshot(self.step, tensors, {"best_loss": best_loss, "worse": self._worse})

    def restore(self, kept: Snapshot) -> None:
        """Take a snapshot's place."""
        self.step = kept.step
        for n, parameter in enumerate(self._parameters):
            if f"parameter.{n}.value" not in kept.tensors:
                continue
            value, first, second = (
                torch.tensor(kept.tensors[f"parameter.{n}.{name}"]) for name in ("value", "first", "second")
            )
            parameter.detach().copy_(value)
            step = torch.tensor(float(kept.step))
            self.optimiser.state[parameter] = {"step": step, "exp_avg": first, "exp_avg_sq": second}
        best = {name.removeprefix("best."): value for name, value in kept.tensors.items() if name.startswith("best.")}
        self._best = self._blueprint.model(best) if best else None
        self._best_loss = math.inf if kept.facts["best_loss"] is None else kept.facts["best_loss"]
        self._worse = kept.facts["worse"]


class _Chance:
    """What is left out in one step: a generator of its own, which follows from the seed and the step."""

    def __init__(self, seed: int, device: torch.device) -> None:
        self._generator = torch.Generator(device).manual_seed(seed)

    def unknown(self, ids: Tensor, share: float) -> Tensor:
        """Make a share of the words (B, L) unknown."""
        if not share:
            return ids
        drawn = torch.rand(ids.shape, generator=self._generator, device=ids.device) < share
        return ids.masked_fill(drawn & (ids != NOTHING), UNKNOWN)

    def drop(self, share: float) -> Drop:
        """Give what leaves out a share of numbers."""

        def leave_out(values: Tensor, shape: tuple[int, ...], /) -> Tensor:
            if not share:
                return values
            kept = torch.empty(shape, device=values.device).bernoulli_(1 - share, generator=self._generator)
            return values * (kept / (1 - share))

        return leave_out
