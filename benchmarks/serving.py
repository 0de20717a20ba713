"""The endpoint beside what people deploy in its place: all sides on the same cores, in one run, through wrk.

    python benchmarks/serving.py --peers-python .venv-peers/bin/python [--seconds 5] [--rounds 1] [--only ours,usual]

The sides (benchmarks/peers) serve one model, 768 inputs, 64 hidden units, 2 classes, each with 2 workers that compute on one thread, but for `usual`,
which leaves all to its packages' defaults as most such containers do; `usual tuned` is the same on gevent with one thread.
The floor is the server that ours is built on, answering a constant. Each side first runs alone: its answers are held to the model's, and
its memory is taken after a second of each load. Then all are started, and measured in turn under one load after the other. A cell with an
error (another status than 2xx or 3xx, a broken connection, no answer within 10 s) has failed, and so has the run.
"""

from __future__ import annotations

import argparse
import io
import json
import math
import os
import signal
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from servers import HOST, Server, Side, running

from relabel.model import artifact, predictor
from relabel.model.artifact import Artifact, Model

PEERS = Path(__file__).parent / "peers"
WORKERS, CONNECTIONS = 2, 16
WIDTH, HIDDEN, CLASSES = 768, 64, 2
ROWS = (1, 100)
TOLERANCE = 1e-4
JSON, CSV, NPY = "application/json", "text/csv", "application/x-npy"
LUA = """
wrk.method, wrk.headers["Content-Type"] = "POST", "{kind}"
wrk.body = io.open("{body}", "rb"):read("*a")
function done(summary, latency)
  local e = summary.errors
  local errors = e.connect + e.read + e.write + e.status + e.timeout
  local p50, p99 = latency:percentile(50), latency:percentile(99)
  io.write(string.format("FIGURES %d %d %d %d %d", summary.requests, summary.duration, p50, p99, errors))
end
"""


@dataclass(frozen=True)
class Load:
    """One kind of request, and the probabilities (rows, CLASSES) that are its answer."""

    kind: str
    body: bytes
    expected: np.ndarray

    @property
    def name(self) -> str:
        """Say it in words."""
        return f"{len(self.expected)} row{'s' if len(self.expected) > 1 else ''}, {self.kind}"


@dataclass(frozen=True)
class Cell:
    """What one side did under one load; latencies in milliseconds."""

    rate: float
    p50: float
    p99: float
    errors: int


@dataclass(frozen=True)
class Bench:
    """Where it runs: a folder for its files, and what pins the servers and wrk to their cores."""

    folder: Path
    server_cores: list[str]
    client_cores: list[str]


def sides(peers: str, model: Path) -> list[Side]:
    """List all sides."""
    ours = [sys.executable, "-m", "relabel", "serve", "--model", str(model), "--host", HOST, "--port", "PORT"]
    ours += ["--workers", str(WORKERS)]
    bound = ["--workers", str(WORKERS), "--bind", f"{HOST}:PORT", "--no-control-socket", "--log-level", "error"]
    usual = {"MODEL_DIR": str(model), "PYTHONPATH": str(PEERS)}
    peer = {**usual, "OMP_NUM_THREADS": "1"}
    uvicorn = ["--workers", str(WORKERS), "--host", HOST, "--port", "PORT", "--no-access-log", "--log-level", "warning"]
    floor = ["--worker-class", "asgi", "--http-parser", "python", "--reuse-port", "--asgi-lifespan", "off", "floor:app"]
    every = (JSON, CSV, NPY)
    return [
        Side("ours", ours, {}, every),
        Side("ours without log", ours, {"RELABEL_LOG_SHARE": "0"}, every),
        Side("usual", [peers, "-m", "gunicorn", *bound, "usual:app"], usual, every),
        Side("usual tuned", [peers, "-m", "gunicorn", *bound, "--worker-class", "gevent", "usual:app"], peer, every),
        Side("fastapi", [peers, "-m", "uvicorn", *uvicorn, "fast_api:app"], peer, (JSON,)),
        Side("litserve", [peers, str(PEERS / "lit_serve.py"), "PORT", str(WORKERS)], peer, (JSON,)),
        Side("floor", [sys.executable, "-m", "gunicorn", *bound, *floor], peer, every, answers=False),
    ]


