"""What the report costs: seconds and memory to make it, its size, and the time until it can be used in Chromium.

python benchmarks/report.py [--results DIR ...] [--rows 80000 ...] [--times 3]

DIR is the folder output/data of a finished job, which is left as it is; --rows makes one. A page can be used when it is loaded and its last task
of more than 50 ms (what the browser itself calls long) is over; two seconds without another one end the wait. Chromium is found as the tests
find it, or named by CHROMIUM.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq
from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).parents[1]
ROWS = 80_000
QUIET = 2000
"""Milliseconds without a long task after which a page counts as ready."""

SEEN = """
quiet => new Promise(resolve => {
  const navigation = performance.getEntriesByType('navigation')[0];
  let last = navigation.loadEventEnd;
  new PerformanceObserver(list => {
    for (const task of list.getEntries()) last = Math.max(last, task.startTime + task.duration);
  }).observe({type: 'longtask', buffered: true});
  const paint = () => (performance.getEntriesByName('first-contentful-paint')[0] || {startTime: NaN}).startTime;
  const look = () => performance.now() - last > quiet ? resolve([paint(), last]) : setTimeout(look, 100);
  setTimeout(look, 100);
})
"""


@dataclass(frozen=True)
class Cost:
    """What one report costs: seconds, MB, MB."""

    seconds: float
    memory: float
    size: float


@dataclass(frozen=True)
class Opening:
    """Milliseconds until something is seen, and until it can be used."""

    seen: float
    usable: float


def made(folder: Path, rows: int) -> Path:
    """Run a job on made data; `relabel demo` makes a quarter and a half of its training rows more, for dev and test."""
    train = -(-rows * 4 // 7)
    _run("demo", "--rows", str(train), "--output", str(folder))
    return folder / "output" / "data"


def cost(results: Path) -> Cost:
    """Make the report anew, in a process of its own."""
    (results / "report.html").unlink(missing_ok=True)
    start = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", "relabel", "report", str(results)], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, f"relabel report {results}"
    return Cost(seconds, usage.ru_maxrss / 1024, (results / "report.html").stat().st_size / 1e6)


def opening(browser: Browser, page_file: Path, slower: int) -> Opening:
    """Open the page in a fresh context, on a processor that is so many times slower."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": slower})
    page.goto(page_file.as_uri(), timeout=120_000)
    seen, usable = page.evaluate(SEEN, QUIET)
    context.close()
    return Opening(seen, usable)


def line(browser: Browser, results: Path, times: int) -> str:
    """Measure one folder: the best of several runs."""
    rows = pq.read_metadata(results / "audit.parquet").num_rows
    costs = [cost(results) for _ in range(times)]
    fast, slow = ([opening(browser, results / "report.html", slower) for _ in range(times)] for slower in (1, 4))
    best = min(costs, key=lambda one: one.seconds)
    return (
        f"{rows:>10,}{best.seconds:>8.1f} s{max(one.memory for one in costs):>7.0f} MB{best.size:>6.2f} MB"
        f"{min(one.seen for one in fast) / 1e3:>6.2f} s{min(one.usable for one in fast) / 1e3:>7.2f} s"
        f"{min(one.usable for one in slow) / 1e3:>10.2f} s"
    )


def _run(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "relabel", *arguments], check=True, stdout=subprocess.DEVNULL)


def _chromium() -> str:
    script = ROOT / "tests" / "pages" / "chromium.py"
    return subprocess.run([sys.executable, str(script)], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, action="append", default=[])
    parser.add_argument("--rows", type=int, action="append", default=[])
    parser.add_argument("--times", type=int, default=3)
    told = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=_chromium(), args=["--headless", "--no-sandbox", "--disable-gpu"]
        )
        print(f"Chromium {browser.version} on {os.cpu_count()} cores, best of {told.times}\n")
        print(f"{'':16}{'rows':>10}{'to make':>10}{'memory':>10}{'page':>9}{'seen':>8}{'usable':>9}{'4x slower':>12}")
        for number, folder in enumerate(told.results):
            copy = Path(scratch) / str(number)
            shutil.copytree(folder, copy)
            print(f"{folder.resolve().parents[1].name:16}{line(browser, copy, told.times)}", flush=True)
        for rows in told.rows or ([] if told.results else [ROWS]):
            print(f"{'made':16}{line(browser, made(Path(scratch) / f'made{rows}', rows), told.times)}", flush=True)
        browser.close()
    print(f"\nload {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
