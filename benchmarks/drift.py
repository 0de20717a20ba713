"""Does `relabel drift` keep quiet where nothing has changed, and speak where it has?

    python benchmarks/drift.py --data DIR [--windows 200]

DIR holds reviews as they come: reference.csv with labels, window1 (like the reference), window4 (mixed), window8 (another language), each
with its embeddings beside it as .pt. A model is trained on the reference by `relabel train`, at its defaults of what is drawn as dev and test;
what goes on then is what the command does with traffic, from its vectors on.

Windows "resampled" are drawn from all rows of the reference, those that the model was trained on among them; the command leaves these out.
That is the easy case, for what is left lies in the reference of the model too. "Fresh" is the hard one, without any overlap: of 2,800 rows that
a second model never saw, 1,800 drawn at random are the reference and the other 1,000 the window, anew for each of the windows.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import threadpoolctl
import torch
from numpy.typing import NDArray

from relabel.evaluation.drift import betting, window
from relabel.evaluation.drift.betting import Evidence
from relabel.evaluation.drift.window import Rows
from relabel.evaluation.shares import wilson
from relabel.model.reference import Stored
from relabel.monitoring import watching
from relabel.monitoring.captured import Traffic
from relabel.monitoring.journal import Journal, Watched
from relabel.monitoring.watching import Watch
from relabel.serving import served

ALPHA, ROWS = 0.05, 1000
FRESH = ("--dev-share", "0.3", "--test-share", "0.4", "--reference-rows", "20000")
START = np.datetime64("2026-01-01T00:00:00", "s")
Vectors = NDArray[np.float32]


def vectors(path: Path) -> Vectors:
    """Read embeddings (N, D)."""
    found: Vectors = torch.load(path).float().numpy()
    return found


def trained(data: Path, folder: Path, *more: str) -> Watch:
    """Train on the reference, and make ready to watch."""
    for suffix in (".csv", ".pt"):
        (folder / "data").mkdir(parents=True, exist_ok=True)
        shutil.copyfile(data / f"reference{suffix}", folder / "data" / f"reference{suffix}")
    settings = ["--preset", "fast", "--policy", "keep", "--report", "off", "--data-issues", "off", *more]
    command = [
        sys.executable,
        "-m",
        "relabel",
        "train",
        "--data",
        folder / "data",
        "--output",
        folder / "out",
        *settings,
    ]
    subprocess.run(command, check=True, capture_output=True)
    loaded = served.load(folder / "out" / "model")
    stored = loaded.artifact.reference
    assert isinstance(stored, Stored)
    return watching.watch(loaded, stored.read(), ALPHA)


def traffic(watched: Watch, rows: Vectors) -> Traffic:
    """Say that rows came, one in a second."""
    probability = watched.served(rows)
    return Traffic(
        ids=np.array([f"{n}/0" for n in range(len(rows))], object),
        time=START + np.arange(len(rows)).astype("timedelta64[s]"),
        vectors=rows,
        texts=None,
        probability=probability,
        label=probability.argmax(axis=1),
    )


def alarms(watched: Watch, rows: Vectors) -> tuple[bool, bool]:
    """Tell of one window by itself whether it drifted, and whether the command would say so for any reason."""
    none = Journal(Watched("", "", str(len(rows)), ALPHA))
    [figures] = watching.judged(watched, traffic(watched, rows), [slice(0, len(rows))], none).windows
    return figures["drifted"], figures["drifted"] or figures["alarm"]


def share(name: str, said: Iterable[bool]) -> None:
    """Print how often it was said, with its interval."""
    every = [*said]
    found = wilson(sum(every), len(every))
    assert found is not None
    print(
        f"{name:<66}{sum(every):>5} of {len(every):<5}{found.value:>7.1%}  ({found.low:.1%} to {found.high:.1%})",
        flush=True,
    )


def rng(*seed: int) -> np.random.Generator:
    """Give a stream of its own."""
    return np.random.default_rng(seed)


def of_windows(watched: Watch, data: dict[str, Vectors], count: int) -> None:
    """Print false alarms of resampled windows, power of mixed ones, and what is said of the windows themselves."""
    reference, first, last = (data[name] for name in ("reference", "window1", "window8"))

    def mixed(n: int, most: Vectors, part: int) -> Vectors:
        draw = rng(2, n, part)
        rows = [
            most[draw.choice(len(most), ROWS - part, replace=False)],
            last[draw.choice(len(last), part, replace=False)],
        ]
        return np.concatenate(rows)[draw.permutation(ROWS)]

    for name, again in (("resampled without replacement", False), ("resampled with replacement", True)):
        draws = (reference[rng(1, n).choice(len(reference), ROWS, replace=again)] for n in range(count))
        share(f"false alarms, {name}", (alarms(watched, rows)[1] for rows in draws))
    for name, most in (("window1", first), ("the reference", reference)):
        share(
            f"power, a quarter from window8, the rest from {name}",
            (alarms(watched, mixed(n, most, ROWS // 4))[1] for n in range(count)),
        )
    for part in (50, 100, 150):
        share(
            f"power, {part / ROWS:.0%} from window8, the rest from window1",
            (alarms(watched, mixed(n, first, part))[1] for n in range(count // 4)),
        )
    for name in ("window1", "window4", "window8"):
        print(f"{name} alarms: {alarms(watched, data[name])[1]}", flush=True)


def of_fresh(watched: Watch, count: int) -> None:
    """Print false alarms where reference and window share no row and are drawn anew each time."""
    every = watched.rows

    def once(n: int) -> bool:
        order = rng(3, n).permutation(len(every))
        found = window.judge(
            every.take(order[ROWS:]), every.take(order[:ROWS]), watched.reference.view.names, rng(4, n)
        )
        return found.drifted(ALPHA / 2)

    share(f"false alarms, fresh: {len(every) - ROWS:,} rows against {ROWS:,}", (once(n) for n in range(count)))


def sequence(reference: Rows, draw: Callable[[int], Rows], windows: int) -> int:
    """Give with which window, from 1 on, the bets alarm; 0 where they never do."""
    game, evidence = betting.table(reference, ALPHA / 2), Evidence.none()
    for n in range(windows):
        rows = draw(n)
        for half in (slice(None, None, 2), slice(1, None, 2)):
            evidence = betting.bet(evidence, game, rows.take(np.arange(len(rows))[half]))
        if evidence.alarms(ALPHA / 2):
            return n + 1
    return 0


def over_time(watched: Watch, last: Vectors, count: int) -> None:
    """Print how the bets do over 20 windows of 200 rows."""
    every, size, length = watched.rows, 200, 20
    strange = Rows(watched.reference.view(last), watched.served(last))

    def made(n: int, rows: int, part: int) -> Rows:
        """Rows of 64 normal numbers and a probability."""
        draw = rng(5, n, part)
        top = draw.uniform(0.5, 1, rows).astype(np.float32)
        return Rows(draw.standard_normal((rows, 64), dtype=np.float32), np.stack([top, 1 - top], axis=1))

    share(
        "false alarms ever, 20 windows of 200 made rows",
        (sequence(made(n, 2000, 99), lambda k, n=n: made(n, size, k), length) > 0 for n in range(count)),
    )

    def real(n: int, part: int, *, again: bool) -> int:
        draw = rng(6, n, part)
        order = draw.permutation(len(every))
        rest = every.take(order[1800:])

        def rows(k: int) -> Rows:
            chosen = (
                draw.choice(len(rest), size - part, replace=False) if again else np.arange(k * size, (k + 1) * size)
            )
            own, other = rest.take(chosen), strange.take(draw.choice(len(strange), part, replace=False))
            mix = draw.permutation(size)
            return Rows(
                np.concatenate([own.seen, other.seen])[mix], np.concatenate([own.probability, other.probability])[mix]
            )

        return sequence(every.take(order[:1800]), rows, length if again else len(rest) // size)

    share("false alarms ever, 5 windows of 200 fresh rows", (real(n, 0, again=False) > 0 for n in range(count)))
    share(
        "false alarms ever, 20 windows of 200 drawn again from 1,000 rows",
        (real(n, 0, again=True) > 0 for n in range(count)),
    )
    for part in (10, 20, 30, 50, 100):
        found = np.array([real(n, part, again=True) for n in range(count // 4)])
        seen = found[found > 0]
        delay = f"after {np.median(seen):.0f} windows (median), {seen.max()} at most" if seen.size else ""
        share(f"seen within 20 windows of which {part / size:.0%} are of window8 {delay}", found > 0)


def main() -> None:
    """Do all of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--windows", type=int, default=200)
    said = parser.parse_args()
    data = {name: vectors(said.data / f"{name}.pt") for name in ("reference", "window1", "window4", "window8")}
    with threadpoolctl.threadpool_limits(1), tempfile.TemporaryDirectory() as folder:
        watched = trained(said.data, Path(folder) / "usual")
        size = (Path(folder) / "usual" / "out" / "model" / "reference.safetensors").stat().st_size
        print(f"reference of {len(watched.rows):,} rows, {size / 1024:.0f} KiB; alpha {ALPHA}")
        of_windows(watched, data, said.windows)
        fresh = trained(said.data, Path(folder) / "fresh", *FRESH)
        of_fresh(fresh, said.windows)
        over_time(fresh, data["window8"], said.windows)


if __name__ == "__main__":
    main()
