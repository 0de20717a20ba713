"""Promises of the page on which anybody tries a model: what the model says is what is shown, whatever stands in it."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.pages

GOOD = "A superb film, lovely and warm; only the end is a bit dull."
WINDOWS = {
    "light": {},
    "dark": {"color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True},
    "dark phone": {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"},
}
KINDS = ("<script>window.__pwned='class'</script>", 'رائع "A&B"', "<img src=x onerror=\"window.__pwned='image'\">")


def test_a_review_is_answered_by_a_model_that_has_learned(tab, model_page, tries) -> None:
    """Through page, handler and endpoint: the class in capitals, both probabilities, the words marked where they stand."""
    page = tab(model_page)
    tries(page, GOOD)
    expect(page.locator("#verdict-title")).to_have_text("Your review was POSITIVE!")
    rows = page.locator("#classes tr").all_inner_texts()
    assert [row.split()[0] for row in rows] == ["positive", "negative"]
    shares = [float(row.split()[-1].strip("%")) for row in rows]
    assert shares[0] > 50 > shares[1]
    marked = page.locator("#marked mark.for").all_inner_texts()
    assert {"superb", "lovely"} & {*marked}
    assert "dull" in page.locator("#marked mark.against").all_inner_texts()
    assert page.locator("#marked").evaluate("one => one.textContent") == GOOD
    tries(page, "Awful and boring, a dreadful thin plot.")
    expect(page.locator("#verdict-title")).to_have_text("Your review was NEGATIVE!")


def test_what_was_tried_can_be_looked_at_again_and_forgotten(tab, told, told_page, tries) -> None:
    """Without asking the model again, after the page is opened anew too; cleared, nothing of it is left in the browser."""
    page = tab(told_page)
    for text in ("first great", "second great", "first great"):
        tries(page, text)
    expect(page.locator("#past-list li")).to_have_count(2)
    page.reload()
    expect(page.locator("#past-list .excerpt").first).to_have_text("first great")
    asked = len(told.asked)
    page.locator("#past-list button").nth(1).click()
    expect(page.locator("#text")).to_have_value("second great")
    expect(page.locator("#verdict-title")).to_be_focused()
    assert page.locator("#marked").evaluate("one => one.textContent") == "second great"
    assert len(told.asked) == asked
    page.locator("#clear").click()
    expect(page.locator("#past")).to_be_hidden()
    expect(page.locator("#text")).to_be_focused()
    assert page.evaluate("localStorage.length") == 0
    page.reload()
    expect(page.locator("#past")).to_be_hidden()


@pytest.mark.parametrize(
    "kept", ["no JSON", '{"a": 1}', '[{"text": 1}]', '[{"text": "x", "answer": {"class": "y"}}]', "null"]
)
def test_what_is_kept_in_another_shape_is_passed_over(tab, told, told_page, kept, tries) -> None:
    """A page of another version, or of another site at this address, may have left it."""
    page = tab(told_page)
    page.evaluate("kept => localStorage.setItem('relabel-tried', kept)", kept)
    page.reload()
    tries(page, "great")
    expect(page.locator("#past-list li")).to_have_count(1)
    assert told.asked == ["great"]


def test_every_hostile_text_is_shown_whole_and_inert(tab, told, told_page, texts, tries) -> None:
    """As text, in the answer and in the list of what was tried; it arrives at the endpoint to the character."""
    page = tab(told_page)
    expected = []
    for whole in texts.values():
        text = whole[:20_000]
        told.says("positive", ("negative", "positive"), {text[:40]: 1.0, "window": -0.5}, 0.1, 0.9)
        tries(page, text)
        sent = page.locator("#text").input_value()
        assert page.locator("#marked").evaluate("one => one.textContent") == sent
        assert {*page.locator("#marked *").evaluate_all("all => all.map(one => one.tagName)")} <= {"MARK"}
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        expected.append(sent)
    assert told.asked == expected
    assert page.locator("main :is(img, script, iframe, style, svg, a)").count() == 0


@pytest.mark.parametrize("name", KINDS)
def test_classes_of_any_name_are_shown_as_text(tab, told, told_page, name, tries) -> None:
    """In the sentence, the bars, the legend and the list; the sentence of two feelings is for these alone."""
    told.says(name, KINDS, {"great": 1.0}, *[0.7 if one == name else 0.15 for one in KINDS])
    page = tab(told_page)
    tries(page, "great")
    assert page.locator("#verdict-title").inner_text() == f"Your text is: {name}"
    assert {*page.locator("#classes bdi").all_inner_texts()} == {*KINDS}
    assert page.locator("#past-list .said bdi").inner_text() == name
    assert page.locator("main :is(img, script)").count() == 0


def test_classes_0_and_1_are_what_reviews_call_them(tab, told, told_page, tries) -> None:
    """In the sentence, the bars and the list, as on the page for reviewers."""
    told.says("1", ("0", "1"), {"great": 1.0}, 0.2, 0.8)
    page = tab(told_page)
    tries(page, "great")
    expect(page.locator("#verdict-title")).to_have_text("Your review was POSITIVE!")
    assert page.locator("#classes bdi").all_inner_texts() == ["positive", "negative"]
    expect(page.locator("#past-list .said bdi")).to_have_text("POSITIVE")


def test_a_text_of_which_no_word_is_known_is_not_called_anything_loudly(tab, told, told_page, tries) -> None:
    """The sentence says so; what the model would say stands below."""
    told.says("negative", ("negative", "positive"), {}, 0.52, 0.48)
    page = tab(told_page)
    tries(page, "Una pel\u00edcula maravillosa")
    expect(page.locator("#verdict-title")).to_have_text("The model knows no word of this text")
    expect(page.locator("#verdict-sure")).to_contain_text("NEGATIVE")
    expect(page.locator("#wordless")).to_be_visible()


def test_many_classes_are_listed_the_likeliest_first(tab, told, told_page, tries) -> None:
    """A few at once, the others on demand; an image that gives no names of classes gets numbers."""
    names = tuple(f"topic {n}" for n in range(20))
    told.says("topic 3", names, {}, *[0.43 if n == 3 else 0.03 for n in range(20)])
    page = tab(told_page)
    tries(page, "great")
    expect(page.locator("#classes tr:visible")).to_have_count(6)
    page.locator("#classes summary").click()
    expect(page.locator("#classes tr:visible")).to_have_count(20)
    expect(page.locator("#wordless")).to_be_visible()
    told.answers[0][1]["classes"] = []
    tries(page, "another")
    assert "class 0" in page.locator("#classes").inner_text()
    assert "topic 3" in page.locator("#classes").inner_text()


@pytest.mark.parametrize(
    ("word", "text", "marked"),
    [
        ("happi", "Happy, unhappy and happily.", ["Happy", "happily"]),
        ("don't", "I DON\u2019T and don't.", ["DON\u2019T", "don't"]),
        ("caf\u00e9", "Cafe\u0301 here", ["Cafe\u0301"]),
        ("art", "art, party, arts", ["art"]),
        ("好", "很好好", ["好", "好"]),
        ("!", "Yes! No!", ["!", "!"]),
        ("رائع", "هذا رائع جدا", ["رائع"]),
    ],
)
def test_words_are_found_where_they_stand(tab, told, told_page, *, word, text, marked, tries) -> None:
    """As the model reads them: whole, in small letters, or by their stem where the text has no such word."""
    told.says("positive", ("negative", "positive"), {word: 1.0}, 0.1, 0.9)
    page = tab(told_page)
    tries(page, text)
    assert page.locator("#marked mark").all_inner_texts() == marked


@pytest.mark.parametrize("window", WINDOWS.values(), ids=WINDOWS)
def test_axe_finds_nothing_serious_in_any_state(tab, told, told_page, axe, tries, *, window) -> None:
    """Empty, answered, with what was tried, refused, too long; and no state scrolls sideways."""
    page = tab(told_page, **window)

    def held(state: str) -> None:
        assert not axe(page), state
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), state

    held("empty")
    tries(page, GOOD + " great " * 400)
    page.locator("summary").last.click()
    held("answered")
    page.locator("#text").fill("x" * 20_001)
    page.locator("#send").click()
    held("too long")
    told.answers = [(500, {"error": {"code": "internal", "message": "the server failed on request 7"}})]
    page.locator("#text").fill("great")
    page.locator("#send").click()
    expect(page.locator("#problem")).to_contain_text("the server failed on request 7")
    expect(page.locator("#problem")).to_be_visible()
    held("refused")
    tab.faults[:] = [fault for fault in tab.faults if "502" not in fault]


def test_every_control_is_reached_by_keyboard(tab, told, told_page, walk, tries) -> None:
    """Tab comes to each one once, in view, with a sign of the focus; the answer is read when it comes."""
    page = tab(told_page, reduced_motion="reduce")
    tries(page, GOOD)
    expect(page.locator("#verdict-title")).to_be_focused()
    assert page.locator("#status").get_attribute("aria-live") == "polite"
    assert page.locator("label[for=text]").inner_text() == "Your review"
    assert not walk(page)
    assert len(told.asked) == 1


def test_a_text_that_is_too_long_is_told_before_it_is_sent(tab, told, told_page) -> None:
    """How long it is, and how long it may be; an emoji is one character."""
    page = tab(told_page)
    page.locator("#text").fill("\U0001f600" * 20_001)
    expect(page.locator("#length")).to_have_text("The text has 20,001 characters, and 20,000 are taken.")
    expect(page.locator("#text")).to_have_attribute("aria-invalid", "true")
    page.locator("#send").click()
    expect(page.locator("#problem")).to_contain_text("20,001 characters")
    expect(page.locator("#text")).to_be_focused()
    page.locator("#text").fill("")
    page.locator("#send").click()
    expect(page.locator("#problem")).to_contain_text("Write a text first")
    assert told.asked == []
    page.locator("#text").fill("\U0001f600" * 20_000)
    page.locator("#send").click()
    expect(page.locator("#verdict")).to_be_visible()
    assert told.asked == ["\U0001f600" * 20_000]


def test_a_model_that_sleeps_is_waited_for(tab, told, told_page) -> None:
    """It is said why and for how long, and the text is sent again by itself."""
    page = tab(told_page)
    page.clock.install()
    told.says("positive", ("negative", "positive"), {}, 0.1, 0.9)
    told.answers = [(503, {"error": {"code": "unavailable", "message": "the server is busy"}}), *told.answers]
    page.locator("#text").fill("great")
    page.locator("#send").click()
    expect(page.locator("#status")).to_contain_text("Asking again in 2 s")
    page.clock.fast_forward(3000)
    expect(page.locator("#verdict")).to_be_visible()
    assert told.asked == ["great", "great"]
    tab.faults[:] = [fault for fault in tab.faults if "503" not in fault]


@pytest.mark.parametrize(
    ("status", "headers", "body", "said"),
    [
        (429, {"Retry-After": "20"}, {"error": {"code": "too_often", "message": "m"}}, "Ask again in 20 s"),
        (429, {}, {"message": "Too Many Requests"}, "Ask again in 10 s"),
        (502, {}, {"error": {"code": "no_endpoint", "message": "The endpoint is not there."}}, "is not there"),
        (403, {}, None, "The server refused (403)"),
        (200, {}, {"class": "positive"}, "none that this page understands"),
        (200, {}, None, "broke off"),
    ],
)
def test_every_refusal_is_said_in_words(tab, told, told_page, *, status, headers, body, said) -> None:
    """The text stays where it is, and another try is one press away."""
    page = tab(told_page)
    content = "<html>" if body is None else json.dumps(body)
    page.route("**/review", lambda route: route.fulfill(status=status, headers=headers, body=content))
    page.locator("#text").fill("great")
    page.locator("#send").click()
    expect(page.locator("#problem")).to_contain_text(said)
    expect(page.locator("#problem")).to_be_visible()
    expect(page.locator("#text")).to_have_value("great")
    page.unroute("**/review")
    page.locator("#again").click()
    expect(page.locator("#verdict")).to_be_visible()
    expect(page.locator("#problem")).to_be_hidden()
    assert told.asked == ["great"]
    tab.faults[:] = [fault for fault in tab.faults if str(status) not in fault]


def test_no_network_is_said_to_be_none(tab, told, told_page) -> None:
    """Nothing is lost; with the network back, the text is sent."""
    page = tab(told_page)
    page.locator("#text").fill("great")
    page.context.set_offline(True)
    page.locator("#send").click()
    expect(page.locator("#problem")).to_contain_text("no network")
    expect(page.locator("#problem")).to_be_visible()
    page.context.set_offline(False)
    page.locator("#again").click()
    expect(page.locator("#verdict")).to_be_visible()
    assert told.asked == ["great"]
    tab.faults[:] = [fault for fault in tab.faults if "net::ERR_" not in fault]


def test_a_browser_that_keeps_nothing_can_be_used(tab, told, told_page, tries) -> None:
    """What was tried is there until the page is closed."""
    page = tab(told_page)
    page.evaluate("() => { Storage.prototype.setItem = () => { throw new Error('full'); }; }")
    tries(page, "great")
    expect(page.locator("#past-list li")).to_have_count(1)
    assert told.asked == ["great"]
