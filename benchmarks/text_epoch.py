"""Models of texts against the plain way of training one, on any folder of `train.csv` and `test.csv` with the columns review and label.

    python benchmarks/text_epoch.py --data DIR [--concatenate K] [--documents N] [--epochs E] [--threads T]

An LSTM of one size on both sides: vocabulary 5,000, 32 numbers a word, 100 hidden units, batches of 512, the state at the last word; stop words out,
Porter's stems, 500 words at most. `benchmarks/reference_text_seed.py` is our own plain rendering of the other side. Both have the same threads.

--concatenate K: documents of K reviews each, of which four in five have the document's class: short reviews make long documents.
"""

from __future__ import annotations

import argparse
import csv
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
import reference_text_seed as plain
import torch
from numpy.typing import NDArray

from relabel.data.tokens import FIRST
from relabel.model import predictor
from relabel.text.preprocessing import Preprocessing
from relabel.text.words import learned
from relabel.training.learner import Hooks
from relabel.training.learners.network import learner
from relabel.training.learners.one_by_one import OneByOne
from relabel.training.member import Member
from relabel.training.network_fit import Recipe

AGREE = 0.8
"""Share of a document's reviews that have its class."""

T = TypeVar("T")
Texts = tuple[list[str], NDArray[np.int64]]


def read(path: Path) -> Texts:
    """Read the texts and the labels of a file."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = [(row["review"], int(row["label"])) for row in csv.DictReader(file)]
    return [text for text, _ in rows], np.array([label for _, label in rows])


def joined(texts: Texts, length: int, count: int, rng: np.random.Generator) -> Texts:
    """Make documents of `length` reviews, drawn with replacement."""
    of_class = [np.flatnonzero(texts[1] == c) for c in (0, 1)]
    labels = rng.integers(0, 2, count)
    documents = []
    for label in labels:
        right = max(rng.binomial(length, AGREE), length // 2 + 1)
        rows = [*rng.choice(of_class[label], right), *rng.choice(of_class[1 - label], length - right)]
        documents.append(" ".join(texts[0][row] for row in rng.permutation(rows)))
    return documents, labels


def plainly(train: Texts, test: Texts, args: argparse.Namespace) -> dict[str, float]:
    """Train the plain way; its words are timed on a sample, for they take minutes."""
    sample = train[0][:100]
    started = time.perf_counter()
    _ = [plain.words_of(text) for text in sample]
    reading = (time.perf_counter() - started) / len(sample) * 1000
    words = learned([], seed_preprocessing(), vocabulary=10).words  # the same words, sooner
    both = [[words(text) for text in texts] for texts in (train[0], test[0])]
    vocabulary = plain.vocabulary_of(both[0])
    tables = [plain.padded(part, vocabulary) for part in both]
    network, wall, processor = timed(
        lambda: plain.fit(tables[0], train[1], epochs=args.epochs, lr=args.lr, seed=args.seed)
    )
    right = plain.accuracy(network, tables[1], test[1])
    return figures(reading, wall / args.epochs, processor / args.epochs, right)


def ours(train: Texts, test: Texts, args: argparse.Namespace, members: int) -> dict[str, float]:
    """Train members side by side that have the threads among them; seconds are of one epoch of one member."""
    started = time.perf_counter()
    words = learned(
        train[0], seed_preprocessing(), vocabulary=plain.VOCABULARY - FIRST, max_tokens=plain.PLACES, truncate="head"
    )
    tokens, asked = words(train[0]), words(test[0])
    reading = (time.perf_counter() - started) / (len(train[0]) + len(test[0])) * 1000
    recipe = Recipe(word_dropout=0.0, batch_size=plain.BATCH, max_epochs=args.epochs, lr=args.lr, gradient_clip=5.0)
    sizes = {"embedding_width": plain.EMBEDDING, "width": plain.HIDDEN, "pooling": "last"}
    one = learner("lstm", classes=2, vocabulary=len(words.terms), recipe=recipe, device="cpu", **sizes).one
    rows, weights = np.arange(len(train[0]), dtype=np.int32), np.ones(len(train[0]), np.float32)
    stack = [Member(rows, train[1], weights, args.seed + m) for m in range(members)]
    models, wall, processor = timed(
        lambda: OneByOne(one, members, args.threads // members).fit(tokens, stack, None, Hooks())
    )
    right = float(np.mean([(predictor.load(model)(asked).argmax(1) == test[1]).mean() for model in models]))
    epochs = args.epochs * members
    return figures(reading, wall / epochs, processor / epochs, right)


def timed(work: Callable[[], T]) -> tuple[T, float, float]:
    """Give what the work gives, the seconds of the clock and those of all processors together: these do not depend on what else a machine does."""
    clock, processors = time.perf_counter(), time.process_time()
    done = work()
    return done, time.perf_counter() - clock, time.process_time() - processors


def figures(reading: float, wall: float, processor: float, accuracy: float) -> dict[str, float]:
    """Name the figures of one side."""
    return {"words, ms a text": reading, "s an epoch": wall, "processor s": processor, "accuracy": accuracy}


def seed_preprocessing() -> Preprocessing:
    """Give the settings that make the plain way's words."""
    return Preprocessing(characters="ascii", stop_words="english", stemming="porter")


def main() -> None:
    """Print the figures of each side."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--concatenate", type=int, default=1, metavar="K")
    parser.add_argument("--documents", type=int, default=8000, metavar="N")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--lr", type=float, default=3e-3)
    parser.add_argument("--threads", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    train, test = (read(args.data / f"{split}.csv") for split in ("train", "test"))
    if args.concatenate > 1:
        rng = np.random.default_rng(args.seed)
        train, test = (joined(t, args.concatenate, n, rng) for t, n in ((train, args.documents), (test, 2000)))
    print(
        f"{len(train[0])} texts of {np.mean([len(text.split()) for text in train[0]]):.0f} words, {args.threads} threads"
    )
    sides = {"the plain way": plainly(train, test, args), "ours, one model": ours(train, test, args, 1)}
    if args.threads > 1:
        sides[f"ours, {args.threads} models side by side, each"] = ours(train, test, args, args.threads)
    first = sides["the plain way"]
    for name, found in sides.items():
        shown = "  ".join(f"{about} {value:8.3f}" for about, value in found.items())
        faster, less = (first[about] / found[about] for about in ("s an epoch", "processor s"))
        print(f"{name:38} {shown}  {faster:5.1f} times faster, {less:.1f} times less work")


if __name__ == "__main__":
    main()
