"""Mixed load on an endpoint for a time that is set: memory of every process and seconds of the answers, over time, as a picture and as JSON.

    python benchmarks/soak.py --minutes 60 --out build/soak --picture docs/pictures/soak.svg

Two servers, one of vectors and one of texts, two workers each. Client processes ask them in every content type, well and badly formed, at a rate
that is set, and hold each answer to the right one; seconds count from when a request was due. Meanwhile slow and half-open clients sit there too.
It ends by itself, with 1 where an answer was wrong or lost, a worker was replaced, or a worker's memory grew by more than 10 MB in the second half.
"""

from __future__ import annotations

import argparse
import json
import re
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import hostile
import matplotlib as mpl
import numpy as np
from clients import HOST, Answer, Load, text_model, vector_model
from servers import Server, Side, running

mpl.use("svg")
from matplotlib import pyplot as plt  # after the backend is chosen

WORKERS, SLOW = 2, 10
"""Workers of each server, and slow clients of each kind."""
GROWTH = 10.0
PERCENTILES = (50, 99, 99.9)
COLORS = ("#1b6ca8", "#d17a00", "#a8324a")

Samples = list[tuple[float, dict[str, float]]]
"""Seconds since the beginning, and MB of every process by its name."""


def started(stack: ExitStack, folder: Path, name: str) -> Server:
    """Serve a model of the folder."""
    command = [
        sys.executable,
        "-m",
        "relabel",
        "serve",
        "--model",
        str(folder / name),
        "--host",
        HOST,
        "--port",
        "PORT",
    ]
    side = Side(name, [*command, "--workers", str(WORKERS), "--log-share", "0"], {}, ())
    return stack.enter_context(running(side, [], folder / f"{name}.log"))


