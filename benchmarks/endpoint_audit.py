"""How well an endpoint tells wrong labels: planted errors in rows that the served model never saw, and in those that it was trained on.

    python benchmarks/endpoint_audit.py --data DIR [--rows 6000] [--seeds 5] [--cells ...]

DIR is in the layout of the channel train, with labels that are taken for clean. For each seed the job runs with its defaults on rows drawn anew, with
errors planted in train and dev; test rows get errors of the same kind afterwards. Rows are sent with their labels, and held against the truth;
the job's own audit, of many models that did not see the row, stands beside. Mean and deviation over the seeds.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import label_cases
import numpy as np
import threadpoolctl
import torch
from label_cases import CONDITIONAL, Case
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score

from relabel import settings
from relabel.data.digest import digest
from relabel.data.examples import Split
from relabel.job import material, stages
from relabel.job.fits import Fits
from relabel.job.work import default_threads
from relabel.model import artifact
from relabel.results.findings import Findings
from relabel.serving import capacity, handler, served
from relabel.serving.endpoint import Endpoint
from relabel.serving.messages import Request
from relabel.serving.served import Served
from relabel.settings import ServeSettings, TrainSettings

ROWS = 500
"""Of one request."""
SIDES = ("held out", "held out, not softened", "job, training rows", "trained on", "job, the same rows")
MEASURES = ("AUPRC", "Brier skill", "expected/true", "repaired", "in sample")
"""Area under precision and recall of the posterior; its Brier skill over saying the true share; errors expected over true ones; share of wrong
labels whose true one is suggested; share of rows that are marked as trained on."""

Measures = Mapping[str, float]


def trained(case: Case, folder: Path) -> tuple[Findings, Endpoint]:
    """Run the job, and load what it would serve."""
    chosen = settings.parse(TrainSettings, {"seed": case.seed})
    fits = Fits(folder=folder / "fits", data=digest(case.examples), build={}, every=3600.0, clock=time.monotonic)
    findings, model = stages.run(case.examples, material.made(case.examples, chosen), fits.data, chosen, fits)
    artifact.save(folder / "model", model)
    serving = ServeSettings()
    return findings, Endpoint(served.load(folder / "model"), serving, capacity.of(serving, cores=1, memory=1 << 33))


def answers(endpoint: Endpoint, vectors: NDArray[np.float32], labels: list[str]) -> Iterator[dict]:
    """Send rows with their labels; give what comes back for each."""
    for start in range(0, len(vectors), ROWS):
        part = slice(start, start + ROWS)
        body = json.dumps({"instances": vectors[part].tolist(), "labels": labels[part]}).encode()
        response = handler.handle(Request("POST", "/invocations", "application/json", body=body), endpoint)
        assert response.status == 200, response.body
        yield from json.loads(response.body)["predictions"]


def asked(endpoint: Endpoint, case: Case, rows: NDArray[np.intp], given: NDArray[np.int64]) -> Measures:
    """Measure the answers to rows (n,) with labels (n,)."""
    names = case.examples.classes
    said = list(answers(endpoint, case.features.take(rows), [names[label] for label in given]))
    suggested = np.array([names.index(row["suggested_label"]) for row in said])
    posterior = np.array([row["error_posterior"] for row in said])
    marked = float(np.mean([row["in_sample"] for row in said]))
    return {**measured(case.truth[rows], given, posterior, suggested), "in sample": marked}


def measured(
    truth: NDArray[np.int64], given: NDArray[np.int64], posterior: NDArray[np.float64], suggested: NDArray[np.int64]
) -> Measures:
    """Hold posterior and suggestion (n,) against the truth (n,)."""
    wrong = given != truth
    return {
        "AUPRC": float(average_precision_score(wrong, posterior)),
        "Brier skill": 1 - float(((posterior - wrong) ** 2).mean() / wrong.var()),
        "expected/true": float(posterior.sum() / wrong.sum()),
        "repaired": float((suggested == truth)[wrong].mean()),
    }


def run(case: Case, matrix: NDArray[np.float64]) -> Mapping[str, Measures]:
    """Train and ask: test rows with errors of this kind, and the training rows that were kept; the job's own audit beside."""
    rng = np.random.default_rng((case.seed, 2))
    test, labels = case.examples.rows(Split.TEST), case.examples.labels
    given = np.array([rng.choice(len(matrix), p=matrix[true]) for true in case.truth[test]])
    with tempfile.TemporaryDirectory() as folder:
        findings, endpoint = trained(case, Path(folder))
        kept, audit = case.train[findings.treatment.weights[case.train] > 0], findings.audit
        plain = Served(dataclasses.replace(endpoint.served.artifact, temperature=1.0), endpoint.served.predictor)
        return {
            "held out": asked(endpoint, case, test, given),
            "held out, not softened": asked(dataclasses.replace(endpoint, served=plain), case, test, given),
            "trained on": asked(endpoint, case, kept, labels[kept]),
            **{
                name: measured(case.truth[rows], labels[rows], audit.posterior[rows], audit.suggested[rows])
                for name, rows in (("job, training rows", case.train), ("job, the same rows", kept))
            },
        }


def table(cell: str, found: list[Mapping[str, Measures]]) -> str:
    """Write one cell."""
    lines = [f"{cell:24}" + "".join(f"{name:>16}" for name in MEASURES)]
    for side in SIDES:
        values = [[each[side].get(name, np.nan) for each in found] for name in MEASURES]
        texts = ["-" if np.isnan(v).any() else f"{np.mean(v):.3f} ±{np.std(v):.3f}" for v in values]
        lines.append(f"  {side:22}" + "".join(f"{text:>16}" for text in texts))
    return "\n".join(lines)


def main() -> None:
    """Run what was asked for and print a table for each kind of noise."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with clean labels")
    parser.add_argument("--rows", type=int, default=6000, help="rows of train and dev (%(default)s)")
    parser.add_argument("--seeds", type=int, default=5, help="draws of each cell (%(default)s)")
    parser.add_argument("--cells", nargs="*", default=["asymmetric 20/5"], choices=[*CONDITIONAL], metavar="CELL")
    parser.add_argument("--threads", type=int, default=default_threads(), help="processor threads (%(default)s)")
    said = parser.parse_args()
    torch.set_num_threads(said.threads)
    with threadpoolctl.threadpool_limits(said.threads):
        pool = label_cases.read(said.data)
        for cell in said.cells:
            found = []
            for seed in range(said.seeds):
                case = label_cases.draw(pool, cell, rows=said.rows, seed=seed)
                found.append(run(case, CONDITIONAL[cell](len(case.examples.classes))))
                print(f"{cell}, seed {seed}", file=sys.stderr, flush=True)
            print(table(cell, found), flush=True)


if __name__ == "__main__":
    main()
