"""Slices: where the model loses, by what the texts and the rows are like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from relabel.report.charts import slices
from relabel.report.drawing import Drawing
from relabel.report.results import AGAIN, Results
from relabel.report.section import Section
from relabel.report.sections import clusters

SAID = 5
"""Trends that are said at once, one of each family; the others are folded away."""

FAMILIES = {
    **dict.fromkeys(("characters", "words", "difficult_words"), "length"),
    **dict.fromkeys(("polarity", "subjectivity"), "sentiment"),
    **dict.fromkeys(("automated_readability", "coleman_liau", "dale_chall", "flesch_kincaid"), "readability"),
    **dict.fromkeys(("flesch_reading_ease", "gunning_fog", "smog", "lix"), "readability"),
}
"""Measures that say nearly the same."""

ROOM = 0.08
"""How far beyond the intervals the axes go, as a share of what they span."""


def context(results: Results) -> dict[str, Any]:
    """Give the trends, the worst slices, what was measured, or why there is nothing."""
    overview, weak = results.overview or {}, results.data_issues.get("weak_slices", {})
    worst, overall = overview.get("worst") or weak.get("slices", []), _overall(results)
    said, others = _trends(overview.get("trends", []))
    return {
        "measured": overview.get("measured"),
        "looked_at": overview.get("looked_at", ""),
        "worst": [_named(one) for one in worst],
        "spoken": any(one.get("words") for one in worst),
        "names": [_name(place) for place in range(len(overview.get("slices", [])))],
        "skipped": overview.get("skipped", []),
        "trends": said,
        "others": others,
        "overall": overall,
        "accuracy": overall["accuracy"] if overall else weak.get("accuracy"),
        "missing": "" if results.overview is not None else f"Slices are not in these results: {AGAIN}.",
    }


def drawings(results: Results) -> tuple[Drawing, ...]:
    """Draw the loss against each measure, all on one scale."""
    measures = [one for one in (results.overview or {}).get("slices", []) if one["bins"]]
    if not measures:
        return ()
    ends = [end for measure in measures for one in measure["bins"] for end in one["loss_interval"]]
    room = ROOM * (max(ends) - min(ends))
    span = (max(0.0, min(ends) - room), max(ends) + room)
    found = _overall(results)
    overall = found["loss"] if found else None
    return tuple(slices.drawn(_name(place), one, overall, span) for place, one in enumerate(measures))


def _trends(found: Sequence[Mapping[str, Any]]) -> tuple[list[str], list[str]]:
    """Give the sentences of the surest trend of each family, and the others."""
    first: dict[str, int] = {}
    for place, one in enumerate(found):
        first.setdefault(FAMILIES.get(one["measure"], one["measure"]), place)
    said = sorted(first.values())[:SAID]
    return [found[n]["sentence"] for n in said], [one["sentence"] for n, one in enumerate(found) if n not in said]


def _named(one: Mapping[str, Any]) -> Mapping[str, Any]:
    """Name a cluster as the part about clusters does."""
    if one.get("measure") != "cluster":
        return one
    return {**one, "name": clusters.name({"cluster": int(one["name"]), "words": one["words"]})}


def _overall(results: Results) -> dict[str, Any] | None:
    """Give the figures of all rows that slices are of; None where an older job did not write them."""
    found: dict[str, Any] | None = (results.overview or {}).get("overall")
    return found


def _name(place: int) -> str:
    """Name a file and an anchor: what a measure is called may be anything."""
    return f"slices_{place + 1}"


SECTION = Section(name="slices", title="Where the model goes wrong", context=context, drawings=drawings)
