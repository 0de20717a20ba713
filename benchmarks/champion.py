"""How often the rule of promotion is wrong, on made champions and challengers whose true worth is known.

    python benchmarks/champion.py [--runs 1000] [--jobs 4]

Rows have two classes. Both models see the same evidence of a row, with noise of which they share the part `ALIKE`, so they are right and wrong
on much the same rows, as two models of one data set are; how sharp each is decides its accuracy. Labels are right, or wrong at known rates.
Prints the share of runs in which the challenger was promoted, then what several rounds do on one set of test rows and on fresh ones.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from relabel.evaluation import comparison, guards, promotion
from relabel.evaluation.promotion import Promotion

ACCURACY, ALIKE = 0.85, 0.9
SIZES = (200, 1000, 5000)
GAINS = (-2.0, -1.0, -0.5, 0.0, 1.0, 2.0, 4.0)
NOISES = {"right labels": None, "5% and 20% wrong": np.array([[0.95, 0.05], [0.2, 0.8]])}
ROUNDS, DEVIATION = 5, 0.5
NORMAL = statistics.NormalDist()


class Rows(NamedTuple):
    """Test rows of one run: true and given labels (n,), and the evidence that models share, and that each has alone: (n,)."""

    truth: NDArray[np.int64]
    given: NDArray[np.int64]
    shared: NDArray[np.float64]


def drawn(rng: np.random.Generator, count: int, noise: NDArray[np.float64] | None) -> Rows:
    """Draw test rows."""
    truth = rng.integers(0, 2, count)
    given = truth if noise is None else (rng.random(count) < noise[truth, 1]).astype(np.int64)
    return Rows(truth, given, rng.standard_normal(count))


def predicted(rng: np.random.Generator, rows: Rows, accuracy: float) -> NDArray[np.float64]:
    """Predict (n, 2) by a calibrated model that is right on this share of all rows to come."""
    sharp = NORMAL.inv_cdf(accuracy)
    own = rng.standard_normal(rows.truth.size)
    seen = sharp * (2 * rows.truth - 1) + np.sqrt(ALIKE) * rows.shared + np.sqrt(1 - ALIKE) * own
    one = 1 / (1 + np.exp(-2 * sharp * seen))
    return np.stack([1 - one, one], axis=1)


def decided(
    rows: Rows, champion: NDArray[np.float64], challenger: NDArray[np.float64], noise: NDArray[np.float64] | None
) -> Promotion:
    """Decide as the job does."""
    group = np.arange(rows.truth.size)
    found = comparison.compare(rows.given, champion[None], challenger[None], group, seed=0, noise=noise)
    kept = guards.gains(rows.given, champion, challenger, group, seed=0, noise=noise)
    return promotion.decide(found, kept)


def once(case: tuple[int, float, str], seed: int) -> bool:
    """One run: is the challenger promoted?"""
    size, gain, name = case
    rng = np.random.default_rng((seed, size, round(10 * gain) + 100))
    rows = drawn(rng, size, NOISES[name])
    sides = (predicted(rng, rows, ACCURACY), predicted(rng, rows, ACCURACY + gain / 100))
    return decided(rows, *sides, NOISES[name]).decision == "promote"


def rounds(fresh: bool, seed: int) -> tuple[int, int, list[float]]:  # noqa: FBT001
    """Five rounds without a change in the data: promotions, those of worse models, and by how much each gain was overstated, points.

    Every challenger's accuracy lies around that of the first champion: other seeds, other doubtful rows.
    """
    rng = np.random.default_rng((seed, 7))
    rows, worth = drawn(rng, 1000, None), ACCURACY
    champion, worse, overstated = predicted(rng, rows, worth), 0, []
    for _ in range(ROUNDS):
        own = ACCURACY + rng.normal(0, DEVIATION / 100)
        if fresh:
            rows = drawn(rng, 1000, None)
            champion = predicted(rng, rows, worth)
        challenger = predicted(rng, rows, own)
        found = decided(rows, champion, challenger, None)
        if found.decision == "promote":
            overstated.append(100 * (found.gain["accuracy"].value - (own - worth)))
            worse += own < worth
            champion, worth = challenger, own
    return len(overstated), worse, overstated


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--jobs", type=int, default=4)
    asked = parser.parse_args()
    with ProcessPoolExecutor(asked.jobs) as pool:
        print(
            f"share of {asked.runs:,} runs in which the challenger is promoted, by its true gain in points of accuracy"
        )
        print(f"{'labels':<20}{'rows':>6}" + "".join(f"{gain:>+8.1f}" for gain in GAINS))
        for name, size in itertools.product(NOISES, SIZES):
            shares = []
            for gain in GAINS:
                found = pool.map(partial(once, (size, gain, name)), range(asked.runs), chunksize=20)
                shares.append(statistics.fmean(found))
            print(f"{name:<20}{size:>6}" + "".join(f"{100 * share:>7.1f}%" for share in shares), flush=True)
        print(
            f"\n{ROUNDS} rounds on 1,000 rows without a change in the data; challengers lie {DEVIATION} points around the first"
        )
        for fresh in (False, True):
            runs = [*pool.map(partial(rounds, fresh), range(asked.runs // 2), chunksize=5)]
            over = [each for _, _, overstated in runs for each in overstated]
            print(
                f"{'fresh rows' if fresh else 'the same rows':<15}"
                f"runs that promote {statistics.fmean(count > 0 for count, _, _ in runs):.1%}, "
                f"that promote a worse model {statistics.fmean(worse > 0 for _, worse, _ in runs):.1%}; "
                f"gains of the promoted are overstated by {statistics.fmean(over) if over else 0:.1f} points",
                flush=True,
            )


if __name__ == "__main__":
    main()
