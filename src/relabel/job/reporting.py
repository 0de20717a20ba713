"""What the job says while it runs: sentences for people, metric lines for the platform."""

from __future__ import annotations

import logging
from collections.abc import Iterable

import numpy as np

from relabel.auditing import channel
from relabel.container import metrics
from relabel.data.examples import Examples, Split
from relabel.results import explanations
from relabel.results.findings import Contest, Findings

log = logging.getLogger(__name__)


def data(examples: Examples) -> None:
    """Say what was read."""
    rows = ", ".join(f"{split.name.lower()} {int((examples.split == split).sum()):,}" for split in Split)
    what = "texts" if examples.features is None else f"embeddings of width {examples.features.shape[1]}"
    log.info("read %s rows of %s, classes %s", rows, what, ", ".join(examples.classes))
    notes(examples.notes)


def notes(said: Iterable[str]) -> None:
    """Say what a person should read."""
    for note in said:
        log.info("%s", note)


def findings(found: Findings) -> None:
    """Say what was found and what it was worth."""
    _figures(found)
    gain = found.comparison.gain
    training = found.examples.rows(Split.TRAIN)
    log.info(
        "%.0f labels of the training rows are expected to be wrong (%.0f to %.0f): %s%s",
        found.audit.expected,
        found.audit.low,
        found.audit.high,
        found.audit.verdict.sentence(),
        "; flagged are the labels that are not the likeliest" if found.audit.verdict.hidden else "",
    )
    if training.size > channel.MOST_ROWS:
        log.info(
            "how often labels are wrong was learned from about %s of %s training rows, always the same ones; every row was then judged by it",
            f"{channel.MOST_ROWS:,}",
            f"{training.size:,}",
        )
    log.info("%s", found.treatment.verdict)
    log.info(
        "accuracy on the given test labels: %.4f before, %.4f after; gain %+.4f (95%% interval %+.4f to %+.4f)",
        found.comparison.before.accuracy,
        found.comparison.after.accuracy,
        gain["accuracy"].value,
        gain["accuracy"].low,
        gain["accuracy"].high,
    )
    if found.contest is not None:
        _contest(found.contest)
    for name, scores in found.baselines.items():
        log.info("beside it, the plain learner %s on the labels as given: accuracy %.4f", name, scores.accuracy)
    for sentence in explanations.sentences(found.explained) if found.explained else ():
        log.info("%s", sentence)
    for issue in found.data_issues:
        log.info("%s: %s", issue.name, issue.sentence)
    log.info(
        "on test labels that the audit changed itself, as the seed project scores: %.4f (optimistic)",
        found.relabelled_test.accuracy,
    )


def _figures(found: Findings) -> None:
    """Write the metric lines, which the platform reads."""
    training = found.examples.rows(Split.TRAIN)
    flagged = int(found.audit.flagged[training].sum())
    metrics.emit(
        cross_validation_accuracy=found.cross_validation.accuracy,
        cross_validation_log_loss=found.cross_validation.log_loss,
    )
    metrics.emit(
        flagged=flagged,
        flagged_share=flagged / training.size,
        cleanlab_flagged=int(found.cleanlab_flagged[training].sum()),
        expected_errors=found.audit.expected,
        treated=int(np.count_nonzero(found.treatment.decision)),
    )
    before, after, dev = found.served.before, found.served.test, found.served.dev
    metrics.emit(
        baseline_accuracy=before.accuracy,
        baseline_log_loss=before.log_loss,
        baseline_macro_f1=before.macro_f1,
        baseline_ece=before.ece,
    )
    metrics.emit(
        final_accuracy=after.accuracy, final_log_loss=after.log_loss, final_macro_f1=after.macro_f1, final_ece=after.ece
    )
    gain = found.comparison.gain
    metrics.emit(
        accuracy_gain=gain["accuracy"].value,
        accuracy_gain_low=gain["accuracy"].low,
        accuracy_gain_high=gain["accuracy"].high,
        log_loss_gain=gain["log_loss"].value,
    )
    metrics.emit(dev_accuracy=dev.accuracy, dev_log_loss=dev.log_loss)


def _contest(held: Contest) -> None:
    """Say how the champion and the challenger did, and what was decided."""
    if held.comparison is not None:
        gain = held.promotion.gain["accuracy"]
        metrics.emit(
            champion_accuracy=held.comparison.before.accuracy,
            challenger_gain=gain.value,
            challenger_gain_low=gain.low,
            challenger_gain_high=gain.high,
        )
    metrics.emit(promote=int(held.promotion.decision == "promote"))
    for note in held.notes:
        log.warning("%s", note)
    for why, rows in held.left_out.items():
        if rows:
            log.info("%d test rows are left out of the comparison: %s", rows, why)
    log.info("%s: %s", held.promotion.decision, held.promotion.reason)
