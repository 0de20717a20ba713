"""SIGTERM and SIGKILL at moments spread over the stages of a job.

Half of a stage's moments are events, the n-th file that is opened, renamed or removed there; half are times. In turn the container's parent is
asked to end, the process that trains is killed, and everything is killed at once, of which nobody is left to tell.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Any

from trial import Case, Event, Trial, Whole, judged

MOMENTS, FEW = 200, 10
TARGETS = {"parent": "SIGTERM", "process": "SIGKILL of the process", "container": "SIGKILL of all"}


def cases(whole: Whole, *, short: bool) -> Iterator[Case]:
    """Spread the moments evenly over the stages."""
    stages = _stages(whole)
    each = (FEW if short else MOMENTS) // len(stages)
    target = cycle(TARGETS)
    for name, (first, last) in stages.items():
        for n in range(each):
            moment = _moment(whole.events, first, last, n / each, by_event=n % 2 == 0)
            fault = {"act": "signal", "target": next(target), **moment}
            told = f"event {fault['event']}" + (f" and {fault['after']:.2f} s" if "after" in fault else "")
            yield Case(f"{TARGETS[fault['target']]} at {told}, {name}", partial(_tried, whole, fault))


def _stages(whole: Whole) -> dict[str, tuple[int, int]]:
    """Find the first and the last event of each stage."""
    starts = {"reading": 0}
    marks = {"fits": "/checkpoints/", "results": "/output/data/", "report": "/figures/", "model": "/model/"}
    for name, mark in marks.items():
        starts[name] = next(n for n, event in enumerate(whole.events) if mark in event.path and event.kind == "open")
    ends = [*list(starts.values())[1:], len(whole.events)]
    return {name: (start, end - 1) for (name, start), end in zip(starts.items(), ends, strict=True)}


def _moment(events: tuple[Event, ...], first: int, last: int, share: float, *, by_event: bool) -> dict[str, Any]:
    if by_event:
        return {"event": first + 1 + round(share * (last - first))}
    began = events[first].seconds if first else 0.0  # before the first event are imports
    return {"event": first and first + 1, "after": share * (events[last].seconds - began) or 0.01}


def _tried(whole: Whole, fault: Mapping[str, Any], folder: Path) -> Trial:
    job = whole.copy(folder)
    ended = job.run(fault)
    return judged(whole, job, ended, silent=fault["target"] == "container", names=("SIGKILL",))
