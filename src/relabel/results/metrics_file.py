"""metrics.json: every figure of the job, for machines."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np

from relabel import files, settings
from relabel.auditing.policies import Decision
from relabel.data.examples import Examples, Split
from relabel.results import explanations
from relabel.results.findings import Findings
from relabel.results.seed_files import OPTIMISTIC

NAME = "metrics.json"


def write(folder: Path, findings: Findings) -> None:
    """Write the figures."""
    files.write_json(folder / NAME, as_dict(findings))


def read(folder: Path) -> dict[str, Any]:
    """Read the figures back."""
    figures: dict[str, Any] = json.loads((folder / NAME).read_text())
    return figures


def as_dict(findings: Findings) -> dict[str, Any]:
    """Put the figures into one dictionary of JSON values; nothing in it depends on the time or the machine."""
    served = findings.served
    return {
        "data": _data(findings.examples, findings.data),
        "settings": settings.as_dict(findings.settings),
        "cross_validation": findings.cross_validation.as_dict(),
        "audit": _audit(findings),
        "treatment": _treatment(findings),
        "comparison": findings.comparison.as_dict(),
        "noise_of_test": findings.noise_of_test.as_dict(),
        "comparison_verified": findings.verified.as_dict() if findings.verified else None,
        "served": {
            "seed": served.seed,
            "fitted_on": served.fitted_on,
            "chosen_by": "log loss on the choosing half of dev",
            "start": served.start or None,
            "before": served.before.as_dict(),
            "dev": served.dev.as_dict(),
            "test": served.test.as_dict(),
        },
        "baselines": {name: scores.as_dict() for name, scores in findings.baselines.items()},
        "explanations": explanations.as_dict(findings.explained) if findings.explained else None,
        "seed_protocol": {"note": OPTIMISTIC, **findings.relabelled_test.as_dict()},
    }


def _data(examples: Examples, digest: str) -> dict[str, Any]:
    return {
        "digest": digest,
        "classes": list(examples.classes),
        "rows": {split.name.lower(): int((examples.split == split).sum()) for split in Split},
        "left_out": {split.name.lower(): int(examples.left_out[examples.split == split].sum()) for split in Split},
        "reviewed": {split.name.lower(): _reviewed(examples, split) for split in Split},
        "duplicate_groups": int((np.bincount(examples.group) > 1).sum()),
        "notes": list(examples.notes),
    }


def _reviewed(examples: Examples, split: Split) -> int:
    return 0 if examples.reviews is None else int(examples.reviews.decided[examples.split == split].sum())


def _audit(findings: Findings) -> dict[str, Any]:
    examples, audit = findings.examples, findings.audit
    training = examples.rows(Split.TRAIN)
    flagged = training[audit.flagged[training]]
    noise = audit.noise
    return {
        "expected_errors": audit.expected,
        "expected_errors_interval": [audit.low, audit.high],
        "expected_precision": float(audit.posterior[flagged].mean()) if flagged.size else None,
        "kind_of_noise": {**dataclasses.asdict(audit.verdict), "sentence": audit.verdict.sentence()},
        "flagged": {split.name.lower(): int(audit.flagged[examples.split == split].sum()) for split in Split},
        "flagged_share": float(audit.flagged[training].mean()),
        "cleanlab_flagged": {
            split.name.lower(): int(findings.cleanlab_flagged[examples.split == split].sum()) for split in Split
        },
        "noise": {
            "given_true": noise.given_true.tolist(),
            "low": noise.low.tolist(),
            "high": noise.high.tolist(),
            "cleanlab": findings.cleanlab_given_true.tolist(),
        },
    }


def _treatment(findings: Findings) -> dict[str, Any]:
    counts = np.bincount(findings.treatment.decision, minlength=len(Decision))
    return {
        "policy": findings.settings.policy,
        "verdict": findings.treatment.verdict,
        "choice": None if findings.choice is None else findings.choice.as_dict(),
        **{decision.name.lower(): int(counts[decision]) for decision in Decision},
    }
