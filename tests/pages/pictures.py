"""Take the pictures of the pages that the README shows, of made data: python tests/pages/pictures.py [--results DIR] [--output docs/pictures]."""

from __future__ import annotations

import argparse
import io
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from relabel.data import planted
from relabel.model import artifact, predictor
from relabel.monitoring import capture_files
from relabel.monitoring.capture_files import Message, Request

ROOT = Path(__file__).parents[2]
WINDOW = {"width": 1280, "height": 800}
ROWS = 8000
LARGEST = 250_000
"""Bytes of a picture."""
TRIED = (
    "The brush is broken, and it smells harsh.",
    "A lovely soap: it feels soft and gentle, though the box came a little sticky.",
)
COLOURS = (256, 128, 64)


def report(browser: Browser, results: Path) -> Iterator[tuple[str, bytes]]:
    """Picture the report: its top, the doubtful rows with one opened, the map with an area selected."""
    page = _page(browser, (results / "report.html").as_uri())
    yield "report", page.screenshot()
    page.locator("#rows-table .opens").first.click()
    _go(page, "#rows")
    yield "rows", page.screenshot()
    page.set_viewport_size({"width": 1280, "height": 1150})
    _go(page, "#map-panel")
    box = page.locator("#map-canvas").bounding_box()
    assert box is not None
    corners = [(box["x"] + share * box["width"], box["y"] + share * box["height"]) for share in (0.35, 0.62)]
    page.mouse.move(*corners[0])
    page.mouse.down()
    page.mouse.move(*corners[1], steps=5)
    page.mouse.up()
    page.mouse.move(5, 5)
    page.locator("#map-clear").wait_for()
    yield "map", page.screenshot()


def review(browser: Browser, results: Path, scratch: Path) -> Iterator[tuple[str, bytes]]:
    """Picture the review page: a card, after some answers."""
    with _served(results, scratch / "review.sqlite") as address:
        page = _page(browser, address)
        page.locator("#name").fill("Ann")
        page.keyboard.press("Enter")
        for key in "cckcnccckc":
            page.locator("#answers:not(.waiting)").wait_for()
            page.keyboard.press(key)
            page.wait_for_timeout(300)
        page.locator("#answers:not(.waiting)").wait_for()
        page.wait_for_timeout(500)
        yield "review", page.screenshot()


def web(browser: Browser, scratch: Path) -> Iterator[tuple[str, bytes]]:
    """Picture the page on which a model is tried, after two reviews; the model learns from made ones first."""
    reviews, trained = scratch / "reviews", scratch / "trained"
    for name, rows in (("train", 4000), ("dev", 400), ("test", 800)):
        planted.write(reviews, name, planted.reviews(rows, width=1, noise=np.eye(2), seed=rows))
        (reviews / f"{name}.npy").unlink()
        labels = (reviews / f"{name}.csv").read_text()
        (reviews / f"{name}.csv").write_text(re.sub(r",([01])$", _named, labels, flags=re.MULTILINE))
    command = [sys.executable, "-m", "relabel", "train", "--data", str(reviews), "--output", str(trained)]
    options = ["--learner", "linear", "--policy", "keep", "--seeds", "1", "--data-issues", "off"]
    subprocess.run([*command, *options], check=True, stdout=subprocess.DEVNULL)
    with _printed("web", "--model", str(trained / "model"), "--port", "0") as address:
        page = _page(browser, address)
        page.set_viewport_size({"width": 860, "height": 1000})
        for text in TRIED:
            page.locator("#text").fill(text)
            page.locator("#send").click()
            page.locator("#verdict").wait_for()
            page.wait_for_timeout(1000)
        page.evaluate("scrollTo(0, 0)")
        yield "web", page.screenshot(full_page=True)


