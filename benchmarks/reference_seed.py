"""The plain recipe that relabel is measured against, as its user would write it with the libraries' own defaults.

    python benchmarks/reference_seed.py --data DIR --out DIR [--folds N]

Baseline fit and test; unshuffled k-fold over train, dev and test together with a fresh model for each fold; cleanlab's
ranked issues; every flagged label flipped, test labels too; refit, and retest on the flipped labels. So the gain that
it reports is optimistic: that is the recipe's way. What would end it early or mix up rows is right here: predictions
keep the order of the rows, a last batch of one row works, each fit has its own checkpoint folder.

The last line printed is JSON: the results, and seconds of each stage, after imports and since the process began
(Linux; what the interpreter needs to end is not in it).
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytorch_lightning as pl
import torch
from cleanlab.filter import find_label_issues
from numpy.typing import NDArray
from pytorch_lightning.callbacks import ModelCheckpoint
from sklearn.model_selection import KFold
from torch import Tensor, nn
from torch.utils.data import ConcatDataset, DataLoader, Dataset, Subset

SPLITS = ("train", "dev", "test")
BATCH, HIDDEN, LR = 32, 64, 3e-4


class Reviews(Dataset[tuple[Tensor, Tensor]]):
    """The rows of one split: (embedding (D,) float32, label () float32)."""

    def __init__(self, embeddings: Tensor, labels: NDArray[np.int64]) -> None:
        self.embeddings = embeddings
        self.labels = torch.tensor(labels, dtype=torch.float32)

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, row: int) -> tuple[Tensor, Tensor]:
        return self.embeddings[row], self.labels[row]


class Classifier(pl.LightningModule):
    """Two dense layers that give the logit of label 1."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(inputs, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 1))

    def forward(self, embeddings: Tensor) -> Tensor:
        """Turn (B, D) into logits (B,)."""
        return torch.squeeze(self.layers(embeddings), -1)

    def training_step(self, batch: tuple[Tensor, Tensor]) -> Tensor:
        """Give the loss to descend."""
        return self._score(batch)[0]

    def validation_step(self, batch: tuple[Tensor, Tensor]) -> None:
        """Log the mean loss and accuracy over the dev rows."""
        loss, accuracy = self._score(batch)
        self.log_dict({"dev_loss": loss, "dev_acc": accuracy})

    def test_step(self, batch: tuple[Tensor, Tensor]) -> None:
        """Log the mean loss and accuracy over the test rows."""
        loss, accuracy = self._score(batch)
        self.log_dict({"test_loss": loss, "test_acc": accuracy})

    def predict_step(self, batch: tuple[Tensor, Tensor]) -> Tensor:
        """Give the probability of label 1, (B,)."""
        return torch.sigmoid(self(batch[0]))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Use Adam."""
        return torch.optim.Adam(self.parameters(), lr=LR)

    def _score(self, batch: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        embeddings, labels = batch
        logits = self(embeddings)
        loss = nn.functional.binary_cross_entropy_with_logits(logits, labels)
        return loss, ((logits > 0) == (labels > 0.5)).float().mean()


def read(folder: Path) -> tuple[pd.DataFrame, dict[str, Tensor]]:
    """Read the rows of all splits (split, review, label), and each split's embeddings as float32."""
    tables = [pd.read_csv(folder / f"{split}.csv", keep_default_na=False).assign(split=split) for split in SPLITS]
    stored = {split: torch.load(folder / f"{split}.pt", weights_only=True) for split in SPLITS}
    return pd.concat(tables, ignore_index=True), {split: x.float().flatten(1) for split, x in stored.items()}


def datasets(table: pd.DataFrame, embeddings: dict[str, Tensor]) -> dict[str, Reviews]:
    """Pair each split's embeddings with its labels."""
    return {split: Reviews(x, table["label"][table["split"] == split].to_numpy()) for split, x in embeddings.items()}


def loader(rows: Dataset[tuple[Tensor, Tensor]], *, shuffle: bool = False) -> DataLoader[tuple[Tensor, Tensor]]:
    """Collect batches row by row."""
    return DataLoader(rows, batch_size=BATCH, shuffle=shuffle)


def trainer(folder: Path, *callbacks: pl.Callback) -> pl.Trainer:
    """Make a trainer of one epoch that keeps its checkpoints in `folder` and prints nothing."""
    quiet: dict[str, Any] = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False}
    return pl.Trainer(max_epochs=1, default_root_dir=folder, callbacks=[*callbacks], **quiet)


