"""Members fitted one by one, several side by side in threads: for models of which each fit is work enough for a processor.

Letters: M members.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from statistics import fmean
from typing import Any

import threadpoolctl
import torch
from numpy.typing import NDArray

from relabel.data.examples import Inputs
from relabel.model.artifact import Model
from relabel.training.learner import FitsOne, Hooks, Snapshot, Watch
from relabel.training.member import Member

PAUSE = 0.1
"""Seconds between two looks at the hooks."""


@dataclass(frozen=True, slots=True)
class OneByOne:
    """Makes a Learner of what fits one member.

    one:     fits a member.
    workers: members side by side; 0 is as many as torch has threads for, and one on a GPU. No result depends on it.
    threads: torch threads of each member. Last digits may depend on them, so they do not follow from the workers.
    """

    one: FitsOne
    workers: int = 0
    threads: int = 1

    def identity(self) -> Mapping[str, Any]:
        """Give what decides a fit."""
        return self.one.identity()

    def fit(self, inputs: Inputs, members: Sequence[Member], watch: Watch | None, hooks: Hooks) -> list[Model]:
        """Fit every member, going on from a kept snapshot if there is one; models come in the members' order.

        What the hooks' check raises comes out after a snapshot is saved; what a member raises ends the others and comes out.
        """
        threads = torch.get_num_threads()
        runs = _taken_up(hooks.store.load() if hooks.store else None, len(members))

        def fit_one(member: Member, run: _Run) -> None:
            run.started = True
            run.end(self.one.fit_one(inputs, member, watch, run))

        try:
            with (
                threadpoolctl.threadpool_limits(self.threads, "blas"),  # threads that wait for threads would lose all
                ThreadPoolExecutor(self._side_by_side(), "member", torch.set_num_threads, (self.threads,)) as pool,
            ):
                fits = [pool.submit(fit_one, *pair) for pair in zip(members, runs, strict=True) if not pair[1].model]
                _Attendant(runs, fits, hooks).attend()
        finally:
            torch.set_num_threads(threads)  # a thread that sets its own sets what later threads begin with
        return [run.model for run in runs if run.model]

    def _side_by_side(self) -> int:
        if self.workers or torch.cuda.is_available():
            return self.workers or 1
        return max(1, torch.get_num_threads() // self.threads)


class _Stopped(Exception):  # noqa: N818  # no error: it takes a member's thread out of its fit
    pass


class _Run:
    """One member's fit: its own thread works on it, the thread that waits for all asks for snapshots.

    kept:     where an earlier run was stopped.
    newest:   the newest snapshot of this or an earlier run.
    model:    once it has ended.
    asked:    a snapshot is wanted at the next safe point.
    stopping: the fit must end there.
    figures:  what it has measured lately.
    """

    def __init__(self, kept: Snapshot | None = None, model: Model | None = None, steps: int = 0) -> None:
        self.kept = self.newest = kept
        self.model = model
        self.done, self.total = steps, steps if model else 0
        self.started = self.asked = self.stopping = False
        self.figures: dict[str, float] = {}

    def safe_point(self, done: int, total: int, snapshot: Callable[[], Snapshot]) -> None:
        self.done, self.total = done, total
        if self.asked:
            self.newest = snapshot()
            self.asked = False
        if self.stopping:
            raise _Stopped

    def end(self, model: Model) -> None:
        self.total = max(self.total, self.done)
        self.model, self.newest = model, None

    @property
    def owes(self) -> bool:
        """Whether a snapshot that was asked for is still to come."""
        return self.asked and self.model is None

    @property
    def progress(self) -> int:
        """Steps done; a member that has stopped early has done all of them."""
        return self.total if self.model else self.done


class _Attendant:
    """The thread that waits: it asks the hooks, and saves what the members hand over."""

    def __init__(self, runs: Sequence[_Run], fits: Sequence[Future[None]], hooks: Hooks) -> None:
        self._runs, self._fits, self._hooks = runs, fits, hooks
        self._saving = False

    def attend(self) -> None:
        """Wait until all members have ended."""
        try:
            while self._wait():
                self._report()
                self._check()
                self._keep()
        except BaseException:
            self._stop()
            raise
        self._report()

    def _wait(self) -> bool:
        ended, going = wait(self._fits, PAUSE, FIRST_EXCEPTION)
        for fit in ended:
            fit.result()
        return bool(going)

    def _report(self) -> None:
        totals = [run.total for run in self._runs if run.total]
        if totals:  # members that have not begun are taken to be as long as the others
            unknown = (len(self._runs) - len(totals)) * sum(totals) // len(totals)
            done, total = sum(run.progress for run in self._runs), sum(totals) + unknown
            self._hooks.progress(done, total)
            self._measure(done, total)

    def _measure(self, done: int, total: int) -> None:
        curve = self._hooks.curve
        told = [dict(run.figures) for run in self._runs if run.figures]
        if curve and told and curve.due(done, total):
            names = dict.fromkeys(name for each in told for name in each)
            curve.add({name: fmean(each[name] for each in told if name in each) for name in names}, done)

    def _check(self) -> None:
        try:
            self._hooks.check()
        except BaseException:
            self._ask()
            self._stop()
            self._save()
            raise

    def _keep(self) -> None:
        if not self._saving and self._hooks.store and self._hooks.due():
            self._ask()
        if self._saving and not any(run.owes for run in self._runs):
            self._save()

    def _ask(self) -> None:
        self._saving = True
        for run in self._runs:
            run.asked = run.started and run.model is None

    def _stop(self) -> None:
        """Take every member out of its fit at its next safe point."""
        for fit in self._fits:
            fit.cancel()
        for run in self._runs:
            run.stopping = True
        wait(self._fits)

    def _save(self) -> None:
        self._saving = False
        if self._hooks.store:
            self._hooks.store.save(_composite(self._runs))


def _composite(runs: Sequence[_Run]) -> Snapshot:
    """Put ended members and the newest snapshots of running ones into one snapshot.

    Tensors: `<m>.done.<name>` of a model, `<m>.running.<name>` of a snapshot; facts: m -> what else there is of it.
    """
    tensors: dict[str, NDArray[Any]] = {}
    facts: dict[str, Any] = {}
    for m, run in enumerate(runs):
        model, newest = run.model, run.newest
        if model is not None:
            tensors |= {f"{m}.done.{name}": value for name, value in model.tensors.items()}
            facts[str(m)] = {"kind": model.kind, "sizes": dict(model.sizes), "steps": run.progress}
        elif newest is not None:
            tensors |= {f"{m}.running.{name}": value for name, value in newest.tensors.items()}
            facts[str(m)] = {"step": newest.step, "facts": dict(newest.facts)}
    return Snapshot(sum(run.progress for run in runs), tensors, facts)


def _taken_up(kept: Snapshot | None, members: int) -> list[_Run]:
    """Make the runs (M,), from where a composite snapshot left them."""
    if kept is None:
        return [_Run() for _ in range(members)]
    parts: dict[str, dict[str, NDArray[Any]]] = {}
    for key, value in kept.tensors.items():
        m, _, name = key.split(".", 2)
        parts.setdefault(m, {})[name] = value
    return [_resumed(kept.facts.get(str(m)), parts.get(str(m), {})) for m in range(members)]


def _resumed(about: Mapping[str, Any] | None, tensors: Mapping[str, NDArray[Any]]) -> _Run:
    if about is None:
        return _Run()
    if "kind" in about:
        return _Run(model=Model(about["kind"], about["sizes"], tensors), steps=about["steps"])
    return _Run(kept=Snapshot(about["step"], tensors, about["facts"]), steps=about["step"])
