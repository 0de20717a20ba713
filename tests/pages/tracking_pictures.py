"""Take the pictures of docs/tracking.md from MLflow's own server, which MLFLOW_PYTHON has: tests/pages/tracking_pictures.py [--output DIR]."""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).parents[2]
ROWS = 2000
JOBS = {"as given": "keep", "dropped": "drop", "chosen by trials": "auto"}
"""Name of each run -> the policy of its job."""
SETTLED = 4000
"""Milliseconds until a page of the server stands still."""
RECIPE = ("--max-epochs", "12", "--patience", "4", "--seeds", "3")


def loaded(path: Path) -> Any:
    """Load a module of the tests, which are no package."""
    spec = importlib.util.spec_from_file_location(path.parent.name + "_" + path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def train(scratch: Path, server: str) -> None:
    """Run the jobs, one after another."""
    relabel = [sys.executable, "-m", "relabel"]
    subprocess.run(
        [*relabel, "demo", "--rows", str(ROWS), "--output", str(scratch)], check=True, stdout=subprocess.DEVNULL
    )
    data = scratch / "input" / "data" / "train"
    for name, policy in JOBS.items():
        told = {"MLFLOW_TRACKING_URI": server, "MLFLOW_EXPERIMENT_NAME": "reviews", "MLFLOW_RUN_NAME": name}
        job = ["train", "--data", str(data), "--output", str(scratch / policy), "--policy", policy, *RECIPE]
        subprocess.run([*relabel, *job], check=True, stdout=subprocess.DEVNULL, env={**os.environ, **told})


def runs(server: str) -> tuple[str, list[str]]:
    """Ask for the experiment and its runs, the newest first."""
    found = _asked(f"{server}/api/2.0/mlflow/experiments/get-by-name?experiment_name=reviews")
    experiment = found["experiment"]["experiment_id"]
    said = _asked(f"{server}/api/2.0/mlflow/runs/search", {"experiment_ids": [experiment]})
    return experiment, [run["info"]["run_id"] for run in said["runs"]]


def pictures(browser: Browser, server: str) -> Iterator[tuple[str, bytes]]:
    """Picture a run, its curves, and the runs beside each other."""
    experiment, found = runs(server)
    page = browser.new_page(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    page.goto(f"{server}/#/experiments")
    page.get_by_text("Model training", exact=True).first.click()
    page.get_by_role("button", name="Close").last.click()
    for name, path, wanted in (
        ("mlflow_run", f"runs/{found[0]}", ""),
        ("mlflow_curves", f"runs/{found[0]}/model-metrics", "log_loss/"),
        ("mlflow_compare", "runs?compareRunsMode=CHART", "comparison/accuracy"),
    ):
        page.goto(f"{server}/#/experiments/{experiment}/{path}")
        page.wait_for_timeout(SETTLED)
        if wanted:
            page.get_by_placeholder("Search metric charts").fill(wanted)
            page.wait_for_timeout(SETTLED)
        yield name, page.screenshot()
    page.close()


def _asked(url: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})  # noqa: S310  # on loopback
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        return json.load(answer)


def main() -> None:
    """Take and write them all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "pictures")
    told = parser.parse_args()
    others = loaded(Path(__file__).with_name("pictures.py"))
    elsewhere = loaded(ROOT / "tests" / "serving" / "elsewhere" / "conftest.py")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        (Path(folder) / "server").mkdir()
        with elsewhere.started_mlflow(os.environ["MLFLOW_PYTHON"], Path(folder) / "server") as server:
            train(Path(folder) / "job", server.url)
            browser = playwright.chromium.launch(
                executable_path=others._chromium(), args=["--headless", "--no-sandbox", "--disable-gpu"]
            )
            for name, picture in pictures(browser, server.url):
                path = told.output / f"{name}.png"
                path.write_bytes(others.small(picture))
                sys.stdout.write(f"{path}  {path.stat().st_size / 1000:.0f} kB\n")
            browser.close()


if __name__ == "__main__":
    main()
