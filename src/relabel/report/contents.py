"""What a report consists of, in order."""

from __future__ import annotations

from relabel.report.section import Section
from relabel.report.sections import answer, changes, clusters, issues, noise, population, provenance, rows, slices

SECTIONS: tuple[Section, ...] = (
    answer.SECTION,
    changes.SECTION,
    noise.SECTION,
    rows.SECTION,
    population.SECTION,
    clusters.SECTION,
    slices.SECTION,
    issues.SECTION,
    provenance.SECTION,
)
