"""What the sentences of a report are made of, taken out of the results once.

Letters: N rows, Q questions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from relabel.auditing import noise
from relabel.auditing.population import bins
from relabel.report.numbers import Interval
from relabel.report.results import Results
from relabel.results.reviewing import questions as reviewing
from relabel.results.reviewing import queue

DONE = ("drop", "flip", "weight", "soft")
"""What a policy may do with a row; `keep` is nothing."""

FIRST = 100
"""Questions that one starts with."""

OTHERS = {"macro_f1": "macro F1", "ece": "calibration"}
"""Metrics beside accuracy and log loss, as people call them."""

CLEARLY = 1.5
"""Times as many wrong labels as usual from which on a source of them is named."""

POOR = 0.25
"""A model that does not get this part of the way from the commonest class to all right says little of single labels."""

VAGUE = 2.0
"""A verified gain whose interval is so many times as wide as the other says too little to stand in its place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gain:
    """What the treatment was worth in accuracy and in log loss, above 0 is better, and which labels say so.

    basis: verified (people looked at test rows), corrected (given test labels with their noise undone), or plain (given ones).
    rows:  test rows.
    """

    basis: str
    accuracy: Interval
    log_loss: Interval
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Rows that share a value of one of the columns in `metadata_columns` and are surely worse than the others.

    wrong: share of their labels that is expected to be wrong.
    """

    column: str
    value: str
    rows: int
    wrong: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Figures of one job, by name.

    rows:         training rows whose labels were doubted: labelled, not left out, not verified by people.
    training:     training rows in all, without those left out.
    expected, low, high: labels of `rows` that are expected to be wrong, and the 95% interval.
    kind, kind_says: the kind of noise and its sentence.
    flagged:      of `rows`, labels to be looked at.
    reviewed:     rows of all splits that people decided.
    precision:    share of the flagged labels that is expected to be wrong; None without any.
    policy:       as set. outcome, best, why: what `auto` chose; empty under any other policy. tried: whether it tried any.
    done:         what was done -> training rows. verdict: the policy's sentence.
    plain, corrected, verified: gains; corrected is None where it makes no sense, and `overshoots` tells that.
    unlike:       where test labels do not carry the noise of train: the share of them that is not as predicted, and what it would be if they did.
    before, after: accuracy on the test labels as given, mean over the seeds; seeds: how many.
    smallest:     an accuracy gain smaller than this cannot be told from none.
    served:       accuracy of the served model on the same; seed_protocol: what the seed project would have said of it.
    questions:    open questions about flagged rows, of all splits; open_wrong: wrong labels expected in them.
    first, first_wrong: the first of them, and the wrong labels expected there.
    hidden:       whether flagged are all labels that are not the likeliest, for wrong ones, if any, hide among ambiguous rows.
    hurts:        other figures on the labels as given that are surely worse after, each with its gain.
    right:        share of the training rows that models which did not see them predict as they are labelled; commonest: of the commonest class.
    source:       where wrong labels come from, as far as the data's own columns tell; None where they do not.
    worth_more:   more, cleaner, or cannot tell; empty where it was not asked. more_or_cleaner: its sentence.
    """

    rows: int
    training: int
    expected: float
    low: float
    high: float
    kind: str
    kind_says: str
    flagged: int
    precision: float | None
    policy: str
    verdict: str
    plain: Gain
    before: float
    after: float
    smallest: float
    served: float
    reviewed: int = 0
    outcome: str = ""
    best: str = ""
    why: str = ""
    tried: bool = False
    done: Mapping[str, int] = field(default_factory=dict)
    corrected: Gain | None = None
    verified: Gain | None = None
    overshoots: bool = False
    unlike: tuple[float, float] | None = None
    seeds: int = 1
    seed_protocol: float | None = None
    questions: int = 0
    open_wrong: float = 0.0
    first: int = 0
    first_wrong: float = 0.0
    hidden: bool = False
    hurts: Mapping[str, Interval] = field(default_factory=dict)
    right: float | None = None
    commonest: float = 0.0
    source: Source | None = None
    worth_more: str = ""
    more_or_cleaner: str = ""

    @property
    def poor(self) -> bool:
        """Whether the model is hardly better than naming the commonest class."""
        return self.right is not None and self.right < self.commonest + POOR * (1 - self.commonest)

    @property
    def treated(self) -> int:
        """Rows that the policy changed."""
        return sum(self.done.values())

    @property
    def gain(self) -> Gain:
        """The gain that is to be believed: the verified one where it is not vague, else the one corrected for noise, else the plain one."""
        other = self.corrected or self.plain
        if self.verified is None or self.verified.accuracy.width > VAGUE * other.accuracy.width:
            return other
        return self.verified

    @property
    def contradicted(self) -> bool:
        """Whether undoing the noise turns a sure loss into a sure gain or back: then all hangs on rates that are not known exactly."""
        told = self.gain.accuracy
        plain = self.plain.accuracy
        return self.gain.basis == "corrected" and ((plain.above and told.below) or (plain.below and told.above))


