"""Time, processor time, memory and traffic of a whole training job on one, two and four hosts.

    python benchmarks/several_hosts.py [--rows 100000] [--width 768] [--hosts 1 2 4] [--batch-sizes 32 1024] [--kinds replicated sharded]

Hosts are processes of this machine, each on one core of its own, that meet on loopback: more hosts than cores are refused. `replicated` gives each
host all files, `sharded` deals them out. Traffic is what went over loopback meanwhile, so nothing else may use it. `equal` is the share of rows
of which the audit decides as on one host.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

FILES = 8
"""Training files, so that each host has as many."""
SPLITS = {"train": 0.8, "dev": 0.1, "test": 0.1}
DISTANCE, SIGNAL, NOISE = 3.0, 16, 0.08
SETTINGS = {"seeds": 1, "policy": "drop", "report": "off", "data_issues": "off", "threads": 1}
DISTRIBUTION = {"replicated": "FullyReplicated", "sharded": "ShardedByS3Key"}
ADDRESSES = (f"127.{os.getpid() % 250 + 1}.250.{n % 250 + 1}" for n in itertools.count())


@dataclass(frozen=True)
class Measured:
    """One job: seconds until the last host ended, of processors in all, of the fits; MB of the largest host and sent; and the audit's decisions."""

    kind: str
    batch: int
    hosts: int
    seconds: float
    processor: float
    fits: float
    memory: float
    sent: float
    flagged: np.ndarray


def made(rows: int, width: int) -> Iterator[tuple[str, pa.Table]]:
    """Two classes apart from each other of which some labels are wrong, in as many files of each split."""
    rng = np.random.default_rng(0)
    direction = np.zeros(width, np.float32)
    direction[: min(SIGNAL, width)] = DISTANCE / np.sqrt(min(SIGNAL, width))
    for split, share in SPLITS.items():
        for number in range(FILES):
            size = int(rows * share) // FILES
            truth = rng.integers(0, 2, size)
            x = rng.standard_normal((size, width), np.float32) + (truth[:, None] - 0.5).astype(np.float32) * direction
            given = np.where(rng.random(size) < NOISE, 1 - truth, truth)
            vectors = pa.FixedSizeListArray.from_arrays(x.astype(np.float16).ravel(), width)
            yield f"{split}/{split}{number}", pa.table({"embedding": vectors, "label": given.astype(str)})


def laid_out(root: Path, data: Path, kind: str, size: int, batch: int) -> list[Path]:
    """Make the folders of hosts, the first by name an address that all can reach."""
    hosts = sorted([next(ADDRESSES), *(f"host-{n}" for n in range(2, size + 1))])
    files = sorted(data.rglob("*.parquet"))
    for rank, host in enumerate(hosts):
        for number, path in enumerate(files):
            if kind == "replicated" or number % size == rank:
                to = root / host / "input" / "data" / path.relative_to(data)
                to.parent.mkdir(parents=True, exist_ok=True)
                to.hardlink_to(path)
        config = root / host / "input" / "config"
        config.mkdir(parents=True)
        channel = {"TrainingInputMode": "File", "S3DistributionType": DISTRIBUTION[kind]}
        for name, value in {
            "resourceconfig": {"current_host": host, "hosts": hosts},
            "inputdataconfig": dict.fromkeys(SPLITS, channel),
            "hyperparameters": {name: str(value) for name, value in {**SETTINGS, "batch_size": batch}.items()},
        }.items():
            (config / f"{name}.json").write_text(json.dumps(value))
    return [root / host for host in hosts]


def measure(data: Path, folder: Path, kind: str, size: int, batch: int) -> Measured:
    """Run one job on so many hosts."""
    with tempfile.TemporaryDirectory(dir=folder) as name:
        roots = laid_out(Path(name), data, kind, size, batch)
        sent, began = loopback(), time.monotonic()
        started = [begun(root, core) for root, core in zip(roots, sorted(os.sched_getaffinity(0)), strict=False)]
        try:
            ended = [os.wait4(process.pid, 0) for process in started]
        finally:
            for process in started:
                process.kill()
        seconds, sent = time.monotonic() - began, loopback() - sent
        if any(status for _, status, _ in ended):
            said = [
                (root / "output" / "failure").read_text() for root in roots if (root / "output" / "failure").exists()
            ]
            sys.exit("\n".join(said) or "a host ended without a word")
        usage = [used for _, _, used in ended]
        results = roots[0] / "output" / "data"
        each = json.loads((results / "run.json").read_text())["seconds"]["each fit"]
        table = pq.read_table(results / "audit.parquet", columns=["flagged"])
        return Measured(
            kind=kind,
            batch=batch,
            hosts=size,
            seconds=seconds,
            processor=sum(used.ru_utime + used.ru_stime for used in usage),
            fits=sum(each.values()),
            memory=max(used.ru_maxrss for used in usage) / 1024,
            sent=sent / 1e6,
            flagged=table["flagged"].to_numpy(),
        )


def begun(root: Path, core: int) -> subprocess.Popen[bytes]:
    """Start a host on one core."""
    command = [sys.executable, "-m", "relabel", "train", "--root", str(root)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env={**os.environ, "OMP_NUM_THREADS": "1"})
    os.sched_setaffinity(process.pid, {core})
    return process


def loopback() -> int:
    """Bytes that have gone over loopback."""
    lines = Path("/proc/net/dev").read_text().splitlines()
    (said,) = [line.split(":")[1].split() for line in lines if line.strip().startswith("lo:")]
    return int(said[0])


def table(measured: list[Measured]) -> str:
    """Say it as a table in Markdown."""
    head = ["kind", "batch", "hosts", "seconds", "fits", "processor s", "MB of a host", "MB sent", "equal"]
    lines = [head, ["---", *["---:"] * (len(head) - 1)]]
    for one in measured:
        first = next(other for other in measured if (other.kind, other.batch) == (one.kind, one.batch))
        lines.append(
            [
                one.kind,
                f"{one.batch:,}",
                str(one.hosts),
                *(f"{value:,.1f}" for value in (one.seconds, one.fits, one.processor, one.memory, one.sent)),
                f"{(one.flagged == first.flagged).mean():.4%}",
            ]
        )
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    """Measure each kind, batch and number of hosts and print all of them together."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--width", type=int, default=768)
    parser.add_argument("--hosts", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--batch-sizes", type=int, nargs="+", default=[32, 1024])
    parser.add_argument("--kinds", nargs="+", choices=sorted(DISTRIBUTION), default=sorted(DISTRIBUTION))
    parser.add_argument("--folder", type=Path, help="on a disk with room for the data")
    asked = parser.parse_args()
    if max(asked.hosts) > (cores := len(os.sched_getaffinity(0))):
        sys.exit(f"{max(asked.hosts)} hosts, and {cores} cores: they would wait for each other's")
    measured = []
    with tempfile.TemporaryDirectory(dir=asked.folder) as name:
        folder = Path(name)
        for path, rows in made(asked.rows, asked.width):
            (folder / "data" / path).parent.mkdir(parents=True, exist_ok=True)
            pq.write_table(rows, folder / "data" / f"{path}.parquet")
        for kind, batch, hosts in itertools.product(asked.kinds, asked.batch_sizes, asked.hosts):
            measured.append(measure(folder / "data", folder, kind, hosts, batch))
            print(measured[-1], flush=True)
    print(f"\n{asked.rows:,} rows x {asked.width} float16, one core for each host\n")
    print(table(measured))


if __name__ == "__main__":
    main()
