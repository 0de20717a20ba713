"""Promises of the review page to those who work with it: what is pressed is what is kept, through kills and beside others."""

import json
import os
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest
from playwright.sync_api import Route, expect

pytestmark = pytest.mark.pages

ANOTHER = "before => document.querySelector('#text').textContent !== before"
ROUND = "kckncskcck"
"""Keys that are pressed again and again: keep, change, neither, skip."""


def held(written, *people) -> None:
    """Hold that the answers written are those that the people gave, each once."""
    lines = [(line["reviewer"], line["text"], line["answer"]) for line in written]
    assert len(lines) == len(set(lines))
    expected = [(name, text, answer) for name, person in people for text, answer in person.answers().items()]
    assert sorted(lines) == sorted(expected)


def test_two_hundred_questions_by_keyboard_with_a_kill_in_the_middle(serve, sit_down, written, tab, until) -> None:
    """Keep, change, neither, skip and undo; the server dies without warning half way, and comes back: the page goes on, nothing is lost."""
    server = serve()
    ann = sit_down(server)
    for turn in range(100):
        ann.press(ROUND[turn % len(ROUND)])
        if turn % 9 == 4:
            ann.undo()
            ann.press("n" if turn % 2 else "c")
    server.kill()
    held(written(server), ("Ann", ann))
    before = ann.text()
    ann.page.keyboard.press("k")
    expect(ann.page.locator("#problem")).to_be_visible()
    assert ann.text() == before, "the answer that did not arrive is asked for again"
    tab.faults[:] = [fault for fault in tab.faults if "net::ERR_" not in fault]
    server.start()
    offered = ann.offers()["k"]
    ann.page.locator("#retry").click()
    expect(ann.page.locator("#problem")).to_be_hidden()
    until(ann.page, ANOTHER, before)
    expect(ann.page.locator("#saved")).to_contain_text("Saved")
    ann.said[before] = offered
    ann.order.append(before)
    for turn in range(100):
        ann.press(ROUND[turn % len(ROUND)])
        if turn % 9 == 4:
            ann.undo()
            ann.press("s" if turn % 2 else "k")
    assert len(ann.said) > 190
    held(written(server), ("Ann", ann))
    expect(ann.page.locator("#answered")).to_have_text(str(len(ann.answers())))


def test_a_worker_that_dies_is_replaced(serve, sit_down, written, tab, until) -> None:
    """Only the process that answers is killed: the next answers arrive, at the latest after one more try."""
    server = serve()
    ann = sit_down(server)
    for key in "kcn":
        ann.press(key)
    os.kill(server.worker(), signal.SIGKILL)
    before, answer = ann.text(), ann.offers()["c"]
    ann.page.keyboard.press("c")
    until(
        ann.page,
        "() => /^Saved: /.test(document.querySelector('#saved').textContent) || !document.querySelector('#problem').hidden",
    )
    while ann.page.locator("#problem").is_visible():
        ann.page.locator("#retry").click()
        ann.page.wait_for_timeout(200)
    expect(ann.page.locator("#saved")).to_contain_text("Saved")
    until(ann.page, ANOTHER, before)
    ann.said[before] = answer
    ann.press("k")
    tab.faults[:] = [fault for fault in tab.faults if "net::ERR_" not in fault]
    held(written(server), ("Ann", ann))


def test_keys_faster_than_the_network_are_all_kept(serve, sit_down, written, until) -> None:
    """Thirty keys without waiting for anything: as many decisions, each on the question that was shown when it was pressed."""
    server = serve()
    ann = sit_down(server)
    seen = []
    for key in "kc" * 15:
        until(ann.page, "() => !document.querySelector('#answers').classList.contains('waiting')")
        seen.append((ann.text(), ann.offers()[key]))
        ann.page.keyboard.press(key)
    expect(ann.page.locator("#answered")).to_have_text("30", timeout=15_000)
    assert sorted((line["text"], line["answer"]) for line in written(server)) == sorted(seen)


def test_a_key_that_is_held_down_answers_once(serve, sit_down, written) -> None:
    """Repeats of the keyboard are no answers."""
    server = serve()
    ann = sit_down(server)
    ann.page.keyboard.down("k")
    for _ in range(5):
        ann.page.keyboard.down("k")
    ann.page.keyboard.up("k")
    expect(ann.page.locator("#saved")).to_contain_text("Saved")
    ann.page.wait_for_timeout(300)
    assert len(written(server)) == 1