def gathered(results: Results) -> Facts:
    """Take the facts out of a job's results, once."""
    if "facts" not in results.kept:
        results.kept["facts"] = _gathered(results)
    found: Facts = results.kept["facts"]
    return found


def _gathered(results: Results) -> Facts:
    figures = results.metrics
    audit, treatment, compared = figures["audit"], figures["treatment"], figures["comparison"]
    choice = treatment.get("choice") or {}
    low, high = audit["expected_errors_interval"]
    overshoots = _overshoots(compared)
    training = training_rows(results.audit)
    flagged = training & results.audit["flagged"].to_numpy()
    open_, wrong = questions(results.audit)
    return Facts(
        rows=int((training & _doubted(results.audit)).sum()),
        training=int(training.sum()),
        expected=audit["expected_errors"],
        low=low,
        high=high,
        kind=audit["kind_of_noise"]["kind"],
        kind_says=audit["kind_of_noise"]["sentence"],
        flagged=int(flagged.sum()),
        precision=float(results.audit["posterior"].to_numpy()[flagged].mean()) if flagged.any() else None,
        policy=treatment["policy"],
        verdict=treatment["verdict"],
        plain=_gain("plain", compared["gain"], compared["rows"]),
        before=compared["before"]["accuracy"],
        after=compared["after"]["accuracy"],
        smallest=compared["smallest_seen"],
        served=figures["served"]["test"]["accuracy"],
        reviewed=sum(figures["data"].get("reviewed", {}).values()),
        outcome=choice.get("outcome", ""),
        best=choice.get("best", ""),
        why=choice.get("why", ""),
        tried=bool(choice.get("trials")),
        done={name: treatment[name] for name in DONE if treatment.get(name)},
        corrected=None if overshoots else _corrected(compared),
        verified=_verified(figures.get("comparison_verified")),
        overshoots=overshoots,
        unlike=_unlike(figures.get("noise_of_test")),
        seeds=len(compared["before_seeds"]),
        seed_protocol=(figures.get("seed_protocol") or {}).get("accuracy"),
        questions=open_,
        open_wrong=float(wrong.sum()),
        first=min(FIRST, open_),
        first_wrong=_asked_first(results),
        hidden=_hidden(audit["kind_of_noise"]),
        hurts=_hurts(compared["gain"]),
        right=(figures.get("cross_validation") or {}).get("accuracy"),
        commonest=_commonest(results.audit, training),
        source=_source(results.overview or {}, audit["expected_errors"] / max(1, int(training.sum()))),
        worth_more=(results.outlook or {}).get("answer", ""),
        more_or_cleaner=(results.outlook or {}).get("sentence", ""),
    )


def _hurts(gains: Mapping[str, Any]) -> dict[str, Interval]:
    """Give the other metrics that are surely worse."""
    found = {name: Interval.of(gains[metric]) for metric, name in OTHERS.items() if metric in gains}
    return {name: gain for name, gain in found.items() if gain.below}


