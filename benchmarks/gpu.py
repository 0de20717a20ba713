"""How fast members train where the features lie on a GPU, and what holds them back: its memory, or the launch of many small operations.

    python benchmarks/gpu.py [--rows 80000 8000000] [--precision fp32 bf16] [--batch 32 1024] [--members 7] [--steps 2000]

The features are float16 of width 768 and are held on the device as they are: 8,000,000 rows are 12 GB there, and as much in memory while they
are made. `fp32` widens each batch and computes in float32, as jobs do; `bf16` computes and keeps weights and moments in bfloat16. The steps
are those of a job: the stack, its sampler and its optimiser.

Prints, for each, member-rows in a second (rows of a batch times members times steps) without the sampler and with it, and two shares:
- of memory bandwidth: what a step must move at the least (the batch once; of each parameter eight numbers: itself, its gradient and two moments,
  there and back) against a copy of a large tensor on the same device;
- of the launch bound: the time that as many empty operations take as a step has, against the step. Near 100%, only fewer launches are faster.

Where there is no GPU it says so and ends; `--device cpu` tries the same on a processor, in small.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from relabel.data.examples import Dense
from relabel.model.networks.stacked_mlp import StackedMLP
from relabel.training import sampler
from relabel.training.learners.stacked import CHUNK
from relabel.training.member import Member
from relabel.training.stack import Recipe, Stack

WIDTH, HIDDEN, CLASSES = 768, 64, 2
DRAWN = 1 << 14
"""Rows that are drawn; the others are copies of them, which no step notices."""
PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16}
EMPTY = 20_000
"""Empty operations that are timed."""
NO_MEMORY = ("empty", "new_empty", "empty_like", "detach")
"""Operations that launch nothing."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a device can do: bytes in a second that a copy reads and writes, and seconds of an operation that does nothing."""

    bandwidth: float
    launch: float


class Operations(TorchDispatchMode):
    """Counts what is launched: every operation that is no other view of the same memory."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        del types
        self.count += not func.is_view and func.overloadpacket.__name__ not in NO_MEMORY
        return func(*args, **(kwargs or {}))


def seconds(device: torch.device, work: Callable[[], object]) -> float:
    """Time work, to its end on the device."""
    wait = torch.cuda.synchronize if device.type == "cuda" else lambda: None
    wait()
    start = time.perf_counter()
    work()
    wait()
    return time.perf_counter() - start


def limits(device: torch.device) -> Limits:
    """Measure a device; the best of several tries."""
    size = 1 << (30 if device.type == "cuda" else 26)
    source, target, one = (torch.zeros(n, dtype=torch.uint8, device=device) for n in (size, size, 1))
    copies = [seconds(device, lambda: target.copy_(source)) for _ in range(10)]
    launches = [seconds(device, lambda: [one.zero_() for _ in range(EMPTY)]) for _ in range(5)]
    return Limits(2 * size / min(copies), min(launches) / EMPTY)


def features(rows: int, width: int) -> Dense:
    """Make features (rows, width) in float16."""
    drawn = np.random.default_rng(0).standard_normal((min(DRAWN, rows), width), dtype=np.float32).astype(np.float16)
    array = np.empty((rows, width), np.float16)
    for first in range(0, rows, len(drawn)):
        array[first : first + len(drawn)] = drawn[: rows - first]
    return Dense(array)


def stacked(
    held: Dense, members: int, batch: int, dtype: torch.dtype, device: torch.device
) -> tuple[Stack, list[Member]]:
    """Make a stack as a job does, with its features on the device, and its members."""
    rows, width = held.shape
    sizes = {"inputs": width, "width": HIDDEN, "depth": 1, "classes": CLASSES}
    zeros = np.zeros((members, width))
    network = StackedMLP(range(members), sizes, zeros, zeros + 1, dtype).to(device)
    every, targets, weights = np.arange(rows, dtype=np.int32), np.arange(rows) % CLASSES, np.ones(rows, np.float32)
    company = [Member(every, targets, weights, seed) for seed in range(members)]
    stack = Stack(network, company, held, None, Recipe(width=HIDDEN, batch_size=batch, max_epochs=1))
    stack.to(device)
    return stack, company


def moved(stack: Stack, batch: int, width: int) -> int:
    """Count the bytes that a step must move at the least."""
    members = stack.network.mean.shape[0]
    parameters = sum(p.numel() * p.element_size() for p in stack.network.parameters())
    return 2 * members * batch * width + 8 * parameters


def operations(stack: Stack, chunk: sampler.Chunk) -> float:
    """Count what is launched for one step, with its part of what is done once for a chunk."""
    with Operations() as counted:
        stack.run(chunk)
    return counted.count / len(chunk.rows)


def taken(company: Sequence[Member], batch: int, steps: int) -> Iterator[sampler.Chunk]:
    """Yield the chunks of the first steps of an epoch."""
    for chunk in sampler.chunks(company, batch, 1, CHUNK):
        if chunk.start >= steps:
            return
        yield chunk


def measured(held: Dense, asked: argparse.Namespace, batch: int, precision: str, known: Limits) -> str:
    """Train some steps twice, with chunks that are there and with those that come; a line of figures."""
    rows, width = held.shape
    device = torch.device(asked.device)
    stack, company = stacked(held, asked.members, batch, PRECISIONS[precision], device)
    chunks = list(taken(company, batch, asked.steps + 2 * CHUNK))
    if len(chunks) < 3:
        return f"{rows:>10,} {batch:>6} {precision:>5}  an epoch has too few steps: give more rows, or smaller batches"
    launched = operations(stack, chunks[0])
    stack.run(chunks[1])
    steps = sum(len(chunk.rows) for chunk in chunks[2:])
    alone = seconds(device, lambda: [stack.run(chunk) for chunk in chunks[2:]]) / steps
    stack, company = stacked(held, asked.members, batch, PRECISIONS[precision], device)
    whole = seconds(device, lambda: [stack.run(chunk) for chunk in taken(company, batch, steps)]) / steps
    together = asked.members * batch
    share = moved(stack, batch, width) / alone / known.bandwidth
    bound = launched * known.launch / alone
    return (
        f"{rows:>10,} {batch:>6} {precision:>5} {together / alone:>14,.0f} {together / whole:>14,.0f} "
        f"{1e6 * alone:>9.0f} {launched:>7.1f} {share:>10.1%} {bound:>8.1%}"
    )


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[80_000, 8_000_000])
    parser.add_argument("--precision", nargs="+", choices=PRECISIONS, default=[*PRECISIONS])
    parser.add_argument("--batch", type=int, nargs="+", default=[32, 1024])
    parser.add_argument("--members", type=int, default=7)
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--width", type=int, default=WIDTH)
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    asked = parser.parse_args()
    if asked.device == "cuda" and not torch.cuda.is_available():
        print("no GPU here: nothing was measured")
        return
    device = torch.device(asked.device)
    known = limits(device)
    name = torch.cuda.get_device_name() if device.type == "cuda" else "a processor, which only tries the script"
    print(f"{name}, torch {torch.__version__}, float16 features of width {asked.width}, {asked.members} members")
    print(f"a copy moves {known.bandwidth / 1e9:,.0f} GB/s, an empty operation takes {1e6 * known.launch:.1f} us\n")
    print("      rows  batch  prec.  member-rows/s   with sampler   us/step  op/step  of memory  launch")
    for rows in asked.rows:
        held = features(rows, asked.width)
        for batch in asked.batch:
            for precision in asked.precision:
                print(measured(held, asked, batch, precision, known), flush=True)


if __name__ == "__main__":
    main()
