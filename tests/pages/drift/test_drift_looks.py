"""drift.html in a browser: it can be read by everybody, and runs nothing of what clients sent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from relabel.evaluation.drift.betting import Evidence
from relabel.model import reference
from relabel.monitoring import page
from relabel.monitoring.journal import Journal, Watched

pytestmark = pytest.mark.pages
WINDOWS = {
    "wide": {"viewport": {"width": 1280, "height": 900}},
    "dark": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
    "small": {"viewport": {"width": 320, "height": 640}},
}
HOSTILE = "<img src=x onerror=\"window.__pwned='id'\">/0"


def window(number: int, *, drifted: bool) -> dict[str, object]:
    """Figures of one window."""
    stability = {"index": 0.01 + drifted, "limit": 0.05}
    return {
        "number": number,
        "start": f"2026-03-{number:02}T00:00:00",
        "end": f"2026-03-{number:02}T23:00:00",
        "rows": 1000,
        "compared": 990,
        "confidence": 0.8 - 0.2 * drifted,
        "shares": {"<b>bad</b>": 0.4, "رائع": 0.6},
        "drifted": drifted,
        "p": {"inputs": 0.5, "confidence": 0.5 - 0.499 * drifted, "classes": 1.0},
        "auc": 0.5 + 0.3 * drifted,
        "classes": stability,
        "moved": [{"name": "direction 1", "distance": 0.2, "p": 0.01, **stability}],
        "unlike": [HOSTILE] * drifted,
        "log10_wealth": 0.1 + 3 * drifted,
        "alarm": drifted,
    }


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> Iterator[Path]:
    """Write a page of three windows with accuracy, whose ids and classes would do harm."""
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((200, 6)).astype(np.float32)
    held = reference.made(rows, rows, rng.dirichlet([1, 1], 200).astype(np.float32))
    windows = tuple(window(number, drifted=number == 3) for number in (1, 2, 3))
    made = Journal(Watched("0123456789ab", "x", "1d", 0.05), None, windows, Evidence.none())
    one = {"rows": 50, "right": 40, "accuracy": 0.8, "low": 0.7, "high": 0.9, "fell": False}
    accuracy = {
        "test": {"accuracy": 0.85, "rows": 400, "low": 0.8, "high": 0.9},
        "all": one,
        "windows": [{"start": each["start"], "end": each["end"], **one} for each in windows],
        "matched": 150,
        "without_traffic": 3,
        "no_class": 0,
        "several_rows": 2,
        "disputed": 1,
    }
    path = tmp_path_factory.mktemp("drift") / "drift.html"
    path.write_text(page.html(made, held, ("<b>bad</b>", "رائع"), skipped={"a line": 2}, accuracy=accuracy))
    return path


@pytest.mark.parametrize("screen", WINDOWS.values(), ids=WINDOWS)
def test_axe_finds_nothing_serious(tab, written, axe, screen) -> None:
    """In light and dark and on a small screen, with every table open."""
    shown = tab(written.as_uri(), **screen)
    for summary in shown.locator("summary").all():
        summary.click()
    assert not axe(shown)
    assert shown.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_a_telephone_shows_what_each_window_is(tab, written) -> None:
    """Verdict and evidence stand inside 390 pixels without scrolling the table."""
    shown = tab(written.as_uri(), viewport={"width": 390, "height": 844})
    for cell in shown.locator("#windows tbody tr:first-child > *").all()[:3]:
        box = cell.bounding_box()
        assert box is not None
        assert box["x"] + box["width"] <= 390


def test_what_clients_sent_is_text(tab, written) -> None:
    """Ids and classes are shown as they are."""
    shown = tab(written.as_uri())
    assert HOSTILE in shown.locator("#moved").inner_text()
    assert "<b>bad</b>" in shown.locator("#time").inner_text()
