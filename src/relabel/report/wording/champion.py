"""The model that serves now against the one of this job: which is to serve, and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from relabel.report import numbers
from relabel.report.numbers import Interval

DECISIONS = {
    "promote": "The model of this job is to take the place of the one that serves now:",
    "keep": "The model that serves now is to stay:",
}


def sentences(found: Mapping[str, Any]) -> list[str]:
    """Say what champion.json holds."""
    said = [f"{DECISIONS[found['decision']]} {found['reason']}."]
    if found["rows"]:
        champion, challenger = (found["scores"][side]["accuracy"] for side in ("champion", "challenger"))
        value, low, high = found["gain"]["accuracy"]
        said.append(
            f"On {numbers.count(found['rows'])} test rows that neither has learned from, as they are labelled, the one that serves now "
            f"(`{found['champion']}`) is right on {numbers.percent(champion)}, the new one (`{found['challenger']}`) on "
            f"{numbers.percent(challenger)}: {numbers.points(Interval(low, value, high))}."
        )
    if left := sum(found["left_out"].values()):
        said.append(f"{numbers.count(left)} test rows were left out, for the one that serves now was trained on them.")
    return [*said, *(f"{note[:1].upper()}{note[1:]}." for note in found["notes"])]