def drift(browser: Browser, model: Path, scratch: Path) -> Iterator[tuple[str, bytes]]:
    """Picture ten days of made traffic, of which the last ones bring something new."""
    width = predictor.load(artifact.load(model).model).inputs
    for day in range(1, 11):
        made = planted.reviews(800, width=width, noise=np.eye(2), seed=1000 + day).embeddings
        made[: max(0, day - 6) * 80] += 1.5
        time = np.datetime64(f"2026-03-{day:02}T08:00:00", "s")
        bodies = [json.dumps({"instances": [row]}).encode() for row in made.tolist()]
        lines = [Request(f"{day}-{n}", time, Message("application/json", body), None) for n, body in enumerate(bodies)]
        path = scratch / "captured" / capture_files.path_of(time, "part")
        path.parent.mkdir(parents=True)
        path.write_text("".join(map(capture_files.written, lines)))
    options = ["--window", "1d", "--output", str(scratch / "drift.html")]
    command = [sys.executable, "-m", "relabel", "drift", str(model), str(scratch / "captured"), *options]
    subprocess.run(command, check=False, stdout=subprocess.DEVNULL)  # 4 says that there is drift
    page = _page(browser, (scratch / "drift.html").as_uri())
    page.set_viewport_size({"width": 1280, "height": 1000})
    yield "drift", page.screenshot()


def _named(found: re.Match[str]) -> str:
    """Give a class its name."""
    return ",positive" if found[1] == "1" else ",negative"


def small(picture: bytes) -> bytes:
    """Write a picture with a palette, with fewer colours until it is small enough."""
    for colours in COLOURS:
        kept = io.BytesIO()
        Image.open(io.BytesIO(picture)).convert("RGB").quantize(colours, dither=Image.Dither.NONE).save(
            kept, "PNG", optimize=True
        )
        if kept.tell() < LARGEST:
            break
    return kept.getvalue()


def _page(browser: Browser, address: str) -> Page:
    page = browser.new_context(viewport=WINDOW, reduced_motion="reduce", device_scale_factor=1).new_page()
    page.goto(address)
    page.wait_for_timeout(1000)
    return page


def _go(page: Page, to: str) -> None:
    """Bring a part of the page below what sticks to its top."""
    page.evaluate(
        "to => { const nav = document.querySelector('nav').getBoundingClientRect().height;"
        " scrollTo(0, scrollY + document.querySelector(to).getBoundingClientRect().top - nav - 8); }",
        to,
    )
    page.wait_for_timeout(500)


@contextmanager
def _served(results: Path, store: Path) -> Iterator[str]:
    with _printed("review", "serve", str(results), "--store", str(store), "--port", "0") as address:
        yield address


@contextmanager
def _printed(*arguments: str) -> Iterator[str]:
    """Run a command that serves a page; the address that it prints."""
    command = [sys.executable, "-m", "relabel", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        found = re.search(r"http://\S+", process.stdout.readline())
        assert found is not None
        yield found[0]
        process.terminate()


def _chromium() -> str:
    script = Path(__file__).with_name("chromium.py")
    return subprocess.run([sys.executable, str(script)], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def main() -> None:
    """Take and write them all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--results", type=Path, help="output/data of a job; one on made data is run where none is given"
    )
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "pictures")
    told = parser.parse_args()
    told.output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        scratch, results = Path(folder), told.results
        if results is None:
            demo = [sys.executable, "-m", "relabel", "demo", "--rows", str(ROWS), "--output", str(scratch / "demo")]
            subprocess.run(demo, check=True, stdout=subprocess.DEVNULL)
            results = scratch / "demo" / "output" / "data"
        browser = playwright.chromium.launch(
            executable_path=_chromium(), args=["--headless", "--no-sandbox", "--disable-gpu"]
        )
        model = results.parents[1] / "model"
        pages = (report(browser, results), review(browser, results, scratch), web(browser, scratch))
        for take in (*pages, drift(browser, model, scratch)):
            for name, picture in take:
                path = told.output / f"{name}.png"
                path.write_bytes(small(picture))
                sys.stdout.write(f"{path}  {path.stat().st_size / 1000:.0f} kB\n")
        browser.close()


if __name__ == "__main__":
    main()
