"""A browser that reaches nothing but the page it is shown, and fails the test for whatever the page does wrong."""

from __future__ import annotations

import csv
import fcntl
import os
import re
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"),
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
)
MARK = "RELABEL_PAGES"
"""Set in the environment of every process of a browser, so that what stays behind is found."""

PATIENCE = 15_000
"""Milliseconds in which a page shows what is expected of it, on a machine where other tests run."""

TEXTS = {
    "markup": "<b>bold</b> <img src=x onerror=\"window.__pwned='image'\"> &amp; &lt; \" ' ` end",
    "script": "<script>window.__pwned='script'</script> lovely",
    "end of a script": "</script><script>window.__pwned='end'</script>",
    "open comment": "<!--<script> it never ends",
    "end of data": '"}]</script><svg onload=window.__pwned=\'svg\'>{"a":"\\',
    "template": "{{7*7}} {% for %} ${7*7} #{7*7} <%= 7*7 %>",
    "style": "</style><style>body{display:none}</style></title></textarea>",
    "link": "<a href=\"javascript:window.__pwned='link'\">press</a> javascript:window.__pwned=1",
    "arabic": "هذا المنتج رائع جدا، أنصح به 100%!",
    "hebrew": 'המוצר הזה "נהדר" (really) אבל יקר...',
    "overrides": "start \u202edesrever\u202c middle \u2066isolated \u202e never closed",
    "emoji": "\U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f1ee\U0001f1f8 \U0001f44d\U0001f3fd 1\ufe0f\u20e3 \u2764\ufe0f\u200d\U0001f525",
    "combining": "Cafe\u0301 tre\u0301s \u1e69\u0323 Z\u0351\u036b\u0343\u036aa\u0302\u030cl\u034cg\u0310o\u035f",
    "controls": "bell\u0007 escape\u001b[31m unit\u001f next\u0085 lines\u2028and\u2029ends mark\ufeff delete\u007f nul\0x",
    "spaces": "two  spaces,\ttab,\nline and \u00a0 a hard one",
    "formula": '=HYPERLINK("http://127.0.0.1:9/","press")',
    "long word": "w" * 20_000 + "end",
}
"""Texts that would do harm, or would not come out whole, on a page that trusted them."""

CLASSES = ("<script>window.__pwned='class'</script>", 'رائع "A&B"')
COLUMN = "<i>shop</i>"
"""A column of metadata, and what stands in it."""
SHOPS = ("<img src=x onerror=\"window.__pwned='shop'\">", "متجر", "{{7*7}}", "plain")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Start Chromium with an empty profile; at the end, hold that none of its processes is left."""
    mark = f"{MARK}={uuid.uuid4()}"
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=_chromium(), args=FLAGS, env={**os.environ, MARK: mark.partition("=")[2]}
        )
        yield started
        started.close()
    _wait_for(lambda: not _marked(mark), "no process of the browser is left")


@pytest.fixture
def tab(browser) -> Iterator[Callable[..., Page]]:
    """Open pages, each in a context of its own: `tab(url, viewport=..., color_scheme=...)`.

    At the end, hold that no page logged an error or a warning, threw, was stopped by its policy, opened a dialog, or asked for anything
    but its own file or server.
    """
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def opened(url: str, **options: Any) -> Page:
        context = browser.new_context(**options)
        contexts.append(context)
        watch(context, re.sub(r"[?#].*", "", url) if url.startswith("file:") else url[: url.index("/", 8) + 1], faults)
        page = context.new_page()
        page.goto(url)
        return page

    opened.faults = faults
    yield opened
    for context in contexts:
        faults += [
            f"a script of the data ran: {page.evaluate('window.__pwned')}"
            for page in context.pages
            if not page.is_closed() and page.evaluate("'__pwned' in window")
        ]
        context.close()
    told = [*dict.fromkeys(fault[:300] for fault in faults)]
    assert not faults, "\n".join([f"{len(faults)} faults:", *told[:5]])


def watch(context: BrowserContext, own: str, faults: list[str]) -> None:
    """Note everything that a page of ours never does; what it asks of others is refused."""

    def refuse(dialog: Any) -> None:
        faults.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    context.route(
        lambda url: not url.startswith((own, "data:", "blob:", "about:")),
        lambda route: (faults.append(f"request: {route.request.url[:200]}"), route.abort()),
    )
    context.on("page", lambda page: page.on("websocket", lambda socket: faults.append(f"socket: {socket.url}")))
    context.on("console", lambda said: said.type in {"error", "warning"} and faults.append(f"{said.type}: {said.text}"))
    context.on("weberror", lambda thrown: faults.append(f"thrown: {thrown.error}"))
    context.on("dialog", refuse)


@pytest.fixture(scope="session")
def until() -> Callable[..., None]:
    """Wait until an expression of a page is true. Playwright's own way is stopped by a policy without unsafe-eval."""

    def wait(page: Page, expression: str, argument: Any = None, seconds: float = 15) -> None:
        _wait_for(lambda: page.evaluate(expression, argument), expression, seconds)

    return wait


