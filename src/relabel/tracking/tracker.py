"""Who keeps the record of jobs: what a job tells a tracker, and one that keeps nothing."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol


class Status(StrEnum):
    """How a job ended, in MLflow's words."""

    FINISHED = "FINISHED"
    FAILED = "FAILED"
    KILLED = "KILLED"


class Tracker(Protocol):
    """Takes what a job says of itself. No call raises, none waits for anybody but `ended`, and that for a few seconds at most."""

    @property
    def run(self) -> str:
        """Name of the run that is written to; "" where there is none, or none yet."""
        ...

    def described(self, settings: Mapping[str, Any], tags: Mapping[str, str]) -> None:
        """Say what the job does, and with what."""
        ...

    def measured(self, figures: Mapping[str, float], step: int = 0) -> None:
        """Say figures of a moment; `step` counts the moments of each."""
        ...

    def results(self, folder: Path, model: Path) -> None:
        """Say where the results (`output/data`) and the model folder lie, once both are whole."""
        ...

    def ended(self, status: Status, reason: str = "") -> None:
        """Say how the job ended; what was said before has arrived, or is given up, when this returns."""
        ...


class Silent:
    """Keeps nothing."""

    run = ""

    def described(self, settings: Mapping[str, Any], tags: Mapping[str, str]) -> None:
        """Do nothing."""

    def measured(self, figures: Mapping[str, float], step: int = 0) -> None:
        """Do nothing."""

    def results(self, folder: Path, model: Path) -> None:
        """Do nothing."""

    def ended(self, status: Status, reason: str = "") -> None:
        """Do nothing."""
