"""Rows as a model sees them: what it says of them, and where they lie.

Letters: N rows, D width, C classes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from relabel.auditing import probabilities
from relabel.codecs.codec import Texts
from relabel.serving.served import Served
from relabel.text import words
from relabel.text.preprocessing import Preprocessing
from relabel.text.words import Words
from relabel.training import latent

Floats = NDArray[np.float32]


def seen(model: Served, texts: Texts, vectors: Floats | None, seed: int) -> tuple[Floats, Floats]:
    """Give probabilities (N, C) and vectors (N, D) of rows: by the embeddings that the model takes, or by their texts.

    vectors: (N, D) embeddings, None where there are texts alone.

    Raises UserError where the model's answers are no probabilities.
    """
    reads_only = model.takes.width is None
    if vectors is None:
        vectors = _latent(model, texts, seed) if reads_only or model.read is None else model.read(texts)
    return _probabilities(model, texts if reads_only else vectors), vectors


def _latent(model: Served, texts: Texts, seed: int) -> Floats:
    """Make vectors of texts by the words that the model knows or, where it knows none, by those of the texts themselves."""
    known = model.read
    read = known if isinstance(known, Words) else words.learned(texts, Preprocessing(), vocabulary=latent.TERMS)
    return latent.vectors(read(texts), np.arange(len(texts)), len(read.terms), seed=seed).take(np.arange(len(texts)))


def _probabilities(model: Served, inputs: Floats | Texts) -> Floats:
    with np.errstate(over="ignore", invalid="ignore"):
        probability = model(inputs)
    probabilities.checked(probability, len(inputs), model.predictor.classes)
    return probability
