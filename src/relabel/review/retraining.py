"""Training again with the answers, as a process of its own: one at a time, ended with the server, resumed when it is started again."""

from __future__ import annotations

import fcntl
import json
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any

from relabel import files
from relabel.data import reviews
from relabel.errors import UserError
from relabel.review.material import REPORT

LOG, LOCK, EXIT = "retrain.log", "retrain.lock", "retrain.exit"
TAIL = 14
"""Lines of the log that the page shows."""

PATIENCE = 20.0
"""Seconds that a job has, after SIGTERM, to save how far it is."""

NONE, RUNNING, DONE, FAILED, UNKNOWN = "none", "running", "done", "failed", "unknown"


class Retraining:
    """Starts and watches one training job.

    command: makes the job's command line of the file of answers.
    output:  folder of the job: model/, output/, checkpoints/; the answers, the log and a lock stand there too.

    The lock is held by the job itself, so that it tells of a job whose server was killed. How a job ended is written down by the server that
    started it; where none was there to see it, that is not known.
    """

    def __init__(self, command: Callable[[Path], Sequence[str]], output: Path) -> None:
        self._command = command
        self.output = output
        self._job: subprocess.Popen[bytes] | None = None
        self._watcher: threading.Thread | None = None
        self._looking = threading.Lock()  # a look at the lock takes it for a moment

    @property
    def command(self) -> list[str]:
        """Give the command line."""
        return list(self._command(self.output / reviews.NAME))

    def start(self, answers: bytes) -> None:
        """Write the answers down and start the job.

        Raises UserError where one runs already.
        """
        self.output.mkdir(parents=True, exist_ok=True)
        with self._looking, (self.output / LOCK).open("ab") as lock:
            if not _locked(lock):
                raise UserError("a job runs already: wait for its end")
            files.write_bytes(self.output / reviews.NAME, answers)
            (self.output / EXIT).unlink(missing_ok=True)
            with (self.output / LOG).open("wb") as log:
                self._job = subprocess.Popen(  # noqa: S603  # our own command line
                    self.command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    pass_fds=(lock.fileno(),),  # the lock lives as long as somebody has it open
                    start_new_session=True,  # CTRL-C is for the server, which ends the job
                )
            self._watcher = threading.Thread(target=self._watch, args=(self._job,), daemon=True)
            self._watcher.start()

    def state(self) -> str:
        """Say what the job does: none, running, done, failed, or unknown where it ended and no server saw how."""
        if not (self.output / LOCK).is_file():
            return NONE
        if self._job is not None:
            code = self._job.poll()
            return RUNNING if code is None else DONE if code == 0 else FAILED
        with self._looking, (self.output / LOCK).open("ab") as lock:
            if not _locked(lock):
                return RUNNING
        try:
            return DONE if int((self.output / EXIT).read_text()) == 0 else FAILED
        except (FileNotFoundError, ValueError):
            return UNKNOWN

    @property
    def results(self) -> Path:
        """Where the job writes its results."""
        return self.output / "output" / "data"

    def tail(self) -> list[str]:
        """Give the last lines of the job's log."""
        try:
            with (self.output / LOG).open(encoding="utf-8", errors="replace") as log:
                return [line.rstrip() for line in deque(log, TAIL)]
        except FileNotFoundError:
            return []

    def told(self, before: Path) -> dict[str, Any]:
        """Say everything for the page.

        before: results of the first job.
        """
        state, first = self.state(), worth(before)
        after = worth(self.results) if state == DONE else None
        return {
            "state": state,
            "tail": self.tail(),
            "before": first,
            "after": after,
            "other_data": bool(first and after and first["data"] != after["data"]),
            "report": state == DONE and (self.results / REPORT).is_file(),
            "output": str(self.output),
        }

    def end(self) -> None:
        """End the job that was started here, if it runs: it saves how far it is, and goes on from there when it is started again."""
        if self._job is None or self._watcher is None:
            return
        if self._job.poll() is None:
            self._job.terminate()
            try:
                self._job.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self._job.kill()
        self._watcher.join()

    def _watch(self, job: subprocess.Popen[bytes]) -> None:
        """Write down how a job ends."""
        files.write_bytes(self.output / EXIT, str(job.wait()).encode())


def worth(results: Path) -> dict[str, Any] | None:
    """Give what a job came to: accuracy of the cleaned models on test, and the gain with its interval; None without results."""
    try:
        figures = json.loads((results / "metrics.json").read_text(encoding="utf-8"))
        comparison = figures["comparison"]
        return {
            "accuracy": comparison["after"]["accuracy"],
            "gain": comparison["gain"]["accuracy"],
            "rows": comparison["rows"],
            "reviewed": sum(figures["data"].get("reviewed", {}).values()),
            "data": {name: figures["data"][name] for name in ("classes", "rows")},
        }
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _locked(lock: IO[bytes]) -> bool:
    """Take the lock of an open file; False where a job has it."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
