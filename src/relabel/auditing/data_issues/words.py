"""The words that tell a set of texts from the others."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer

from relabel.data.texts import Texts
from relabel.text.preprocessing import stop_words

OTHERS, OWN = 1000, 200
"""Texts that are read of all rows, and of each set."""

CHARACTERS = 1000
WORDS = 6
EVERYWHERE = 0.2
"""A word that stands in a larger share of all texts than this tells nothing."""

COMMON = 0.05
"""A word is typical only if it stands in this share of the set's texts at least, so that no single text shows."""


def typical(
    texts: Texts | None, rows: NDArray[np.intp], sets: Sequence[NDArray[np.bool_]], *, seed: int
) -> list[list[str]]:
    """Give the typical words of each set of rows (n,), most typical first; none where there are no texts.

    Those whose tf-idf weight in a sample of the set most exceeds that in a sample of all rows. English function words, and words that stand
    in very many texts, are given only where a set has no others, as sets of short texts may.
    """
    if texts is None or not sets:
        return [[] for _ in sets]
    rng = np.random.default_rng(seed)
    samples = [rng.permutation(rows)[:OTHERS], *(rng.permutation(rows[chosen])[:OWN] for chosen in sets)]
    read = [text[:CHARACTERS] for sample in samples for text in texts[sample]]
    vectorizer = TfidfVectorizer(min_df=3, dtype=np.float32, sublinear_tf=True)
    try:
        weights = vectorizer.fit_transform(read)
    except ValueError:  # no word is in three texts
        return [[] for _ in sets]
    names = vectorizer.get_feature_names_out()
    ends = np.cumsum([sample.size for sample in samples])
    usual = np.asarray(weights[: ends[0]].mean(axis=0)).ravel()
    common = np.isin(names, list(stop_words()))
    telling = np.where(common | (_share(weights[: ends[0]]) > EVERYWHERE), np.inf, usual)
    sets_of_texts = [weights[start:end] for start, end in pairwise(ends.tolist())]
    return [_words(each, telling, names) or _words(each, usual, names) for each in sets_of_texts]


def _words(weights: Any, usual: NDArray[np.float32], names: NDArray[np.object_]) -> list[str]:
    """Words by how much their mean weight in a set (a sparse matrix, texts by words) exceeds the usual."""
    more = np.where(_share(weights) < COMMON, 0, np.asarray(weights.mean(axis=0)).ravel() - usual)
    return [str(names[n]) for n in np.argsort(-more, kind="stable")[:WORDS] if more[n] > 0]


def _share(weights: Any) -> NDArray[np.float64]:
    """The share of the texts that each word stands in."""
    share: NDArray[np.float64] = np.asarray((weights > 0).mean(axis=0)).ravel()
    return share
