"""Breaks an endpoint in every way that a machine or a client can, and holds every answer meanwhile to the right one.

    python benchmarks/serving_faults.py [--short] [--seconds 600] [--only kills] ...

kills:   workers are killed, crash and freeze under load, while the model's folder is deleted and then another's. A request may be lost only on a
         connection that the ended worker had taken: the bench stops the worker, lists its connections, and ends it.
crowd:   clients that say nothing, send a byte at a time, take no answer or go in the middle; the others' answers, and /ping, must come in time.
blows:   bodies and heads that are made to break a server, one after the other, under load: each has its status and its time, and memory its bound.
stop:    SIGTERM under load: nothing is lost, the exit code is 0.
"""

from __future__ import annotations

import argparse
import itertools
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import hostile
import numpy as np
from clients import HOST, Answer, Ask, Load, text_model, vector_model
from hostile import Blow
from servers import Side, running

from serving import make_model

WORKERS, CLIENTS, TIMEOUT = 2, 3, 5
"""TIMEOUT: seconds after which the server gives up a worker or a client that does nothing."""
EVERY = 1.5
"""Seconds between kills, about."""
KILL, CRASH, FREEZE = signal.SIGKILL, signal.SIGSEGV, signal.SIGSTOP
ENDS = (FREEZE, KILL, CRASH, KILL, KILL, CRASH, KILL, KILL, CRASH, KILL)
"""How workers end, in turn; SIGSTOP freezes one until the server gives it up. The first three are all that a short run sees.
None is a signal that it handles itself: it would take clients meanwhile."""
PING = 2.0
"""Seconds that the platform gives /ping, on a machine that has a core for whoever wants one."""
GROWTH = 700.0
"""MB that a worker may take for bodies that it reads, and no more, whatever is sent: 22 bytes for each of a largest body of 25 MB, and the answer."""
LATE = 3.0
"""Seconds after a worker's end in which its clients have noticed."""


@dataclass
class Endpoint:
    """A server that runs, and what is wrong so far."""

    port: int
    process: subprocess.Popen[bytes]
    problems: list[str] = field(default_factory=list)

    def workers(self) -> list[int]:
        """List the processes of its workers."""
        parent = self.process.pid
        return [int(pid) for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]

    def expect(self, holds: bool, what: str) -> None:  # noqa: FBT001  # reads like an assertion
        """Note what does not hold."""
        if not holds:
            self.problems.append(what)

    def expect_pings(self, name: str, slowest: float) -> None:
        """Note where /ping was late; a machine on which others wait for cores too gets as much longer."""
        crowded = max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
        self.expect(slowest < PING * crowded, f"{name}: /ping took {slowest:.1f} s")

    def row(self, name: str, answers: list[Answer], note: str = "", lost_with_worker: int = 0) -> None:
        """Print one line of the table, and note what no fault may cause."""
        counts = Counter(answer.what for answer in answers)
        lost = counts["lost"] - lost_with_worker
        slowest = max((answer.seconds for answer in answers), default=0.0)
        print(
            f"{name:34}{len(answers):>10,}{counts['right']:>10,}{counts['wrong']:>7}{lost_with_worker:>10}{lost:>10}{counts['shut']:>6}"
            f"{counts['503']:>6}{slowest:>9.2f} s  {note}",
            flush=True,
        )
        self.expect(counts["right"] > 0, f"{name}: no right answer")
        for what, wrong in (
            ("wrong", counts["wrong"]),
            ("lost", lost),
            ("without a connection", counts["shut"]),
            ("503", counts["503"]),
        ):
            self.expect(not wrong, f"{name}: {wrong} requests {what}: {_examples(answers, what)}")


def _examples(answers: list[Answer], what: str) -> str:
    return ", ".join(f"{a.kind} after {a.seconds:.2f} s" for a in [a for a in answers if a.what == what][:3])


HEADER = "\n".join(
    f"{'':34}{a:>10}{b:>10}{c:>7}{d:>10}{e:>10}{f:>6}{g:>6}{h:>11}"
    for a, b, c, d, e, f, g, h in (
        ("asked", "right", "wrong", "lost with", "lost", "no", "", "slowest"),
        ("", "", "", "worker", "otherwise", "conn.", "503", "answer"),
    )
)


