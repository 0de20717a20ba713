"""The whole training job against the seed's plain way, on the same made data, in one run.

    python benchmarks/training.py [--train 51200 --dev 12800 --test 16000] [--folds 5] [--repeat 3]

Prints, as ratios of one run: the seed's way (benchmarks/reference_seed.py) with torch's own number of threads and with one, our job with
one seed and nothing beside the audit, which is what the seed's does, with five seeds, and with its defaults; then where our time goes, and what the
arithmetic, the memory traffic and the launches of one stacked pass cost at least.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import made_data
import torch

HERE = Path(__file__).parent
WIDTH, HIDDEN, CLASSES, BATCH = 768, 64, 2, 32


@dataclass(frozen=True)
class Timing:
    """Best of the repeats: seconds after imports, and of the whole process seen from outside."""

    name: str
    inside: float
    process: float
    facts: dict


def timed(command: list[str], threads: int | None, limit: float) -> tuple[float, str]:
    """Run a command; give its seconds and its output. Past the limit (seconds) it is ended and counts as that."""
    environment = {**os.environ, **({"OMP_NUM_THREADS": str(threads)} if threads else {})}
    start = time.monotonic()
    try:
        done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=limit, check=True)
    except subprocess.TimeoutExpired:
        return limit, ""
    return time.monotonic() - start, done.stdout


def seed_way(data: Path, folds: int, repeat: int, threads: int | None) -> Timing:
    """Time the plain rendering of the seed's way."""
    best = Timing("", float("inf"), float("inf"), {})
    name = f"the seed's way, {threads or 'default'} thread{'s' if threads is None else ''}"
    for _ in range(repeat):
        with tempfile.TemporaryDirectory() as out:
            command = [sys.executable, str(HERE / "reference_seed.py"), "--data", str(data), "--out", out]
            process, said = timed([*command, "--folds", str(folds)], threads, limit=240)
        facts = json.loads(said.splitlines()[-1]) if said else {}
        inside = facts["seconds"]["after_imports"] if facts else process
        best = min(best, Timing(name, inside, process, facts), key=lambda timing: timing.process)
    return best


def ours(name: str, data: Path, folds: int, repeat: int, *options: str) -> Timing:
    """Time our job as a process."""
    best = Timing("", float("inf"), float("inf"), {})
    for _ in range(repeat):
        with tempfile.TemporaryDirectory() as out:
            command = [sys.executable, "-m", "relabel", "train", "--data", str(data), "--output", out]
            process, _ = timed([*command, "--folds", str(folds), *options], None, limit=240)
            facts = json.loads((Path(out) / "output" / "data" / "run.json").read_text())
        best = min(best, Timing(name, facts["seconds"]["all"], process, facts), key=lambda timing: timing.process)
    return best


def bound(rows: int, folds: int, threads: int) -> None:
    """Print what one stacked pass (a baseline and the folds) costs at least on this machine with these threads."""
    torch.set_num_threads(threads)
    members = 1 + folds
    steps = -(-rows // BATCH)
    member_steps = steps + folds * -(-int(rows * (1 - 1 / folds)) // BATCH)
    weights = WIDTH * HIDDEN + HIDDEN + HIDDEN * CLASSES + CLASSES
    flops = member_steps * 4 * BATCH * (WIDTH * HIDDEN + HIDDEN * CLASSES)  # forward, and the weights' gradient
    bytes_moved = member_steps * (
        28 * weights + 8 * BATCH * WIDTH
    )  # Adam reads 4 and writes 3 arrays; rows are gathered
    a, b = torch.randn(members, BATCH, WIDTH), torch.randn(members, WIDTH, HIDDEN)
    rate = 2 * members * BATCH * WIDTH * HIDDEN / per_call(lambda: torch.bmm(a, b))
    c, d = torch.randn(members * weights * 4), torch.empty(members * weights * 4)
    bandwidth = 8 * c.numel() / per_call(lambda: d.copy_(c))
    tiny = torch.zeros(1)
    launch = per_call(lambda: tiny.add_(1))
    print(f"\nbound of one pass: {members} members, {steps} steps, {threads} threads")
    print(
        f"  arithmetic  {flops / 1e9:7.1f} Gflop at {rate / 1e9:6.1f} Gflop/s (bmm of this shape)  {flops / rate:5.2f} s"
    )
    print(
        f"  traffic     {bytes_moved / 1e9:7.1f} GB    at {bandwidth / 1e9:6.1f} GB/s (copy of this size)     {bytes_moved / bandwidth:5.2f} s"
    )
    print(
        f"  launches    {steps * 45:7d} operations of {launch * 1e6:.1f} us                        {steps * 45 * launch:5.2f} s"
    )


def per_call(call: object, seconds: float = 0.3) -> float:
    """Time a call, over and over."""
    calls, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        call()
        calls += 1
    return (time.perf_counter() - start) / calls


def main() -> None:
    """Run all sides and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("train", 51_200), ("dev", 12_800), ("test", 16_000), ("folds", 5), ("repeat", 3)):
        parser.add_argument(f"--{name}", type=int, default=default)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        made = made_data.make(Path(folder), train=asked.train, dev=asked.dev, test=asked.test, width=WIDTH)
        data, folds, repeat = made.channel, asked.folds, asked.repeat
        least = ("--policy", "drop", "--data-issues", "off", "--report", "off")
        one = ours("ours: one seed, drop, no data issues", data, folds, repeat, "--seeds", "1", *least)
        rows = [
            one,
            ours("ours: the same with five seeds", data, folds, repeat, *least),
            ours("ours: five seeds, auto, data issues", data, folds, repeat, "--report", "off"),
            ours("ours: the same with the report (default)", data, folds, repeat),
            seed_way(data, folds, repeat, 1),
            seed_way(data, folds, repeat, None),
        ]
    threads = one.facts["build"]["threads"]
    print(
        f"{asked.train:,}/{asked.dev:,}/{asked.test:,} rows x {WIDTH}, {folds} folds, batch {BATCH}, one epoch; "
        f"ours with {threads} threads of {os.cpu_count()} cores"
    )
    print(f"\n{'':46}{'after imports':>14}{'ratio':>8}{'process':>10}{'ratio':>8}")
    for row in rows:
        ratios = (
            f"{row.inside:12.2f} s{row.inside / one.inside:8.1f}{row.process:8.2f} s{row.process / one.process:8.1f}"
        )
        print(f"{row.name:46}{ratios}")
    print("\nwhere the time of one pass over one seed goes")
    seconds = one.facts["seconds"]
    parts = {
        **{f"fit: {name}": value for name, value in seconds["each fit"].items()},
        "reading": seconds["reading"],
        "writing": seconds["writing"],
    }
    parts["audit and comparison"] = seconds["all"] - sum(parts.values())
    parts["imports, start and end of the process"] = one.process - one.inside
    for name, value in parts.items():
        print(f"  {name:40}{value:6.2f} s")
    bound(asked.train, folds, threads)


if __name__ == "__main__":
    main()
