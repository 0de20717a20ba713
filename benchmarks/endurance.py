"""A million requests of mixed kinds, well and badly formed: what comes back, and whether the server's memory grows.

    python benchmarks/endurance.py [--requests 1000000] [--workers 2]

Needs wrk. The kinds are sent in turn by each connection; a request of each kind has one status that is right.
"""

from __future__ import annotations

import argparse
import io
import json
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from serving import WIDTH, make_model

CONNECTIONS = 16
WARM_UP = 50_000
"""Requests before memory is first looked at: buffers have their size then."""


@dataclass(frozen=True)
class Kind:
    """A request and the status that is its answer."""

    status: int
    media_type: str
    body: bytes
    method: str = "POST"
    path: str = "/invocations"


def kinds(rng: np.random.Generator) -> list[Kind]:
    """Make one request of each kind."""
    rows = rng.standard_normal((5, WIDTH)).round(4)
    lists = rows.tolist()
    array = io.BytesIO()
    np.save(array, rows.astype(np.float32))
    csv = "\n".join(",".join(map(str, row)) for row in lists).encode()
    one = json.dumps({"instances": lists[:1]}).encode()
    labelled = {"instances": lists, "labels": ["negative", "positive", None, "negative", "positive"]}
    j, c, n, lines = "application/json", "text/csv", "application/x-npy", "application/jsonlines"
    return [
        Kind(200, j, one),
        Kind(200, j, json.dumps(lists).encode()),
        Kind(200, c, csv),
        Kind(200, c, b"h," * (WIDTH - 1) + b"h\n" + csv),
        Kind(200, lines, "\n".join(map(json.dumps, lists)).encode()),
        Kind(200, n, array.getvalue()),
        Kind(200, c, csv.replace(b",-", b", -")),
        Kind(200, c, b"+" + csv.lstrip(b"-")),
        Kind(200, j, json.dumps(labelled).encode()),
        Kind(200, f"{c}; label_size=1", b"\n".join(b"positive," + line for line in csv.splitlines())),
        Kind(400, j, one[:-20]),
        Kind(400, j, json.dumps({"instances": [[1, 2, 3]]}).encode()),
        Kind(400, j, json.dumps({"instances": [lists[0], lists[0][1:], [*lists[0], 1.0]]}).encode()),
        Kind(400, c, csv[:-30] + b"x"),
        Kind(400, n, array.getvalue()[:-7]),
        Kind(400, lines, b"\xff\x00{"),
        Kind(422, j, b"[" + b"NaN," * (WIDTH - 1) + b"1]"),
        Kind(415, "image/png", b"\x89PNG"),
        Kind(404, j, b"", path="/nothing"),
        Kind(405, j, b"", method="PUT"),
        Kind(200, j, b"", method="GET", path="/ping"),
        Kind(200, j, b"", method="GET", path="/execution-parameters"),
    ]


def script(folder: Path, made: list[Kind]) -> Path:
    """Write wrk's side: each thread sends the kinds in turn and holds each answer of its connections to the right status in sum."""
    entries = []
    for number, kind in enumerate(made):
        (folder / str(number)).write_bytes(kind.body)
        entries.append(
            f'{{"{kind.method}", "{kind.path}", "{kind.media_type}", {kind.status}, "{folder / str(number)}"}}'
        )
    (folder / "mixed.lua").write_text(
        f"""
local kinds = {{ {", ".join(entries)} }}
local threads = {{}}
function setup(thread) table.insert(threads, thread) end
function init(args)
  sent, expected, answered, made = 0, {{}}, {{}}, {{}}
  for i, kind in ipairs(kinds) do
    local file = io.open(kind[5], "rb")
    local body = file:read("*a")
    file:close()
    made[i] = wrk.format(kind[1], kind[2], {{["Content-Type"] = kind[3]}}, body)
  end
end
function request()
  sent = sent + 1
  local i = (sent - 1) % #kinds + 1
  expected[kinds[i][4]] = (expected[kinds[i][4]] or 0) + 1
  return made[i]
end
function response(status) answered[status] = (answered[status] or 0) + 1 end
function done(summary, latency, requests)
  local total, wanted = {{}}, {{}}
  for _, thread in ipairs(threads) do
    for status, n in pairs(thread:get("answered")) do total[status] = (total[status] or 0) + n end
    for status, n in pairs(thread:get("expected")) do wanted[status] = (wanted[status] or 0) + n end
  end
  for status, n in pairs(total) do io.write(string.format("ANSWER %d %d %d\\n", status, n, wanted[status] or 0)) end
  io.write(string.format("ERRORS %d\\n", summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout))
end
"""
    )
    return folder / "mixed.lua"


