"""A thousand models in one endpoint: loaded, asked and unloaded again and again; memory after each step, and what an answer takes.

    python benchmarks/multi_model.py [--models 1000] [--rounds 3]

Every tenth model takes 768 numbers and has a hidden layer, all others are small and linear. Each knows its training rows, and each answers
differently, so that an answer of another model would be seen. It prints the process's memory that no file backs.
"""

from __future__ import annotations

import argparse
import http.client
import json
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from relabel.model import artifact
from relabel.model.artifact import Artifact, Model

WIDE, NARROW = 768, 16
ASKED = 2000
"""Requests that are timed."""
GROWTH = 3
"""MB that memory may grow from the first round to the last."""
HOST = "127.0.0.1"


@dataclass
class Client:
    """One connection to the endpoint."""

    connection: http.client.HTTPConnection

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, bytes]:
        """Make a request."""
        sent = None if body is None else json.dumps(body).encode()
        self.connection.request(method, path, sent, {"Content-Type": "application/json"})
        answer = self.connection.getresponse()
        return answer.status, answer.read()


def make(folder: Path, number: int) -> None:
    """Write a model whose first class has a probability of its own, whatever is sent."""
    inputs, width, depth = (WIDE, 64, 1) if number % 10 == 0 else (NARROW, 1, 0)
    sizes = [(inputs, 2)] if depth == 0 else [(inputs, width), (width, 2)]
    tensors = {"mean": np.zeros(inputs, np.float32), "scale": np.ones(inputs, np.float32)}
    for layer, shape in enumerate(sizes):
        tensors |= {f"weight.{layer}": np.zeros(shape, np.float32), f"bias.{layer}": np.zeros(shape[1:], np.float32)}
    tensors[f"bias.{len(sizes) - 1}"] = np.array([number / 250, 0], np.float32)
    model = Model("dense", {"inputs": inputs, "width": width, "depth": depth, "classes": 2}, tensors)
    rows = np.arange(number, number + 1000, dtype=np.uint64)
    artifact.save(folder, Artifact(model, ("a", "b"), "given", training_rows=rows))


def vector(number: int) -> list[list[float]]:
    """Give what model `number` takes."""
    return [[1.0] * (WIDE if number % 10 == 0 else NARROW)]


def held(pid: int) -> float:
    """Give a process's memory that no file backs, in MB."""
    pages = Path(f"/proc/{pid}/statm").read_text().split()
    return (int(pages[1]) - int(pages[2])) * 4096 / (1 << 20)


def latency(client: Client, numbers: list[int]) -> str:
    """Time requests to these models in turn."""
    times = []
    for turn in range(ASKED):
        number = numbers[turn % len(numbers)]
        started = time.perf_counter()
        status, _ = client.ask("POST", f"/models/m{number}/invoke", vector(number))
        times.append(time.perf_counter() - started)
        assert status == 200
    half, most = np.quantile(times, [0.5, 0.99]) * 1e3
    return f"{half:.2f} ms half of them, {most:.2f} ms 99%"


def each(said: str, numbers: list[int], pid: int, step: Callable[[int], None]) -> None:
    """Take a step for each model; print what it took."""
    started = time.perf_counter()
    for number in numbers:
        step(number)
    seconds = time.perf_counter() - started
    print(f"  {said:<9} {seconds:6.1f} s, {seconds / len(numbers) * 1e3:6.2f} ms each, {held(pid):7.1f} MB")


def rounds(client: Client, folder: Path, models: int, count: int, pid: int) -> list[float]:
    """Load, ask and unload all models, so many times; memory after each, in MB."""
    numbers = list(range(models))

    def load(number: int) -> None:
        said = client.ask("POST", "/models", {"model_name": f"m{number}", "url": str(folder / f"m{number}")})
        assert said == (200, b'{"status": "Workers scaled"}'), said

    def ask(number: int) -> None:
        status, body = client.ask("POST", f"/models/m{number}/invoke", vector(number))
        said = json.loads(body)["predictions"][0]["probabilities"][0]
        assert status == 200
        assert abs(said - 1 / (1 + np.exp(-number / 250))) < 1e-5

    def unload(number: int) -> None:
        assert client.ask("DELETE", f"/models/m{number}")[0] == 200

    load(0)
    load(1)
    print(f"an answer with 2 models: wide {latency(client, [0])}; narrow {latency(client, [1])}")
    unload(0)
    unload(1)
    memory = [held(pid)]
    print(f"without models {memory[0]:.1f} MB")
    for turn in range(count):
        print(f"round {turn + 1}")
        each("loaded", numbers, pid, load)
        each("asked", numbers, pid, ask)
        if turn == count - 1:
            print(f"an answer with {models:,} models: wide {latency(client, numbers[::10])}", end="; ")
            print(f"narrow {latency(client, [n for n in numbers if n % 10])}")
        each("unloaded", numbers, pid, unload)
        memory.append(held(pid))
    assert json.loads(client.ask("GET", "/models")[1]) == {"models": []}
    return memory


def main() -> None:
    """Serve, go round, look, stop; exit code 1 where memory grows from the first round to the last, or the server does not end well."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--models", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    said = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, socket.socket() as free:
        folder = Path(name)
        for number in range(said.models):
            make(folder / f"m{number}", number)
        free.bind((HOST, 0))
        port = free.getsockname()[1]
        free.close()
        serve = ["serve", "--host", HOST, "--port", str(port), "--model", name, "--multi-model", "true"]
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen([sys.executable, "-m", "relabel", *serve], stdout=log, stderr=log)
        try:
            wait(port)
            children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
            assert len(children) == 1
            client = Client(http.client.HTTPConnection(HOST, port, timeout=60))
            memory = rounds(client, folder, said.models, said.rounds, int(children[0]))
        finally:
            server.send_signal(signal.SIGTERM)
            ended = server.wait(60)
    print(f"memory without models, before and after each round: {', '.join(f'{each:.1f}' for each in memory)} MB")
    if ended or memory[-1] - memory[1] > GROWTH:
        sys.exit(f"wrong: exit code {ended}, memory {memory}")


def wait(port: int) -> None:
    """Ask /ping until it answers."""
    for _ in range(600):
        try:
            connection = http.client.HTTPConnection(HOST, port, timeout=2)
            connection.request("GET", "/ping")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.05)
        finally:
            connection.close()
    sys.exit("the server does not answer")


if __name__ == "__main__":
    main()
