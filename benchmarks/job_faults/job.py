"""A small training job: made, started as the container starts it, and read when it has ended."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from relabel.container.failure import TRACEBACK
from relabel.data import planted
from relabel.files import TEMPORARY

NOISE = np.array([[0.95, 0.05], [0.2, 0.8]])
SETTINGS = {"seeds": 2, "folds": 3, "max_epochs": 30, "threads": 1, "checkpoint_seconds": 1e-6}
"""Fits are saved whenever that is possible: a fault that comes at an event would else depend on how fast the machine is."""
WITHIN = Path(__file__).parent / "within"
TIMES = "run.json"
"""The one file that tells times."""

STAGES = ("reading", "fits", "writing results", "model")


@dataclass(frozen=True)
class Ended:
    """How a start of the job ended.

    code:    exit code of the parent in the container.
    log:     both streams.
    failure: the failure file, "" where there is none.
    """

    code: int
    log: str
    failure: str


@dataclass(frozen=True)
class Job:
    """The folders of a job. What it reads lies below `root`, what it writes below `out`."""

    root: Path
    about: Mapping[str, str] = field(default_factory=dict)

    @property
    def out(self) -> Path:
        """Everything that the job writes."""
        return self.root / "out"

    @property
    def train(self) -> Path:
        """The channel."""
        return self.root / "input" / "data" / "train"

    @property
    def command(self) -> list[str]:
        """What container/train runs."""
        python = [sys.executable, "-m"]
        return [
            *python,
            "relabel.container.supervisor",
            *python,
            "relabel",
            "train",
            "--root",
            str(self.root),
            "--output",
            str(self.out),
        ]

    def run(
        self, fault: Mapping[str, Any] | None = None, *, around: tuple[str, ...] = (), patience: float = 600
    ) -> Ended:
        """Start the job and wait for its end; `around` is put before the command."""
        here = {**os.environ, "OMP_NUM_THREADS": "1", "RELABEL_PLAIN": "1"}
        if fault is not None:
            said = self.root / "fault.json"
            said.write_text(json.dumps({"root": str(self.root), **fault}))
            here |= {"JOB_FAULT": str(said), "PYTHONPATH": os.pathsep.join([str(WITHIN), *_path()])}
        ended = subprocess.run(
            [*around, *self.command],
            env=here,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=patience,
            check=False,
            start_new_session=True,  # a signal to all processes of the job is none to the bench
        )
        failure = self.out / "output" / "failure"
        return Ended(ended.returncode, ended.stdout, failure.read_text() if failure.exists() else "")

    def results(self) -> dict[str, bytes]:
        """Read all that the platform keeps, but for the file that tells times."""
        kept = [path for part in ("model", "output") for path in (self.out / part).rglob("*") if path.is_file()]
        return {str(path.relative_to(self.out)): path.read_bytes() for path in kept if path.name != TIMES}

    def temporary(self) -> list[Path]:
        """Find files that a writer left half done under another name."""
        return sorted(self.out.rglob(f"*{TEMPORARY}"))

    def stage(self) -> str:
        """Tell by what it has written where a job was when it ended."""
        if (self.out / "model").exists():
            return STAGES[3]
        if any(path.name != TRACEBACK for path in (self.out / "output" / "data").glob("*")):
            return STAGES[2]
        return STAGES[1] if (self.out / "checkpoints").exists() else STAGES[0]


def made(root: Path, *, rows: int = 600, width: int = 16, settings: Mapping[str, Any] = SETTINGS) -> Job:
    """Make the data and the platform's files below `root`."""
    job = Job(root)
    for name, share, seed in (("train", 1, 0), ("dev", 3, 1), ("test", 2, 2)):
        planted.write(job.train, name, planted.reviews(rows // share, width=width, noise=NOISE, seed=seed))
    config = root / "input" / "config"
    config.mkdir(parents=True)
    (config / "hyperparameters.json").write_text(json.dumps({name: str(value) for name, value in settings.items()}))
    return job


def _path() -> list[str]:
    return [part for part in os.environ.get("PYTHONPATH", "").split(os.pathsep) if part]
