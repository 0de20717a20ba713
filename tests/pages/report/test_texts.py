"""Promises for texts that would do harm: they come out inert and whole wherever they are shown."""

import pytest

pytestmark = pytest.mark.pages

PICTURES = {code: 0x2400 + code for code in range(0x20) if chr(code) not in "\t\n\r"} | {0x7F: 0x2421}
"""HTML has no null byte and few other controls: their pictures stand for them."""
SHOWN = 1000
"""Characters up to which a text is shown whole."""


def row_of(page, rows, text: str):
    """Turn to the page of the table that has the row with a text; hostile texts are the most doubtful, so they are near the front."""
    (position,) = (row["position"] for row in rows if row["text"] == text)
    while page.locator("#rows-previous").get_attribute("aria-disabled") != "true":
        page.locator("#rows-previous").click()
    row = page.locator(f"#rows-table tr[data-position='{position}']")
    while not row.count():
        assert page.locator("#rows-next").get_attribute("aria-disabled") != "true"
        page.locator("#rows-next").click()
    return row


def test_texts_are_shown_whole(opened, texts, rows) -> None:
    """The table of doubtful rows has each of them, to the character; a long one is cut and says by how much."""
    page = opened()
    for name, text in texts.items():
        row = row_of(page, rows, text)
        shown = row.locator(".said > .text").evaluate("element => element.textContent")
        if len(text) > SHOWN:
            kept = len(shown) - 1
            assert shown == text[:kept] + "…"
            assert f"{len(text) - kept:,} more characters" in row.inner_text()
        else:
            assert shown == text.translate(PICTURES), name


def test_texts_bring_no_element_of_their_own(opened, texts, rows) -> None:
    """In the table, opened rows and the map's list: no image, script, link or style that a text asked for."""
    page = opened()
    for text in texts.values():
        row_of(page, rows, text).locator(".opens").click()
    page.locator("#map-flagged").check()
    page.locator("#map-select").click()
    while page.locator("#map-more").is_visible():
        page.locator("#map-more").click()
    assert page.locator("img, iframe, object, embed, base, form:not(#map-form)").count() == 0
    assert page.locator("main script:not([type='application/json'])").count() == 0
    assert page.locator("a[href^='javascript' i], [onerror], [onload], [onclick]").count() == 0
    assert page.evaluate("getComputedStyle(document.body).display") == "block"


def test_names_of_classes_and_columns_are_texts(opened, rows) -> None:
    """A class called as an element is shown as its name in the table, the legend and the filters."""
    page = opened()
    names = {row["given_label"] for row in rows}
    assert any("<script>" in name for name in names)
    assert {*page.locator("#rows-table td[data-name=Given]").all_inner_texts()} <= names
    legend = {one.strip() for one in page.locator("#map-legend bdi").all_inner_texts()}
    assert legend == names
    assert {text for text in page.locator("#map-given option").all_inner_texts() if text != "any"} == names


def test_a_text_leaves_the_direction_of_others_alone(opened, texts, rows) -> None:
    """Arabic runs from the right and English beside it from the left; what a text leaves open ends with the text."""
    page = opened()
    for name, direction in (("arabic", "rtl"), ("hebrew", "rtl"), ("overrides", "ltr"), ("markup", "ltr")):
        text = row_of(page, rows, texts[name]).locator(".said > .text")
        assert text.get_attribute("dir") == "auto"
        assert text.evaluate("e => e.matches(':dir(rtl)') ? 'rtl' : 'ltr'") == direction
        assert text.evaluate("e => getComputedStyle(e).unicodeBidi") in {"plaintext", "isolate", "isolate-override"}
