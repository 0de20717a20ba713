"""What is done with flagged rows: a registry of policies under shared limits.

Whatever the policy, only training rows that are flagged and not trusted are ever changed, the worst first, no more than the
limits allow, and never the last row of a class. Letters: N rows.
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


DONE = {Decision.KEEP: "kept", Decision.DROP: "dropped", Decision.FLIP: "flipped"}

Sieve = Callable[[NDArray[np.intp]], NDArray[np.bool_]]

ROUNDING = 1e-9
"""Slack for shares of rows, so that 0.3 of 10 rows is 3."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds that hold whatever is flagged; the meanings of the settings of the same names.

    drop_above, flip_above: posterior from which on a flagged row is dropped or flipped.
    max_treated_share:      of the training rows, at most this share is changed.
    max_flagged_share:      where a larger share of the training rows is flagged, nothing is changed.
    """

    drop_above: float = 0.0
    flip_above: float = 0.8
    max_treated_share: float = 0.3
    max_flagged_share: float = 0.45


@dataclass(frozen=True, slots=True)
class Policy:
    """What is done to a flagged row, from which posterior on, and the name of the setting that says so."""

    decision: Decision
    setting: str
    above: Callable[[Limits], float]


POLICIES: Mapping[str, Policy] = {
    "keep": Policy(Decision.KEEP, "", lambda _: 0.0),
    "drop": Policy(Decision.DROP, "drop_above", lambda limits: limits.drop_above),
    "flip": Policy(Decision.FLIP, "flip_above", lambda limits: limits.flip_above),
}


@dataclass(frozen=True, slots=True, eq=False)
class Treatment:
    """What happens to each row.

    decision: (N,) int8, a Decision.
    labels:   (N,) int64, after the treatment.
    weights:  (N,) float32, 0 for dropped rows and for unlabelled ones, else 1.
    reason:   (N,) object array of str, why, for every row.
    verdict:  one sentence for people.
    """

    decision: NDArray[np.int8]
    labels: NDArray[np.int64]
    weights: NDArray[np.float32]
    reason: NDArray[np.object_]
    verdict: str


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
    flagged = worst_first(audit.posterior, audit.margin, np.flatnonzero(audit.flagged & members & ~trusted))
    reason = _unflagged_reasons(labels, training, trusted)
    rows, held = flagged, {}
    for why, passes in _sieves(policy, audit, labels, members, limits).items():
        stays = passes(rows)
        reason[rows[~stays]] = f"flagged; {why}"
        held[why] = int((~stays).sum())
        rows = rows[stays]
    reason[rows] = f"flagged; {DONE[policy.decision]}"
    decision = np.zeros(labels.size, dtype=np.int8)
    decision[rows] = policy.decision
    return Treatment(
        decision=decision,
        labels=np.where(decision == Decision.FLIP, audit.suggested, labels),
        weights=((decision != Decision.DROP) & (labels >= 0)).astype(np.float32),
        reason=reason,
        verdict=_verdict(policy.decision, rows.size, flagged.size, int(members.sum()), held),
    )


def _unflagged_reasons(
    labels: NDArray[np.int64], training: NDArray[np.bool_], trusted: NDArray[np.bool_]
) -> NDArray[np.object_]:
    """Why a row (N,) that is not flagged stays as it is."""
    reason = np.full(labels.size, "not flagged", dtype=np.object_)
    reason[trusted] = "trusted"
    reason[labels < 0] = "unlabelled"
    reason[~training] = "no training row: never changed"
    return reason


def _sieves(
    policy: Policy, audit: Audit, labels: NDArray[np.int64], members: NDArray[np.bool_], limits: Limits
) -> dict[str, Sieve]:
    """What rows pass one after another, all flagged ones first, the worst in front: why one is left -> which pass."""
    most_flagged, most_treated = (
        int(share * members.sum() + ROUNDING) for share in (limits.max_flagged_share, limits.max_treated_share)
    )
    too_many = (
        f"more than {100 * limits.max_flagged_share:g}% are flagged: the labels or the model are too poor to tell"
    )
    return {
        too_many: lambda rows: np.full(rows.size, rows.size <= most_flagged),
        "the policy is keep": lambda rows: np.full(rows.size, policy.decision != Decision.KEEP),
        f"posterior below {policy.setting}": lambda rows: audit.posterior[rows] >= policy.above(limits),
        "max_treated_share is reached": lambda rows: np.arange(rows.size) < most_treated,
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
    if not flagged:
        return "Nothing was changed: no training row is flagged."
    seen = f"{flagged:,} of {count:,} training rows ({flagged / count:.1%}) are flagged"
    done = f"{seen}; {changed:,} {DONE[decision]}" if changed else f"Nothing was changed: {seen}"
    left = "".join(f"; {rows:,} left as they are ({why})" for why, rows in held.items() if rows)
    return f"{done}{left}."
