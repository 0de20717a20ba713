"""cleanlab's confident learning behind guards; the only module that knows cleanlab.

Letters: N rows, M annotators, C classes.
"""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from cleanlab.count import compute_confident_joint, estimate_latent
from cleanlab.filter import find_label_issues
from cleanlab.multiannotator import get_active_learning_scores, get_label_quality_multiannotator
from cleanlab.rank import get_self_confidence_for_each_label
from numpy.typing import NDArray

from relabel.auditing import probabilities
from relabel.errors import AlgorithmError


@dataclass(frozen=True, slots=True, eq=False)
class Crowd:
    """What cleanlab makes of several annotators' labels.

    consensus:  (N,) int64, -1 for rows that nobody labelled.
    quality:    (N,) float64 of the consensus, NaN for rows that nobody labelled.
    score:      (N,) float64 of ActiveLab, for all rows; label the lowest next.
    annotators: (M,) float64, the quality of each.
    """

    consensus: NDArray[np.int64]
    quality: NDArray[np.float64]
    score: NDArray[np.float64]
    annotators: NDArray[np.float64]


def flags(labels: NDArray[np.int64], probability: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Say which labels (N,) cleanlab takes for wrong, given out-of-fold probabilities (N, C): a mask (N,), never indices.

    Rows with the label -1 are left out and never flagged. Classes that no label names are allowed; with fewer than two
    named classes there is nothing to confuse, and nothing is flagged.

    Raises UserError where probabilities are none, AlgorithmError where labels are no classes or cleanlab answers with
    anything but one bool per row.
    """
    labelled, given, probability = _guarded(labels, probability)
    flagged = np.zeros(labels.size, dtype=np.bool_)
    if np.unique(given).size > 1:
        flagged[labelled] = _mask(given, probability)
    return flagged


def given_true(labels: NDArray[np.int64], probability: NDArray[np.floating]) -> NDArray[np.float64]:
    """Give cleanlab's P(given j | true i), (C, C), from its confident joint, to stand beside our own.

    Of classes that no label names, nothing is known: the unit matrix. Raises as `flags` does.
    """
    _, given, probability = _guarded(labels, probability)
    classes = probability.shape[1]
    named = np.unique(given)
    rates = np.eye(classes)
    if named.size > 1:
        within = np.searchsorted(named, given)
        own = probability[:, named]
        own = own / own.sum(axis=1, keepdims=True).clip(min=np.finfo(np.float64).tiny)
        rates[np.ix_(named, named)] = estimate_latent(compute_confident_joint(within, own), within)[1].T
    return rates


def self_confidence(labels: NDArray[np.int64], probability: NDArray[np.floating]) -> NDArray[np.float64]:
    """Give each row's probability (N,) of its own label; NaN for rows with the label -1. Raises as `flags` does."""
    labelled, given, probability = _guarded(labels, probability)
    confidence = np.full(labels.size, np.nan)
    if given.size:
        confidence[labelled] = get_self_confidence_for_each_label(given, probability)
    return confidence


def crowd(labels: NDArray[np.int64], probability: NDArray[np.float64]) -> Crowd:
    """Judge labels (N, M), -1 where an annotator gave none, with checked probabilities (N, C) of a model.

    By CROWDLAB on probabilities that are calibrated to the labels, and ActiveLab. Where no row has two labels, the model
    alone judges the labels that are given. An annotator who shares no row with others has the mean quality of the own labels.

    Raises AlgorithmError where classes tie and cleanlab would choose by chance.
    """
    known = (labels >= 0).any(axis=1)
    table = np.where(labels >= 0, labels, np.nan)[known]
    consensus, quality = np.full(known.size, -1), np.full(known.size, np.nan)
    score = np.empty(known.size)
    with _quiet():
        judge = _alone if ((labels >= 0).sum(axis=1) < 2).all() else _together  # noqa: PLR2004 (two annotators)
        consensus[known], quality[known], annotators = judge(table, probability[known])
        fresh = probability[~known] if (~known).any() else None
        score[known], score[~known] = get_active_learning_scores(table, probability[known], fresh)
    return Crowd(consensus, quality, score, annotators)


def next_scores(labels: NDArray[np.int64], probability: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give ActiveLab's score (N,) of each row; label the lowest next, once more where it has a label already.

    labels: (N, M), -1 where an annotator gave none; probability: (N, C), checked, of a model that was not trained on these rows.
    """
    people = (labels >= 0).any(axis=0)
    if people.any():
        return crowd(labels[:, people], probability).score
    with _quiet():
        scores: NDArray[np.float64] = get_active_learning_scores(pred_probs_unlabeled=probability)[1]
    return scores


def _together(
    table: NDArray[np.float64], probability: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Consensus (N,), its quality (N,) and the annotators' (M,), of labels (N, M) with NaN where none is given."""
    found = get_label_quality_multiannotator(table, probability, calibrate_probs=True, verbose=False)
    rows, each = found["label_quality"], found["detailed_label_quality"].to_numpy()
    quality = found["annotator_stats"]["annotator_quality"].reindex(range(table.shape[1])).to_numpy(copy=True)
    alone = np.isnan(quality)
    quality[alone] = np.nanmean(each[:, alone], axis=0)
    return rows["consensus_label"].to_numpy(), rows["consensus_quality_score"].to_numpy(), quality


def _alone(
    table: NDArray[np.float64], probability: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """The same where each row has one label."""
    given = np.nanmax(table, axis=1).astype(np.int64)
    quality = np.asarray(get_self_confidence_for_each_label(given, probability))
    return given, quality, np.nanmean(np.where(np.isnan(table), np.nan, quality[:, None]), axis=0)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep cleanlab from printing, and from choosing by chance."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.filterwarnings("ignore", message="Annotators do not agree on any example")  # agreement 0 says it
        warnings.filterwarnings("error", message="breaking ties of examples")
        try:
            yield
        except UserWarning as warning:
            raise AlgorithmError(f"cleanlab: {str(warning).split(maxsplit=2)[:2]} by chance") from None


def _mask(given: NDArray[np.int64], probability: NDArray[np.float64]) -> NDArray[np.bool_]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="May not flag all label issues in class")  # rare classes: expected
        found = find_label_issues(given, probability, filter_by="prune_by_noise_rate", n_jobs=1)
    mask = np.asarray(found)
    if mask.dtype != np.bool_ or mask.shape != given.shape:
        raise AlgorithmError(
            f"cleanlab gave {mask.dtype} {mask.shape}, expected one bool for each of {given.size} rows"
        )
    return mask


def _guarded(
    labels: NDArray[np.int64], probability: NDArray[np.floating]
) -> tuple[NDArray[np.bool_], NDArray[np.int64], NDArray[np.float64]]:
    """The mask (N,) of labelled rows, and their labels and probabilities in the form that cleanlab needs."""
    classes = probability.shape[1] if probability.ndim > 1 else 1
    checked = probabilities.checked(probability, labels.size, classes)
    if labels.dtype.kind not in "iu" or (labels < -1).any() or (labels >= classes).any():
        raise AlgorithmError(f"labels ({labels.dtype}) are not all whole numbers from -1 to {classes - 1}")
    labelled = labels >= 0
    return labelled, labels[labelled].astype(np.int64), checked[labelled]
