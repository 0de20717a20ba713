"""Time and memory of a whole training job by the number of its rows, each under one limit of memory.

    python benchmarks/scaling.py [--rows 20000 100000 1000000 10000000] [--width 768] [--texts 0] [--memory 6] [--image NAME]

Makes float16 embeddings, or texts alone (--width 0), with known wrong labels, block by block, and trains on them: in a container of the image, or as
a process in a control group of memory of its own (root is needed for that). There is no swap. Memory is what the kernel says: `anonymous` is what
processes hold, sampled; `group` is the peak with the files that the kernel keeps at hand, which it gives back when there is need. Ten million rows of
width 768 take 15 GB of disk.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

GIB = 1 << 30
BLOCK = 1 << 16
NOISE = ((0.97, 0.03), (0.08, 0.92))
"""P(given j | true i)."""
DISTANCE = 3.0
"""Between the centres of the two classes, in deviations."""
SIGNAL = 16
"""Directions in which they differ."""
WORDS = np.random.default_rng(0).permutation(
    [a + b + c for a in "bdfgklmnprstvz" for b in "aeiou" for c in "bdfgklmnprstvz"]
)
SAYS = 930
"""Words that each class says, of 980."""
SAID = [20 * " ".join(np.random.default_rng(1).permutation(words)) for words in (WORDS[:SAYS], WORDS[-SAYS:])]
"""What the texts of each class are cut out of."""
GROUPS = Path("/sys/fs/cgroup")


@dataclass(frozen=True)
class Measured:
    """One job: seconds of its stages, and from its start to its end; bytes of memory; and the share of wrong labels among those it flagged."""

    rows: int
    seconds: dict[str, float]
    whole: float
    anonymous: int
    group: int
    right: float


def make(folder: Path, rows: int, width: int, characters: int) -> np.ndarray:
    """Write `train.csv`, with texts of so many characters, and `train.npy`, unless one is 0; give which labels are wrong, (N,) bool."""
    folder.mkdir(parents=True)
    direction = np.zeros(width, np.float32)
    direction[: min(SIGNAL, width)] = DISTANCE / np.sqrt(max(1, min(SIGNAL, width)))
    wrong = np.empty(rows, np.bool_)
    heading = {"descr": "<f2", "fortran_order": False, "shape": (rows, width)}
    with ExitStack() as stack:
        table = stack.enter_context((folder / "train.csv").open("w", encoding="ascii"))
        table.write("label,review\n" if characters else "label\n")
        file = stack.enter_context((folder / "train.npy").open("wb")) if width else None
        if file:
            np.lib.format.write_array_header_1_0(file, heading)
        for start in range(0, rows, BLOCK):
            rng = np.random.default_rng((rows, start))
            size = min(BLOCK, rows - start)
            truth = rng.integers(0, 2, size)
            values = rng.standard_normal((size, width), dtype=np.float32)
            values += (truth[:, None] - 0.5).astype(np.float32) * direction
            if file:
                file.write(values.astype(np.float16).data)
            flipped = rng.random(size) < np.array(NOISE)[truth, 1 - truth]
            wrong[start : start + size] = flipped
            labels = [str(label) for label in np.where(flipped, 1 - truth, truth).tolist()]
            if characters:
                at = rng.integers(0, len(SAID[0]) - characters, size).tolist()
                texts = (SAID[of][place : place + characters] for of, place in zip(truth.tolist(), at, strict=True))
                labels = [f"{label},{text}" for label, text in zip(labels, texts, strict=True)]
            table.write("\n".join((*labels, "")))
    for path in folder.iterdir():
        forget(path)
    return wrong


def forget(path: Path) -> None:
    """Have the system forget a file: a job reads it from the disk, and the pages that it needs count as its own."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


@contextmanager
def group(limit: int) -> Iterator[Path]:
    """Make a control group of memory with a limit, of either version, and take it away again."""
    first = (GROUPS / "memory").is_dir()
    folder = (GROUPS / "memory" if first else GROUPS) / f"relabel-scaling-{os.getpid()}"
    folder.mkdir()
    try:
        (folder / ("memory.limit_in_bytes" if first else "memory.max")).write_text(str(limit))
        yield folder
    finally:
        folder.rmdir()


def numbers(path: Path) -> dict[str, int]:
    """Read a file of `name number` lines."""
    return {name: int(value) for name, value in (line.split() for line in path.read_text().splitlines())}


def anonymous(folder: Path) -> int:
    """Bytes that the processes of a group hold for themselves."""
    told = numbers(folder / "memory.stat")
    return told.get("total_rss", told.get("anon", 0))


def peak(folder: Path) -> int:
    """The most bytes that a group had, files included."""
    found = [folder / name for name in ("memory.max_usage_in_bytes", "memory.peak") if (folder / name).is_file()]
    return int(found[0].read_text()) if found else 0


def watched(process: subprocess.Popen[bytes], look: Callable[[], int]) -> int:
    """Wait for a process; give the most that `look` saw meanwhile, ten times a second."""
    most = 0
    try:
        while process.poll() is None:
            most = max(most, look())
            time.sleep(0.1)
    finally:
        process.kill()
        process.wait()
    if process.returncode:
        sys.exit(f"the job ended with {process.returncode}")
    return most