@pytest.fixture(scope="session")
def axe() -> Callable[[Page], list[str]]:
    """List the serious and critical faults that axe finds on a page, as one line each."""
    engine = Axe()

    def look(page: Page) -> list[str]:
        found = engine.run(page, options={"resultTypes": ["violations"]}).response["violations"]
        return [
            f"{one['impact']} {one['id']}: {one['help']}: {node['target']}: {node['html'][:150]}"
            for one in found
            if one["impact"] in {"serious", "critical"}
            for node in one["nodes"]
        ]

    return look


STOPS = """
() => {
  const seen = element => {
    const style = getComputedStyle(element), box = element.getBoundingClientRect();
    return style.visibility !== 'hidden' && style.display !== 'none' && box.width > 0 && element.checkVisibility();
  };
  const reached = 'a[href], button, input, select, textarea, summary, [tabindex], [contenteditable]';
  const found = [];
  const look = root => {
    for (const element of root.querySelectorAll('*')) {
      if (element.shadowRoot) look(element.shadowRoot);
      if (!element.matches(reached) || element.disabled || element.tabIndex < 0 || !seen(element)) continue;
      if (element.type === 'radio' && element.name && !element.checked
          && root.querySelector(`input[type=radio][name="${element.name}"]:checked`)) continue;
      found.push(element);
    }
  };
  look(document);
  window.__stops = found;
  return found.length;
}
"""
FOCUSED = """
() => {
  let element = document.activeElement;
  while (element && element.shadowRoot && element.shadowRoot.activeElement) element = element.shadowRoot.activeElement;
  if (!element || element === document.body || element === document.documentElement) return null;
  const style = getComputedStyle(element), box = element.getBoundingClientRect();
  const outlined = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 1;
  return {
    stop: window.__stops.indexOf(element),
    name: element.outerHTML.slice(0, 120),
    marked: outlined || style.boxShadow !== 'none',
    inside: box.bottom > 0 && box.right > 0 && box.top < innerHeight && box.left < innerWidth,
  };
}
"""


@pytest.fixture(scope="session")
def walk() -> Callable[[Page], list[str]]:
    """Press Tab from the top of a page to its end; list the controls that were not reached, or showed no sign of the focus, or lay out of view."""

    def through(page: Page, most: int = 500) -> list[str]:
        page.evaluate(
            "() => { document.body.tabIndex = -1; document.body.focus(); document.body.removeAttribute('tabindex'); scrollTo(0, 0); }"
        )
        count = page.evaluate(STOPS)
        assert 0 < count < most, f"{count} controls on one page"
        reached: set[int] = set()
        faults = []
        for _ in range(count + 20):
            page.keyboard.press("Tab")
            focus = page.evaluate(FOCUSED)
            if focus is None or focus["stop"] in reached:
                break
            reached.add(focus["stop"])
            faults += [f"no sign of the focus: {focus['name']}"] if not focus["marked"] else []
            faults += [f"out of view: {focus['name']}"] if not focus["inside"] else []
        missed = page.evaluate(
            "reached => window.__stops.filter((_, n) => !reached.includes(n)).map(e => e.outerHTML.slice(0, 120))",
            [*reached],
        )
        return faults + [f"not reached: {name}" for name in missed]

    return through


