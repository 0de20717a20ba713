"""What is done with doubtful rows: a registry of policies under shared limits.

Whatever the policy, only training rows that are doubted and not trusted are ever changed, the worst first, no more than errors are expected
and the limits allow, and never the last row of a class. Letters: N rows, C classes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from relabel.auditing.examine import Audit, worst_first
from relabel.errors import UserError


class Decision(IntEnum):
    """What happens to a row."""

    KEEP = 0
    DROP = 1
    FLIP = 2
    WEIGHT = 3
    SOFT = 4


DONE = {
    Decision.KEEP: "kept",
    Decision.DROP: "dropped",
    Decision.FLIP: "flipped",
    Decision.WEIGHT: "weighed down",
    Decision.SOFT: "given soft labels",
}

Sieve = Callable[[NDArray[np.intp]], NDArray[np.bool_]]

ROUNDING = 1e-9
"""Slack for shares of rows, so that 0.3 of 10 rows is 3."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds that hold whatever is doubted; the meanings of the settings of the same names.

    drop_above, flip_above, weigh_above: posterior from which on a row is dropped, flipped, or weighed down or given soft labels.
    max_treated_share:      of the training rows, at most this share is changed; a row that is weighed down counts by its posterior.
    max_flagged_share:      where a larger share of the training rows is flagged, nothing is changed.
    """

    drop_above: float = 0.0
    flip_above: float = 0.8
    weigh_above: float = 0.1
    max_treated_share: float = 0.35
    max_flagged_share: float = 0.45


@dataclass(frozen=True, slots=True)
class Policy:
    """What is done to a row, from which posterior on, and the name of the setting that says so.

    whole: a row is changed as a whole, so no more are than errors are expected; else each is by as much as it is doubted.
    """

    decision: Decision
    setting: str
    whole: bool

    def above(self, limits: Limits) -> float:
        """The posterior from which on rows are changed."""
        value: float = getattr(limits, self.setting) if self.setting else 0.0
        return value


POLICIES: Mapping[str, Policy] = {
    "keep": Policy(Decision.KEEP, "", whole=True),
    "drop": Policy(Decision.DROP, "drop_above", whole=True),
    "weight": Policy(Decision.WEIGHT, "weigh_above", whole=False),
    "soft": Policy(Decision.SOFT, "weigh_above", whole=False),
    "flip": Policy(Decision.FLIP, "flip_above", whole=True),
}


@dataclass(frozen=True, slots=True, eq=False)
class Treatment:
    """What happens to each row.

    decision: (N,) int8, a Decision.
    labels:   (N,) int64, after the treatment.
    weights:  (N,) float32, 0 for dropped rows and for unlabelled ones, 1 - posterior for those weighed down, else 1.
    soft:     (N, C) float32, how likely each class is, all 1 and 0 but for rows with soft labels; None where there are none.
    reason:   (N,) object array of str, why, for every row.
    verdict:  one sentence for people.
    """

    decision: NDArray[np.int8]
    labels: NDArray[np.int64]
    weights: NDArray[np.float32]
    soft: NDArray[np.float32] | None
    reason: NDArray[np.object_]
    verdict: str

    @property
    def targets(self) -> NDArray[np.int64] | NDArray[np.float32]:
        """What models are trained on: labels (N,), or soft labels (N, C)."""
        return self.labels if self.soft is None else self.soft


def decide(
    name: str,
    audit: Audit,
    labels: NDArray[np.int64],
    *,
    training: NDArray[np.bool_],
    trusted: NDArray[np.bool_],
    limits: Limits,
) -> Treatment:
    """Decide on every row under the policy `name`.

    labels: (N,) given, -1 for unlabelled; training, trusted: (N,) as for `examine`.

    Where a class would lose its last training row, its least doubtful treated row is kept.

    Raises UserError where there is no such policy.
    """
    if name not in POLICIES:
        raise UserError(f"policy is {name!r}: give one of {', '.join(POLICIES)}")
    policy = POLICIES[name]
    members = training & (labels >= 0)
    doubted = members & ~trusted
    flagged = int((audit.flagged & doubted).sum())
    candidates = worst_first(audit.doubt, np.flatnonzero((audit.flagged if policy.whole else True) & doubted))
    reason = np.array(["not flagged", "flagged"], np.object_)[audit.flagged.astype(np.intp)]  # N rows share two strings
    reason[trusted] = "trusted"
    reason[labels < 0] = "unlabelled"
    reason[~training] = "no training row: never changed"
    rows, held = candidates, {}
    for why, passes in _sieves(policy, audit, labels, members, flagged=flagged, limits=limits).items():
        stays = passes(rows)
        left = rows[~stays & audit.flagged[rows]]
        reason[left] = f"flagged; {why}"
        held[why] = left.size
        rows = rows[stays]
    for state in ("flagged", "not flagged"):
        mine = rows[audit.flagged[rows] == (state == "flagged")]
        reason[mine] = f"{state}; {DONE[policy.decision]}"
    verdict = _verdict(policy.decision, rows.size, flagged, int(members.sum()), held)
    return _treated(policy, audit, labels, rows, reason=reason, verdict=verdict)


def _treated(
    policy: Policy,
    audit: Audit,
    labels: NDArray[np.int64],
    rows: NDArray[np.intp],
    *,
    reason: NDArray[np.object_],
    verdict: str,
) -> Treatment:
    """Do to rows (n,) what the policy does."""
    decision = np.zeros(labels.size, dtype=np.int8)
    decision[rows] = policy.decision
    weights = ((decision != Decision.DROP) & (labels >= 0)).astype(np.float32)
    weighed = decision == Decision.WEIGHT
    weights[weighed] = (1.0 - audit.posterior)[weighed]
    soft = None
    if policy.decision is Decision.SOFT and rows.size:
        soft = np.eye(audit.clean.shape[1], dtype=np.float32)[labels]
        soft[rows] = audit.clean[rows]
    return Treatment(
        decision=decision,
        labels=np.where(decision == Decision.FLIP, audit.suggested, labels)
        if policy.decision is Decision.FLIP
        else labels,
        weights=weights,
        soft=soft,
        reason=reason,
        verdict=verdict,
    )


def _sieves(
    policy: Policy,
    audit: Audit,
    labels: NDArray[np.int64],
    members: NDArray[np.bool_],
    *,
    flagged: int,
    limits: Limits,
) -> dict[str, Sieve]:
    """What rows pass one after another, all candidates first, the worst in front: why one is left -> which pass."""
    most_flagged, most_treated = (
        int(share * members.sum() + ROUNDING) for share in (limits.max_flagged_share, limits.max_treated_share)
    )
    too_many = (
        f"more than {100 * limits.max_flagged_share:g}% are flagged: the labels or the model are too poor to tell"
    )
    return {
        too_many: lambda rows: np.full(rows.size, flagged <= most_flagged),
        "the policy is keep": lambda rows: np.full(rows.size, policy.decision != Decision.KEEP),
        "no more errors are expected": lambda rows: (
            np.arange(rows.size) < round(audit.expected) if policy.whole else np.ones(rows.size, dtype=np.bool_)
        ),
        f"posterior below {policy.setting}": lambda rows: audit.posterior[rows] >= policy.above(limits),
        "max_treated_share is reached": lambda rows: (
            np.cumsum(np.ones(rows.size) if policy.whole else audit.posterior[rows]) <= most_treated + ROUNDING
        ),
        "last row of its class": lambda rows: ~_last_of_class(policy, rows, audit, labels, members),
    }


def _last_of_class(
    policy: Policy, rows: NDArray[np.intp], audit: Audit, labels: NDArray[np.int64], members: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Mark, of rows (n,) to be changed, the least doubtful one of each class that would be left without any: (n,)."""
    classes = audit.clean.shape[1]
    left = np.bincount(labels[members], minlength=classes) - np.bincount(labels[rows], minlength=classes)
    if policy.decision is Decision.FLIP:
        left += np.bincount(audit.suggested[rows], minlength=classes)
    lost = np.flatnonzero((left == 0) & (np.bincount(labels[rows], minlength=classes) > 0))
    marked = np.zeros(rows.size, dtype=np.bool_)
    marked[[np.flatnonzero(labels[rows] == c)[-1] for c in lost]] = True
    return marked


def _verdict(decision: Decision, changed: int, flagged: int, count: int, held: Mapping[str, int]) -> str:
    """Say in a sentence how much is flagged, what was done, and what was left for which reason."""
    seen = f"{flagged:,} of {count:,} training rows ({flagged / count:.1%}) are flagged" if flagged else ""
    if not seen and not changed:
        return "Nothing was changed: no training row is flagged."
    done = (
        f"{seen or 'no training row is flagged'}; {changed:,} {DONE[decision]}"
        if changed
        else f"Nothing was changed: {seen}"
    )
    left = "".join(f"; {rows:,} left as they are ({why})" for why, rows in held.items() if rows)
    return f"{done}{left}."
