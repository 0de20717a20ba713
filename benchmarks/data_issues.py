"""What the search for issues of data costs, and how it agrees with cleanlab's Datalab on the same neighbours.

python benchmarks/data_issues.py --data DIR [--data DIR ...] [--made 60000] [--threads 2]

DIR has the layout of the channel train. Datalab needs the package `datasets`, which relabel does not install; without it that part is left out.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import io
import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import threadpoolctl
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.stats import spearmanr
from sklearn.neighbors import NearestNeighbors

from relabel.auditing import neighbours
from relabel.auditing.data_issues import near_duplicates, outliers
from relabel.auditing.data_issues.survey import NEIGHBOURS, Opinion, distinct, survey
from relabel.auditing.neighbours import QUICK, THOROUGH, Graph, Search, View
from relabel.data import reading
from relabel.data.examples import Dense, Examples, Split
from relabel.settings import TrainSettings

ASKED = 1000
WIDTH, LATENT, PLACES = 768, 64, 400


def made(rows: int) -> Examples:
    """Make rows in many places of a space whose directions matter less and less, as those of language models do."""
    rng = np.random.default_rng(0)
    size = np.arange(1, WIDTH + 1) ** -0.5
    centres = rng.standard_normal((PLACES, WIDTH)) * size
    place = rng.integers(0, PLACES, rows)
    turned = np.linalg.qr(rng.standard_normal((WIDTH, WIDTH)))[0].astype(np.float32)
    x = (centres[place] + rng.standard_normal((rows, WIDTH), dtype=np.float32) * size).astype(np.float32) @ turned
    split = np.repeat(np.array(list(Split), np.uint8), [rows - 2 * (rows // 10), rows // 10, rows // 10])
    none = np.zeros(rows, bool)
    return Examples(
        Dense(x), place % 2, split, np.arange(rows), none, none, np.full(rows, "", object), None,
        ("0", "1"), ("train/train.csv",), np.zeros(rows, np.int32), np.arange(rows),
    )  # fmt: skip


def timed(work: Callable[[], object], times: int) -> float:
    """Give the seconds of the best of several runs."""
    best = np.inf
    for _ in range(times):
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return float(best)


def searches(name: str, examples: Examples, times: int) -> None:
    """Time a search and its recall beside exact ones in the whole width."""
    assert examples.features is not None
    rows = distinct(examples)
    asked = np.random.default_rng(0).permutation(rows.size)[:ASKED]
    whole = neighbours.view(examples.features, Search(0, 1), seed=0).points[rows]
    exact = _exact(whole, asked)
    print(f"\n{name}: {rows.size:,} distinct rows x {examples.features.shape[1]}, {NEIGHBOURS} neighbours")
    print(f"{'':34}{'seconds':>9}{'recall in view':>16}{'of whole width':>16}")
    for said, search in (("on: 64 directions, 4 lists", QUICK), ("thorough: whole width, 16 lists", THOROUGH)):
        view, graph = _graph(examples, search)
        seconds = timed(lambda search=search: _graph(examples, search), times)  # type: ignore[misc]
        inside = recall(graph.index[asked], _exact(view.points[rows], asked))
        print(f"{said:34}{seconds:9.2f}{inside:16.3f}{recall(graph.index[asked], exact):16.3f}")
    blocks = torch.from_numpy(whole)
    print(
        f"{'exact, torch in blocks':34}{timed(lambda: [(b @ blocks.T).topk(11) for b in blocks.split(1024)], 1):9.2f}"
    )
    scikit = NearestNeighbors(n_neighbors=NEIGHBOURS + 1, algorithm="brute").fit(whole)
    print(f"{'exact, scikit-learn':34}{timed(lambda: scikit.kneighbors(whole), 1):9.2f}")


def recall(found: NDArray[np.int64], exact: NDArray[np.int64]) -> float:
    """Give the share of the exact neighbours that were found."""
    return float(np.mean([np.isin(line, own).mean() for own, line in zip(found, exact, strict=True)]))


def costs(name: str, examples: Examples, times: int) -> None:
    """Time the whole search, with opinions of a model that knows nothing."""
    rng = np.random.default_rng(0)
    probability = rng.dirichlet(np.ones(len(examples.classes)), len(examples))
    opinion = Opinion(probability, np.zeros(len(examples)))
    quick = timed(lambda: survey(examples, opinion, QUICK), times)
    print(
        f"{name}: all issues, on {quick:.2f} s, thorough {timed(lambda: survey(examples, opinion, THOROUGH), 1):.2f} s"
    )


def agreement(name: str, examples: Examples) -> None:
    """Give Datalab our neighbours and compare near duplicates, at our threshold, and outliers."""
    from cleanlab import Datalab  # noqa: PLC0415

    assert examples.features is not None
    view, graph = _graph(examples, THOROUGH)
    ours = near_duplicates.measure(graph, examples.features, view.standard)
    limit = (ours.limit * ours.typical) ** 2 / 2  # as 1 - cosine
    far = outliers.distances(graph, view)
    count, k = far.shape
    table = csr_matrix((far.ravel(), graph.index.ravel(), np.arange(0, count * k + 1, k)), shape=(count, count))
    lab = Datalab({"row": np.arange(count)})
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        kinds = {"near_duplicate": {"threshold": limit / float(np.median(far[:, 0]))}, "outlier": {}}
        lab.find_issues(knn_graph=table, issue_types=kinds)
    pairs, _ = near_duplicates.near_pairs(graph, examples.features, view, ours)
    mine = {*pairs.ravel().tolist()}
    theirs = {*np.flatnonzero(lab.get_issues("near_duplicate")["is_near_duplicate_issue"]).tolist()}
    score = lab.get_issues("outlier")["outlier_score"].to_numpy()
    found = lab.get_issues("outlier")["is_outlier_issue"].to_numpy()
    own = outliers.scores(graph, view)
    top = count // 100
    shared = np.intersect1d(np.argsort(score)[:top], np.argsort(-own)[:top]).size / top
    print(
        f"{name}: rows with a near duplicate: ours {len(mine)}, Datalab's {len(theirs)}, both {len(mine & theirs)}; "
        f"outliers: rank correlation {spearmanr(-score, own).statistic:.3f} (of the distance alone {spearmanr(-score, far[:, -1]).statistic:.3f}), "
        f"{shared:.0%} of the worst 1% the same, "
        f"flagged {int((own > outliers.limit(count)).sum())} by us, {int(found.sum())} by Datalab"
    )


def planted(name: str, examples: Examples, seed: int) -> None:
    """Plant three kinds of outliers, ten each, and count what is found of them, and what else."""
    assert examples.features is not None
    x = examples.features.take(distinct(examples)).copy()
    rng = np.random.default_rng(seed)
    at = rng.permutation(len(x))[:30].reshape(3, 10)
    mean, deviation = x.mean(axis=0), x.std(axis=0)
    x[at[0]] = mean + deviation * rng.standard_normal((10, x.shape[1]))
    x[at[1]] *= 5
    x[at[2]] = 2 * mean - x[at[2]]
    points = neighbours.view(Dense(x), QUICK, seed=0)
    graph = neighbours.graph(points.points, np.arange(len(x)), neighbours=NEIGHBOURS, search=QUICK, seed=0)
    found = outliers.scores(graph, points) > outliers.limit(len(x))
    counts = [int(found[one].sum()) for one in at]
    print(
        f"{name}: planted outliers found, of 10: without structure {counts[0]}, five times as long {counts[1]}, "
        f"mirrored {counts[2]}; other rows {int(found.sum()) - sum(counts)}"
    )


def _graph(examples: Examples, search: Search) -> tuple[View, Graph]:
    assert examples.features is not None
    view = neighbours.view(examples.features, search, seed=0)
    return view, neighbours.graph(view.points, distinct(examples), neighbours=NEIGHBOURS, search=search, seed=0)


def _exact(points: NDArray[np.float32], asked: NDArray[np.intp]) -> NDArray[np.int64]:
    cosine = points[asked] @ points.T
    cosine[np.arange(asked.size), asked] = -2
    nearest: NDArray[np.int64] = np.argpartition(-cosine, NEIGHBOURS, axis=1)[:, :NEIGHBOURS]
    return nearest


def main() -> None:
    """Print everything."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, action="append", default=[])
    parser.add_argument("--made", type=int, action="append", default=[])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--times", type=int, default=3)
    told = parser.parse_args()
    torch.set_num_threads(told.threads)
    sets = {path.name: reading.read({"train": path}, TrainSettings()) for path in told.data}
    sets |= {f"made {rows:,}": made(rows) for rows in told.made}
    with threadpoolctl.threadpool_limits(told.threads):
        for name, examples in sets.items():
            searches(name, examples, told.times)
            costs(name, examples, told.times)
            if importlib.util.find_spec("datasets") and name in {path.name for path in told.data}:
                agreement(name, examples)
            if name in {path.name for path in told.data}:
                for seed in range(100, 103):
                    planted(name, examples, seed)
    print(f"\n{told.threads} threads of {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
