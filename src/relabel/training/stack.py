"""A stack of members while it trains: its steps, its clock of ends, its snapshots.

Letters: M members, B batch rows, K steps of a chunk, C classes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from relabel.data.examples import Features
from relabel.data.sharded import Sharded
from relabel.model import predictor
from relabel.model.artifact import Model
from relabel.model.networks.stacked_mlp import StackedMLP
from relabel.settings import Schedule
from relabel.training import data_parallel, sampler
from relabel.training.inputs import Inputs
from relabel.training.learner import Snapshot, Watch
from relabel.training.member import Member
from relabel.training.out_of_fold import predict

LANES = 16
"""Numbers that a processor takes at a time, at most."""

DROPOUT_STREAM = 3
"""Keeps a seed's dropout apart from its other random streams."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How members are trained; the fields are those of the same names in TrainSettings."""

    width: int = 64
    depth: int = 1
    dropout: float = 0.0
    standardise: bool = True
    batch_size: int = 32
    max_epochs: int = 1
    lr: float = 3e-4
    weight_decay: float = 0.0
    gradient_clip: float = 0.0
    schedule: Schedule = "constant"
    patience: int = 0


class Stack:
    """M members in training.

    A member ends with its own last step, or early where its log loss on the watched rows stops falling; its model is copied out then,
    because Adam goes on moving weights whose gradient is zero.
    """

    def __init__(
        self, network: StackedMLP, members: Sequence[Member], features: Features, watch: Watch | None, recipe: Recipe
    ) -> None:
        self.network = network
        self._parameters = list(network.parameters())
        groups = _groups(self._parameters)
        self.optimiser = torch.optim.AdamW(groups, lr=recipe.lr, weight_decay=recipe.weight_decay)
        self.step = 0
        self._recipe = recipe
        self._members = members
        self._features = features
        self._watch = watch if recipe.patience else None
        self._shards = features if isinstance(features, Sharded) else None
        self._inputs = Inputs(features.local if isinstance(features, Sharded) else features, network.mean.dtype)
        self._epoch = np.array([sampler.steps(member, recipe.batch_size, 1) for member in members])  # (M,) steps
        self._last = self._epoch * recipe.max_epochs
        self._done: dict[int, Model] = {}  # members that have ended
        self._best: dict[int, Model] = {}  # best epoch of members that are watched
        self._best_loss = [math.inf] * len(members)
        self._worse = [0] * len(members)  # epochs since the best one
        self._watched: dict[int, float] = {}  # latest loss of members that are watched

    @property
    def total(self) -> int:
        """Steps of the longest member."""
        return int(self._last.max())

    @property
    def ended(self) -> bool:
        """Whether every member has ended."""
        return len(self._done) == len(self._members)

    def models(self) -> list[Model]:
        """Give the ended members' models, in order."""
        return [self._done[m] for m in range(len(self._members))]

    def to(self, device: torch.device) -> None:
        """Bring inputs and moments to the device of the network."""
        self._inputs.to(device)
        for state in self.optimiser.state.values():
            state.update({name: value.to(device) for name, value in state.items()})

    def run(self, chunk: sampler.Chunk) -> None:
        """Take the steps of a chunk, until every member has ended."""
        device = self.network.mean.device
        chunk, keep = self._own(chunk, self._dropout(chunk))
        targets = torch.from_numpy(chunk.targets).to(device)
        if targets.is_floating_point():
            targets = targets.to(self.network.mean.dtype)
        weights = torch.from_numpy(chunk.weights).to(device, self.network.mean.dtype)
        for k, x in enumerate(self._inputs.steps(chunk.rows)):
            if self.ended:
                return
            self._step(x, targets[k], weights[k], [masks[k] for masks in keep])

    def _step(self, x: Tensor, targets: Tensor, weights: Tensor, keep: list[Tensor]) -> None:
        """Take one step of all members: the loss is the sum over members of the mean over their rows."""
        self.network.differentiate(x, targets, weights, keep)
        if self._shards:
            data_parallel.add_up([p.grad for p in self._parameters if p.grad is not None], self._shards.company)
        self._update()
        self.step += 1
        for m in np.flatnonzero(self.step % self._epoch == 0):
            if m not in self._done and self.step <= self._last[m]:
                self._end_epoch(int(m))

    def _own(self, chunk: sampler.Chunk, keep: list[Tensor]) -> tuple[sampler.Chunk, list[Tensor]]:
        """Give this host's part of a chunk and of its dropout factors."""
        if self._shards is None:
            return chunk, keep
        own, places = data_parallel.portion(chunk, self._shards)
        return own, data_parallel.masks(keep, places)

    def _update(self) -> None:
        if self._recipe.gradient_clip:
            _clip(self._parameters, self._recipe.gradient_clip)
        pace = self._pace()
        before = [p.detach().clone() for p in self._parameters] if pace is not None else []
        self.optimiser.step()
        for parameter, old in zip(self._parameters, before, strict=False):
            # An Adam step is proportional to the learning rate, so going part of the way is a smaller rate for that member.
            parameter.detach().copy_(torch.lerp(old, parameter.detach(), pace))  # type: ignore[arg-type]

    def _pace(self) -> Tensor | None:
        """Give each member's share (M, 1, 1) of the learning rate in this step; None where it is 1 for all."""
        if self._recipe.schedule == "constant":
            return None
        left = np.clip(1 - self.step / self._last, 0, 1)
        share = left if self._recipe.schedule == "linear" else (1 - np.cos(np.pi * left)) / 2
        return torch.tensor(share[:, None, None], dtype=self.network.mean.dtype, device=self.network.mean.device)

    def _dropout(self, chunk: sampler.Chunk) -> list[Tensor]:
        """Draw the factors (K, M, B, H) of each hidden layer: 0, or 1 / (1 - dropout)."""
        share = self._recipe.dropout
        if not share:
            return []
        shape = (self._recipe.depth, len(chunk.rows), self._recipe.batch_size, self._recipe.width)
        rngs = [np.random.default_rng((member.seed, DROPOUT_STREAM, chunk.start)) for member in self._members]
        drawn = np.stack([rng.random(shape, dtype=np.float32) >= share for rng in rngs], axis=2)  # (depth, K, M, B, H)
        like = self.network.mean
        return list(torch.from_numpy(drawn).to(like.device, like.dtype) / (1 - share))

    def _end_epoch(self, m: int) -> None:
        if self._watch is None:
            if self.step == self._last[m]:
                self._done[m] = self.network.member(m)
            return
        model = self.network.member(m)
        probability = predict(predictor.load(model), self._features, self._watch.rows)
        self._watched[m] = loss = self._watch.loss(probability)
        if loss < self._best_loss[m]:
            self._best[m], self._best_loss[m], self._worse[m] = model, loss, 0
        else:
            self._worse[m] += 1
        if self.step == self._last[m] or self._worse[m] >= self._recipe.patience:
            self._done[m] = self._best.pop(m)

    @torch.no_grad()
    def figures(self, chunk: sampler.Chunk) -> dict[str, float]:
        """Say how well the members do, by the mean of them: on the rows of the chunk's last batch without dropout, and on the watched rows.

        Of rows that lie on several hosts on this host's: only the first host may ask, and no other then knows of it.
        """
        chunk, _ = self._own(chunk, [])
        device = self.network.mean.device
        logits = self.network(self._inputs.take(self._inputs.rows(chunk.rows[-1])))[-1]  # (M, B, C)
        targets = torch.from_numpy(chunk.targets[-1]).to(device)
        if targets.is_floating_point():
            targets = targets.to(logits.dtype).movedim(-1, 1)
        losses = torch.nn.functional.cross_entropy(logits.movedim(-1, 1), targets, reduction="none")  # (M, B)
        weights = torch.from_numpy(chunk.weights[-1]).to(device)
        figures = {"training_log_loss": float((losses * weights).sum() / weights.sum())} if weights.any() else {}
        if self._watched:
            figures["watched_log_loss"] = float(np.mean([*self._watched.values()]))
        return figures

    def snapshot(self) -> Snapshot:
        """Copy all that later steps depend on."""
        tensors: dict[str, NDArray[Any]] = {}
        for n, parameter in enumerate(self._parameters):
            state = self.optimiser.state[parameter]
            for name, value in (("value", parameter), ("first", state["exp_avg"]), ("second", state["exp_avg_sq"])):
                tensors[f"parameter.{n}.{name}"] = value.detach().cpu().numpy().copy()
        for place, models in (("done", self._done), ("best", self._best)):
            for m, model in models.items():
                tensors |= {f"{place}.{m}.{name}": value for name, value in model.tensors.items()}
        facts = {"best_loss": [None if math.isinf(x) else x for x in self._best_loss], "worse": list(self._worse)}
        return Snapshot(self.step, tensors, facts)

    def restore(self, kept: Snapshot) -> None:
        """Take a snapshot's place."""
        self.step = kept.step
        for n, parameter in enumerate(self._parameters):
            value, first, second = (
                torch.from_numpy(np.array(kept.tensors[f"parameter.{n}.{name}"]))
                for name in ("value", "first", "second")
            )
            parameter.detach().copy_(value)
            step = torch.tensor(float(kept.step))
            self.optimiser.state[parameter] = {"step": step, "exp_avg": first, "exp_avg_sq": second}
        self._done, self._best = self._models(kept, "done"), self._models(kept, "best")
        self._best_loss = [math.inf if x is None else x for x in kept.facts["best_loss"]]
        self._worse = list(kept.facts["worse"])

    def _models(self, kept: Snapshot, place: str) -> dict[int, Model]:
        found: dict[int, dict[str, NDArray[Any]]] = {}
        for key, value in kept.tensors.items():
            head, m, *name = key.split(".", 2)
            if head == place:
                found.setdefault(int(m), {})[name[0]] = value
        return {m: Model("dense", self.network.sizes, tensors) for m, tensors in found.items()}


def _groups(parameters: Sequence[Tensor]) -> list[dict[str, Any]]:
    """Share the parameters out among two forms of AdamW, so that no member's last digits depend on who else is in the stack.

    The fused form, which is faster, rounds what is left over at a tensor's end in another way than the rest of it.
    """
    whole = [p for p in parameters if p[0].numel() % LANES == 0]
    ragged = [p for p in parameters if p[0].numel() % LANES]
    return [{"params": whole, "fused": True}, {"params": ragged, "foreach": True}]


def _clip(parameters: Sequence[Tensor], largest: float) -> None:
    """Scale each member's gradient down to the norm `largest`, in place."""
    gradients = [p.grad for p in parameters if p.grad is not None]
    # One member at a time: how torch shares out a sum among threads depends on how many sums there are.
    norm = torch.stack([torch.stack([each.norm() for each in g]) for g in gradients]).norm(dim=0)  # (M,)
    factor = (largest / (norm + 1e-6)).clamp(max=1)  # as torch's own clipping does
    for g in gradients:
        g.mul_(factor[:, None, None])
