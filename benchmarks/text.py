"""Every learner of texts, on a folder in the train channel's layout: accuracy, time, what it finds of planted errors, texts per second.

    python benchmarks/text.py --data DIR [--learners linear lstm …] [--noise 0.05 0.2] [--policies auto …]

A job with the learner's own defaults is run on the labels as they are (`--policy keep`), and one on train and dev labels with planted errors.
`text_epoch.py` holds an LSTM to the plain way of training one; `text_serving.py` looks at the endpoint more closely.
"""

from __future__ import annotations

import argparse
import csv
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from relabel import settings
from relabel.container import environment
from relabel.data import reading
from relabel.data.examples import Examples, Split
from relabel.job import main as job
from relabel.serving import capacity, handler, process, served
from relabel.serving.endpoint import Endpoint
from relabel.serving.messages import Request
from relabel.settings import ServeSettings, TrainSettings

LEARNERS = ("linear", "boosted", "pooled", "convolutional", "lstm")
SPLITS = {Split.TRAIN: "train", Split.DEV: "dev", Split.TEST: "test"}
SECONDS = 1.0


def write(folder: Path, examples: Examples, labels: np.ndarray) -> None:
    """Write the texts with these labels, without their duplicates in another split."""
    folder.mkdir(parents=True)
    for split, name in SPLITS.items():
        rows = examples.rows(split)
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            lines = csv.writer(file)
            lines.writerow(["review", "label"])
            lines.writerows((examples.texts[row], examples.classes[labels[row]]) for row in rows)


def planted(examples: Examples, rates: list[float], seed: int) -> np.ndarray:
    """Flip labels of train and dev: of class 0 and of class 1 at these rates."""
    rng = np.random.default_rng(seed)
    flipped = (rng.random(len(examples)) < np.array(rates)[examples.labels]) & (examples.split != Split.TEST)
    return np.where(flipped, 1 - examples.labels, examples.labels)


def run(data: Path, output: Path, **chosen: str) -> tuple[dict[str, Any], float]:
    """Run the job; give its figures and its seconds."""
    here = environment.read({})
    started = time.perf_counter()
    done = job.train(here.paths.moved(data=data, output=output), here, chosen, lambda _name, _done, _total: None)
    assert done.code == 0, done.reason
    return json.loads((output / "output/data/metrics.json").read_text()), time.perf_counter() - started


def found(output: Path, wrong: np.ndarray) -> tuple[float, float]:
    """Give precision and recall of the flagged training rows."""
    with (output / "output/data/label_issues.csv").open(encoding="utf-8", newline="") as file:
        rows = [int(line["row"]) for line in csv.DictReader(file) if line["split"] == "train"]
    return float(wrong[rows].mean()), float(wrong[rows].sum() / wrong.sum())


def per_second(model: Path, texts: list[str], together: int) -> float:
    """Give texts per second inside the process of an endpoint, on one thread."""
    chosen = settings.parse(ServeSettings, {})
    endpoint = Endpoint(served.load(model), chosen, capacity.of(chosen, cores=1, memory=4 << 30))
    bodies = [json.dumps({"instances": texts[n : n + together]}).encode() for n in range(0, 20 * together, together)]
    asked = [Request("POST", handler.INVOCATIONS, "application/json", body=body) for body in bodies]
    began, done = time.perf_counter(), 0
    while time.perf_counter() - began < SECONDS:
        for request in asked:
            assert handler.handle(request, endpoint).status == 200
            done += together
    return done / (time.perf_counter() - began)


def main() -> None:
    """Print a line for each learner."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--learners", nargs="+", default=LEARNERS)
    parser.add_argument("--noise", nargs=2, type=float, default=[0.05, 0.2], metavar=("OF_0", "OF_1"))
    parser.add_argument("--policies", nargs="*", default=["auto", "drop", "soft"])
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    process.compute_on_one_thread()
    examples = reading.read({"train": args.data}, TrainSettings())
    given = planted(examples, args.noise, args.seed)
    wrong = (given != examples.labels)[examples.rows(Split.TRAIN)]
    texts = examples.texts[examples.rows(Split.TEST)] * 20
    with tempfile.TemporaryDirectory() as made:
        clean, noisy = Path(made) / "clean", Path(made) / "noisy"
        write(clean, examples, examples.labels)
        write(noisy, examples, given)
        print(f"{wrong.size} training texts; with errors planted {wrong.sum()} of their labels are wrong")
        for learner in args.learners:
            output = Path(made) / learner
            figures, seconds = run(
                clean, output / "clean", learner=learner, policy="keep", data_issues="off", report="off"
            )
            speeds = [per_second(output / "clean/model", texts, together) for together in (1, 100)]
            accuracy = figures["comparison"]["before"]["accuracy"]
            print(f"{learner:14} accuracy {accuracy:.4f}  {seconds:6.1f} s  texts/s {speeds[0]:8.0f} {speeds[1]:8.0f}")
            for policy in args.policies:
                figures, seconds = run(
                    noisy,
                    output / policy,
                    learner=learner,
                    policy=policy,
                    data_issues="off",
                    report="off",
                    baselines="off",
                )
                right, caught = found(output / policy, wrong)
                gain = figures["comparison"]["gain"]["accuracy"]
                print(
                    f"  errors, {policy:6} flagged are right {right:.2f}, caught {caught:.2f}; accuracy "
                    f"{figures['comparison']['before']['accuracy']:.4f} to {figures['comparison']['after']['accuracy']:.4f}, "
                    f"gain {100 * gain['value']:+.2f} ({100 * gain['low']:+.2f} to {100 * gain['high']:+.2f})  {seconds:.1f} s",
                    flush=True,
                )


if __name__ == "__main__":
    main()
