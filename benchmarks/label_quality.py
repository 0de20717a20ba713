"""How many planted label errors are found, how sure that is, and what treating them is worth: ours beside others.

    python benchmarks/label_quality.py --data DIR [--rows 8000] [--seeds 5] [--cells ...] [--methods ...] [--jobs ...]

DIR is in the layout of the channel train, with labels that are taken for clean; a set of three classes is made beside it. For each seed
rows are drawn anew and errors planted in train and dev; test stays clean. Prints a table for each kind of noise, mean and deviation
over the seeds, then where ours stands. AUPRC, F1 and calibration are of the training rows, against the planted errors.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import label_cases
import label_methods
import numpy as np
import threadpoolctl
import torch
from label_cases import Case, Pool
from label_methods import Answer, Method
from numpy.typing import NDArray
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import average_precision_score

from relabel.job.work import default_threads

COLUMNS = {
    "auprc": ("AUPRC", 1.0),
    "f1": ("F1 flags", 1.0),
    "f1_count": ("F1 count", 1.0),
    "flagged": ("flagged %", 100.0),
    "skill": ("Brier sk.", 1.0),
    "ratio": ("exp/true", 1.0),
    "keep": ("test keep", 100.0),
    "gain": ("gain", 100.0),
    "seconds": ("seconds", 1.0),
}
"""Measure -> heading, and what it is multiplied with."""

STANDING = {
    "skill": ("Brier sk.", 1.0),
    "hindsight": ("hindsight", 1.0),
    "ratio": ("exp/true", 1.0),
    "total": ("all/true", 1.0),
    "covered": ("covered", 1.0),
    "width": ("width", 1.0),
    "bias": ("bias", 1.0),
    "gain": ("gain", 100.0),
    "treats": ("treats", 1.0),
}
"""The same for the last table."""

STRONGEST = ("CleanLearning(LR)", "CleanLearning(LR), tuned")


class Run(NamedTuple):
    """One method on one case."""

    pool: str
    cell: str
    seed: int
    method: str
    measures: dict[str, float]


def measured(case: Case, answer: Answer, seconds: float) -> dict[str, float]:
    """Hold an answer against the truth; what cannot be said is left out.

    exp/true is the errors expected among the flags over the true ones there, all/true the same of all training rows; noise rates are
    those off the diagonal, against the planted ones.
    """
    wrong = case.wrong
    found = {"seconds": seconds}
    if wrong.any():
        found["auprc"] = float(average_precision_score(wrong, answer.score))
        found["f1_count"] = float(wrong[np.argsort(-answer.score, kind="stable")[: wrong.sum()]].mean())
    if answer.flagged is not None:
        found["flagged"] = float(answer.flagged.mean())
    if answer.flagged is not None and wrong.any():
        found["f1"] = float(2 * (answer.flagged & wrong).sum() / (answer.flagged.sum() + wrong.sum()))
    if answer.posterior is not None and answer.flagged is not None:
        found |= _calibration(wrong, answer.flagged, answer.posterior)
        found |= _hindsight(wrong, answer.score)
    if answer.keep is not None and answer.after is not None:
        found |= {"keep": answer.keep, "gain": answer.after - answer.keep, "treats": float(bool(answer.treated))}
    if answer.noise is not None and case.given_true is not None:
        off = ~np.eye(len(case.given_true), dtype=np.bool_)
        low, high, truth = answer.noise.low[off], answer.noise.high[off], case.given_true[off]
        found |= {
            "covered": float(((low <= truth) & (truth <= high)).mean()),
            "width": float((high - low).mean()),
            "bias": float((answer.noise.given_true[off] - truth).mean()),
        }
    return found


def _calibration(
    wrong: NDArray[np.bool_], flagged: NDArray[np.bool_], posterior: NDArray[np.float64]
) -> dict[str, float]:
    """Brier skill over saying the true share for every row, and errors expected per true one: among the flags, and in all."""
    spread, hits = float(wrong.var()), int(wrong[flagged].sum())
    found = {"skill": 1 - float(((posterior - wrong) ** 2).mean()) / spread} if spread else {}
    if hits:
        found |= {"ratio": float(posterior[flagged].sum() / hits), "total": float(posterior.sum() / wrong.sum())}
    return found


def _hindsight(wrong: NDArray[np.bool_], score: NDArray[np.floating]) -> dict[str, float]:
    """Brier skill of the same order of rows with the best posterior there is for it: isotonic regression on the truth."""
    spread = float(wrong.var())
    best = IsotonicRegression().fit_transform(score, wrong)
    return {"hindsight": 1 - float(((best - wrong) ** 2).mean()) / spread} if spread else {}


def runs(
    pools: Sequence[Pool], cells: Sequence[str], chosen: Mapping[str, Method], rows: int, seeds: Sequence[int]
) -> list[Run]:
    """Run every method on every case, and say on stderr where it stands."""
    done = []
    for pool in pools:
        for cell in cells:
            for seed in seeds:
                case = label_cases.draw(pool, cell, rows=rows, seed=seed)
                found = {name: _timed(case, method) for name, method in chosen.items()}
                done += [Run(pool.name, cell, seed, name, measures) for name, measures in found.items()]
                spent = sum(measures["seconds"] for measures in found.values())
                print(f"{pool.name}, {cell}, seed {seed}: {spent:.0f} s", file=sys.stderr, flush=True)
    return done


def _timed(case: Case, method: Method) -> dict[str, float]:
    start = time.perf_counter()
    answer = method(case)
    return measured(case, answer, time.perf_counter() - start)


def values(done: Iterable[Run], measure: str, **where: str) -> NDArray[np.float64]:
    """Collect a measure of the runs that have it, over their seeds, where fields have these values."""
    return np.array(
        [
            run.measures[measure]
            for run in done
            if measure in run.measures and all(getattr(run, name) == value for name, value in where.items())
        ]
    )


def table(done: Sequence[Run], pool: str, cell: str, names: Sequence[str]) -> str:
    """One cell: a line for each method, mean and deviation of each measure."""
    widest = max(map(len, names))
    lines = [f"{pool}, {cell}", " " * widest + "".join(f"{heading:>14}" for heading, _ in COLUMNS.values())]
    for name in names:
        found = [
            _shown(values(done, measure, pool=pool, cell=cell, method=name) * factor, 1 if factor > 1 else 3)
            for measure, (_, factor) in COLUMNS.items()
        ]
        lines.append(f"{name:{widest}}" + "".join(f"{text:>14}" for text in found))
    return "\n".join(lines)


def _shown(found: NDArray[np.float64], digits: int) -> str:
    if not found.size:
        return "-"
    return f"{found.mean():.{digits}f} ±{found.std(ddof=1) if found.size > 1 else 0:.{digits}f}"


def standing(done: Sequence[Run], ours: str) -> str:
    """Our method `ours` in each cell beside the better CleanLearning and the best of our policies, keep among them."""
    heads = ("d AUPRC", "d F1", *(heading for heading, _ in STANDING.values()), "regret")
    lines = [
        f"{ours}: less the better CleanLearning; calibration; noise rates; gain in points, share of runs that treat, regret",
        f"{'':32}" + "".join(f"{heading:>11}" for heading in heads),
    ]
    for pool, cell in dict.fromkeys((run.pool, run.cell) for run in done):
        here = [run for run in done if (run.pool, run.cell) == (pool, cell)]
        figures = [
            *(_ahead(here, measure, ours) for measure in ("auprc", "f1")),
            *(factor * _mean(values(here, measure, method=ours)) for measure, (_, factor) in STANDING.items()),
            100 * _regret(here, ours),
        ]
        shown = ("-" if np.isnan(figure) else f"{figure:.3f}" for figure in figures)
        lines.append(f"{f'{pool}, {cell}':32}" + "".join(f"{text:>11}" for text in shown))
    return "\n".join(lines)


def _ahead(here: Sequence[Run], measure: str, ours: str) -> float:
    """By how much ours leads the better of its peers in the mean."""
    others = [found.mean() for name in STRONGEST if (found := values(here, measure, method=name)).size]
    return _mean(values(here, measure, method=ours)) - max(others, default=float("nan"))


def _regret(here: Sequence[Run], ours: str) -> float:
    """What the gain of ours lacks in the mean to that of the best of our policies; keep gains nothing."""
    names = {run.method for run in here if run.method.startswith("ours ")}
    best = max(_mean(values(here, "gain", method=name)) for name in names)
    return max(0.0, best) - _mean(values(here, "gain", method=ours))


def _mean(found: NDArray[np.float64]) -> float:
    return float(found.mean()) if found.size else float("nan")


def _chosen(known: Iterable[str], asked: Sequence[str]) -> list[str]:
    """The names that begin with one of those asked for; all where none is."""
    return [name for name in known if not asked or any(name.startswith(start) for start in asked)]


def main() -> None:
    """Run what was asked for and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--data", type=Path, action="append", default=[], help="folder with clean labels; may be repeated"
    )
    parser.add_argument(
        "--rows", type=int, default=8000, help="rows of train and dev (%(default)s, at most 4/5 of all)"
    )
    parser.add_argument("--seeds", type=int, default=5, help="draws of each cell (%(default)s)")
    parser.add_argument("--first-seed", type=int, default=0, help="of these draws (%(default)s)")
    parser.add_argument("--cells", nargs="*", default=[], help=f"beginnings of {', '.join(label_cases.CELLS)}")
    parser.add_argument(
        "--methods", nargs="*", default=[], help=f"beginnings of ours, {', '.join(label_methods.PEERS)}"
    )
    parser.add_argument(
        "--jobs", nargs="*", default=label_methods.JOBS, help="settings of our job; the last is compared"
    )
    parser.add_argument("--not-made", action="store_true", help="leave the made set of three classes out")
    parser.add_argument("--threads", type=int, default=default_threads(), help="processor threads (%(default)s)")
    parser.add_argument("--json", type=Path, help="file for the measures of every run")
    asked = parser.parse_args()
    known = label_methods.methods(tuple(asked.jobs))
    chosen = {name: known[name] for name in _chosen(known, asked.methods)}
    if not chosen:
        parser.error(f"--methods names none of {', '.join(known)}")
    seeds = range(asked.first_seed, asked.first_seed + asked.seeds)
    torch.set_num_threads(asked.threads)
    with threadpoolctl.threadpool_limits(asked.threads):
        pools = [label_cases.read(folder) for folder in asked.data]
        pools += [] if asked.not_made else [label_cases.three_classes()]
        done = runs(pools, _chosen(label_cases.CELLS, asked.cells), chosen, asked.rows, seeds)
    if asked.json:
        asked.json.write_text(json.dumps([run._asdict() for run in done]))
    for pool, cell in dict.fromkeys((run.pool, run.cell) for run in done):
        print(table(done, pool, cell, tuple(chosen)), end="\n\n")
    ours = [name for name in chosen if name.startswith("ours ")]
    if ours:
        print(standing(done, ours[-1]))


if __name__ == "__main__":
    main()