@pytest.fixture(scope="session")
def texts() -> dict[str, str]:
    """Hostile texts by name: each stands in the results, as doubtful as a row can be."""
    return TEXTS


@pytest.fixture(scope="session")
def relabel() -> Callable[..., str]:
    """Run the command, `relabel("report", DIR)`, and give what it prints."""
    return run_relabel


@pytest.fixture(scope="session")
def hostile(tmp_path_factory, request) -> Path:
    """Run a real job on rows with hostile texts, classes and metadata, once for all processes; give its output/data."""
    root = tmp_path_factory.getbasetemp()
    root = root.parent if hasattr(request.config, "workerinput") else root
    with (root / "hostile.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        made = root / "hostile" / "output" / "data"
        if not (made / "run.json").is_file():
            write_channel(root / "hostile-data")
            options = [
                "--metadata-columns",
                COLUMN,
                "--data",
                str(root / "hostile-data"),
                "--output",
                str(made.parents[1]),
            ]
            run_relabel("train", "--seeds", "2", *options)
        return made


def run_relabel(*arguments: str) -> str:
    """Run the command, and give what it prints."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "relabel", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def write_channel(folder: Path) -> None:
    """Write train, dev and test of reviews with errors; every hostile text has a wrong label in train, far inside the other class."""
    folder.mkdir(parents=True)
    for name, rows, seed in (("train", 900, 0), ("dev", 300, 1), ("test", 400, 2)):
        rng = np.random.default_rng(seed)
        truth = rng.integers(0, 2, rows)
        x = rng.standard_normal((rows, 16), np.float32) + (truth[:, None] - 0.5).astype(np.float32)
        words = (("sticky", "harsh", "dull", "broken"), ("lovely", "soft", "fresh", "gentle"))
        review = [
            f"The {rng.choice(['cream', 'soap', 'oil'])} is {rng.choice(words[label])} and {rng.choice(words[label])} "
            f"after {rng.integers(2, 10**9)} uses"
            for label in truth
        ]
        given = np.where(rng.random(rows) < 0.08, 1 - truth, truth)
        if name == "train":
            places = np.arange(len(TEXTS)) * 7
            x[places] = (truth[places, None] - 0.5) * 2.5 + 0.1 * x[places]
            given[places] = 1 - truth[places]
            for place, text in zip(places, TEXTS.values(), strict=True):
                review[place] = text
        np.save(folder / f"{name}.npy", x)
        with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["id", "review", "label", COLUMN])
            shops = rng.choice(SHOPS, rows)
            ids = [f"<img src=x onerror=\"window.__pwned='id'\">, {name} {number}" for number in range(rows)]
            writer.writerows(zip(ids, review, [CLASSES[label] for label in given], shops, strict=True))


def _chromium() -> str:
    if named := os.environ.get("CHROMIUM"):
        return named
    script = Path(__file__).with_name("chromium.py")
    found = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=False)
    if found.returncode:
        pytest.skip(found.stderr.strip())
    return found.stdout.strip()


def _marked(mark: str) -> list[str]:
    """List the running processes that have the mark in their environment."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if place.name != str(os.getpid()) and mark.encode() in (place / "environ").read_bytes().split(b"\0"):
                found.append((place / "cmdline").read_bytes().decode(errors="replace"))
        except OSError:
            continue
    return found


def _wait_for(there: Callable[[], bool], what: str, seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not there():
        assert time.monotonic() < end, what
        time.sleep(0.05)
