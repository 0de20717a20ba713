"""Provenance: what the figures come from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from relabel import settings
from relabel.report.results import Results
from relabel.report.section import Section
from relabel.settings import TrainSettings


def context(results: Results) -> dict[str, Any]:
    """Give hashes, versions, rows, notes, and the settings, those first that are not the default."""
    data, values = results.metrics["data"], results.metrics.get("settings", {})
    helps = {name: about.help for name, (_, _, about) in settings.fields(TrainSettings).items()}
    usual = _usual(values)
    listed = [
        {
            "name": name,
            "value": _said(value),
            "usual": _said(usual[name]) if name in usual else "",
            "help": helps.get(name, ""),
            "changed": name not in usual or value != usual[name],
        }
        for name, value in values.items()
    ]
    return {
        "digest": data["digest"],
        "rows": data["rows"],
        "left_out": data["left_out"],
        "reviewed": data.get("reviewed", {}),
        "notes": data.get("notes", []),
        "classes": results.classes,
        "served": results.metrics["served"],
        "learner": values.get("learner", ""),
        "build": results.build,
        "changed": [one for one in listed if one["changed"]],
        "unchanged": [one for one in listed if not one["changed"]],
    }


def _usual(values: Mapping[str, Any]) -> dict[str, Any]:
    """Give what each setting is where nobody says otherwise, for this learner."""
    defaults = {name: default for name, (_, default, _) in settings.fields(TrainSettings).items()}
    learner = values.get("learner", "")
    return {**defaults, **TrainSettings.learners.get(learner, {}), "learner": learner}


def _said(value: Any) -> str:
    """Say a value as one gives it on the command line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "(empty)" if value == "" else str(value)


SECTION = Section(name="provenance", title="Provenance", context=context)
