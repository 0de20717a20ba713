"""What of a job's results a tracking server gets: figures, tags, a summary and files."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

TEXTS = ("report.html", "label_issues.csv")
"""Files that hold texts of rows."""

SCORES = ("accuracy", "log_loss", "macro_f1", "ece")
ENDS = ("value", "low", "high")
"""How champion.json writes a figure with its interval: in this order."""


def read(folder: Path, name: str) -> dict[str, Any]:
    """Read one of a job's files of figures; {} where it is not there."""
    path = folder / name
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return found


def metrics(results: Mapping[str, Any], champion: Mapping[str, Any]) -> dict[str, float]:
    """Collect figures that are in no metric line: both sides of the comparison, every gain with its interval, the noise, the champion.

    results:  metrics.json.
    champion: champion.json, or {}.
    """
    compared, audit = results["comparison"], results["audit"]
    found: dict[str, Any] = {
        f"comparison/{side}_{score}": compared[side][score] for side in ("before", "after") for score in SCORES
    }
    for score, gain in compared["gain"].items():
        found |= {f"comparison/{score}_gain{'' if end == 'value' else f'_{end}'}": gain[end] for end in ENDS}
    found["comparison/mcnemar_p"] = compared["mcnemar"]["p"]
    noise = audit["kind_of_noise"]
    found |= {
        f"noise/wrong_share{end}": noise[name] for name, end in (("wrong", ""), ("low", "_low"), ("high", "_high"))
    }
    found |= {f"baselines/{name}_accuracy": scores["accuracy"] for name, scores in results["baselines"].items()}
    found |= dict(_of_champion(champion))
    return {name: float(value) for name, value in found.items() if _is_number(value)}


def tags(results: Mapping[str, Any], champion: Mapping[str, Any]) -> dict[str, str]:
    """Say in words what was found, done and decided."""
    noise = results["audit"]["kind_of_noise"]
    found = {
        "noise": noise["kind"],
        "noise.sentence": noise["sentence"],
        "treatment": results["treatment"]["verdict"],
        "champion.decision": champion.get("decision", ""),
        "champion.reason": champion.get("reason", ""),
    }
    return {f"relabel.{name}": text for name, text in found.items() if text}


def summary(results: Mapping[str, Any], champion: Mapping[str, Any]) -> str:
    """Describe the run in Markdown, for the top of its page."""
    compared = results["comparison"]
    gain = compared["gain"]["accuracy"]
    lines = [
        f"Noise: {results['audit']['kind_of_noise']['sentence']}.",
        f"Treatment: {results['treatment']['verdict']}",
        (
            f"Accuracy on the given test labels: {compared['before']['accuracy']:.4f} before, {compared['after']['accuracy']:.4f} after; "
            f"gain {gain['value']:+.4f} (95% interval {gain['low']:+.4f} to {gain['high']:+.4f})."
        ),
    ]
    if champion:
        lines.append(f"Champion and challenger: {champion.get('decision', '')}. {champion.get('reason', '')}")
    return "\n\n".join(lines)


def files(folder: Path, *, texts: bool) -> list[tuple[Path, str]]:
    """List the files to keep, each with the folder that it goes to; the small ones first.

    texts: whether those may go that hold texts of rows.
    """
    named = [folder / name for name in ("metrics.json", "champion.json", "data_issues.json")]
    drawn = sorted((folder / "figures").glob("*.png"))
    told = [folder / name for name in reversed(TEXTS)] if texts else []
    return [
        (path, path.parent.name if path.parent != folder else "") for path in (*named, *drawn, *told) if path.is_file()
    ]


def _of_champion(champion: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for side, scores in champion.get("scores", {}).items():
        yield from ((f"champion/{side}_{score}", value) for score, value in scores.items())
    gains = {f"{score}_gain": interval for score, interval in champion.get("gain", {}).items()}
    if champion.get("gain_of_right_labels"):
        gains["right_labels_gain"] = champion["gain_of_right_labels"]
    for name, interval in gains.items():
        for end, value in zip(ENDS, interval, strict=True):
            yield f"champion/{name}{'' if end == 'value' else f'_{end}'}", value
    if champion:
        yield "champion/promote", int(champion.get("decision") == "promote")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)
