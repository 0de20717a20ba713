"""What a loop is worth: labels that people are spared, and how often a worse model is promoted.

    python benchmarks/loop.py --data DIR [--repetitions 20] [--runs 50] [--jobs 2]

DIR has the folders `beauty` (train, dev, test) and `stream` (reference, window1, window4, window8), each a .csv beside a .pt. The labels there are
taken for right; annotators err at known rates, on test rows that they label too. Models are linear, in closed form, their strength chosen by
leaving one out.

labels     from 300 labels on, five rounds of 150. Traffic of `beauty` is 4,000 rows; that of `stream` comes as it came: reference and window1 at
           first, window4 from the third round on, window8 from the fourth. With little traffic, the windows alone come, from the first, second and
           third round on: half of all rows are labelled in the end. Accuracy is on rows that nobody labels, three in ten of all.
promotion  a champion of 600 labels, and challengers: as many labels, half as many, as many of people who err twice as often, and twice as many.
           The rule of promotion sees 400 test rows that annotators labelled; the true worth is that on 1,500 others.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np
import scipy.linalg
import threadpoolctl
from numpy.typing import NDArray

from relabel.data import duplicates, pool
from relabel.data.examples import Dense
from relabel.evaluation import comparison, guards, promotion, shares
from relabel.loop import choosing
from relabel.settings import TrainSettings

START, BATCH, ROUNDS = 300, 150, 5
HELD, TRAFFIC = 0.3, 4000
CHAMPION, TESTED, TRUTH = 600, 400, 1500
STRENGTHS = (1.0, 3.0)
SHARPNESS = 5.0
RESAMPLES = 2000
PRODUCTS, STREAM = ("train", "dev", "test"), ("reference", "window1", "window4", "window8")
SCENES: Mapping[str, tuple[str, Mapping[str, int]]] = {
    "beauty": ("beauty", dict.fromkeys(PRODUCTS, 0)),
    "stream": ("stream", dict(zip(STREAM, (0, 0, 2, 3), strict=True))),
    "stream, little traffic": ("stream", dict(zip(STREAM, (-1, 0, 1, 2), strict=True))),
}
"""Folder, and file -> round in which it comes, from 0; of what comes never, -1, the first labels are."""

NOISES = {"10% wrong": np.array([[0.9, 0.1], [0.1, 0.9]]), "5% and 20% wrong": np.array([[0.95, 0.05], [0.2, 0.8]])}
METHODS: Mapping[str, dict[str, object]] = {
    "random": {"method": "random"},
    "margin alone": {"method": "margin", "random_share": 0.0},
    "loop": {"method": "margin"},
}
CHALLENGERS = ("equal", "half the labels", "twice the errors", "twice the labels")

Floats = NDArray[np.float32]
Labels = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Set:
    """Rows without duplicates: vectors (N, D), labels (N,), the round (N,) in which each comes."""

    vectors: Floats
    labels: Labels
    comes: Labels


@cache
def read(data: Path, name: str) -> Set:
    """Read a data set."""
    folder, rounds = SCENES[name]
    parts = [pool.read(data / folder / f"{file}.pt", TrainSettings(), classes=("0", "1"), width=768) for file in rounds]
    vectors = np.concatenate([part.vectors for part in parts if part.vectors is not None])
    labels = np.concatenate([part.labels for part in parts])
    comes = np.repeat([*rounds.values()], [part.labels.size for part in parts])
    own = np.unique(duplicates.groups(Dense(vectors), None), return_index=True)[1]
    return Set(vectors[own], labels[own], comes[own])


def fitted(vectors: Floats, labels: Labels) -> Callable[[Floats], Floats]:
    """Fit a ridge regression on the labels; what comes gives probabilities (n, 2)."""
    mean, deviation = vectors.mean(axis=0), vectors.std(axis=0)
    scale = np.where(deviation < 1e-6, np.inf, deviation).astype(np.float32)
    inputs, named = (vectors - mean) / scale, np.eye(2, dtype=np.float32)[labels]
    share = named.mean(axis=0)
    products, best = inputs @ inputs.T, (np.inf, named)
    for strength in STRENGTHS:
        kernel = products + strength * labels.size * np.eye(labels.size, dtype=np.float32)
        inverse = scipy.linalg.cho_solve(scipy.linalg.cho_factor(kernel), np.eye(labels.size, dtype=np.float32))
        dual = inverse @ (named - share)
        error = float(((dual / np.diagonal(inverse)[:, None]) ** 2).mean())
        best = min(best, (error, dual), key=lambda one: one[0])
    weight = inputs.T @ best[1]

    def predicted(rows: Floats) -> Floats:
        scores = SHARPNESS * (((rows - mean) / scale) @ weight + share)
        odds = np.exp(scores - scores.max(axis=1, keepdims=True))
        return odds / odds.sum(axis=1, keepdims=True)

    return predicted


def annotated(truth: Labels, noise: NDArray[np.float64], rng: np.random.Generator) -> Labels:
    """Draw a person's labels."""
    return (rng.random(truth.size) < noise[truth, 1]).astype(np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Race:
    """Rows (n,) of a set that are or may be labelled, the labels (n,) that people would give, and the rows on which models are scored."""

    found: Set
    rows: Labels
    given: Labels
    held: Labels

    def run(self, model: Callable[[Floats], Floats], method: str, seed: int) -> list[float]:
        """Choose, label and fit, round by round, from a model of the first labels on."""
        known, right = np.arange(self.rows.size) < START, self.found.labels[self.held]
        accuracy = []
        for number in range(ROUNDS + 1):
            accuracy.append(float((model(self.found.vectors[self.held]).argmax(axis=1) == right).mean()))
            if number < ROUNDS:
                there = np.flatnonzero((self.found.comes[self.rows] <= number) | known)
                vectors = self.found.vectors[self.rows[there]]
                marks = {"fresh": np.ones(there.size, np.bool_), "asked": known[there], "test_share": 0.0}
                draw = {**marks, **METHODS[method], "seed": 1000 * seed + number}
                known[there[choosing.choose(model(vectors), vectors, BATCH, **draw).rows]] = True
                model = fitted(self.found.vectors[self.rows[known]], self.given[known])
        return accuracy


def raced(name: str, found: Set, noise: NDArray[np.float64], seed: int) -> dict[str, list[float]]:
    """Accuracy of each method before the first round and after each."""
    rng = np.random.default_rng((seed, 1))
    order = rng.permutation(found.labels.size)
    coming = order[found.comes[order] >= 0]
    held, rest = np.split(coming, [round(HELD * coming.size)])
    early = order[found.comes[order] == found.comes.min()]
    start = early[~np.isin(early, held)][:START]
    rows = np.concatenate([start, rest[~np.isin(rest, start)][: TRAFFIC if name == "beauty" else None]])
    given = annotated(found.labels[rows], noise, rng)
    first = fitted(found.vectors[start], given[:START])
    race = Race(found, rows, given, held)
    return {method: race.run(first, method, seed) for method in METHODS}


def contested(found: Set, noise: NDArray[np.float64], seed: int) -> dict[str, tuple[bool, bool]]:
    """Of each challenger: whether it was promoted, and whether it is truly worse than the champion."""
    rng = np.random.default_rng((seed, 2))
    order = rng.permutation(found.labels.size)
    test, truth, own, other = np.split(order[: TESTED + TRUTH + 3 * CHAMPION], np.cumsum([TESTED, TRUTH, CHAMPION]))
    said = annotated(found.labels[test], noise, rng)
    worse_noise = np.eye(2) + 2 * (noise - np.eye(2))
    people = {"equal": (CHAMPION, noise), "half the labels": (CHAMPION // 2, noise)}
    people |= {"twice the errors": (CHAMPION, worse_noise), "twice the labels": (2 * CHAMPION, noise)}
    champion = fitted(found.vectors[own], annotated(found.labels[own], noise, rng))
    right = float((champion(found.vectors[truth]).argmax(axis=1) == found.labels[truth]).mean())
    outcome = {}
    for name in CHALLENGERS:
        count, errors = people[name]
        challenger = fitted(found.vectors[other[:count]], annotated(found.labels[other[:count]], errors, rng))
        now = float((challenger(found.vectors[truth]).argmax(axis=1) == found.labels[truth]).mean())
        sides = [model(found.vectors[test]).astype(np.float64) for model in (champion, challenger)]
        outcome[name] = (_decided(said, sides[0], sides[1], noise, seed), now < right)
    return outcome


def _decided(
    labels: Labels,
    champion: NDArray[np.float64],
    challenger: NDArray[np.float64],
    noise: NDArray[np.float64],
    seed: int,
) -> bool:
    """Decide as the job does."""
    group = np.arange(labels.size)
    found = comparison.compare(labels, champion[None], challenger[None], group, seed=seed, noise=noise)
    lost = guards.gains(labels, champion, challenger, group, seed=seed, noise=noise)
    return promotion.decide(found, lost).decision == "promote"


def needed(curve: NDArray[np.float64], target: float) -> float:
    """Labels with which a curve first reaches an accuracy, by straight lines between the rounds; infinite where it does not."""
    sizes, best = START + BATCH * np.arange(curve.size), np.maximum.accumulate(curve)
    if best[-1] < target:
        return np.inf
    at = int(np.argmax(best >= target))
    if at == 0:
        return float(sizes[0])
    return float(sizes[at - 1] + BATCH * (target - best[at - 1]) / (best[at] - best[at - 1]))


def ratio(curves: NDArray[np.float64], random: NDArray[np.float64]) -> tuple[float, float, float]:
    """Labels for the last accuracy of random, in units of random's: value, low and high of a bootstrap over repetitions (R, 1 + rounds)."""
    rng, last = np.random.default_rng(0), START + BATCH * ROUNDS
    draws = [np.arange(len(curves)), *(rng.integers(len(curves), size=len(curves)) for _ in range(RESAMPLES))]
    found = [needed(curves[own].mean(axis=0), random[own].mean(axis=0)[-1]) / last for own in draws]
    low, high = np.sort(found[1:])[[round(0.025 * RESAMPLES), round(0.975 * RESAMPLES) - 1]]
    return found[0], float(low), float(high)


def race_table(title: str, raced_: list[dict[str, list[float]]]) -> str:
    """A line for each method."""
    curves = {name: np.array([one[name] for one in raced_]) for name in METHODS}
    sizes = "".join(f"{START + BATCH * number:>7,}" for number in range(ROUNDS + 1))
    lines = [f"{title:<32}{sizes}   gain over random    labels for random's last"]
    for name, own in curves.items():
        gain = 100 * (own - curves["random"])[:, 1:].mean(axis=1)
        value, low, high = ratio(own, curves["random"])
        shown = "".join(f"{100 * figure:7.1f}" for figure in own.mean(axis=0))
        error = gain.std(ddof=1) / len(gain) ** 0.5
        lines.append(
            f"{name:<32}{shown}   {gain.mean():+.2f} ±{error:.2f}        {value:.2f} ({low:.2f} to {high:.2f})"
        )
    return "\n".join(lines)


def contest_table(title: str, runs: list[dict[str, tuple[bool, bool]]]) -> str:
    """A line for each challenger."""
    lines = [f"{title:<32}    runs   truly worse   promoted    promoted though worse"]
    for name in CHALLENGERS:
        promoted, worse = (np.array([run[name][part] for run in runs]) for part in (0, 1))
        wrong = shares.wilson(int((promoted & worse).sum()), len(runs))
        assert wrong is not None
        share = f"{wrong.value:.3f} ({wrong.low:.3f} to {wrong.high:.3f})"
        lines.append(f"{name:<32}{len(runs):8}{int(worse.sum()):14}{int(promoted.sum()):11}    {share}")
    return "\n".join(lines)


def _race(data: Path, name: str, noise: str, seed: int) -> dict[str, list[float]]:
    with threadpoolctl.threadpool_limits(1):
        return raced(name, read(data, name), NOISES[noise], seed)


def _contest(data: Path, name: str, noise: str, seed: int) -> dict[str, tuple[bool, bool]]:
    with threadpoolctl.threadpool_limits(1):
        return contested(read(data, name), NOISES[noise], seed)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--repetitions", type=int, default=20)
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--jobs", type=int, default=2)
    said = parser.parse_args()
    cells = [(name, noise) for name in SCENES for noise in NOISES]
    with ProcessPoolExecutor(said.jobs) as workers:
        everything = []
        for cell in cells:
            found = [*workers.map(partial(_race, said.data, *cell), range(said.repetitions))]
            print(race_table(", ".join(cell), found), end="\n\n", flush=True)
        for cell in cells[: 2 * len(NOISES)]:
            runs = [*workers.map(partial(_contest, said.data, *cell), range(said.runs))]
            everything += runs
            print(contest_table(", ".join(cell), runs), end="\n\n", flush=True)
        print(contest_table("all", everything))


if __name__ == "__main__":
    main()
