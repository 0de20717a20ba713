"""A metric line that CloudWatch reads: its Embedded Metric Format, JSON in a log that becomes metrics without any call of an API.

The log of a Lambda function, a container or a job that writes it to standard output is enough; there is no agent and no permission beyond logging.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

NAMESPACE, DIMENSION = "relabel", "Model"
METRICS = ("Drift", "DriftAlarm", "SmallestP", "ToldApart", "Evidence", "Confidence", "Rows")
"""Names of the metrics: 1 or 0 for the first two, then the smallest p, the area under the curve, the decimal logarithm of the wealth."""


def line(model: str, window: Mapping[str, Any]) -> str:
    """Write one window's figures; what was not judged has no figure."""
    values = {
        "Drift": int(window["drifted"]),
        "DriftAlarm": int(window["alarm"]),
        "SmallestP": min(window["p"].values()) if "p" in window else None,
        "ToldApart": window.get("auc"),
        "Evidence": window["log10_wealth"],
        "Confidence": window["confidence"],
        "Rows": window["rows"],
    }
    known = {name: value for name, value in values.items() if value is not None}
    moment = datetime.fromisoformat(window["end"]).replace(tzinfo=UTC)
    declared = {
        "Namespace": NAMESPACE,
        "Dimensions": [[DIMENSION]],
        "Metrics": [{"Name": name, "Unit": "Count" if name == "Rows" else "None"} for name in known],
    }
    about = {"Timestamp": int(moment.timestamp() * 1000), "CloudWatchMetrics": [declared]}
    return json.dumps({"_aws": about, DIMENSION: model, **known}, allow_nan=False)
