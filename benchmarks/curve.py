"""Is the outlook of `relabel curve` right? Its gains beside those that come about, on data with planted errors.

    python benchmarks/curve.py --data DIR [--rows 500 2500] [--seeds 2] [--cells none "uniform 30"]

DIR is in the layout of the channel train, with labels that are taken for clean; a set of three classes is made beside it. Rows are drawn
anew for each seed, twice as many as are shown to the outlook. What comes about is measured on clean test labels: by models fitted on the
rows shown, on the same with the doubtful labels checked, and on twice the rows.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import label_cases
import numpy as np
import threadpoolctl
import torch
from label_cases import Case
from numpy.typing import NDArray

from relabel import settings
from relabel.auditing.examine import examine
from relabel.data.examples import Examples, Split
from relabel.evaluation.comparison import Interval
from relabel.evaluation.outlook import Outlook
from relabel.job import curve, material
from relabel.job.work import default_threads
from relabel.model import predictor
from relabel.model.artifact import Model
from relabel.settings import TrainSettings
from relabel.training import cross_fitting
from relabel.training.learner import Hooks, Watch
from relabel.training.learners.stacked import Stacked
from relabel.training.member import Member, own_seed
from relabel.training.out_of_fold import predict

CELLS = ("none", "asymmetric 20/5", "uniform 30")


class Truth(NamedTuple):
    """Gains on clean test labels: of checking the doubtful labels, and of twice the rows."""

    checked: float
    double: float


def shown(case: Case) -> Examples:
    """Leave every other training row out."""
    examples = case.examples
    left_out = (examples.split == Split.TRAIN) & (np.arange(len(examples)) % 2 == 1)
    return dataclasses.replace(examples, left_out=left_out)


def truth(case: Case, examples: Examples, chosen: TrainSettings) -> Truth:
    """Fit on what is known, on what would be known, and compare."""
    learner = Stacked(len(examples.classes), material.recipe(chosen))
    dev = examples.rows(Split.DEV).astype(np.int32)
    training = (examples.split == Split.TRAIN) & ~examples.left_out

    def fit(members: Sequence[Member]) -> list[Model]:
        return learner.fit(case.features, members, Watch(dev, examples.labels[dev]), Hooks())

    crossed = cross_fitting.plan(
        case.features,
        examples.labels,
        examples.group,
        training,
        folds_count=chosen.folds,
        repeats=chosen.seeds,
        seed=chosen.seed,
    )
    rows = crossed.rows
    probability = crossed.held_out(fit(crossed.members(examples.labels))).mean(axis=0)
    every = np.ones(rows.size, dtype=np.bool_)
    doubtful = rows[examine(examples.labels[rows], probability, training=every, trusted=~every).flagged]
    mended = examples.labels.copy()
    mended[doubtful] = case.truth[doubtful]
    sides = [(rows, examples.labels), (rows, mended), (case.train, examples.labels)]
    members = [_member(own, labels, seed) for own, labels in sides for seed in range(2 * chosen.seeds)]
    given, checked, double = np.array_split(_accuracies(case, fit(members)), len(sides))
    return Truth(float((checked - given).mean()), float((double - given).mean()))


def _member(rows: NDArray[np.intp], labels: NDArray[np.int64], seed: int) -> Member:
    return Member(rows.astype(np.int32), labels, np.ones(labels.size, dtype=np.float32), own_seed(77, seed))


def _accuracies(case: Case, models: Sequence[Model]) -> NDArray[np.float64]:
    test = case.examples.rows(Split.TEST)
    predicted = (predict(predictor.load(model), case.features, test).argmax(axis=1) for model in models)
    return np.array([(each == case.truth[test]).mean() for each in predicted])


def line(title: str, found: Outlook, came: Truth) -> str:
    """What was said and what came about, in points."""
    checked = "-" if found.checked is None else _points(found.checked)
    return (
        f"{title:34}{found.rows:>7,}{found.doubtful:>7,}{checked:>22}{100 * came.checked:>+7.1f}"
        f"{_points(found.more[-1].accuracy):>22}{100 * came.double:>+7.1f}   {found.answer}"
    )


def _points(gain: Interval) -> str:
    return f"{100 * gain.value:+.1f} ({100 * gain.low:.1f} to {100 * gain.high:.1f})"


def main() -> None:
    """Run what was asked for, and print a line for each draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--data", type=Path, action="append", default=[], help="folder with clean labels; may be repeated"
    )
    parser.add_argument("--rows", type=int, nargs="*", default=[500, 2500], help="training rows shown (%(default)s)")
    parser.add_argument("--seeds", type=int, default=2, help="draws of each (%(default)s)")
    parser.add_argument("--cells", nargs="*", default=CELLS, help="kinds of noise (%(default)s)")
    parser.add_argument("--not-made", action="store_true", help="leave the made set of three classes out")
    parser.add_argument("--threads", type=int, default=default_threads(), help="processor threads (%(default)s)")
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    print(f"{'':34}{'rows':>7}{'doubt':>7}{'checked, points':>22}{'came':>7}{'twice the rows':>22}{'came':>7}   answer")
    with threadpoolctl.threadpool_limits(asked.threads):
        pools = [label_cases.read(folder) for folder in asked.data]
        for pool in [*pools, *([] if asked.not_made else [label_cases.three_classes()])]:
            for cell, rows, seed in [(c, r, s) for c in asked.cells for r in asked.rows for s in range(asked.seeds)]:
                case = label_cases.draw(pool, cell, rows=round(2 * rows / (1 - label_cases.DEV_SHARE)), seed=seed)
                chosen = settings.parse(TrainSettings, {**curve.DEFAULTS, "seed": seed})
                examples = shown(case)
                found = curve.run(
                    examples, material.made(examples, chosen), chosen, curve.plainly(lambda _name, _done, _total: None)
                )
                print(line(f"{pool.name}, {cell}", found, truth(case, examples, chosen)), flush=True)
                print(found.sentence, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