def make_model(folder: Path, rng: np.random.Generator) -> None:
    """Write a random model; without standardisation, so that the peers need none."""
    tensors = {
        "mean": np.zeros(WIDTH, np.float32),
        "scale": np.ones(WIDTH, np.float32),
        "weight.0": rng.standard_normal((WIDTH, HIDDEN), np.float32) / WIDTH**0.5,
        "bias.0": rng.standard_normal(HIDDEN, np.float32),
        "weight.1": rng.standard_normal((HIDDEN, CLASSES), np.float32) / HIDDEN**0.5,
        "bias.1": np.zeros(CLASSES, np.float32),
    }
    sizes = {"inputs": WIDTH, "width": HIDDEN, "depth": 1, "classes": CLASSES}
    noise, rows = np.array([[0.95, 0.05], [0.2, 0.8]]), np.arange(100_000, dtype=np.uint64) << np.uint64(40)
    model = Model("dense", sizes, tensors)
    artifact.save(folder, Artifact(model, ("negative", "positive"), "given", noise=noise, training_rows=rows))


def make_loads(model: Path, rng: np.random.Generator) -> list[Load]:
    """Make the requests, six decimals to a number."""
    predict = predictor.load(artifact.load(model).model)
    loads = []
    for count in ROWS:
        rows = rng.standard_normal((count, WIDTH)).round(6)
        array = io.BytesIO()
        np.save(array, rows.astype(np.float32))
        text = "\n".join(",".join(map(str, row)) for row in rows.tolist())
        bodies = {JSON: json.dumps({"instances": rows.tolist()}).encode(), CSV: text.encode(), NPY: array.getvalue()}
        loads += [Load(kind, body, predict(rows.astype(np.float32))) for kind, body in bodies.items()]
    return loads


def check(server: Server, load: Load) -> None:
    """Hold a side's answer to the model's."""
    answer = server.ask(load.kind, load.body)
    if load.kind == NPY:
        scores = np.load(io.BytesIO(answer))
    elif load.kind == CSV:
        scores = np.array([line.split(",")[-CLASSES:] for line in answer.decode().splitlines()], dtype=float)
    else:
        rows = json.loads(answer)["predictions"]
        scores = np.array([row["probabilities"] if isinstance(row, dict) else row for row in rows])
    if scores.shape != load.expected.shape or np.abs(scores - load.expected).max() > TOLERANCE:
        raise SystemExit(f"{server.side.name}: the answer to {load.name} is not the model's")


def press(server: Server, load: Load, seconds: int, bench: Bench) -> Cell:
    """Put a side under load."""
    (bench.folder / "body").write_bytes(load.body)
    script = bench.folder / "load.lua"
    script.write_text(LUA.format(body=bench.folder / "body", kind=load.kind))
    options = ["-t2", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "10s", "-s", str(script)]
    command = [*bench.client_cores, "wrk", *options, server.address]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=seconds + 30).stdout
    answered, spent, p50, p99, errors = map(int, said.rpartition("FIGURES")[2].split())
    return Cell(answered / spent * 1e6, p50 / 1e3, p99 / 1e3, errors)


def alone(side: Side, loads: list[Load], bench: Bench) -> float:
    """Run a side by itself: check its answers, and give its memory per worker in MB after a second of each load."""
    with running(side, bench.server_cores, bench.folder / f"{side.name}.log") as server:
        for load in loads:
            if load.kind in side.takes:
                if side.answers:
                    check(server, load)
                press(server, load, 1, bench)
        return server.megabytes() / WORKERS


