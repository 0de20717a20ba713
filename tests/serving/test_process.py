"""Promises of what a worker's process sets for itself."""

from __future__ import annotations

import subprocess
import sys

from relabel.serving import process

FORKED = """
import os, threading, torch
from relabel.serving import process
large = torch.ones(2000, 2000)
(large @ large).sum(); large.exp()          # the parent has threads now
if not (child := os.fork()):
    process.compute_on_one_thread()
    (large @ large).sum(); large.exp()      # waits for ever for those that the fork did not bring
    threads = []
    own = threading.Thread(target=lambda: (process.compute_on_one_thread(), threads.append(torch.get_num_threads())))
    own.start(); own.join()
    os._exit(0 if torch.get_num_threads() == 1 and threads == [1] else 1)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_torch_computes_on_one_thread_in_a_worker_and_its_threads() -> None:
    """Also where the server's process, which loads the model first, has used more."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FORKED],
        env={"OMP_NUM_THREADS": "2", "PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout == "0\n"


def test_memory_is_measured_in_bytes() -> None:
    """A process with numpy takes tens of megabytes, and not yet many."""
    assert 20 << 20 < process.resident() < 64 << 30


LET_GO = """
from relabel.serving import process
before = process.held()
pieces = [bytes(1000) for _ in range(50_000)]
taken = process.held() - before
pieces.clear()
process.free()
print(taken >> 20, (process.held() - before) >> 20)
"""


def test_memory_that_is_let_go_of_is_the_system_s_again() -> None:
    """Small pieces too, which the allocator would keep for the next."""
    done = subprocess.run([sys.executable, "-c", LET_GO], capture_output=True, text=True, check=True)
    taken, left = map(int, done.stdout.split())
    assert taken >= 40
    assert left < 20
