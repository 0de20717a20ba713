"""What a warm start is worth: models trained on from those of fewer labels, against models that begin anew, on real data.

    python benchmarks/warm_start.py DATA [--repeats 10]

DATA is a channel's folder with {train,dev,test} files. For each repeat a champion learns from a random half of the training rows, and all rows,
or that half with a tenth more, are learned with and without its weights. Scored on the test rows as given; means over the repeats, and the
deviation of a mean.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from relabel.data import reading
from relabel.data.examples import Examples, Split
from relabel.evaluation import metrics
from relabel.model import predictor
from relabel.model.artifact import Model
from relabel.settings import TrainSettings
from relabel.training.learner import Hooks
from relabel.training.learners.stacked import Stacked
from relabel.training.member import Member
from relabel.training.out_of_fold import predict
from relabel.training.stack import Recipe

CHAMPION, EPOCHS = 4, (1, 2, 4, 8)


def fitted(
    examples: Examples, rows: Sequence[NDArray[np.int32]], epochs: int, starts: Sequence[Model | None]
) -> list[Model]:
    """Fit a member for each set of rows."""
    weights = np.ones(len(examples), np.float32)
    members = [
        Member(np.sort(own), examples.labels, weights, 1000 * epochs + n, start)
        for n, (own, start) in enumerate(zip(rows, starts, strict=True))
    ]
    return Stacked(len(examples.classes), Recipe(max_epochs=epochs)).fit(examples.features, members, None, Hooks())


def shown(examples: Examples, models: Sequence[Model]) -> str:
    """Say the accuracy and the log loss on test."""
    test = examples.rows(Split.TEST)
    found = [metrics.score(examples.labels[test], predict(predictor.load(m), examples.features, test)) for m in models]
    figures = np.array([(100 * each.accuracy, each.log_loss) for each in found])
    mean, error = figures.mean(axis=0), figures.std(axis=0, ddof=1) / np.sqrt(len(figures))
    return f"accuracy {mean[0]:.2f}% ± {error[0]:.2f}, log loss {mean[1]:.4f} ± {error[1]:.4f}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--repeats", type=int, default=10)
    asked = parser.parse_args()
    examples = reading.read({"train": asked.data}, TrainSettings())
    training = examples.rows(Split.TRAIN)
    orders = [np.random.default_rng((n, 1)).permutation(training).astype(np.int32) for n in range(asked.repeats)]
    half = training.size // 2
    nothing = [None] * asked.repeats
    champions = fitted(examples, [order[:half] for order in orders], CHAMPION, nothing)
    print(f"champion, {half:,} rows, {CHAMPION} epochs: {shown(examples, champions)}")
    for name, count in (("a tenth more", half + half // 10), ("twice as many", training.size)):
        print(f"\n{name}, {count:,} rows")
        for epochs in EPOCHS:
            for how, starts in (("anew", nothing), ("warm", champions)):
                models = fitted(examples, [order[:count] for order in orders], epochs, starts)
                print(f"  {how} {epochs} epochs: {shown(examples, models)}", flush=True)


if __name__ == "__main__":
    main()
