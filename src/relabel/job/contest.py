"""Champion against challenger: the model that serves now and the one that this job would serve, on test rows that neither has learned from.

Letters: N rows, n rows compared, C classes.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from relabel.evaluation import guards, promotion
from relabel.evaluation.comparison import Interval
from relabel.job.champion import Champion
from relabel.job.judging import Judged
from relabel.results.findings import Contest

TRAINED = "champion trained on them"
"""Why rows are left out."""

REDRAWN = 0.05
"""Share of the test rows that the champion was trained on from which on the splits were drawn anew; a few are duplicates."""

CHOSEN = (
    "rows that the champion was trained on are test rows now, so those that its cleaning left out of training, for it doubted their labels, are "
    "among the rest and speak against it; give the same test rows to every job, or new ones"
)
"""Such rows cannot be told from rows that it never saw."""

BLIND = (
    "the champion does not know which rows it was trained on: any of them that are among the test rows speak for it, so that a challenger "
    "has to be better than it seems"
)


def held(champion: Champion, judged: Judged, noise: NDArray[np.float64] | None, *, seed: int) -> Contest:
    """Let both predict the test rows that count, less those that the champion was trained on, and decide.

    judged: the models of this job; its served one is the challenger.
    noise:  (C, C) P(given j | true i) of the labels as given, None where the test labels do not carry it.
    """
    examples = judged.examples
    unseen = ~champion.seen(examples)[judged.rows]
    rows = judged.rows[unseen]
    left_out = {TRAINED: int(judged.rows.size - rows.size)}
    notes = () if champion.knows_its_rows else (BLIND,)
    name = champion.artifact.short_hash
    if not rows.size:
        return Contest(name, left_out, notes, None, promotion.without_rows())
    both = dataclasses.replace(
        judged,
        rows=rows,
        before=champion.predicted(examples, rows)[None],
        after=judged.after[judged.best, unseen][None],
        best=0,
    )
    compared = both.compared(noise, seed=seed)
    kept = _guards(both, noise if promotion.is_corrected(compared) else None, seed)
    decided = promotion.decide(compared, kept, both.verified(seed=seed))
    if champion.artifact.fitted_on == "treated" and left_out[TRAINED] > REDRAWN * judged.rows.size:
        notes, decided = (*notes, CHOSEN), promotion.stopped(decided, CHOSEN)
    return Contest(name, left_out, notes, compared, decided)


def _guards(both: Judged, noise: NDArray[np.float64] | None, seed: int) -> dict[str, Interval]:
    """Weigh what must not be lost; where noise is undone, in the labels as they were given."""
    examples, rows = both.examples, both.rows
    labels = examples.labels[rows] if noise is None else examples.as_given()[rows]
    known = np.flatnonzero(labels >= 0)
    if not known.size:
        labels, known, noise = examples.labels[rows], np.arange(rows.size), None
    sides = (both.before[0, known], both.after[0, known])
    return guards.gains(labels[known], *sides, examples.group[rows[known]], seed=seed, noise=noise)
