"""Texts per second inside the process: a linear model of texts (TF-IDF) behind the handler, in a warm loop, without a server.

python benchmarks/text_serving.py

The texts are made: words of a vocabulary by Zipf's law, 230 to a text as in reviews of films, or 15 as in short messages.
"""

from __future__ import annotations

import itertools
import json
import tempfile
import time
from pathlib import Path

import numpy as np

from relabel.model import artifact
from relabel.model.artifact import Artifact, Model
from relabel.serving import capacity, handler, process, served
from relabel.serving.endpoint import Endpoint
from relabel.serving.messages import Request
from relabel.settings import ServeSettings
from relabel.text import reader
from relabel.text.preprocessing import Preprocessing
from relabel.text.words import Words

TERMS, SECONDS = 20_000, 1.0


def make_model(folder: Path, words: list[str], *, ngrams: int, rng: np.random.Generator) -> None:
    """Write a model of two classes whose vocabulary is these words, and runs of them."""
    runs = [f"{a} {b}" for a, b in itertools.pairwise(words)] if ngrams > 1 else []
    terms = (*words, *runs)
    tensors = {
        "idf": rng.uniform(1, 9, len(terms) + 2).astype(np.float32),
        "weight": rng.normal(size=(len(terms) + 2, 2)).astype(np.float32),
        "bias": np.zeros(2, np.float32),
    }
    about = reader.of_words(Words(Preprocessing(), terms, ngrams=ngrams))
    model = Model("tfidf", {"terms": len(terms), "classes": 2}, tensors)
    artifact.save(folder, Artifact(model, ("negative", "positive"), "given", input="text", text=about))


def made_texts(count: int, length: int, words: list[str], rng: np.random.Generator) -> list[str]:
    """Draw texts."""
    chosen = rng.zipf(1.3, (count, length)) % len(words)
    return [" ".join(words[n] for n in row) + "." for row in chosen]


def per_second(request: Request, endpoint: Endpoint, count: int) -> float:
    """Give texts per second, the best of three rounds."""
    best = 0.0
    for _ in range(3):
        began, done = time.perf_counter(), 0
        while time.perf_counter() - began < SECONDS:
            assert handler.handle(request, endpoint).status == 200
            done += count
        best = max(best, done / (time.perf_counter() - began))
    return best


def main() -> None:
    """Print a line for each length of text and number of texts in a request."""
    rng, settings = np.random.default_rng(0), ServeSettings()
    words = ["".join(map(chr, rng.integers(97, 123, rng.integers(2, 10)))) for _ in range(TERMS)]
    print(f"{'texts per second':34}{'1 a request':>14}{'100 a request':>16}")
    for ngrams in (1, 2):
        with tempfile.TemporaryDirectory() as folder:
            make_model(Path(folder), words, ngrams=ngrams, rng=rng)
            model = served.load(Path(folder))
        endpoint = Endpoint(model, settings, capacity.of(settings, cores=1, memory=1 << 33, texts=True))
        process.settle()
        for length in (15, 230):
            texts = made_texts(100, length, words, rng)
            figures = [
                per_second(
                    Request("POST", "/invocations", "application/json", body=json.dumps({"instances": some}).encode()),
                    endpoint,
                    len(some),
                )
                for some in (texts[:1], texts)
            ]
            print(f"{f'{length} words, runs of up to {ngrams}':34}{figures[0]:14,.0f}{figures[1]:16,.0f}")


if __name__ == "__main__":
    main()
