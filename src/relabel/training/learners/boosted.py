"""Gradient-boosted trees over counts of the terms of texts, by XGBoost: the other baseline that networks must beat.

Counts without any weighing: trees cut at thresholds, for which all that keeps the order of a column is the same, and whole numbers have few.

Letters: n rows, V terms, C classes.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relabel.data.tokens import FIRST, Tokens
from relabel.errors import UserError
from relabel.model import boosted
from relabel.model.artifact import Model
from relabel.text.subwords import MISSING
from relabel.training import terms
from relabel.training.learner import Run, Snapshot, Watch
from relabel.training.learners.tfidf import targets
from relabel.training.member import Member


@dataclass(frozen=True, slots=True)
class Boosted:
    """Fits boosted trees of texts. A fit takes seconds, so one that was stopped begins again.

    classes:      C.
    terms:        V, of the vocabulary that the texts were read with.
    max_epochs:   rounds, of a tree for each class.
    depth:        of a tree.
    lr:           how much of a tree is taken.
    weight_decay: of the values in the leaves.
    patience:     rounds without a better log loss of the watched rows, after which a fit ends; the best round is kept.
    rows, columns: share of the rows that a tree learns from, and of the terms that it may ask for.
    """

    classes: int
    terms: int
    max_epochs: int = 300
    depth: int = 6
    lr: float = 0.2
    weight_decay: float = 1.0
    patience: int = 20
    rows: float = 0.8
    columns: float = 0.5
    kind: str = boosted.KIND

    def identity(self) -> Mapping[str, Any]:
        """Give what decides a fit."""
        return dataclasses.asdict(self)

    def fit_one(self, inputs: Tokens, member: Member, watch: Watch | None, run: Run) -> Model:
        """Fit one member, on a part of very many texts (see `terms.part`). A row of likely classes counts as a row of each, by how likely it is."""
        xgboost = library()
        rows = member.rows[terms.part(inputs.lengths[member.rows], member.seed)]
        place, label, weight = _labelled(member, rows, self.classes)
        data = xgboost.DMatrix(bag(inputs, self.terms, place), label, weight=weight, nthread=1)
        watched = [] if watch is None else [(self._watched(inputs, watch), "watch")]
        booster = xgboost.train(
            self._settings(member.seed),
            data,
            self.max_epochs,
            evals=watched,
            custom_metric=None if watch is None else _watched_loss(watch),
            early_stopping_rounds=self.patience if watched and self.patience else None,
            verbose_eval=False,
            callbacks=[_safe_points(run, self.max_epochs)],
        )
        if watched and self.patience:
            booster = booster[: booster.best_iteration + 1]
        trees = np.frombuffer(bytes(booster.save_raw("ubj")), np.uint8)
        return Model(self.kind, {"terms": self.terms, "classes": self.classes}, {boosted.TREES: trees})

    def _watched(self, inputs: Tokens, watch: Watch) -> Any:
        return library().DMatrix(bag(inputs, self.terms, watch.rows), watch.labels, nthread=1)

    def _settings(self, seed: int) -> dict[str, Any]:
        return {
            "objective": "multi:softprob",
            "num_class": self.classes,
            "disable_default_eval_metric": True,
            "tree_method": "hist",
            "max_depth": self.depth,
            "eta": self.lr,
            "reg_lambda": self.weight_decay,
            "subsample": self.rows,
            "colsample_bytree": self.columns,
            "seed": seed % 2**31,
            "nthread": 1,
        }


def library() -> Any:
    """Give the module of XGBoost, which is an extra.

    Raises UserError where it is not installed.
    """
    try:
        import xgboost  # noqa: PLC0415  # a second to load
    except ImportError:
        raise UserError(f"{MISSING.format('xgboost')}, or choose another `learner`") from None
    return xgboost


def bag(tokens: Tokens, vocabulary: int, rows: NDArray[np.integer] | None = None) -> terms.Matrix:
    """Count the known terms of texts (n,), all or the chosen rows: (n, V + FIRST), where a term that is not there is missing, not 0."""
    counts = terms.counted(tokens, vocabulary, rows)
    counts.data[counts.indices < FIRST] = 0.0
    counts.eliminate_zeros()
    return counts


def _labelled(
    member: Member, rows: NDArray[np.int32], classes: int
) -> tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.float32]]:
    """Give rows, each class that one may have, and weights: (n,), or more where targets are probabilities."""
    shares = targets(member, rows, classes) * member.weights[rows][:, None]
    place, label = np.nonzero(shares)
    return rows[place], label, shares[place, label].astype(np.float32)


def _watched_loss(watch: Watch) -> Any:
    def loss(probability: NDArray[np.float32], _data: Any) -> tuple[str, float]:
        return "loss", watch.loss(probability.reshape(watch.rows.size, -1))

    return loss


def _safe_points(run: Run, rounds: int) -> Any:
    class SafePoints(library().callback.TrainingCallback):  # type: ignore[misc]  # known once XGBoost is loaded
        """Asks the run after every round whether the fit must end."""

        def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
            del model
            for losses in evals_log.get("watch", {}).values():
                run.figures["watched_log_loss"] = float(losses[-1])
            run.safe_point(epoch + 1, rounds, lambda: Snapshot(0, {}, {}))
            return False

    return SafePoints()
