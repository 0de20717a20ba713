"""Make data in the layout of the train channel, of any size, with known wrong labels.

    python benchmarks/made_data.py --out DIR

writes the channel, DIR/train/{train,dev,test}.csv (columns review, label) and .pt (one float32 tensor (n, D) each),
and beside it DIR/truth, which no job may read. The sizes are those of the plain recipe unless told otherwise; a linear
model reaches about 0.91 on the labels as given.

Everything follows from the seed; labels, duplicates and texts do not depend on the width. Letters: N rows of all
splits, D width.
"""

from __future__ import annotations

import argparse
import csv
import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

LATENT = 48  # dimensions that the embeddings really fill, as an encoder's do: a few thousand rows suffice to learn
TOPICS = 16  # Gaussians of each class
TILT = 0.4  # how far a topic's own direction from class to class leaves the common one
APART = 3.6  # deviations between the two classes of a topic: a linear model gets 0.945 of the true labels right
BLUR = 0.3  # deviation of the noise on every column

LETTERS = np.array(list("abcdefghijklmnopqrstuvwxyz"))
WORDS = 1000
MARKED = 5  # words that stand in quotes, and as many that end a line: about one text in eight has either
TEXT_WORDS = (8, 45)
BOTH_LABELS = 0.0015  # share of the copies whose label contradicts their original's


class Made(NamedTuple):
    """Where the data is.

    channel: the folder with {train,dev,test}.{csv,pt}.
    truth:   the folder with flipped.npy, (N,) bool, True where the given label is wrong, and source.npy, (N,) int64,
             the row that each row is a copy of (itself where it is none); rows in the order train, dev, test.
    """

    channel: Path
    truth: Path


def make(
    out: Path,
    *,
    train: int = 51_200,
    dev: int = 12_800,
    test: int = 16_000,
    width: int = 768,
    flips: float = 0.04,
    copies: float = 0.1,
    seed: int = 0,
) -> Made:
    """Write a data set under `out`.

    flips:  share of the texts whose label is wrong; copies share it, but for a few that carry both labels.
    copies: share of the rows that repeat another row's text and embedding, of any split.
    """
    rows = train + dev + test
    for_source, for_labels, for_flips, for_texts, for_features = np.random.default_rng(seed).spawn(5)
    source = _sources(for_source, rows, copies)
    true = (for_labels.permutation(rows) % 2)[source]
    flipped = _flipped(for_flips, source, flips)
    texts = _texts(for_texts, source)
    features = _features(for_features, true, source, width)
    made = Made(out / "train", out / "truth")
    _write_channel(made.channel, {"train": train, "dev": dev, "test": test}, texts, true ^ flipped, features)
    _write_truth(made.truth, flipped, source)
    return made


def _sources(rng: np.random.Generator, rows: int, copies: float) -> NDArray[np.int64]:
    """Give the row (N,) that each row repeats: itself, or an original anywhere."""
    order = rng.permutation(rows)
    copied, originals = np.split(order, [round(copies * rows)])
    source = np.arange(rows)
    source[copied] = rng.choice(originals, copied.size)
    return source


def _flipped(rng: np.random.Generator, source: NDArray[np.int64], flips: float) -> NDArray[np.bool_]:
    """Say whose label (N,) is wrong."""
    flipped = (rng.random(source.size) < flips)[source]
    is_copy = source != np.arange(source.size)
    contradicts: NDArray[np.bool_] = is_copy & (rng.random(source.size) < BOTH_LABELS)
    return flipped ^ contradicts


def _texts(rng: np.random.Generator, source: NDArray[np.int64]) -> list[str]:
    """Give each row N words that mean nothing."""
    words = _words(rng)
    shortest, longest = TEXT_WORDS
    lengths = rng.integers(shortest, longest, size=source.size, endpoint=True).tolist()
    picked = rng.integers(WORDS, size=(source.size, longest))
    texts = [" ".join([words[i] for i in row[:n]]) for row, n in zip(picked.tolist(), lengths, strict=True)]
    return [texts[i] for i in source.tolist()]


