"""Print the path of a Chromium that runs; with --install, put one there where none is.

    python chromium.py [--install]

CHROMIUM names one, else those on PATH are tried, then Playwright's own. Debian's package is installed where one is root or may become it without a
password, else Playwright's browser, in the home folder.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator

from playwright.sync_api import sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PLAYWRIGHT = (sys.executable, "-m", "playwright")
PACKAGES = ("chromium", "libatomic1", "fonts-noto-color-emoji", "fonts-noto-core")
"""Of Debian: the browser, what Playwright's driver is linked to, letters of most scripts."""


def found() -> str | None:
    """Give the first that runs, or None; also where Playwright itself does not, which drives it."""
    return (
        next((path for path in _places() if _runs(path, "--version")), None)
        if _runs(*PLAYWRIGHT, "--version")
        else None
    )


def install() -> None:
    """Install Chromium by the system's packages, else by Playwright."""
    root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if shutil.which("apt-get") and (not root or _ends_well(*root, "true")):
        _ends_well(*root, "apt-get", "update")
        _ends_well(*root, "apt-get", "install", "-y", "--no-install-recommends", *PACKAGES)
    if found() is None:
        _ends_well(*PLAYWRIGHT, "install", "chromium")


def _places() -> Iterator[str]:
    if named := os.environ.get("CHROMIUM"):
        yield named
        return
    yield from filter(None, map(shutil.which, NAMES))
    with sync_playwright() as playwright:
        yield playwright.chromium.executable_path


def _runs(*command: str) -> bool:
    """Tell whether it starts: a package may be a stub that points to a store, and a browser may lack a library."""
    try:
        return subprocess.run(command, capture_output=True, check=False, timeout=60).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def _ends_well(*command: str) -> bool:
    """Run a command whose output goes to standard error: standard output is the path's alone."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        return subprocess.run(command, stdout=sys.stderr, env=environment, check=False).returncode == 0
    except OSError:
        return False


def main() -> None:
    """Print the path, or say what to do."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--install", action="store_true", help="install one where none runs")
    told = parser.parse_args()
    path = found()
    if path is None and told.install:
        install()
        path = found()
    if path is None:
        sys.exit("no Chromium runs here: `make test-pages` installs one, or name yours in CHROMIUM")
    sys.stdout.write(path + "\n")


if __name__ == "__main__":
    main()