def memory(server: Server) -> dict[str, float]:
    """Give the MB of a server's own process and of its workers, pages that they share counted in parts."""
    parent = server.process.pid
    workers = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    found = {}
    for pid in (str(parent), *workers):
        said = re.search(r"^Pss:\s+(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
        assert said
        found[f"{server.side.name}, {'parent' if pid == str(parent) else f'worker {pid}'}"] = int(said[1]) / 1024
    return found


def sampled(servers: Sequence[Server], seconds: float) -> Samples:
    """Look at the memory 200 times."""
    samples: Samples = []
    began = time.monotonic()
    for n in range(201):
        time.sleep(max(0.0, began + n * seconds / 200 - time.monotonic()))
        samples.append(
            (time.monotonic() - began, {name: mb for server in servers for name, mb in memory(server).items()})
        )
    return samples


def by_window(answers: Sequence[Answer], began: float, seconds: float) -> list[dict[str, float]]:
    """Give the percentiles, in milliseconds, of the answers in each of at most 60 windows."""
    count = max(1, min(60, int(seconds // 10)))
    when = np.array([answer.when - began for answer in answers])
    took = np.array([answer.seconds for answer in answers]) * 1000
    window = (when * count / seconds).astype(int)
    return [
        {"second": (n + 0.5) * seconds / count, "answers": int((window == n).sum())}
        | {f"p{p}": float(np.percentile(took[window == n], p)) for p in PERCENTILES}
        for n in range(count)
        if (window == n).any()
    ]


def summary(answers: Sequence[Answer], samples: Samples, began: float, seconds: float) -> dict[str, Any]:
    """Give all that is written as JSON."""
    kinds = sorted({answer.kind for answer in answers})
    took = {kind: [a.seconds * 1000 for a in answers if a.kind == kind] for kind in kinds}
    return {
        "seconds": seconds,
        "answers": Counter(answer.what for answer in answers),
        "kinds": {
            kind: {"answers": len(ms)} | {f"p{p}": float(np.percentile(ms, p)) for p in PERCENTILES}
            for kind, ms in took.items()
        },
        "windows": by_window(answers, began, seconds),
        "memory": [{"second": second, **megabytes} for second, megabytes in samples],
        "growth": growth(samples),
    }


def growth(samples: Samples) -> dict[str, float]:
    """Give the MB by which each process that lived to the end has grown in the second half: the last tenth against the tenth after the middle."""
    tenth = max(1, len(samples) // 10)
    middle, last = samples[len(samples) // 2 :][:tenth], samples[-tenth:]
    mean = lambda some, name: float(np.mean([megabytes[name] for _, megabytes in some]))  # noqa: E731
    return {
        name: mean(last, name) - mean(middle, name) for name in last[-1][1] if all(name in m for _, m in middle + last)
    }


def drawn(told: dict[str, Any], path: Path) -> None:
    """Draw memory and percentiles over time."""
    mpl.rcParams.update(
        {"svg.hashsalt": "relabel", "font.size": 9, "axes.spines.top": False, "axes.spines.right": False}
    )
    figure, (above, below) = plt.subplots(2, 1, figsize=(8, 6), sharex=True, layout="constrained")
    minutes = [sample["second"] / 60 for sample in told["memory"]]
    for n, server in enumerate(("vectors", "texts")):
        names = sorted({name for sample in told["memory"] for name in sample if name.startswith(server)})
        for name in names:
            style = "--" if name.endswith("parent") else "-"
            line = [sample.get(name, np.nan) for sample in told["memory"]]
            label = f"{server}: {'parent' if style == '--' else 'workers'}" if name in (names[0], names[-1]) else None
            above.plot(minutes, line, style, color=COLORS[n], linewidth=1, label=label)
    above.set(ylabel="memory, MB", ylim=(0, None), title="Memory of every process", xlim=(0, told["seconds"] / 60))
    above.legend(frameon=False, ncols=4, loc="lower center")
    for p, color in zip(PERCENTILES, COLORS, strict=True):
        windows = told["windows"]
        below.plot([w["second"] / 60 for w in windows], [w[f"p{p}"] for w in windows], color=color, label=f"p{p}")
    below.set(
        xlabel="minutes",
        ylabel="answer, ms (log)",
        yscale="log",
        title="Time until an answer, from when its request was due",
    )
    below.legend(frameon=False, ncols=3)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Date": None})


def table(told: dict[str, Any]) -> str:
    """Write what came back."""
    lines = [f"{'':24}{'answers':>10}{'p50 ms':>10}{'p99 ms':>10}{'p99.9 ms':>10}"]
    for kind, row in told["kinds"].items():
        lines.append(f"{kind:24}{row['answers']:10,}{row['p50']:10.2f}{row['p99']:10.2f}{row['p99.9']:10.2f}")
    lines += ["", *(f"{what}: {count:,}" for what, count in sorted(told["answers"].items()))]
    lines += [
        f"{name}: {told['memory'][-1][name]:.1f} MB, {mb:+.1f} MB in the second half"
        for name, mb in told["growth"].items()
    ]
    return "\n".join(lines)


def main() -> None:
    """Load, look, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--rate", type=float, default=40, help="requests a second of each of the four client processes")
    parser.add_argument("--out", type=Path, default=Path("build/soak"), help="folder for soak.json")
    parser.add_argument("--picture", type=Path, help="where the picture goes; else beside soak.json")
    said = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    seconds = said.minutes * 60
    with tempfile.TemporaryDirectory(prefix="relabel-soak-") as name, ExitStack() as stack:
        folder = Path(name)
        asks = {"vectors": vector_model(folder / "vectors"), "texts": text_model(folder / "texts")}
        servers = [started(stack, folder, model) for model in asks]
        crews = [(server.port, asks[server.side.name], said.rate) for server in servers for _ in range(2)]
        with Load(*crews) as load, ExitStack() as crowds:
            for server in servers:
                crowds.enter_context(hostile.crowd(server.port, SLOW))
            began = time.monotonic()
            samples = sampled(servers, seconds)
    answers = [answer for answer in load.answers if began <= answer.when < began + seconds]
    told = summary(answers, samples, began, seconds)
    said.out.mkdir(parents=True, exist_ok=True)
    (said.out / "soak.json").write_text(json.dumps(told, indent=1))
    drawn(told, said.picture or said.out / "soak.svg")
    print(table(told))
    wrong = {what: count for what, count in told["answers"].items() if what != "right"}
    grown = {name: mb for name, mb in told["growth"].items() if mb > GROWTH}
    if wrong or grown or samples[0][1].keys() != samples[-1][1].keys():
        sys.exit(f"wrong: {dict(wrong)}, grown {grown}, processes {list(samples[0][1])} -> {list(samples[-1][1])}")


if __name__ == "__main__":
    main()
