"""How often the rule of promotion is wrong without a change in the data, with real models on real rows.

    python benchmarks/champion_real.py DATA [--models 20] [--draws 25]

DATA is a channel's folder with {train,dev,test} files. Models learn from one half of the training rows, each with a seed of its own; the other
half is the population: a model's accuracy there is what it is worth. Every model is challenged by the next one on draws of test rows from that half.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from relabel.data import reading
from relabel.data.examples import Split
from relabel.evaluation import comparison, guards, promotion
from relabel.model import predictor
from relabel.settings import TrainSettings
from relabel.training.learner import Hooks
from relabel.training.learners.stacked import Stacked
from relabel.training.member import Member
from relabel.training.out_of_fold import predict
from relabel.training.stack import Recipe

SIZES = (200, 1000)


def main() -> None:
    """Print a line for each size of test."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--models", type=int, default=20)
    parser.add_argument("--draws", type=int, default=25)
    asked = parser.parse_args()
    examples = reading.read({"train": asked.data}, TrainSettings())
    order = np.random.default_rng(0).permutation(examples.rows(Split.TRAIN))
    known, people = np.sort(order[: order.size // 2]).astype(np.int32), order[order.size // 2 :]
    weights = np.ones(len(examples), np.float32)
    members = [Member(known, examples.labels, weights, seed) for seed in range(asked.models)]
    models = Stacked(len(examples.classes), Recipe(max_epochs=2)).fit(examples.features, members, None, Hooks())
    labels, group = examples.labels[people], examples.group[people]
    said = np.stack([predict(predictor.load(model), examples.features, people) for model in models])
    worth = 100 * (said.argmax(axis=2) == labels).mean(axis=1)
    print(
        f"{asked.models} models, {worth.min():.2f}% to {worth.max():.2f}% on {people.size:,} rows, deviation {worth.std():.2f}"
    )
    rng = np.random.default_rng(1)
    for size in SIZES:
        promoted, worse = 0, 0
        for n in range(asked.models):
            after = (n + 1) % asked.models
            for _ in range(asked.draws):
                rows = rng.choice(people.size, size, replace=False)
                own, sides = group[rows], (said[n, rows], said[after, rows])
                found = comparison.compare(labels[rows], sides[0][None], sides[1][None], own, seed=0)
                kept = guards.gains(labels[rows], *sides, own, seed=0)
                if promotion.decide(found, kept).decision == "promote":
                    promoted += 1
                    worse += bool(worth[after] < worth[n])
        tries = asked.models * asked.draws
        print(f"{size:>6} rows: promoted in {promoted} of {tries} comparisons, a worse model in {worse}", flush=True)


if __name__ == "__main__":
    main()