def _words(rng: np.random.Generator) -> list[str]:
    """Make up words, some in quotes, some with a line's end."""
    words = ["".join(rng.choice(LETTERS, size)) for size in rng.integers(2, 10, size=WORDS)]
    quoted = [f'"{word}"' for word in words[:MARKED]]
    ending = [f"{word}.\n" for word in words[MARKED : 2 * MARKED]]
    return [*quoted, *ending, *words[2 * MARKED :]]


def _features(
    rng: np.random.Generator, labels: NDArray[np.int64], source: NDArray[np.int64], width: int
) -> NDArray[np.float32]:
    """Draw embeddings (N, D): a mixture of Gaussians in few dimensions, turned into all columns, with noise on each."""
    centres = _centres(rng, min(LATENT, width))
    topic = rng.integers(TOPICS, size=labels.size)
    drawn = centres[labels, topic] + rng.normal(size=(labels.size, centres.shape[2]))
    turn = rng.normal(size=(centres.shape[2], width)) / np.sqrt(centres.shape[2])
    features = rng.standard_normal((labels.size, width), dtype=np.float32)
    features *= BLUR
    features += drawn.astype(np.float32) @ turn.astype(np.float32)
    copied = np.flatnonzero(source != np.arange(source.size))
    features[copied] = features[source[copied]]
    return features


def _centres(rng: np.random.Generator, latent: int) -> NDArray[np.float64]:
    """Place each topic's Gaussian of either class: (2, TOPICS, latent). A topic by itself says nothing of the class."""
    common = rng.normal(size=latent)
    common /= np.linalg.norm(common)
    middle = rng.normal(size=(TOPICS, latent))
    middle -= np.outer(middle @ common, common)
    across = common + TILT * rng.normal(size=(TOPICS, latent)) / np.sqrt(latent)
    across *= APART / 2 / np.linalg.norm(across, axis=1, keepdims=True)
    return np.stack([middle - across, middle + across])


def _write_channel(
    folder: Path, sizes: dict[str, int], texts: list[str], labels: NDArray[np.int64], features: NDArray[np.float32]
) -> None:
    """Write the rows split by split."""
    folder.mkdir(parents=True, exist_ok=True)
    start = 0
    for split, size in sizes.items():
        rows = slice(start, start + size)
        with (folder / f"{split}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["review", "label"])
            writer.writerows(zip(texts[rows], labels[rows].tolist(), strict=True))
        torch.save(torch.from_numpy(features[rows]), folder / f"{split}.pt")
        start += size


def _write_truth(folder: Path, flipped: NDArray[np.bool_], source: NDArray[np.int64]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "flipped.npy", flipped)
    np.save(folder / "source.npy", source)


def main() -> None:
    """Make the data and print where it is, as one line of JSON."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    options.add_argument("--out", type=Path, required=True, help="folder to write to")
    for name, rows in (("train", 51_200), ("dev", 12_800), ("test", 16_000)):
        options.add_argument(f"--{name}", type=int, default=rows, metavar="N", help=f"rows of {name} (%(default)s)")
    options.add_argument("--width", type=int, default=768, metavar="D", help="columns of the embeddings (%(default)s)")
    options.add_argument("--flips", type=float, default=0.04, help="share of wrong labels (%(default)s)")
    options.add_argument("--copies", type=float, default=0.1, help="share of duplicates (%(default)s)")
    options.add_argument("--seed", type=int, default=0, help="everything follows from it (%(default)s)")
    made = make(**vars(options.parse_args()))
    flipped = np.load(made.truth / "flipped.npy")
    print(json.dumps({"channel": str(made.channel), "truth": str(made.truth), "flipped": int(flipped.sum())}))


if __name__ == "__main__":
    main()
