"""Gradient-boosted trees over counts of the terms of a text, in numpy.

The trees are kept as XGBoost's own UBJSON, which holds data and nothing that can run. They are read and followed here, so an endpoint
needs no XGBoost, which ends the process where such a file is torn.

Letters: n texts, V terms, C classes, T trees, N nodes of all trees.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relabel.data.tokens import FIRST, Tokens
from relabel.errors import UserError
from relabel.model import ubjson
from relabel.model.artifact import Model
from relabel.model.tfidf import counted

KIND = "boosted"
TREES = "trees"
"""Tensor of the UBJSON: (bytes,) uint8."""

CELLS = 1 << 20
"""Counts, or places in trees, held at once: bounds the memory of many texts."""


@dataclass(frozen=True, slots=True, eq=False)
class Forest:
    """Trees, node after node. A text goes from a node to `low` where it has the term, but fewer times than the threshold.

    root:      (T,) int64 first node of each tree.
    kind:      (T,) int64 class that a tree speaks for.
    term:      (N,) int64 id that a node asks for.
    threshold: (N,) float32.
    low, high, absent: (N,) int64 where it goes on, below the threshold, from there on, and without the term; a leaf leads to itself.
    value:     (N,) float64 of leaves.
    bias:      (C,) float64.
    depth:     of the deepest tree.
    """

    root: NDArray[np.int64]
    kind: NDArray[np.int64]
    term: NDArray[np.int64]
    threshold: NDArray[np.float32]
    low: NDArray[np.int64]
    high: NDArray[np.int64]
    absent: NDArray[np.int64]
    value: NDArray[np.float64]
    bias: NDArray[np.float64]
    depth: int

    def leaves(self, counts: NDArray[np.float32]) -> NDArray[np.int64]:
        """Give the leaf (n, T) of texts whose terms were counted (n, V + FIRST)."""
        node = np.tile(self.root, (len(counts), 1))
        row = np.arange(len(counts))[:, None]
        for _ in range(self.depth):
            count = counts[row, self.term[node]]
            there = np.where(count < self.threshold[node], self.low[node], self.high[node])
            node = np.where(count > 0, there, self.absent[node])
        return node


class BoostedPredictor:
    """Probabilities of a `boosted` Model.

    Tensors: `trees` (bytes,) uint8.

    Raises UserError where they are no trees of XGBoost over these terms and classes.
    """

    def __init__(self, model: Model) -> None:
        self.inputs, self.classes, self._ids = 0, model.sizes["classes"], model.sizes["terms"] + FIRST
        stored = model.tensors.get(TREES)
        if stored is None or stored.dtype != np.uint8:
            seen = "missing" if stored is None else stored.dtype
            raise UserError(f"model tensor {TREES}: {seen}, expected bytes as uint8")
        try:
            self._forest = read(stored.tobytes(), self._ids, self.classes)
        except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
            raise UserError(
                f"model tensor {TREES}: no trees of XGBoost for {self.classes} classes over {self._ids} ids ({error}): "
                "give the artifact as the job wrote it"
            ) from None

    def __call__(self, inputs: Tokens) -> NDArray[np.float32]:
        """Give probabilities (n, C) of texts (n,)."""
        step = max(1, CELLS // max(self._ids, self._forest.root.size))
        out = np.empty((len(inputs), self.classes), np.float32)
        for start in range(0, len(inputs), step):
            rows = np.arange(start, min(start + step, len(inputs)))
            out[rows] = self._block(inputs.take(rows))
        return out

    def _block(self, texts: Tokens) -> NDArray[np.float64]:
        entries = counted(texts, self._ids)
        counts = np.zeros((len(texts), self._ids), np.float32)
        counts[entries.row, entries.term] = entries.value
        value = self._forest.value[self._forest.leaves(counts)]
        place = np.arange(len(texts))[:, None] * self.classes + self._forest.kind
        summed = np.bincount(place.ravel(), value.ravel(), len(texts) * self.classes)  # tree after tree, whatever n is
        logits = summed.reshape(-1, self.classes).T + self._forest.bias[:, None]
        shares = np.exp(logits - logits.max(axis=0))
        return np.asarray(shares / sum(shares)).T


def read(content: bytes, ids: int, classes: int) -> Forest:
    """Read trees that XGBoost wrote for texts of these ids.

    Raises ValueError, KeyError, TypeError, IndexError or AttributeError where they are torn, for other ids or classes, or of a kind that
    learners here do not make.
    """
    learner = ubjson.read(content)["learner"]
    bias = np.asarray(json.loads(learner["learner_model_param"]["base_score"]), np.float64)
    model = learner["gradient_booster"]["model"]
    kind = np.asarray(model["tree_info"], np.int64)
    trees = [_Tree.of(tree) for tree in model["trees"]]
    if learner["objective"]["name"] != "multi:softprob" or bias.shape != (classes,) or not trees:
        raise ValueError("they are for something else")
    if kind.shape != (len(trees),) or kind.min() < 0 or kind.max() >= classes:
        raise ValueError("trees and classes do not fit")
    whole = _Tree.joined(trees)
    asked = whole.term[whole.low != np.arange(whole.low.size)]
    if asked.size and (asked.min() < FIRST or asked.max() >= ids):
        raise ValueError("they ask for other ids")
    root = np.cumsum([0, *(tree.low.size for tree in trees[:-1])])
    return Forest(
        root, kind, whole.term, whole.threshold, whole.low, whole.high, whole.absent, whole.value, bias,
        depth=max(tree.depth for tree in trees),
    )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class _Tree:
    """One tree, its arrays as a Forest has them."""

    term: NDArray[np.int64]
    threshold: NDArray[np.float32]
    low: NDArray[np.int64]
    high: NDArray[np.int64]
    absent: NDArray[np.int64]
    value: NDArray[np.float64]
    depth: int

    @classmethod
    def of(cls, stored: dict[str, Any]) -> _Tree:
        """Take over a tree as it is stored: children come after their parents, and a leaf has -1 for them."""
        own = np.arange(stored["left_children"].size)
        low, high = (stored[name].astype(np.int64) for name in ("left_children", "right_children"))
        condition = stored["split_conditions"]
        leaf = low < 0
        if stored["split_type"].any() or not leaf.size or not np.isfinite(condition).all():
            raise ValueError("they are no trees of thresholds")
        for child in (low, high):
            if ((child <= own) != leaf).any() or (child >= own.size).any():
                raise ValueError("nodes lead nowhere")
            child[leaf] = own[leaf]
        term = np.where(leaf, 0, stored["split_indices"]).astype(np.int64)
        absent = np.where(stored["default_left"] != 0, low, high)
        depth = np.zeros(own.size, np.int64)
        for node in own[~leaf]:
            depth[[low[node], high[node]]] = depth[node] + 1
        return cls(term, condition, low, high, absent, np.where(leaf, condition, 0.0), int(depth.max()))

    @classmethod
    def joined(cls, trees: list[_Tree]) -> _Tree:
        """Put trees one after another."""
        sizes = [tree.low.size for tree in trees]
        shift = np.repeat(np.cumsum([0, *sizes[:-1]]), sizes)

        def every(name: str) -> Any:
            return np.concatenate([getattr(tree, name) for tree in trees])

        low, high, absent = (every(name) + shift for name in ("low", "high", "absent"))
        return cls(every("term"), every("threshold"), low, high, absent, every("value"), 0)
