"""Clusters of rows that are alike, named by their words: where the model loses, and where labels are wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from relabel.report.results import Results
from relabel.report.section import Section

SAID_WORDS, SAID_LABELS = 5, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """A cluster as the table shows it.

    name:   its words or, where there are no texts, its number.
    labels: the commonest, each with its rows and its share; rest: rows of all others.
    """

    number: int
    name: str
    rows: int
    loss: float | None
    accuracy: float | None
    wrong: float | None
    flagged: int
    labels: Sequence[tuple[str, int, float]]
    rest: int


def context(results: Results) -> dict[str, Any]:
    """Give the clusters, those with the largest share of wrong labels first, and the highest share and loss for the bars."""
    found = [_cluster(figures) for figures in (results.overview or {}).get("clusters", [])]
    found.sort(key=lambda cluster: (-(cluster.wrong or 0.0), cluster.number))
    return {
        "clusters": found,
        "looked_at": (results.overview or {}).get("looked_at", ""),
        "worst": found[0] if found and found[0].wrong else None,
        "most_wrong": max((cluster.wrong or 0.0 for cluster in found), default=0.0),
        "most_loss": max((cluster.loss or 0.0 for cluster in found), default=0.0),
    }


def name(figures: Mapping[str, Any]) -> str:
    """Name a cluster of population.json."""
    return ", ".join(figures["words"][:SAID_WORDS]) or f"cluster {figures['cluster'] + 1}"


def _cluster(figures: Mapping[str, Any]) -> Cluster:
    labels = sorted(figures["labels"].items(), key=lambda item: -item[1])
    total = max(sum(figures["labels"].values()), 1)
    return Cluster(
        number=figures["cluster"],
        name=name(figures),
        rows=figures["rows"],
        loss=figures["loss"],
        accuracy=figures["accuracy"],
        wrong=figures["expected_wrong_labels"],
        flagged=figures["flagged"],
        labels=[(label, rows, rows / total) for label, rows in labels[:SAID_LABELS] if rows],
        rest=sum(rows for _, rows in labels[SAID_LABELS:]),
    )


SECTION = Section(
    name="clusters", title="Clusters", context=context, styles=("tables.css",), scripts=("tables.js", "clusters.js")
)
