"""Which words speak for the label that the audit suggests, on the rows that it doubts most.

A model of texts is asked itself: of each training row, one that did not learn from it, for what has learned a wrong label sees no reason to
doubt it. Where models take embeddings, and texts are known, a model of words stands in (`training.side_model`), and it is said how well.

Letters: N rows, n rows explained, M models of the folds.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from relabel.auditing.examine import Audit, worst_first
from relabel.data.examples import Examples, Split
from relabel.data.texts import Texts
from relabel.model import explanation, faithfulness, predictor, tfidf
from relabel.model.artifact import Model
from relabel.model.explanation import Explanation
from relabel.model.faithfulness import Faithfulness
from relabel.model.predictor import Predictor
from relabel.results.findings import Explained
from relabel.text.reader import Reader
from relabel.training import side_model
from relabel.training.folds import NEVER, FoldPlan

MOST = 500
"""Rows that are explained."""

TRIED = 150
"""Of these, rows on which the faithfulness is measured."""

WORDS, WORDS_OF = 3_000_000, {"fine_tuned": 30_000}
"""Words that a model may have to read again where words are left out, and of kinds that read slowly: as many of the rows are explained as this
allows. Each is 10 to 20 seconds of two processor cores."""

SIDE, STREAM = 200_000, 10
"""Rows that a model of words which stands in learns from, and as many that tell how well it does: all, or a uniform draw, which STREAM keeps apart
from the other draws of the seed."""

Rows = NDArray[np.intp]


def explained(
    examples: Examples,
    audit: Audit,
    plan: FoldPlan,
    models: Sequence[Model],
    read: Reader | None,
    *,
    seed: int,
) -> Explained | None:
    """Explain the worst of the flagged rows that have a text; None where there are none.

    models: (M,) of the folds, in the order of `plan.places()`.
    read:   how these models read texts; None where they take embeddings.
    """
    if examples.texts is None:
        return None
    texts = examples.texts
    doubtful = worst_first(audit.doubt, np.flatnonzero(audit.flagged & ~texts.blank))
    if not doubtful.size:
        return None
    if read is None:
        return _by_words(examples, texts, audit, doubtful, seed)
    rows = doubtful[:MOST]
    if models[0].kind != tfidf.KIND:
        rows = rows[_affordable(texts[rows], WORDS_OF.get(models[0].kind, WORDS))]
    parts = [
        (own, read, predictor.load(model))
        for own, model in zip(_by_member(rows, plan), models[: plan.folds], strict=True)
        if own.size
    ]
    return _explained(texts, audit, doubtful.size, parts, seed)


def _by_words(examples: Examples, texts: Texts, audit: Audit, doubtful: Rows, seed: int) -> Explained:
    """Let a model of words stand in."""
    told = ~texts.blank & ~examples.left_out
    rng = np.random.default_rng((seed, STREAM))
    learned = _drawn(np.flatnonzero(told & (examples.split == Split.TRAIN)), rng)
    held = _drawn(np.flatnonzero(told & (examples.split != Split.TRAIN)), rng)
    if not learned.size:
        learned, held = doubtful, doubtful[:0]
    side = side_model.fitted(texts, audit.probability, learned, held)
    parts: list[tuple[Rows, Reader, Predictor]] = [(doubtful[:MOST], side.read, side.predictor)]
    found = _explained(texts, audit, doubtful.size, parts, seed)
    return Explained(found.rows, found.of, found.reasons, found.faithfulness, side.fidelity, side=True)


def _drawn(rows: Rows, rng: np.random.Generator) -> Rows:
    return np.sort(rng.choice(rows, SIDE, replace=False, shuffle=False)) if rows.size > SIDE else rows


def _explained(
    texts: Texts,
    audit: Audit,
    count: int,
    parts: Sequence[tuple[Rows, Reader, Predictor]],
    seed: int,
) -> Explained:
    """Explain rows, each part by its own model, in the order of their doubt."""
    rows = np.concatenate([own for own, _, _ in parts])
    reasons = [
        reason
        for own, read, model in parts
        for reason in explanation.explain(texts[own], read, model, labels=audit.suggested[own])
    ]
    order = worst_first(audit.doubt, rows)
    place = {row: n for n, row in enumerate(rows.tolist())}
    sorted_reasons = tuple(reasons[place[row]] for row in order.tolist())
    return Explained(order, count, sorted_reasons, _measured(texts, parts, reasons, seed))


def _measured(
    texts: Texts,
    parts: Sequence[tuple[Rows, Reader, Predictor]],
    reasons: Sequence[Explanation],
    seed: int,
) -> Faithfulness | None:
    """Measure on rows of the largest part, which one model explains."""
    largest = int(np.argmax([own.size for own, _, _ in parts]))
    start = sum(own.size for own, _, _ in parts[:largest])
    own, read, model = parts[largest]
    tried = own[:TRIED]
    return faithfulness.measure(texts[tried], reasons[start : start + tried.size], read, model, seed=seed)


def _by_member(rows: Rows, plan: FoldPlan) -> list[Rows]:
    """Give each member of the first repeat the rows that it did not learn from; the first one also those that none learned from."""
    fold = plan.fold[0, rows]
    return [rows[(fold == number) | ((fold == NEVER) & (number == 0))] for number in range(plan.folds)]


def _affordable(texts: Sequence[str], allowed: int) -> NDArray[np.bool_]:
    """Tell which texts, from the first on, can be read as often as they have distinct words."""
    split = [text.split() for text in texts]
    most = explanation.SINGLE + explanation.RUNS
    cost = np.array([len(words) * min(len(set(words)) + 1, most) for words in split])
    return np.asarray(np.cumsum(cost) <= max(allowed, int(cost[0])))