def as_process(data: Path, out: Path, limit: int, options: list[str]) -> tuple[int, int]:
    """Train in a control group of its own; give its peak of anonymous memory and that of the group."""
    command = [sys.executable, "-m", "relabel", "train", "--data", str(data), "--output", str(out), *options]
    with group(limit) as folder:
        joins = f'echo $$ > {folder}/cgroup.procs && exec "$@"'
        process = subprocess.Popen(["sh", "-c", joins, "sh", *command], stdout=subprocess.DEVNULL)
        return watched(process, lambda: anonymous(folder)), peak(folder)


def in_container(image: str, data: Path, out: Path, limit: int, options: list[str]) -> tuple[int, int]:
    """Train in a container of the image, in the platform's folders; give its peak of anonymous memory and that of its group."""
    values = {name.removeprefix("--"): value for name, value in zip(options[::2], options[1::2], strict=True)}
    (out / "input" / "config").mkdir(parents=True)
    (out / "input" / "config" / "hyperparameters.json").write_text(json.dumps(values))
    (out / "input" / "data" / "train").mkdir(parents=True)
    mounts = ["-v", f"{out}:/opt/ml", "-v", f"{data}:/opt/ml/input/data/train:ro"]
    memory = ["--memory", str(limit), "--memory-swap", str(limit)]
    command = ["docker", "run", "--detach", "--network", "none", *memory, *mounts, image, "train"]
    name = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    try:
        folder = group_of(asked(name, "{{.State.Pid}}"))
        process = subprocess.Popen(["docker", "logs", "--follow", name], stdout=subprocess.DEVNULL, stderr=None)
        most, whole = 0, 0
        while folder.is_dir() and asked(name, "{{.State.Running}}") == "true":
            most, whole = max(most, anonymous(folder)), max(whole, peak(folder))
            time.sleep(0.2)
        process.wait()
        if code := int(asked(name, "{{.State.ExitCode}}")):
            sys.exit(f"the job ended with {code}")
    finally:
        subprocess.run(["docker", "rm", "--force", name], check=True, stdout=subprocess.DEVNULL)
    return most, whole


def asked(name: str, what: str) -> str:
    """Ask docker for one fact of a container."""
    command = ["docker", "inspect", "--format", what, name]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def group_of(pid: str) -> Path:
    """Find the control group of memory of a process of this machine."""
    first = (GROUPS / "memory").is_dir()
    entries = [line.split(":", 2) for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines()]
    (name,) = [name for _, kinds, name in entries if ("memory" if first else "") in kinds.split(",")]
    return (GROUPS / "memory" if first else GROUPS) / name.lstrip("/")


def precision(out: Path, wrong: np.ndarray) -> float:
    """The share of wrong labels among those that the job flagged."""
    table = pq.read_table(out / "output" / "data" / "audit.parquet", columns=["row", "flagged"])
    flagged = table["row"].to_numpy()[table["flagged"].to_numpy()]
    return float(wrong[flagged].mean()) if flagged.size else float("nan")


def measure(folder: Path, rows: int, asked_for: argparse.Namespace, options: list[str]) -> Measured:
    """Make data of so many rows, train on them, and take them away."""
    data, limit = folder / f"data-{rows}", int(asked_for.memory * GIB)
    wrong = make(data, rows, asked_for.width, asked_for.texts)
    with tempfile.TemporaryDirectory(dir=folder) as name:
        out, began = Path(name), time.monotonic()
        if asked_for.image:
            held, whole = in_container(asked_for.image, data, out, limit, options)
        else:
            held, whole = as_process(data, out, limit, options)
        took = time.monotonic() - began
        facts = json.loads((out / "output" / "data" / "run.json").read_text())
        right = precision(out, wrong)
    for path in data.iterdir():
        path.unlink()
    return Measured(rows, facts["seconds"], took, held, whole, right)


def table(measured: list[Measured]) -> str:
    """Say it as a table in Markdown."""
    stages = [name for name, value in measured[0].seconds.items() if isinstance(value, float)]
    head = ["rows", *stages, "with report", "GiB anonymous", "GiB group", "flagged rightly"]
    lines = [head, ["---:"] * len(head)]
    for one in measured:
        seconds = [f"{one.seconds[name]:,.1f}" for name in stages]
        memory = [f"{size / GIB:.2f}" for size in (one.anonymous, one.group)]
        lines.append([f"{one.rows:,}", *seconds, f"{one.whole:,.1f}", *memory, f"{one.right:.1%}"])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    """Measure each number of rows and print all of them together."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[20_000, 100_000, 1_000_000, 10_000_000])
    parser.add_argument("--width", type=int, default=768, help="of embeddings; 0 is none")
    parser.add_argument("--texts", type=int, default=0, help="characters of a text; 0 is none")
    parser.add_argument("--memory", type=float, default=6, help="limit, GiB")
    parser.add_argument("--image", default="", help="of the training container; a process of this Python without it")
    parser.add_argument("--folder", type=Path, help="on a disk with room for the largest data")
    asked_for, options = parser.parse_known_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was made is taken away
    measured = []
    with tempfile.TemporaryDirectory(dir=asked_for.folder) as name:
        for rows in asked_for.rows:
            measured.append(measure(Path(name), rows, asked_for, options))
            print(measured[-1], flush=True)
    print(
        f"\nlimit {asked_for.memory:g} GiB, float16, width {asked_for.width}, texts of {asked_for.texts}, {os.cpu_count()} cores\n"
    )
    print(table(measured))


if __name__ == "__main__":
    main()