@contextmanager
def serving(folder: Path, model: Path) -> Iterator[Endpoint]:
    """Serve a model."""
    command = [sys.executable, "-m", "relabel", "serve", "--model", str(model), "--host", HOST, "--port", "PORT"]
    command += ["--workers", str(WORKERS), "--timeout", str(TIMEOUT), "--log-share", "0"]
    with running(Side("ours", command, {}, ()), [], folder / "log") as server:
        yield Endpoint(server.port, server.process)


def kills(endpoint: Endpoint, asks: list[Ask], seconds: float, model: Path) -> None:
    """End workers in every way; a third of the time with the model's folder as it was, a third without one, a third with another model's."""
    draw = random.Random(0)  # noqa: S311  # the same ends each time
    began, ended = time.monotonic(), []
    ways: Counter[str] = Counter()
    changes = [(1 / 3, _deleted), (2 / 3, _replaced)]
    with Load(*[(endpoint.port, asks, 0.0)] * CLIENTS) as load:
        for way in itertools.cycle(ENDS):
            spent = time.monotonic() - began
            if spent > seconds and not changes:
                break
            if changes and spent > changes[0][0] * seconds:
                changes.pop(0)[1](model)
            ways[way.name] += 1
            ended.append(_ended(endpoint, draw.choice(endpoint.workers()), way))
            time.sleep(EVERY * draw.uniform(0.5, 1.5))
        time.sleep(LATE)
    lost = [a for a in load.answers if a.what == "lost"]
    explained = sum(
        any(a.port in ports and begun <= a.when + a.seconds <= done + LATE for begun, done, ports in ended)
        for a in lost
    )
    note = ", ".join(f"{count} {way}" for way, count in ways.most_common())
    endpoint.row(f"kills, {seconds:.0f} s", load.answers, note, explained)
    endpoint.expect(len(endpoint.workers()) == WORKERS, "after the kills: workers are missing")


def _ended(endpoint: Endpoint, worker: int, way: signal.Signals) -> tuple[float, float, set[int]]:
    """End a worker, and wait for the one that takes its place; give both moments, and its clients' ports at the first."""
    begun = time.monotonic()
    os.kill(worker, signal.SIGSTOP)
    while Path(f"/proc/{worker}/stat").read_text().rpartition(")")[2].split()[0] != "T":
        time.sleep(0.001)
    ports = _ports(worker, endpoint.port)
    if way is not signal.SIGSTOP:
        os.kill(worker, way)
        with suppress(ProcessLookupError):  # what kills does not wait for that
            os.kill(worker, signal.SIGCONT)
    limit = time.monotonic() + 4 * TIMEOUT + 10
    while worker in endpoint.workers() or len(endpoint.workers()) < WORKERS:
        if time.monotonic() > limit:
            endpoint.expect(False, f"a worker that ended by {way.name} was not replaced")
            break
        time.sleep(0.01)
    return begun, time.monotonic(), ports


def _ports(worker: int, port: int) -> set[int]:
    """List the ports of the clients whose connections a process has taken."""
    links = [str(path.readlink()) for path in Path(f"/proc/{worker}/fd").iterdir()]
    sockets = {link[8:-1] for link in links if link.startswith("socket:[")}
    # The kernel's list may lack a line while others come and go: what is in any of three counts, for the worker stands still.
    lists = [Path(f"/proc/{worker}/net/tcp").read_text().splitlines()[1:] for _ in range(3)]
    rows = [row.split() for each in lists for row in each]
    return {int(row[2][-4:], 16) for row in rows if row[9] in sockets and int(row[1][-4:], 16) == port}


def _deleted(model: Path) -> None:
    shutil.rmtree(model)


def _replaced(model: Path) -> None:
    make_model(model, np.random.default_rng(99))


def crowd(endpoint: Endpoint, asks: list[Ask], seconds: float) -> None:
    """Ask among clients that do nothing or too little."""
    slowest, each = 0.0, 60
    with Load(*[(endpoint.port, asks, 30.0)] * CLIENTS) as load, hostile.crowd(endpoint.port, each):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            slowest = max(slowest, hostile.pinged(endpoint.port))
            time.sleep(0.1)
    endpoint.row(f"crowd of {5 * each}, {seconds:.0f} s", load.answers, f"slowest /ping {slowest:.2f} s")
    endpoint.expect_pings("crowd", slowest)


