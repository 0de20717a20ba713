"""Promises of the page before the image: what is typed in a browser goes through page and handler to the real container, and back."""

from __future__ import annotations

import csv
import json
import os
import re
import select
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

pytestmark = pytest.mark.image

TEXTS = {
    "positive": "a superb film with a lovely cast and a great story",
    "negative": "a dreadful film with an awful cast and a boring story",
}
QUICK = {"learner": "linear", "seeds": 1, "folds": 2, "policy": "keep", "data_issues": "off"}


@pytest.fixture
def reviews(tmp_path) -> Path:
    """A folder of a training job with reviews whose words tell their labels."""
    root = tmp_path / "ml"
    config, data = root / "input" / "config", root / "input" / "data" / "train"
    for folder in (config, data):
        folder.mkdir(parents=True)
    (config / "hyperparameters.json").write_text(json.dumps({name: str(value) for name, value in QUICK.items()}))
    for name, rows in (("train", 300), ("dev", 60), ("test", 60)):
        with (data / f"{name}.csv").open("w", newline="") as file:
            labels = [("negative", "positive")[row % 2] for row in range(rows)]
            made = [(f"{_drawn(label, row)} {name} {row}", label) for row, label in enumerate(labels)]
            csv.writer(file).writerows([("review", "label"), *made])
    return root


def test_a_text_is_answered_by_the_container_in_a_browser(image, reviews) -> None:
    """Trained and served by the image: the sentence, both probabilities, marked words; no fault in the console, no request elsewhere."""
    ended = image.run(reviews, "train")
    assert ended.code == 0, ended.log
    with image.serving(reviews, "serve") as (name, address):
        image.until(name, "Application startup complete|listening on")
        with page_before(address) as url:
            page, texts = _asked(url), TEXTS
            assert page[texts["positive"]][0] == "Your review was POSITIVE!"
            assert page[texts["negative"]][0] == "Your review was NEGATIVE!"
            for _, shares, marked in page.values():
                assert sum(shares) == pytest.approx(100, abs=0.2)
                assert marked


def test_what_the_container_refuses_is_an_answer_of_the_handler(image, trained) -> None:
    """A model of embeddings takes no texts, and says so in its own words."""
    root, _ = trained
    with image.serving(root, "serve") as (name, address):
        image.until(name, "Application startup complete|listening on")
        with page_before(address) as url:
            asked = urllib.request.Request(f"{url}review", b'{"text": "great"}', {"Content-Type": "application/json"})  # noqa: S310
            with pytest.raises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(asked, timeout=30)  # noqa: S310
            with refused.value as reply:
                error = json.load(reply)["error"]
    assert refused.value.code == 400
    assert error["code"] == "model_refused"
    assert "vector" in error["message"] or "number" in error["message"]


@contextmanager
def page_before(address: str) -> Iterator[str]:
    """Run `relabel web` before an endpoint; the page's address."""
    command = [sys.executable, "-m", "relabel", "web", "--endpoint", f"http://{address}", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        try:
            assert select.select([process.stdout], [], [], 60)[0]
            found = re.search(r"http://\S+", process.stdout.readline())
            assert found is not None
            yield found[0]
        finally:
            process.terminate()


def _asked(url: str) -> dict[str, tuple[str, list[float], list[str]]]:
    """Try the texts in Chromium: what the page says, the shares of the classes, and the words that it marks."""
    sync_api = pytest.importorskip("playwright.sync_api")
    if not (chromium := os.environ.get("CHROMIUM")):
        pytest.skip("no browser: name a Chromium in CHROMIUM")
    said, faults = {}, []
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        page.on("console", lambda told: told.type in {"error", "warning"} and faults.append(told.text))
        page.on("pageerror", lambda thrown: faults.append(str(thrown)))
        page.on("request", lambda asked: asked.url.startswith(url) or faults.append(asked.url))
        page.goto(url)
        for text in TEXTS.values():
            page.locator("#text").fill(text)
            page.keyboard.press("Control+Enter")
            sync_api.expect(page.locator("#status")).to_have_text("", timeout=30_000)
            sync_api.expect(page.locator("#verdict")).to_be_visible()
            shares = [float(one.rstrip("%").split()[-1]) for one in page.locator("#classes .number").all_inner_texts()]
            marked = page.locator("#marked mark").all_inner_texts()
            said[text] = (page.locator("#verdict-title").inner_text(), shares, marked)
        browser.close()
    assert faults == []
    return said


def _drawn(label: str, row: int) -> str:
    words = TEXTS[label].split()
    return " ".join(words[(row * 7 + place * 3) % len(words)] for place in range(8))