def test_two_people_at_once_get_different_questions_and_lose_nothing(serve, sit_down, written) -> None:
    """They answer in turn and never see the same question; both see how far both are; all answers are there under their names."""
    server = serve()
    ann, ben = sit_down(server, "Ann"), sit_down(server, "Ben")
    for turn in range(40):
        assert ann.text() != ben.text()
        ann.press("kcnk"[turn % 4])
        ben.press("ckkn"[turn % 4])
    assert not ann.said.keys() & ben.said.keys()
    held(written(server), ("Ann", ann), ("Ben", ben))
    ann.page.reload()
    expect(ann.page.locator("#answered")).to_have_text("80")
    expect(ann.page.locator("#people")).to_contain_text("Ben")


def test_hundreds_of_decisions_at_once_are_all_kept(serve, written) -> None:
    """Eight people send what they decide as fast as they can, some of it twice: each decision stands once, under its name."""
    server = serve()
    entry = {"Authorization": f"Bearer {server.token}", "Content-Type": "application/json"}
    pages = [
        json.loads(server.ask(f"/api/list?first={first}", headers=entry)[1])["items"] for first in range(0, 200, 50)
    ]
    cards = [one["id"] for page in pages for one in page]

    def work(number: int) -> list[tuple[str, str]]:
        mine = cards[number::8]
        for card in [*mine, *mine[:5]]:
            said = {"card": card, "answer": "neither", "once": f"{number}-{card}"[:60], "seconds": 1.0, "queued": True}
            status, reply = server.ask("/api/decide", {**said, "reviewer": f"P{number}", "window": "w" * 16}, entry)
            assert status == 200, reply
        return [(f"P{number}", card) for card in mine]

    with ThreadPoolExecutor(8) as pool:
        expected = [one for found in pool.map(work, range(8)) for one in found]
    assert len(expected) == 200
    assert sorted((line["reviewer"], line["row_hash"]) for line in written(server)) == sorted(expected)


def test_a_page_that_is_loaded_again_goes_on_where_it_was(serve, sit_down, written) -> None:
    """The name is known, no answered question comes again, and undo still takes the last answer back."""
    server = serve()
    ann = sit_down(server)
    for key in "kcnkc":
        ann.press(key)
    ann.page.reload()
    ann.page.locator("#answers").wait_for(state="visible")
    assert ann.text() not in ann.said
    ann.undo()
    ann.press("n")
    held(written(server), ("Ann", ann))


def test_undo_goes_back_to_the_first_answer(serve, sit_down, written) -> None:
    """As often as there are answers; then nothing is left to take back, and nothing stands in the file."""
    server = serve()
    ann = sit_down(server)
    for key in "kcnsk":
        ann.press(key)
    for _ in range(5):
        ann.undo()
    expect(ann.page.locator("#undo")).to_be_disabled()
    ann.page.keyboard.press("u")
    assert written(server) == []


def test_a_decision_can_be_changed_later(serve, sit_down, written) -> None:
    """From the list of one's decisions: opened again and answered anew, the later answer holds; taken back there, it is gone."""
    server = serve()
    ann = sit_down(server)
    for key in "kck":
        ann.press(key)
    first, second = ann.order[:2]
    ann.page.locator("#nav-decisions").click()
    line = ann.page.locator("#decision-list li", has_text=first[:30])
    line.get_by_role("button", name="Change").click()
    ann.sees(first)
    ann.press("n")
    ann.page.locator("#nav-decisions").click()
    ann.page.locator("#decision-list li", has_text=second[:30]).get_by_role("button", name="Take back").click()
    expect(ann.page.locator("#decisions-told")).to_contain_text("Taken back")
    del ann.said[second]
    last = {line["text"]: line["answer"] for line in written(server)}
    assert last == ann.answers()


@pytest.mark.parametrize("form", ["csv", "jsonl", "labelstudio", "groundtruth"])
def test_exports_are_read_back(serve, sit_down, tmp_path, relabel, *, form, written) -> None:
    """What the page gives as a file, `relabel review import` takes: the same answers on the same rows by the same person."""
    server = serve()
    ann = sit_down(server, "Ann Ö. \U0001f600")
    for key in "kcnsckkc" * 3:
        ann.press(key)
    ann.page.locator("#nav-finish").click()
    with ann.page.expect_download() as download:
        ann.page.locator(f"#export-{form}").click()
    taken = tmp_path / download.value.suggested_filename
    download.value.save_as(taken)
    output = tmp_path / "reviews.jsonl"
    options = ["--results", str(server.results), "--reviews", str(output), "--reviewer", "Ann Ö. \U0001f600"]
    relabel("review", "import", str(taken), *options, "--format", form)
    known = {line["row_hash"]: line["answer"] for line in written(server)}
    read = [json.loads(line) for line in output.read_text(encoding="utf-8").splitlines()]
    assert {line["row_hash"]: line["answer"] for line in read} == known
    assert {line["reviewer"] for line in read} == {"Ann Ö. \U0001f600"}


