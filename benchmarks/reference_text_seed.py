"""The plain way to an LSTM over reviews that relabel is measured against, as its user would write it with the libraries' own defaults.

A review loses its tags, becomes lower case and a-z, 0-9; the stop words go and the endings of the rest, word by word. Words become numbers of a
vocabulary (0 no word, 1 infrequent) and are padded to 500, the length in front. One LSTM reads all 500 places, the state at the last word decides.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from importlib import resources

import numpy as np
import snowballstemmer
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

PLACES, VOCABULARY, EMBEDDING, HIDDEN, BATCH = 500, 5000, 32, 100, 512


def stop_words() -> list[str]:
    """Read the stop words from their file, as is done there for every word."""
    listed = resources.files("relabel.text").joinpath("stop_words_english.txt").read_text(encoding="utf-8")
    return [word for line in listed.splitlines() if not line.startswith("#") for word in line.split()]


def words_of(review: str) -> list[str]:
    """Give the stems of a review's words."""
    text = re.sub(r"[^a-zA-Z0-9]", " ", re.sub(r"<[^>]+>", " ", review).lower())
    words = [word for word in text.split() if word not in stop_words()]
    return [snowballstemmer.stemmer("porter").stemWord(word) for word in words]


def vocabulary_of(reviews: Sequence[Sequence[str]]) -> dict[str, int]:
    """Number the most frequent words, from 2 on."""
    counts = Counter(word for words in reviews for word in words)
    return {word: n + 2 for n, (word, _) in enumerate(counts.most_common(VOCABULARY - 2))}


def padded(reviews: Sequence[Sequence[str]], vocabulary: dict[str, int]) -> NDArray[np.int64]:
    """Give (N, 1 + 500): the length, then the numbers of the first 500 words."""
    table = np.zeros((len(reviews), 1 + PLACES), np.int64)
    for row, words in enumerate(reviews):
        ids = [vocabulary.get(word, 1) for word in words[:PLACES]]
        table[row, 0] = max(1, len(ids))
        table[row, 1 : 1 + len(ids)] = ids
    return table


class Classifier(nn.Module):
    """An embedding, an LSTM over all places, a dense layer on the state at the last word."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(VOCABULARY, EMBEDDING, padding_idx=0)
        self.lstm = nn.LSTM(EMBEDDING, HIDDEN)
        self.dense = nn.Linear(HIDDEN, 1)

    def forward(self, table: Tensor) -> Tensor:
        """Turn (B, 1 + 500) into the probability (B,) of class 1."""
        turned = table.t()
        states, _ = self.lstm(self.embedding(turned[1:]))  # (500, B, H)
        out = self.dense(states)[turned[0] - 1, torch.arange(len(table))]
        return torch.sigmoid(out.squeeze(1))


def fit(table: NDArray[np.int64], labels: NDArray[np.int64], *, epochs: int, lr: float, seed: int) -> Classifier:
    """Train a network."""
    torch.manual_seed(seed)
    network, loss_of = Classifier(), nn.BCELoss()
    adam = torch.optim.Adam(network.parameters(), lr=lr)
    rows = TensorDataset(torch.from_numpy(table), torch.from_numpy(labels).float())
    loader = DataLoader(rows, batch_size=BATCH, shuffle=True)
    for _ in range(epochs):
        for batch, targets in loader:
            adam.zero_grad()
            loss_of(network(batch), targets).backward()
            nn.utils.clip_grad_norm_(network.parameters(), 5)
            adam.step()
    return network


def accuracy(network: Classifier, table: NDArray[np.int64], labels: NDArray[np.int64]) -> float:
    """Give the share of rows whose class is right."""
    with torch.no_grad():
        found = np.concatenate([network(part).numpy() > 0.5 for part in torch.from_numpy(table).split(BATCH)])
    return float((found == labels).mean())