def _source(overview: Mapping[str, Any], usual: float) -> Source | None:
    """Find the worst value of a column of the data whose labels are wrong clearly more often than usual."""
    found = [
        Source(column=one["title"], value=one["name"], rows=one["rows"], wrong=one["expected_wrong_labels"])
        for one in overview.get("worst", [])
        if one["measure"].startswith(bins.METADATA) and one["expected_wrong_labels"] >= CLEARLY * usual
    ]
    return found[0] if found else None


def _commonest(audit: pa.Table, rows: NDArray[np.bool_]) -> float:
    """Share of the commonest label among some rows (N,)."""
    labels = audit["given_label"].to_pandas()[rows].value_counts(normalize=True)
    return float(labels.iloc[0]) if len(labels) else 0.0


def _hidden(verdict: Mapping[str, Any]) -> bool:
    return noise.Verdict(**{name: value for name, value in verdict.items() if name != "sentence"}).hidden


def questions(audit: pa.Table) -> tuple[int, NDArray[np.float64]]:
    """Count the open questions about flagged rows, and give the wrong labels expected in each, most first: (Q,).

    A group of duplicates is one question; what people decided is none.
    """
    column = {name: audit[name].to_numpy() for name in ("group", "posterior", "flagged", "left_out")}
    rows = column["flagged"] & ~column["left_out"] & ~_reviewed(audit)
    _, place = np.unique(column["group"][rows], return_inverse=True)
    wrong: NDArray[np.float64] = -np.sort(-np.bincount(place, weights=column["posterior"][rows]).astype(np.float64))
    return wrong.size, wrong


def _asked_first(results: Results) -> float:
    """Expect wrong labels in the first questions that people are asked, of which a share is drawn by chance from all."""
    if "reviewed" not in results.audit.column_names:
        return float(questions(results.audit)[1][:FIRST].sum())
    asked = reviewing.weighed(results.audit, results.classes)
    drawn = queue.drawn(asked, np.ones(len(asked), np.bool_), {}, count=FIRST, random_share=queue.RANDOM_SHARE, seed=0)
    return float(asked.value[drawn.question].sum())


def training_rows(audit: pa.Table) -> NDArray[np.bool_]:
    """Mark the rows (N,) that models learned from."""
    found: NDArray[np.bool_] = (audit["split"].to_numpy() == "train") & ~audit["left_out"].to_numpy()
    return found


def _doubted(audit: pa.Table) -> NDArray[np.bool_]:
    labelled: NDArray[np.bool_] = audit["given_label"].is_valid().to_numpy()
    return labelled & ~_reviewed(audit)


def _reviewed(audit: pa.Table) -> NDArray[np.bool_]:
    """Rows (N,) that people decided; older audits know of none."""
    if "reviewed" not in audit.column_names:
        return np.zeros(audit.num_rows, np.bool_)
    found: NDArray[np.bool_] = audit["reviewed"].to_numpy()
    return found


def _gain(basis: str, gains: Mapping[str, Any], rows: int) -> Gain:
    accuracy, log_loss = Interval.of(gains["accuracy"]), Interval.of(gains["log_loss"])
    return Gain(basis=basis, accuracy=accuracy, log_loss=log_loss, rows=rows)


def _corrected(compared: Mapping[str, Any]) -> Gain | None:
    found = compared.get("corrected") or {}
    if not {"accuracy", "log_loss"} <= found.keys():
        return None
    return _gain("corrected", {name: figures["gain"] for name, figures in found.items()}, compared["rows"])


def _overshoots(compared: Mapping[str, Any]) -> bool:
    """Tell whether undoing the noise gives more than 100%: then the test labels are cleaner than those it was learned from."""
    figures = (compared.get("corrected") or {}).get("accuracy")
    return figures is not None and max(figures["before"]["value"], figures["after"]["value"]) > 1


def _unlike(found: Mapping[str, Any] | None) -> tuple[float, float] | None:
    return None if not found or found["alike"] else (found["observed"], found["expected"])


def _verified(found: Mapping[str, Any] | None) -> Gain | None:
    return None if not found else _gain("verified", found["gain"], found["rows"])