def test_undo_takes_nothing_back_while_the_answer_before_it_was_not_saved(serve, sit_down, written, tab) -> None:
    """Pressed while an answer is on its way that then fails: what was confirmed stands, and the problem stays to be seen."""
    server = serve()
    ann = sit_down(server)
    ann.press("k")
    waits: list[Route] = []
    ann.page.route("**/api/decide", lambda route: waits.append(route))  # noqa: PLW0108  # playwright marks what it calls
    text = ann.text()
    with ann.page.expect_request("**/api/decide"):
        ann.page.keyboard.press("c")
    ann.page.keyboard.press("u")
    ann.page.wait_for_timeout(100)
    waits[0].fulfill(status=503, json={"error": "not kept"})
    expect(ann.page.locator("#problem")).to_contain_text("Not saved")
    tab.faults[:] = [fault for fault in tab.faults if "503" not in fault]
    ann.page.wait_for_timeout(300)
    expect(ann.page.locator("#problem")).to_be_visible()
    assert ann.text() == text
    held(written(server), ("Ann", ann))
    ann.page.unroute("**/api/decide")
    ann.press("n")
    held(written(server), ("Ann", ann))


@pytest.mark.parametrize("then", ["answer", "take back"])
def test_an_answer_whose_confirmation_was_lost_counts_once(serve, sit_down, written, tab, until, *, then) -> None:
    """Answered anew, the new answer alone stands, and undo leaves none; taken back and then tried again, it is given anew, not just called so."""
    server = serve()
    ann = sit_down(server)
    text, offers = ann.text(), ann.offers()

    def lose(route: Route) -> None:
        route.fetch()
        route.abort()

    ann.page.route("**/api/decide", lose)
    ann.page.keyboard.press("k")
    expect(ann.page.locator("#problem")).to_be_visible()
    ann.page.unroute("**/api/decide")
    tab.faults[:] = [fault for fault in tab.faults if "net::ERR_" not in fault]
    assert [line["answer"] for line in written(server)] == [offers["k"]]
    if then == "answer":
        ann.press("c")
        held(written(server), ("Ann", ann))
        ann.undo()
        assert written(server) == []
        return
    ann.page.locator("#nav-decisions").click()
    ann.page.get_by_role("button", name="Take back").click()
    expect(ann.page.locator("#decisions-told")).to_contain_text("Taken back")
    ann.page.locator("#nav-review").click()
    ann.page.locator("#retry").click()
    expect(ann.page.locator("#problem")).to_contain_text("taken back")
    assert (ann.text(), written(server)) == (text, [])
    tab.faults[:] = [fault for fault in tab.faults if "409" not in fault]
    ann.page.locator("#retry").click()
    until(ann.page, ANOTHER, text)
    expect(ann.page.locator("#saved")).to_contain_text("Saved")
    ann.said[text] = offers["k"]
    held(written(server), ("Ann", ann))


def test_the_name_of_a_label_turns_nothing_around_it(serve, sit_down) -> None:
    """Wherever one stands on the card, its list and its messages, it has a direction of its own."""
    server = serve()
    ann = sit_down(server)
    names = [
        ann.page.locator("#card-title bdi, #claim bdi").all_inner_texts(),
        ann.page.locator("#keep bdi").inner_text(),
    ]
    assert names[1] in names[0]
    assert ann.offers()["c"] == ann.page.locator("#change bdi").inner_text()
    ann.press("k")
    assert ann.page.locator("#saved bdi").inner_text() == names[1]
    ann.page.locator("#nav-decisions").click()
    assert ann.page.locator("#decision-list .said bdi").first.inner_text() == names[1]
    ann.page.locator("#nav-find").click()
    expect(ann.page.locator("#results li").first.locator(".quiet bdi")).not_to_have_count(0)
    assert names[1] in ann.page.locator("#results .quiet bdi").all_inner_texts()
