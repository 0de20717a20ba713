"""Promises of how the report looks and is reached: on a phone, in the dark, with a keyboard, through a screen reader."""

import pytest

pytestmark = pytest.mark.pages

WINDOWS = {
    "light": {},
    "dark": {"color_scheme": "dark"},
    "phone": {
        "viewport": {"width": 390, "height": 844},
        "has_touch": True,
        "is_mobile": True,
        "device_scale_factor": 3,
    },
    "dark phone": {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"},
    "forced colours": {"forced_colors": "active"},
    "small and enlarged": {"viewport": {"width": 320, "height": 640}},
}


@pytest.mark.parametrize("window", WINDOWS.values(), ids=WINDOWS)
def test_axe_finds_nothing_serious(opened, axe, window) -> None:
    """Also with a row opened, and with rows selected on the map."""
    page = opened(**window)
    page.locator("#rows-table .opens").first.click()
    page.locator("#map-flagged").check()
    page.locator("#map-select").click()
    page.locator("#map-more").wait_for()
    assert not axe(page)


@pytest.mark.parametrize("width", [320, 390, 768, 1280, 2560])
def test_the_page_never_scrolls_sideways(opened, width) -> None:
    """Wide tables scroll by themselves; a text of 20,000 letters without a space is broken."""
    page = opened(viewport={"width": width, "height": 844})
    page.locator("#rows-table .opens").first.click()
    page.locator("#map-flagged").check()
    page.locator("#map-select").click()
    wide = "e => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest('.scrolls, nav, pre, .unseen, details:not([open])')"
    assert page.evaluate("document.documentElement.scrollWidth") <= width, page.evaluate(
        f"[...document.querySelectorAll('body *')].filter({wide}).slice(0, 5).map(e => e.outerHTML.slice(0, 120))"
    )


def test_dark_is_dark(opened) -> None:
    """The scheme that the reader's system asks for decides on paper and ink, at the start and when it changes."""
    page = opened(color_scheme="dark")
    light = "() => getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number).reduce((a, b) => a + b)"
    assert page.evaluate(light) < 150
    page.emulate_media(color_scheme="light")
    assert page.evaluate(light) > 600


@pytest.mark.parametrize("width", [390, 1280])
def test_every_control_is_reached_by_keyboard(opened, walk, width) -> None:
    """Tab comes to each one once, in view, with a sign of the focus."""
    assert not walk(opened(viewport={"width": width, "height": 844}, reduced_motion="reduce"))


@pytest.mark.parametrize("width", [390, 1280])
def test_a_link_of_the_contents_shows_its_heading(opened, width) -> None:
    """The bar that stays at the top does not cover the heading that one went to."""
    page = opened(viewport={"width": width, "height": 844}, reduced_motion="reduce")
    for link in page.locator("nav a").all():
        link.click()
        page.wait_for_timeout(100)
        bar = page.locator("nav").evaluate("e => e.getBoundingClientRect().bottom")
        heading = page.locator(f"{link.get_attribute('href')} h2").first.evaluate("e => e.getBoundingClientRect().top")
        assert bar <= heading + 1 < 844, link.inner_text()


def test_the_first_stop_leads_past_the_contents(opened) -> None:
    """Tab and Enter at the top of the page go to the answer."""
    page = opened()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.classList.contains('skip')")
    page.keyboard.press("Enter")
    page.wait_for_url("**#answer")


def test_motion_stops_for_those_who_ask_for_it(opened) -> None:
    """Nothing scrolls smoothly or is animated where the system asks for less motion."""
    page = opened(reduced_motion="reduce")
    assert page.evaluate("getComputedStyle(document.documentElement).scrollBehavior") == "auto"