def measure(servers: list[Server], load: Load, rounds: int, seconds: int, bench: Bench) -> dict[str, Cell]:
    """Measure all sides in turn, round by round; give each side's middle round, or its worst where one had errors."""
    cells: dict[str, list[Cell]] = {server.side.name: [] for server in servers if load.kind in server.side.takes}
    for _ in range(rounds):
        for server in servers:
            if server.side.name in cells:
                press(server, load, 1, bench)  # warms up
                cells[server.side.name].append(press(server, load, seconds, bench))
    return {name: middle(found) for name, found in cells.items()}


def middle(cells: list[Cell]) -> Cell:
    """Give the middle one by rate, or the one with most errors."""
    worst = max(cells, key=lambda cell: cell.errors)
    return worst if worst.errors else sorted(cells, key=lambda cell: cell.rate)[len(cells) // 2]


def table(load: Load, cells: dict[str, Cell]) -> str:
    """Write what the sides did under one load."""
    lines = [f"{load.name:28}{'requests/s':>12}{'rows/s':>10}{'p50 ms':>9}{'p99 ms':>9}{'x usual':>9}{'of floor':>10}"]
    usual, floor = (cells[name].rate if name in cells else math.nan for name in ("usual", "floor"))
    for name, cell in cells.items():
        figures = f"{cell.rate:12,.0f}{cell.rate * len(load.expected):10,.0f}{cell.p50:9.2f}{cell.p99:9.2f}"
        failed = f"  FAILED: {cell.errors} errors" if cell.errors else ""
        lines.append(f"  {name:26}{figures}{cell.rate / usual:9.2f}{cell.rate / floor:10.3f}{failed}")
    return "\n".join(lines)


def pinned(cpus: str) -> list[str]:
    """Give what starts a command on these cores alone."""
    return ["taskset", "--cpu-list", cpus] if cpus else []


def main() -> None:
    """Run all sides and print the tables."""
    four = len(os.sched_getaffinity(0)) >= 4
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers-python", required=True, help="python that has benchmarks/peers/requirements.txt")
    parser.add_argument("--seconds", type=int, default=5, help="of each measurement, after one of warming up")
    parser.add_argument("--rounds", type=int, default=1, help="measurements of each cell; the middle one counts")
    parser.add_argument("--only", default="", help="names of sides, with commas between them")
    parser.add_argument("--cpus-server", default="0,1" if four else "", help="cores of the servers; empty is all")
    parser.add_argument("--cpus-client", default="2,3" if four else "", help="cores of wrk; empty is all")
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    failed = False
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        rng = np.random.default_rng(0)
        make_model(folder / "model", rng)
        loads = make_loads(folder / "model", rng)
        bench = Bench(folder, pinned(asked.cpus_server), pinned(asked.cpus_client))
        wanted = [
            side
            for side in sides(asked.peers_python, folder / "model")
            if side.name in asked.only.split(",") or not asked.only
        ]
        megabytes = [alone(side, loads, bench) for side in wanted]
        logs = [folder / f"{side.name}.log" for side in wanted]
        servers = [
            stack.enter_context(running(side, bench.server_cores, log)) for side, log in zip(wanted, logs, strict=True)
        ]
        where = f"servers on cores {asked.cpus_server or 'all'}, wrk on {asked.cpus_client or 'all'}"
        print(f"{WORKERS} workers, {CONNECTIONS} connections, {where}; {asked.rounds} x {asked.seconds} s")
        for load in loads:
            cells = measure(servers, load, asked.rounds, asked.seconds, bench)
            failed |= any(cell.errors for cell in cells.values())
            print(f"\n{table(load, cells)}", flush=True)
        print(f"\n{'':28}{'start to /ping':>16}{'MB per worker':>16}")
        for server, held in zip(servers, megabytes, strict=True):
            print(f"  {server.side.name:26}{server.seconds:14.2f} s{held:16.0f}")
    if failed:
        sys.exit("some cells had errors: their figures do not count")


if __name__ == "__main__":
    main()