def blows(endpoint: Endpoint, asks: list[Ask], every: list[Blow], name: str) -> None:
    """Send what is made to break the server, while others ask."""
    with Load(*[(endpoint.port, asks, 20.0)] * CLIENTS) as load, _pings(endpoint) as slowest:
        before, workers, told = _peak(endpoint), endpoint.workers(), []
        for blow in every:
            began = time.monotonic()
            status = hostile.struck(endpoint.port, blow)
            told.append((time.monotonic() - began, blow.name, status))
            endpoint.expect(status in blow.right, f"{blow.name}: {status}, expected {sorted(blow.right)}")
            endpoint.expect(endpoint.workers() == workers, f"{blow.name}: ended a worker")
            workers = endpoint.workers()
        growth = _peak(endpoint) - before
    seconds, worst, _ = max(told)
    note = (
        f"memory at most +{growth:.0f} MB, slowest of them {seconds:.1f} s ({worst}), slowest /ping {slowest[0]:.2f} s"
    )
    endpoint.row(f"{len(every)} blows, {name}", load.answers, note)
    endpoint.expect(growth < GROWTH, f"blows: a worker took {growth:.0f} MB more")
    endpoint.expect_pings("blows", slowest[0])


@contextmanager
def _pings(endpoint: Endpoint) -> Iterator[list[float]]:
    """Ask /ping all the time; give the most seconds that it took."""
    slowest, end = [0.0], threading.Event()

    def ask() -> None:
        while not end.wait(0.1):
            slowest[0] = max(slowest[0], hostile.pinged(endpoint.port))

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        yield slowest
    finally:
        end.set()
        asking.join()


def _peak(endpoint: Endpoint) -> float:
    """Give the most memory in MB that any worker has held."""
    said = [Path(f"/proc/{pid}/status").read_text() for pid in endpoint.workers()]
    return max(int(found[1]) for text in said if (found := re.search(r"^VmHWM:\s+(\d+)", text, re.MULTILINE))) / 1024


def stop(endpoint: Endpoint, asks: list[Ask]) -> None:
    """End the server under load: who is connected is answered, who comes later finds nobody."""
    with Load(*[(endpoint.port, asks, 0.0)] * CLIENTS) as load:
        time.sleep(2)
        endpoint.process.send_signal(signal.SIGTERM)
        code = endpoint.process.wait(60)
    answered = [
        answer for answer in load.answers if answer.what != "shut" and (answer.what, answer.kind) != ("503", "ping")
    ]
    endpoint.row("stop", answered, f"exit code {code}")
    endpoint.expect(code == 0, f"stop: exit code {code}")


PARTS = ("kills", "crowd", "blows", "stop")


def main() -> None:
    """Try everything, print the table, and end with 1 where a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="kills for 10 seconds, and a crowd for 6")
    parser.add_argument("--seconds", type=float, help="of kills: 600, or 10 where it is short")
    parser.add_argument("--only", nargs="*", choices=PARTS, default=PARTS)
    said = parser.parse_args()
    seconds = said.seconds or (10 if said.short else 600)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    print(HEADER)
    problems: list[str] = []
    with tempfile.TemporaryDirectory(prefix="relabel-faults-") as name:
        folder = Path(name)
        asks, texts = vector_model(folder / "model"), text_model(folder / "texts")
        with serving(folder, folder / "model") as endpoint:
            if "kills" in said.only:
                kills(endpoint, asks, seconds, folder / "model")
            if "crowd" in said.only:
                crowd(endpoint, asks, 6 if said.short else 60)
            if "blows" in said.only:
                blows(endpoint, asks, hostile.on_vectors(), "vectors")
            if "stop" in said.only:
                stop(endpoint, asks)
            problems += endpoint.problems
        if "blows" in said.only:
            with serving(folder, folder / "texts") as endpoint:
                blows(endpoint, texts, hostile.on_texts(), "texts")
                problems += endpoint.problems
    print("\n".join(["", *problems]) if problems else "\nno promise was broken")
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