def fit_and_test(data: dict[str, Reviews], checkpoints: Path) -> dict[str, float]:
    """Fit on train, choose on dev, score on test."""
    best = ModelCheckpoint(checkpoints, filename="best", monitor="dev_loss", enable_version_counter=False)
    model = Classifier(data["train"].embeddings.shape[1])
    runner = trainer(checkpoints, best)
    runner.fit(model, loader(data["train"], shuffle=True), loader(data["dev"]))
    [scores] = runner.test(model, loader(data["test"]), ckpt_path=best.best_model_path, verbose=False)
    return {"loss": scores["test_loss"], "acc": scores["test_acc"]}


def cross_validate(data: dict[str, Reviews], folds: int, folder: Path) -> NDArray[np.float64]:
    """Give each row's probability of label 1, (N,), from the model that has not seen it."""
    rows: ConcatDataset[tuple[Tensor, Tensor]] = ConcatDataset(data.values())
    probability = np.zeros(len(rows))
    for fold, (seen, held_out) in enumerate(KFold(folds).split(np.arange(len(rows)))):
        model = Classifier(data["train"].embeddings.shape[1])
        runner = trainer(folder / f"fold{fold}")
        runner.fit(model, loader(Subset(rows, seen), shuffle=True))
        predicted: Any = runner.predict(model, loader(Subset(rows, held_out)))
        probability[held_out] = torch.cat(predicted).cpu().numpy()
    return probability


def label_studio_tasks(table: pd.DataFrame, probability: NDArray[np.float64], rows: NDArray[np.int64]) -> list[object]:
    """Give the flagged rows as tasks of Label Studio, each with the label that the model would choose."""
    about = {"from_name": "sentiment", "to_name": "text", "type": "choices"}
    tasks: list[object] = []
    for row in rows.tolist():
        choice = "Positive" if probability[row] > 0.5 else "Negative"
        result = {"value": {"choices": [choice]}, "id": f"data-{row}", **about}
        tasks.append({"data": {"text": table["review"][row]}, "predictions": [{"result": [result]}]})
    return tasks


def process_seconds() -> float:
    """Tell how long ago this process began, to 0.01 s (Linux: field 22 of /proc/self/stat)."""
    ticks = Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19]
    return time.clock_gettime(time.CLOCK_BOOTTIME) - int(ticks) / os.sysconf("SC_CLK_TCK")


def run(data: Path, out: Path, folds: int) -> dict[str, object]:
    """Do the whole recipe, write its files under `out`, and tell the results and the times."""
    clock = {"imports": process_seconds()}
    out.mkdir(parents=True, exist_ok=True)
    table, embeddings = read(data)
    given = datasets(table, embeddings)
    clock["read"] = process_seconds()
    before = fit_and_test(given, out / "checkpoints" / "baseline")
    (out / "pre-results.json").write_text(json.dumps(before))
    clock["baseline"] = process_seconds()
    probability = cross_validate(given, folds, out / "checkpoints")
    clock["cross_validation"] = process_seconds()
    both = np.stack([1 - probability, probability], axis=1)
    issues = find_label_issues(table["label"].to_numpy(), both, return_indices_ranked_by="self_confidence")
    table[["review", "label"]].assign(prob=probability).to_csv(out / "prob.csv", index=False)
    (out / "pre-annotations.json").write_text(json.dumps(label_studio_tasks(table, probability, issues)))
    clock["audit"] = process_seconds()
    table.loc[issues, "label"] = 1 - table["label"][issues]
    after = fit_and_test(datasets(table, embeddings), out / "model")
    (out / "final-results.json").write_text(json.dumps(after))
    clock["final"] = process_seconds()
    sizes = {"rows": len(table), "folds": folds, "threads": torch.get_num_threads(), "flagged": len(issues)}
    stages = dict(zip(clock, np.diff([0.0, *clock.values()]), strict=True))
    seconds = {"process": clock["final"], "after_imports": clock["final"] - clock["imports"], **stages}
    return sizes | {"before": before, "after": after, "seconds": {k: round(float(v), 2) for k, v in seconds.items()}}


def main() -> None:
    """Run the recipe and print one line of JSON."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    options.add_argument("--data", type=Path, required=True, help="folder with {train,dev,test}.{csv,pt}")
    options.add_argument("--out", type=Path, required=True, help="folder to write to")
    options.add_argument("--folds", type=int, default=5, help="folds of the cross-validation (%(default)s)")
    options.add_argument("--seed", type=int, default=0, help="of the weights and the order of rows (%(default)s)")
    given = options.parse_args()
    warnings.filterwarnings("ignore", module="pytorch_lightning")
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    pl.seed_everything(given.seed, verbose=False)
    print(json.dumps(run(given.data, given.out, given.folds)))


if __name__ == "__main__":
    main()
