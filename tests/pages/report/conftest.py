"""The report of a job on hostile texts, and what the job's files say of the rows that it shows."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from playwright.sync_api import Page


@pytest.fixture(scope="session")
def report(hostile) -> Path:
    """Give the report that the job left."""
    return hostile / "report.html"


@pytest.fixture(scope="session")
def rows(hostile) -> list[dict[str, Any]]:
    """Give all rows of the audit with what the population says of them, in the order of the data."""
    audit = pq.read_table(hostile / "audit.parquet").to_pylist()
    population = pq.read_table(hostile / "population.parquet").to_pylist()
    return [
        {**other, **one, "position": position}
        for position, (one, other) in enumerate(zip(audit, population, strict=True))
    ]


@pytest.fixture
def opened(tab, report, until) -> Callable[..., Page]:
    """Open the report, by default in a window of 1280 x 900; the map is drawn when it returns."""

    def show(**options: Any) -> Page:
        page = tab(report.as_uri(), **({"viewport": {"width": 1280, "height": 900}} | options))
        if options.get("java_script_enabled", True):
            until(page, "() => globalThis.Bokeh && Bokeh.documents.length > 0 && Bokeh.documents[0].is_idle")
        return page

    return show


@pytest.fixture(scope="session")
def fold() -> Callable[[str], str]:
    """Take case and accents away, as a search does that finds `Café` by `cafe`."""
    return lambda text: "".join(
        sign for sign in unicodedata.normalize("NFKD", text) if unicodedata.category(sign) != "Mn"
    ).lower()
