"""Promises of the table of doubtful rows: what is shown is what the audit says, in the order and choice that one asked for."""

from itertools import pairwise

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.pages

ROWS = "#rows-table tbody tr[data-position]"


def positions(page) -> list[int]:
    """Turn all pages over; give the rows in the order in which they are shown."""
    found = page.locator(ROWS).evaluate_all("rows => rows.map(row => Number(row.dataset.position))")
    while page.locator("#rows-next").get_attribute("aria-disabled") != "true":
        page.locator("#rows-next").click()
        found += page.locator(ROWS).evaluate_all("rows => rows.map(row => Number(row.dataset.position))")
    return found


def searched(page, wanted: str) -> set[int]:
    """Search for a text."""
    before = page.locator("#rows-count").inner_text()
    page.locator("#rows-search").fill(wanted)
    expect(page.locator("#rows-count")).not_to_have_text(before)
    return set(positions(page))


def test_all_flagged_rows_are_there_the_worst_first(opened, rows) -> None:
    """Each flagged row once, with its labels and its chance to be wrong; of training rows none stands before a worse one."""
    page = opened()
    shown = positions(page)
    assert sorted(shown) == [row["position"] for row in rows if row["flagged"]]
    train = [rows[place]["posterior"] for place in shown if rows[place]["split"] == "train"]
    assert len(train) > 25
    assert all(before >= after for before, after in pairwise(train))


@pytest.mark.parametrize(
    ("header", "key"), [("posterior", "posterior"), ("given", "given_label"), ("split", "split"), ("place", "row")]
)
def test_a_press_on_a_header_sorts_and_a_second_one_turns_round(opened, rows, header, key) -> None:
    """The order is that of the values, numbers as numbers; the header says which way."""
    page = opened()
    column = page.locator(f"#rows-table th[data-key={header}]")
    orders = {}
    for _ in range(2):
        column.get_by_role("button").click()
        said = column.get_attribute("aria-sort")
        orders[said] = [(rows[place]["file"] if key == "row" else "", rows[place][key]) for place in positions(page)]
    assert orders.keys() == {"ascending", "descending"}
    runs = [value for value, after in pairwise(orders["ascending"]) if value != after]
    assert len(runs) == len(set(runs)), "equal values stand together"
    if key != "given_label":
        assert orders["ascending"] == sorted(orders["ascending"])
        assert orders["descending"] == sorted(orders["descending"], reverse=True)


@pytest.mark.parametrize(
    "wanted",
    [
        "lovely",
        "LOVELY",
        "cafe tres",
        "رائع",
        "נהדר",
        "\U0001f469\u200d\U0001f467",
        "{{7*7}}",
        "</script>",
        "cream fresh",
    ],
)
def test_a_search_finds_every_row_that_has_the_words(opened, rows, fold, wanted) -> None:
    """Without case and accents, in any script; several words must all be there; the count says how many."""
    page = opened()
    found = searched(page, wanted)
    words = fold(wanted).split()
    expected = {row["position"] for row in rows if row["flagged"] and all(word in fold(row["text"]) for word in words)}
    assert expected
    assert found == expected
    assert f"{len(expected)} found" in page.locator("#rows-count").inner_text()
    page.locator("#rows-reset").click()
    assert len(positions(page)) == sum(row["flagged"] for row in rows)


def test_a_search_for_nothing_that_is_there_says_so(opened) -> None:
    """There are no rows, a sentence instead, and the count is 0."""
    page = opened()
    assert not searched(page, "no such word anywhere")
    assert page.locator("#rows-table tbody").inner_text() == "No doubtful row is like this."


def test_filters_narrow_and_add_up(opened, rows, fold) -> None:
    """Two filters and a search leave the rows that meet all three; classes with markup for names are values like others."""
    page = opened()
    given = min(row["given_label"] for row in rows)
    page.locator("#rows-given").select_option(f"={given}")
    page.locator("#rows-split").select_option("=train")
    train = [row for row in rows if row["flagged"] and row["split"] == "train" and row["given_label"] == given]
    assert set(positions(page)) == {row["position"] for row in train}
    assert searched(page, "cream") == {row["position"] for row in train if "cream" in fold(row["text"])}


def test_a_row_opens_to_what_speaks_against_its_label(opened) -> None:
    """Its words and its neighbours appear below it, by keyboard; pressed again they are gone; the button says which."""
    page = opened()
    button = page.locator(ROWS).first.get_by_role("button")
    button.focus()
    page.keyboard.press("Enter")
    assert button.get_attribute("aria-expanded") == "true"
    opened_row = page.locator(f"[id='{button.get_attribute('aria-controls')}']")
    assert opened_row.locator(".neighbours li").count() > 0
    page.keyboard.press("Enter")
    assert button.get_attribute("aria-expanded") == "false"
    assert opened_row.count() == 0
