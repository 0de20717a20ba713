"""cleanlab's confident learning behind guards; the only module that knows cleanlab.

Letters: N rows, C classes.
"""

from __future__ import annotations

import warnings

import numpy as np
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_self_confidence_for_each_label
from numpy.typing import NDArray

from relabel.auditing import probabilities
from relabel.errors import AlgorithmError


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


def self_confidence(labels: NDArray[np.int64], probability: NDArray[np.floating]) -> NDArray[np.float64]:
    """Give each row's probability (N,) of its own label; NaN for rows with the label -1. Raises as `flags` does."""
    labelled, given, probability = _guarded(labels, probability)
    confidence = np.full(labels.size, np.nan)
    if given.size:
        confidence[labelled] = get_self_confidence_for_each_label(given, probability)
    return confidence


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
