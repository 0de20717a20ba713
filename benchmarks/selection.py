"""How much a batch that is chosen teaches, beside one that is drawn: accuracy on clean test labels per number of labels.

    python benchmarks/selection.py --data DIR [--seeds 8] [--batch 100] [--batches 12] [--cells none "asymmetric 20/5"]

DIR is in the layout of the channel train, with labels that are taken for clean; a set of three classes is made beside it. For each seed
6,000 rows are drawn anew: a pool of nine tenths, and dev, on which training stops. Every method starts from the same rows, drawn by
chance, and all models of a round are fitted in one stack. ActiveLab may ask for a second label of a row, which carries noise of its own.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import label_cases
import numpy as np
import threadpoolctl
import torch
from label_cases import Case, Pool
from numpy.typing import NDArray

from relabel.auditing import annotators, selection
from relabel.data.examples import Split
from relabel.job.work import default_threads
from relabel.model import predictor
from relabel.model.artifact import Model
from relabel.training.learner import Hooks, Watch
from relabel.training.learners.stacked import Stacked
from relabel.training.member import Member, own_seed
from relabel.training.out_of_fold import predict
from relabel.training.stack import Recipe

ROWS = 6000
PEOPLE = 5  # who may each label a row once
FOLDS = 5  # for probabilities of labelled rows by models that did not see them
CELLS = ("none", "asymmetric 20/5")

Labels = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """What a method chooses from: probabilities (n, C), embeddings (n, D), labels (n, M), how many rows, a seed."""

    probability: NDArray[np.float32]
    features: NDArray[np.float32]
    labels: Labels
    count: int
    seed: int


Choose = Callable[[Asked], NDArray[np.intp]]


def smallest_margins(asked: Asked) -> NDArray[np.intp]:
    """Choose as textbooks do."""
    top = np.sort(asked.probability, axis=1)
    margin = np.where((asked.labels >= 0).any(axis=1), np.inf, top[:, -1] - top[:, -2])
    return np.argsort(margin, kind="stable")[: asked.count]


def ours(method: selection.Method, diversity: int, asked: Asked) -> NDArray[np.intp]:
    """Choose as `relabel select` does."""
    return selection.select(
        asked.probability,
        asked.features,
        asked.count,
        labels=asked.labels,
        group=np.arange(len(asked.features)),
        method=method,
        diversity=diversity,
        seed=asked.seed,
    ).rows


METHODS: Mapping[str, Choose] = {
    "random": partial(ours, "random", 1),
    "smallest margins": smallest_margins,
    "margin, diversity 1": partial(ours, "margin", 1),
    "margin": partial(ours, "margin", selection.DIVERSITY),
    "activelab, diversity 1": partial(ours, "activelab", 1),
    "activelab": partial(ours, "activelab", selection.DIVERSITY),
}


@dataclass(slots=True, eq=False)
class Known:
    """What one method has bought: labels (n, M) of the pool's rows, -1 where nobody gave one; and a settled label (n,) of each."""

    labels: Labels
    settled: Labels


class Race:
    """All methods on one draw."""

    def __init__(self, case: Case, batch: int, methods: Sequence[str]) -> None:
        self.methods = methods
        self.again = [name for name in methods if name.startswith("activelab")]
        self.case, self.batch, self.classes = case, batch, len(case.examples.classes)
        self.pool, self.dev = case.train, case.examples.rows(Split.DEV)
        self.test = case.examples.rows(Split.TEST)
        self.features = case.inputs(Split.TRAIN)
        rng = np.random.default_rng((case.seed, 2))
        noise = np.eye(self.classes) if case.given_true is None else case.given_true
        truth = case.truth[self.pool]
        self.given = np.stack([noisy(truth, noise, rng) for _ in range(PEOPLE)], axis=1)
        self.known = {name: Known(np.full((truth.size, PEOPLE), -1), np.full(truth.size, -1)) for name in methods}
        for name in methods:
            self._buy(name, rng.permutation(truth.size)[:batch] if name == "random" else self._first())
        self.learner = Stacked(self.classes, Recipe(max_epochs=30, patience=2))
        self.round = 0

    def step(self, *, last: bool) -> dict[str, float]:
        """Fit every method's models, give their accuracy, and, but for the last time, buy the next batch."""
        folds = {name: self._folds(name) for name in self.again}
        members = [self._member(self._labelled(name), name, 0) for name in self.methods]
        members += [
            self._member(self._labelled(name)[fold != f], name, 1 + f)
            for name, fold in folds.items()
            for f in range(FOLDS)
        ]
        watch = Watch(self.dev.astype(np.int32), self.case.examples.labels[self.dev])
        models = self.learner.fit(self.case.features, members, watch, Hooks())
        others = iter(models[len(self.methods) :])
        inside = {name: [next(others) for _ in range(FOLDS)] for name in self.again}
        found = {}
        for name, model in zip(self.methods, models, strict=False):
            found[name] = float((self._predicted(model, self.test).argmax(axis=1) == self._truth(self.test)).mean())
            if not last:
                self._next(name, model, folds.get(name), inside.get(name))
        self.round += 1
        return found

    def _next(self, name: str, model: Model, fold: NDArray[np.intp] | None, inside: Sequence[Model] | None) -> None:
        probability = self._predicted(model, self.pool)
        if fold is not None and inside is not None:
            rows = self._labelled(name)
            for f, other in enumerate(inside):
                probability[rows[fold == f]] = self._predicted(other, self.pool[rows[fold == f]])
        seed = own_seed(self.case.seed, self.round)
        self._buy(name, METHODS[name](Asked(probability, self.features, self.known[name].labels, self.batch, seed)))
        if name in self.again:
            known = self.known[name]
            people = (known.labels >= 0).any(axis=0)
            known.settled = annotators.judge(known.labels[:, people], self.classes, probability).consensus

    def _buy(self, name: str, rows: NDArray[np.intp]) -> None:
        """Get a label of each row from the next person who has not given one; from nobody where all have."""
        known = self.known[name]
        count = (known.labels[rows] >= 0).sum(axis=1)
        rows, count = rows[count < PEOPLE], count[count < PEOPLE]
        known.labels[rows, count] = self.given[rows, count]
        fresh = rows[count == 0]
        known.settled[fresh] = self.given[fresh, 0]

    def _first(self) -> NDArray[np.intp]:
        """The rows that random has, so that all start alike."""
        return np.flatnonzero((self.known["random"].labels >= 0).any(axis=1))

    def _labelled(self, name: str) -> NDArray[np.intp]:
        return np.flatnonzero(self.known[name].settled >= 0)

    def _folds(self, name: str) -> NDArray[np.intp]:
        rows = self._labelled(name)
        return np.random.default_rng((self.case.seed, 3, self.round)).permutation(rows.size) % FOLDS

    def _member(self, rows: NDArray[np.intp], name: str, part: int) -> Member:
        targets = self.case.examples.labels.copy()
        targets[self.pool] = self.known[name].settled.clip(min=0)  # of rows without a label nothing is learned
        weights = np.ones(targets.size, dtype=np.float32)
        return Member(self.pool[rows].astype(np.int32), targets, weights, own_seed(self.case.seed, self.round, part))

    def _predicted(self, model: Model, rows: NDArray[np.intp]) -> NDArray[np.float32]:
        return predict(predictor.load(model), self.case.features, rows)

    def _truth(self, rows: NDArray[np.intp]) -> Labels:
        return self.case.truth[rows]


