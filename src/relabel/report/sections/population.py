"""The map: every drawn row a point, near the rows that the model sees alike.

Letters: N rows, n of them drawn.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relabel.report import excerpts, numbers, packing, sampling
from relabel.report.packing import Named
from relabel.report.results import Results
from relabel.report.sampling import Sample
from relabel.report.section import Section
from relabel.report.sections import clusters

MOST = 12_000
CUTS, BUDGET = (160, 120, 80, 50, 30), 2_400_000
"""Characters of a text at most, and bytes of all texts together."""

NAMES_BUDGET = 600_000
"""Bytes of all names of rows together; where they take more, rows are told by file and number alone."""

BANDS = (0.1, 0.5, 0.9)
"""Where bands of the probability that a label is wrong begin and end."""

BAND_NAMES = ("under 10%", "10% to 50%", "50% to 90%", "90% and more")
UNLABELLED, ALONE = "no label", "in no cluster"


def context(results: Results) -> dict[str, Any]:
    """Give the points and what they are drawn by; nothing but the reason where the job left no population."""
    if results.population is None:
        return {"data": None, "sentence": "", "common": "", "projection": "", "cut": 0, "clusters": []}
    sample = sampling.drawn(results.audit["flagged"].to_numpy(), MOST)
    texts, most = _texts(results, sample)
    return {
        "data": _points(results, sample, texts),
        "sentence": sample.sentence(),
        "common": sample.common(),
        "projection": _projection((results.overview or {}).get("projection", {})),
        "cut": most,
        "clusters": _cluster_names(results),
    }


def _projection(figures: Mapping[str, Any]) -> str:
    """Say what the two directions are."""
    of = figures.get("of", "what the model makes of each row").rstrip(".")
    if figures.get("method") == "umap":
        return f"UMAP has laid out {of}: what is near is alike, while long distances mean little."
    said = f"The two directions are the first principal components of {of}"
    if not figures.get("explained"):
        return f"{said}."
    first, second = (numbers.percent(share, 0) for share in figures["explained"])
    return f"{said}, and hold {first} and {second} of its variance."


def _points(results: Results, sample: Sample, texts: list[str | None]) -> dict[str, Any]:
    """Put the points into JSON: columns of numbers packed, columns of names as codes with the rows of each name in all the data."""
    audit, population, rows = results.audit, results.population, sample.rows
    assert population is not None  # noqa: S101  (the caller looked)
    ids = audit["id"].take(rows).to_pylist()
    told = any(ids) and sum(len((name or "").encode(errors="replace")) for name in ids) <= NAMES_BUDGET
    drawn = {
        **{name: packing.numbers(population[name])[rows] for name in ("x", "y", "loss")},
        "posterior": packing.numbers(audit["posterior"])[rows],
        "weight": sample.weight,
        "flagged": audit["flagged"].to_numpy()[rows],
        "row": audit["row"].to_numpy()[rows],
        "position": rows,
    }
    return {
        "numbers": {name: packing.packed(values) for name, values in drawn.items()},
        "names": {
            name: {
                "title": title,
                "names": column.names,
                "rows": column.counts(),
                "codes": packing.packed(column.codes[rows]),
            }
            for name, (title, column) in _columns(results).items()
        },
        "colours": ["given", "predicted", "doubt", "cluster", "split", "decision"],
        "ids": ids if told else None,
        "texts": texts if any(text is not None for text in texts) else None,
        "whole": sample.rows.size == audit.num_rows,
    }


def _columns(results: Results) -> dict[str, tuple[str, Named]]:
    """Columns of names (N,), each with its title."""
    audit, population, classes = results.audit, results.population, results.classes
    assert population is not None  # noqa: S101  (the caller looked)
    return {
        "given": ("Given label", packing.named(audit["given_label"], UNLABELLED, classes)),
        "predicted": ("Prediction", packing.named(population["predicted_label"], UNLABELLED, classes)),
        "suggested": ("Suggested label", packing.named(audit["suggested_label"], UNLABELLED, classes)),
        "doubt": ("Doubt", _bands(audit["posterior"].to_numpy())),
        "cluster": ("Cluster", _clusters(results)),
        "split": ("Split", packing.named(audit["split"], "no split", ("train", "dev", "test"))),
        "decision": ("Decision", packing.named(audit["decision"], "none")),
        "file": ("File", packing.named(audit["file"], "")),
    }


def _bands(posterior: NDArray[np.float64]) -> Named:
    """Bands of the probability (N,) that the label is wrong."""
    return Named(np.digitize(np.nan_to_num(posterior), BANDS).astype(np.int32), list(BAND_NAMES))


def _clusters(results: Results) -> Named:
    """Clusters (N,) by name, in the order of population.json; rows without one come last."""
    names = [cluster["name"] for cluster in _cluster_names(results)]
    assert results.population is not None  # noqa: S101  (the caller looked)
    codes = results.population["cluster"].to_numpy().astype(np.int32)
    alone = (codes < 0) | (codes >= len(names))
    return Named(np.where(alone, np.int32(len(names)), codes), [*names, ALONE] if alone.any() else names)


def _cluster_names(results: Results) -> list[dict[str, Any]]:
    """Number, name and rows of each cluster."""
    found = sorted((results.overview or {}).get("clusters", []), key=lambda figures: figures["cluster"])
    return [{"number": one["cluster"], "name": clusters.name(one), "rows": one["rows"]} for one in found]


def _texts(results: Results, sample: Sample) -> tuple[list[str | None], int]:
    """Texts of the drawn rows (n,), cut so that all fit the budget, and the characters of each at most."""
    texts = results.text(sample.rows)
    most = excerpts.longest([text for text in texts if text is not None], CUTS, BUDGET)
    return [None if text is None else excerpts.cut(text, most)[0] for text in texts], most


def library(results: Results) -> tuple[str, ...]:
    """Give the source of BokehJS, as the package ships it, where there is a map to draw."""
    if results.population is None:
        return ()
    from bokeh.util.paths import bokehjs_path  # noqa: PLC0415  (half a second, for reports alone)

    return ((Path(bokehjs_path()) / "js" / "bokeh.min.js").read_text(encoding="utf-8"),)


SECTION = Section(
    name="map",
    title="Map of the rows",
    context=context,
    styles=("tables.css", "map.css"),
    scripts=("tables.js", "points.js", "marks.js", "selection.js", "map.js"),
    styled=True,
    library=library,
)