def memory(parent: int) -> dict[int, float]:
    """Proportional memory in MB of each worker."""
    found = {}
    for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split():
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        said = re.search(r"^Pss_Anon:\s+(\d+) kB", rollup, flags=re.MULTILINE)
        assert said
        found[int(pid)] = int(said[1]) / 1024
    return found


def send(lua: Path, port: int, requests: int) -> tuple[dict[int, tuple[int, int]], int, int]:
    """Send at least so many requests; status -> (answers, requests whose answer it is), errors of sockets, requests answered."""
    answers: dict[int, tuple[int, int]] = {}
    errors = total = 0
    while total < requests:
        seconds = 2 if requests - total < 100_000 else 20
        command = ["wrk", "-t2", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", str(lua), f"http://127.0.0.1:{port}"]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        for status, got, wanted in re.findall(r"^ANSWER (\d+) (\d+) (\d+)$", said, flags=re.MULTILINE):
            before = answers.get(int(status), (0, 0))
            answers[int(status)] = (before[0] + int(got), before[1] + int(wanted))
            total += int(got)
        failed = re.findall(r"^ERRORS (\d+)$", said, flags=re.MULTILINE)
        assert failed, f"wrk did not end as it should:\n{said}"
        errors += int(failed[0])
    return answers, errors, total


def main() -> None:
    """Serve, send, look, stop; exit code 1 where something came back that should not."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--requests", type=int, default=1_000_000)
    parser.add_argument("--workers", type=int, default=2)
    said = parser.parse_args()
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as name, socket.socket() as free:
        folder = Path(name)
        make_model(folder / "model", rng)
        lua = script(folder, kinds(rng))
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        serve = ["serve", "--host", "127.0.0.1", "--port", str(port), "--workers", str(said.workers)]
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(
                [sys.executable, "-m", "relabel", *serve, "--model", str(folder / "model")], stdout=log, stderr=log
            )
        try:
            wait(port)
            send(lua, port, WARM_UP)
            before = memory(server.pid)
            started = time.monotonic()
            answers, errors, total = send(lua, port, said.requests)
            seconds = time.monotonic() - started
            after = memory(server.pid)
        finally:
            server.send_signal(signal.SIGTERM)
            ended = server.wait(60)
    print(
        f"{total:,} requests of {len(kinds(rng))} kinds in {seconds:.0f} s, {said.workers} workers, {errors} broken connections"
    )
    for status, (got, wanted) in sorted(answers.items()):
        print(f"  {status}  {got:>9,} answers, {wanted:>9,} asked for")
    growth = {pid: round(after[pid] - size, 1) for pid, size in before.items() if pid in after}
    print(
        f"memory of the workers after {WARM_UP:,} more: {sorted(round(size) for size in before.values())} MB, growth {sorted(growth.values())} MB"
    )
    wrong = [status for status, (got, wanted) in answers.items() if abs(got - wanted) > 2 * CONNECTIONS * 60]
    if wrong or errors or ended or before.keys() != after.keys() or any(status >= 500 for status in answers):
        sys.exit(
            f"wrong: statuses {wrong}, {errors} errors, exit code {ended}, workers {sorted(before)} -> {sorted(after)}"
        )


def wait(port: int) -> None:
    """Ask /ping until it answers."""
    for _ in range(200):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/ping", timeout=2).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    sys.exit("the server does not answer")


if __name__ == "__main__":
    main()
