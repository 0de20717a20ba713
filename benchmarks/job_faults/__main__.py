"""Breaks training jobs in every way that a machine can, and counts what is lost, half-written or not explained: nothing should be.

    python benchmarks/job_faults [--short] [--side-by-side 4] [--only kills] ...

Each fault meets a whole small job, started as the container starts it. Then the job is started again without a fault, and every file but
run.json must be that of a job which nothing met.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from shutil import rmtree
from types import ModuleType

import channels
import checkpoints
import clock
import disk
import kills
import memory
from trial import ASKED, BARE, NAMED, SILENT, WELL, Case, Event, Trial, Whole

import job

FAULTS: dict[str, ModuleType] = {
    "kills": kills,
    "disk full": disk,
    "checkpoints": checkpoints,
    "channels": channels,
    "clock": clock,
    "memory": memory,
}
ENDS = (WELL, BARE, ASKED, NAMED, SILENT)
Tried = tuple[str, str, Trial]


def main() -> None:
    """Try every fault, and end with 1 where a promise was broken."""
    said = _arguments()
    with tempfile.TemporaryDirectory(prefix="relabel-faults-") as folder:
        began = time.monotonic()
        whole = _unbroken(Path(folder) / "whole")
        print(f"unbroken: {whole.seconds:.1f} s, {len(whole.events)} events, {len(whole.results)} files\n", flush=True)
        tried = [one for name in said.only for one in _all(name, whole, Path(folder), said)]
    print(_table(tried))
    print(_stages(tried))
    print(f"\n{len(tried)} faults in {(time.monotonic() - began) / 60:.1f} minutes")
    sys.exit(any(trial.broken for _, _, trial in tried))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="some of each kind")
    parser.add_argument("--side-by-side", type=int, default=4, help="jobs at a time")
    parser.add_argument("--only", nargs="+", choices=FAULTS, default=list(FAULTS), help="kinds of faults")
    parser.add_argument("--verbose", action="store_true", help="a line for each fault")
    return parser.parse_args()


def _unbroken(root: Path) -> Whole:
    made = job.made(root)
    ended = made.run({"events": str(root / "events.txt")})
    assert ended.code == 0, ended.log
    lines = [line.split("\t") for line in (root / "events.txt").read_text().splitlines()]
    return Whole(made, made.results(), tuple(Event(float(seconds), kind, path) for seconds, kind, path in lines))


def _all(name: str, whole: Whole, folder: Path, said: argparse.Namespace) -> Iterator[Tried]:
    """Try all faults of a kind."""
    kind = FAULTS[name]
    if reason := getattr(kind, "missing", str)():
        print(f"{name}: not tried: {reason}\n")
        return
    cases = list(kind.cases(whole, short=said.short))
    with ThreadPoolExecutor(said.side_by_side) as pool:
        for case, trial in zip(cases, pool.map(_tried_in(folder), cases, range(len(cases))), strict=True):
            if said.verbose or trial.broken:
                told = f"{name}: {case.name}: {trial.ended} ({trial.stage}) {trial.said}"
                print("\n  - ".join([told, *trial.broken]), flush=True)
            yield name, case.name, trial


def _tried_in(folder: Path) -> Callable[[Case, int], Trial]:
    def tried(case: Case, number: int) -> Trial:
        place = folder / f"case{number}"
        place.mkdir()
        try:
            return case.tried(place)
        finally:
            rmtree(place)

    return tried


def _table(tried: Sequence[Tried]) -> str:
    """Count how jobs ended, and what was wrong then or after the next start."""
    lines = [["fault", "tried", *ENDS, "lost", "half-written", "not explained"]]
    for name in dict.fromkeys(name for name, _, _ in tried):
        trials = [trial for kind, _, trial in tried if kind == name]
        ends = Counter(trial.ended for trial in trials)
        wrong = (
            sum(map(bool, one)) for one in zip(*((t.lost, t.half_written, t.unexplained) for t in trials), strict=True)
        )
        counts = [len(trials), *(ends[end] for end in ENDS), *wrong]
        lines.append([name, *map(str, counts)])
    widths = [max(len(line[n]) for line in lines) for n in range(len(lines[0]))]
    return "\n".join(" ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])]) for line in lines)


def _stages(tried: Sequence[Tried]) -> str:
    """Tell where the kills met their jobs."""
    met = Counter(trial.stage for name, _, trial in tried if name == "kills")
    return "kills where a job was: " + ", ".join(f"{stage} {met[stage]}" for stage in job.STAGES) if met else ""


if __name__ == "__main__":
    main()