def noisy(truth: Labels, given_true: NDArray[np.float64], rng: np.random.Generator) -> Labels:
    """Draw a label for each true one (n,)."""
    upper = given_true.cumsum(axis=1)[truth]
    drawn: Labels = (rng.random(truth.size)[:, None] >= upper[:, :-1]).sum(axis=1)
    return drawn


def raced(
    pool: Pool, cell: str, methods: Sequence[str], *, seeds: int, batch: int, batches: int
) -> dict[str, NDArray[np.float64]]:
    """Accuracy (seeds, 1 + batches) of each method, and on stderr where it stands."""
    found: dict[str, list[list[float]]] = {name: [] for name in methods}
    for seed in range(seeds):
        race = Race(label_cases.draw(pool, cell, rows=ROWS, seed=seed), batch, methods)
        steps = [race.step(last=n == batches) for n in range(1 + batches)]
        for name in methods:
            found[name].append([step[name] for step in steps])
        print(f"{pool.name}, {cell}, seed {seed}", file=sys.stderr, flush=True)
    return {name: np.array(values) for name, values in found.items()}


def table(title: str, found: Mapping[str, NDArray[np.float64]], batch: int) -> str:
    """A line for each method: accuracy at some sizes, gain over random in the mean of all sizes, labels for random's last accuracy."""
    size = batch * np.arange(1, 1 + found["random"].shape[1])
    shown = [size.size // 4, size.size // 2, 3 * size.size // 4, size.size - 1]
    heads = "".join(f"{f'{size[n]:,}':>9}" for n in shown)
    lines = [f"{title:32}{heads}   gain over random   labels for random's last"]
    for name, values in found.items():
        gain = 100 * (values - found["random"])[:, 1:].mean(axis=1)
        error = gain.std(ddof=1) / np.sqrt(gain.size) if gain.size > 1 else 0.0
        accuracy = "".join(f"{100 * values[:, n].mean():>9.1f}" for n in shown)
        needed = reached(size, values.mean(axis=0), found["random"].mean(axis=0)[-1])
        lines.append(f"{name:32}{accuracy}{f'{gain.mean():+.2f} ±{error:.2f}':>19}{needed:>27}")
    return "\n".join(lines)


def reached(size: NDArray[np.intp], accuracy: NDArray[np.float64], level: float) -> str:
    """Say from which size on a curve, made to rise, has the accuracy."""
    rising = np.maximum.accumulate(accuracy)
    if rising[-1] < level:
        return f"over {size[-1]:,}"
    return f"{int(np.interp(level, rising, size)):,}"


def main() -> None:
    """Run what was asked for and print a table for each set and kind of noise."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--data", type=Path, action="append", default=[], help="folder with clean labels; may be repeated"
    )
    parser.add_argument("--seeds", type=int, default=8, help="draws of each set (%(default)s)")
    parser.add_argument("--batch", type=int, default=100, help="labels of a batch, and at the start (%(default)s)")
    parser.add_argument("--batches", type=int, default=12, help="batches (%(default)s)")
    parser.add_argument("--cells", nargs="*", default=CELLS, help="kinds of noise (%(default)s)")
    parser.add_argument(
        "--methods", nargs="*", default=[*METHODS], choices=[*METHODS], help="random among them (%(default)s)"
    )
    parser.add_argument("--not-made", action="store_true", help="leave the made set of three classes out")
    parser.add_argument("--threads", type=int, default=default_threads(), help="processor threads (%(default)s)")
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    with threadpoolctl.threadpool_limits(asked.threads):
        pools: Sequence[Pool] = [label_cases.read(folder) for folder in asked.data]
        pools = [*pools, *([] if asked.not_made else [label_cases.three_classes()])]
        for pool in pools:
            for cell in asked.cells:
                found = raced(pool, cell, asked.methods, seeds=asked.seeds, batch=asked.batch, batches=asked.batches)
                print(table(f"{pool.name}, {cell}", found, asked.batch), end="\n\n", flush=True)


if __name__ == "__main__":
    main()
