"""drift.html: all windows over time on one page, which loads nothing and runs nothing."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from typing import Any

import numpy as np
from markupsafe import Markup

from relabel import looks
from relabel.model.reference import Reference
from relabel.monitoring import charts, matching, verdict
from relabel.monitoring.journal import Journal
from relabel.report import page
from relabel.report.drawing import rendered


def html(
    journal: Journal,
    reference: Reference,
    classes: tuple[str, ...],
    *,
    skipped: Mapping[str, int],
    accuracy: Mapping[str, Any] | None = None,
) -> str:
    """Make the page of a journal with one window at least; the same journal gives the same page, to the byte."""
    basis = described(reference, classes)
    drawn = [rendered(one) for one in charts.drawings(journal.windows, basis, accuracy, journal.watched.alpha)]
    style = looks.base_css() + (resources.files("relabel.report") / "static" / "report.css").read_text(encoding="utf-8")
    shown = [one for one in journal.windows if one["drifted"]] or [*journal.windows]
    templates = page.environment("relabel.monitoring")
    templates.filters |= {"p_value": verdict.p_value, "compared": verdict.compared}
    return templates.get_template("drift.html.j2").render(
        policy=f"default-src 'none'; style-src {page.source_hash(style)}; img-src data:; base-uri 'none'; form-action 'none'",
        style=Markup(style),  # noqa: S704  # our own files
        journal=journal,
        last=journal.windows[-1],
        told=shown[-1],
        headline=verdict.headline(journal, accuracy),
        drawings=drawn,
        reference_rows=len(reference),
        skipped=skipped,
        accuracy=accuracy,
        labels="" if accuracy is None else matching.said(accuracy),
    )


def described(reference: Reference, classes: tuple[str, ...]) -> dict[str, Any]:
    """Give of the reference what is given of windows: shares of the classes predicted, and the mean top probability."""
    probability = reference.probability
    counts = np.bincount(probability.argmax(axis=1), minlength=len(classes)) / len(probability)
    return {
        "shares": dict(zip(classes, counts.tolist(), strict=True)),
        "confidence": float(probability.max(axis=1).mean()),
    }
