"""Promises of the report as a file: it opens by itself, at once, and says what matters also without scripts and on paper."""

import re
from itertools import pairwise

import pytest

pytestmark = pytest.mark.pages

READY = """
() => new Promise(ready => requestAnimationFrame(() => setTimeout(() => ready(performance.now()), 0)))
"""


def test_it_opens_as_a_file_without_a_request(opened) -> None:
    """It has a headline and a title that says the same, and asks for nothing (the tab holds that)."""
    page = opened()
    headline = page.locator("h1").inner_text()
    assert headline
    assert page.title().startswith(headline)


def test_it_can_be_used_within_two_seconds(tab, report) -> None:
    """The first click is answered; on a machine where other tests run, within 10 s of the start of its loading."""
    page = tab(report.as_uri())
    page.locator("#rows-next").click()
    assert page.locator("#rows-page").inner_text().startswith("Page 2 ")
    assert page.evaluate(READY) < 10_000


def test_without_scripts_it_says_the_same(opened, rows) -> None:
    """The headline, all tables and the doubtful rows are there; what needs scripts is not, but for a line that says so."""
    page = opened(java_script_enabled=False)
    assert page.locator("h1").is_visible()
    shown = page.locator("#rows-table tr[data-position]")
    positions = [int(one.get_attribute("data-position")) for one in shown.all()]
    assert sorted(positions) == [row["position"] for row in rows if row["flagged"]]
    assert shown.last.is_visible()
    assert page.locator("noscript p").first.is_visible()
    controls = page.locator("button, input, select")
    assert not [one.inner_text() for one in controls.all() if one.is_visible()]


def test_every_link_leads_somewhere(opened) -> None:
    """All links stay in the page, and what they point at is there once."""
    page = opened()
    targets = page.locator("a[href]").evaluate_all("links => links.map(link => link.getAttribute('href'))")
    assert len(targets) > 5
    for target in set(targets):
        assert target.startswith("#")
        assert page.locator(f"[id='{target[1:]}']").count() == 1, target
    twice = "[...document.querySelectorAll('[id]')].map(e => e.id).filter((id, n, all) => !id || all.indexOf(id) !== n)"
    assert page.evaluate(twice) == []


def test_headings_are_in_order(opened) -> None:
    """One first-level heading, and no level is left out on the way down."""
    levels = opened().locator("h1, h2, h3, h4, h5, h6").evaluate_all("all => all.map(one => Number(one.tagName[1]))")
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_it_prints(opened) -> None:
    """On paper there are the headline, every section, figures, the numbers of the answer, the worst rows, and nothing to press or fill in."""
    page = opened()
    headline, titles = page.locator("h1").inner_text(), page.locator("h2").all_inner_texts()
    paper = page.pdf(format="A4", tagged=True, outline=True)
    marks = {_read(mark) for mark in re.findall(rb"/Title\s*(\((?:[^()\\]|\\.)*\)|<[0-9A-Fa-f]*>)", paper, re.DOTALL)}
    assert {*titles} <= marks
    assert any(mark.startswith(headline) for mark in marks)
    assert 3 <= len(re.findall(rb"/Type\s*/Page\b", paper)) <= 60
    page.emulate_media(media="print")
    assert sum(one.is_visible() for one in page.locator("figure svg").all()) > 3
    assert sum(one.is_visible() for one in page.locator("#rows-table tbody tr").all()) > 20
    assert page.locator("#changes details table").first.is_visible()
    assert not [
        one for one in page.locator("#noise details, #slices details, #provenance details").all() if one.is_visible()
    ]
    controls = page.locator("button:not(th > *, .legend *), input, select, nav, form").all()
    assert not [one.evaluate("e => e.id || e.outerHTML.slice(0, 80)") for one in controls if one.is_visible()]


def _read(mark: bytes) -> str:
    """Read a string of a PDF, in brackets or as hexadecimal digits."""
    raw = (
        bytes.fromhex(mark[1:-1].decode())
        if mark.startswith(b"<")
        else re.sub(rb"\\(.)", rb"\1", mark[1:-1], flags=re.DOTALL)
    )
    return raw.removeprefix(b"\xfe\xff").decode("utf-16-be") if raw.startswith(b"\xfe\xff") else raw.decode("latin-1")
