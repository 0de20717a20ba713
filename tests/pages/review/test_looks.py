"""Promises of how the review page looks, finds and is reached: any text, any window, keyboard and screen reader."""

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.pages

WINDOWS = {
    "light": {},
    "dark": {"color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True},
    "dark phone": {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"},
}
VIEWS = ("review", "find", "decisions", "finish")
START = {"spaces": "two spaces"}
"""How the line of a list begins, where it is not as the text does."""
READY = {"find": "#results li", "decisions": "#decision-list li", "finish": "#exports a", "review": "#answers"}


def go(page, view: str) -> None:
    """Open a view."""
    page.locator(f"#nav-{view}").click()
    page.locator(READY[view]).first.wait_for(state="visible")


@pytest.mark.parametrize("window", WINDOWS.values(), ids=WINDOWS)
def test_axe_finds_nothing_serious_in_any_view(serve, sit_down, axe, window) -> None:
    """Nor in the two dialogs."""
    person = sit_down(serve(), **window)
    person.press("k")
    page = person.page
    for view in VIEWS:
        go(page, view)
        assert not axe(page), view
    page.locator("#help-button").click()
    assert not axe(page)
    page.keyboard.press("Escape")
    page.locator("#who-button").click()
    assert not axe(page)


@pytest.mark.parametrize("view", VIEWS)
def test_every_control_is_reached_by_keyboard(serve, sit_down, walk, view) -> None:
    """Tab comes to each one once, in view, with a sign of the focus."""
    person = sit_down(serve(), reduced_motion="reduce")
    person.press("k")
    go(person.page, view)
    assert not walk(person.page)


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_no_view_scrolls_sideways(serve, sit_down, width) -> None:
    """With the worst texts on the card and in the lists."""
    person = sit_down(serve(), viewport={"width": width, "height": 844})
    page = person.page
    for _ in range(20):
        assert page.evaluate("document.documentElement.scrollWidth") <= width, person.text()[:50]
        person.press("c")
    for view in VIEWS:
        go(page, view)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, view


def test_texts_are_shown_whole_and_inert(serve, sit_down, texts) -> None:
    """Every hostile text comes to its card to the character, as text; what it is made of are pieces of text and marks alone."""
    person = sit_down(serve())
    seen = []
    while not {*texts.values()} <= {*seen}:
        assert len(seen) < 60, [name for name, text in texts.items() if text not in seen]
        seen.append(person.text())
        assert {*person.page.locator("#text *").evaluate_all("all => all.map(one => one.tagName)")} <= {"MARK"}
        person.press("k")
    for view in ("find", "decisions"):
        go(person.page, view)
        assert person.page.locator("main :is(img, script, iframe, style, svg, a[href^='javascript' i])").count() == 0


def test_the_answers_stay_in_view_below_a_long_text(serve, sit_down) -> None:
    """A text of 20,000 letters does not push the buttons out of a small window."""
    person = sit_down(serve(), viewport={"width": 390, "height": 844})
    while len(person.text()) < 20_000:
        person.press("k")
    expect(person.page.locator("#keep")).to_be_in_viewport()
    expect(person.page.locator("#change")).to_be_in_viewport()


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        ("LOVELY", "script"),
        ("رائع", "arabic"),
        ("נהדר", "hebrew"),
        ("\U0001f469\u200d\U0001f467", "emoji"),
        ("Caf\u00e9", "combining"),
        ("cafe", "combining"),
        ("two spaces", "spaces"),
        ("</script>", "end of a script"),
        ("{{7*7}}", "template"),
    ],
)
def test_a_search_finds_texts_in_any_script(serve, sit_down, texts, wanted, name) -> None:
    """By words, without case and accents; the result opens at its card."""
    person = sit_down(serve())
    page = person.page
    page.keyboard.press("/")
    expect(page.locator("#found")).to_contain_text("found")
    everything = page.locator("#found").inner_text()
    page.keyboard.type(wanted)
    expect(page.locator("#found")).not_to_have_text(everything)
    page.locator(
        "#results button", has=page.locator(".excerpt", has_text=START.get(name, texts[name][:20]))
    ).first.click()
    person.sees(texts[name])


def test_filters_narrow_what_is_found(serve, sit_down) -> None:
    """By label, split and state: counts add up, and what was answered leaves the open ones."""
    person = sit_down(serve())
    page = person.page
    person.press("k")
    go(page, "find")
    found = page.locator("#found")

    def count(**filters: str) -> int:
        for name, value in filters.items():
            with page.expect_response(lambda response: "/api/list" in response.url):
                page.locator(f"#filter-{name}").select_option(value)
        page.wait_for_timeout(200)
        return int(found.inner_text().split()[0].replace(",", ""))

    everything = count()
    assert sum(count(split=split) for split in ("train", "dev", "test")) == everything
    assert count(split="", state="answered") == 1
    assert count(state="open") == everything - 1
