"""Finished and running fits, kept where the platform keeps checkpoints.

Only fits are expensive. A finished one is kept under the hash of all that decides it, so running the job again from the top goes
through what is done in no time; a running one is saved every few seconds.

    <key>.models.safetensors            a finished fit
    <key>.<step>.running.safetensors    a running fit, the two newest

Several hosts divide the members of a fit among them and exchange the models. Each keeps its part as a fit of its own until the first host
has the whole, so that a job which is started again goes on, on as many hosts; on any other number it takes what is whole.

Each file is one safetensors file whose header carries JSON and a hash of that and of its tensors: a torn or changed file is seen and
passed over. SageMaker's uploader leaves `<file>.sagemaker-uploading` beside what it reads: such a file is not deleted.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.numpy
import xxhash
from numpy.typing import NDArray

from relabel import files
from relabel.container.company import Alone, Company, agree
from relabel.data.examples import Inputs
from relabel.data.sharded import Sharded
from relabel.model.artifact import Model, sha256
from relabel.training.learner import Hooks, Learner, Snapshot, Watch
from relabel.training.member import Member

log = logging.getLogger(__name__)

FORMAT = 2
"""Of what is kept; a higher one where a fit of the same name would be another."""
UPLOADING = ".sagemaker-uploading"
KEEP = 2
ALIKE = "data, image and instance type"
POINTS = 100
"""Points of a curve of a fit, at most."""

Tensors = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fits:
    """Runs fits, keeping what they did.

    folder:  where files go.
    data:    digest of the data.
    build:   what may change the last digits of a result (`job.build`).
    every:   seconds between two snapshots of a running fit.
    clock:   seconds, monotonic.
    check:   raises where the job must end.
    progress: told (name of the fit, steps done, steps in all).
    measured: told (figures, step): how well each fit goes; None where nobody wants to know.
    seconds:  filled in: how long each fit took.
    company:  the hosts that fit together.
    """

    folder: Path
    data: str
    build: Mapping[str, Any]
    every: float
    clock: Callable[[], float]
    check: Callable[[], None] = lambda: None
    progress: Callable[[str, int, int], None] = lambda _name, _done, _total: None
    measured: Callable[[Mapping[str, float], int], None] | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    company: Company = field(default_factory=Alone)

    def fit(
        self, name: str, learner: Learner, inputs: Inputs, members: Sequence[Member], watch: Watch | None = None
    ) -> list[Model]:
        """Give the models of the members, from an earlier run where it finished this fit.

        name: for log lines; it is no part of the key.
        """
        self.check()
        key = fit_key(self.data, learner, members, watch)
        if self.company.size == 1:
            return self._fit(name, key, learner, inputs, members, watch=watch)
        self._agree(f"the fit {name}", key)
        kept = self._kept_by_any(key)
        if kept is not None:
            log.info("fit %s: %d models kept from an earlier run", name, len(kept))
            return kept
        if isinstance(inputs, Sharded):  # each host has other rows: all of them take every step of all members
            return self._fit(name, key, learner, inputs, members, watch=watch)
        started = self.clock()
        own = members[self.company.rank :: self.company.size]
        part = fit_key(self.data, learner, own, watch)
        models = self._exchanged(self._fit(name, part, learner, inputs, own, watch=watch) if own else [])
        if self.company.rank == 0:
            self._keep(key, models)
        self.company.gather_bytes(b"")  # it is kept, so nobody needs the parts
        if part != key:
            _delete(self._path(part))
        self.seconds[name] = self.clock() - started
        return models

    def done(self) -> None:
        """Say that no fit follows: a host that goes on to another one would wait for ever for those that have come to their end."""
        self._agree("the end", "")

    def _fit(
        self, name: str, key: str, learner: Learner, inputs: Inputs, members: Sequence[Member], *, watch: Watch | None
    ) -> list[Model]:
        """Fit members on this host, or give what was kept."""
        kept = self._finished(key)
        if kept is not None:
            log.info("fit %s: %d models kept from an earlier run", name, len(kept))
            return kept
        saver = _Saver(self, name, key)
        hooks = Hooks(
            check=self.check,
            due=saver.due,
            store=saver,
            progress=lambda done, total: self.progress(name, done, total),
            curve=None if self.measured is None else _Curve(name, self.measured),
        )
        started = self.clock()
        models = learner.fit(inputs, members, watch, hooks)
        self._keep(key, models)
        self.seconds[name] = self.clock() - started
        log.info("fit %s: %d models in %.1f s", name, len(models), self.seconds[name])
        return models

    def _agree(self, name: str, key: str) -> None:
        """See that all hosts are about to do the same fit; raises PlatformError with the names of those that differ from the first."""
        agree(self.company, key, when=f"before {name}", have="came to another result", give=ALIKE)

    def _kept_by_any(self, key: str) -> list[Model] | None:
        """Give a finished fit that some host has, and every host the same one."""
        kept = self._finished(key)
        has = [bool(said) for said in self.company.gather_bytes(b"" if kept is None else b"1")]
        if not any(has):
            return None
        gives = has.index(True)
        return self._gathered(kept if kept is not None and self.company.rank == gives else [])[gives]

    def _exchanged(self, models: Sequence[Model]) -> list[Model]:
        """Give the models of all hosts, in the members' order."""
        parts = self._gathered(models)
        return [parts[m % len(parts)][m // len(parts)] for m in range(sum(map(len, parts)))]

    def _gathered(self, models: Sequence[Model]) -> list[list[Model]]:
        """Give every host's models to every host."""
        facts = self.company.gather_bytes(json.dumps(_about(models)).encode())
        tensors = self.company.gather_bytes(safetensors.numpy.save(_flat(models)))
        return [
            _models(json.loads(about), safetensors.numpy.load(data)) for about, data in zip(facts, tensors, strict=True)
        ]

    def _finished(self, key: str) -> list[Model] | None:
        found = _read(self._path(key))
        if found is None:
            return None
        tensors, facts = found
        self.warn_of_other_build(facts)
        return _models(facts["models"], tensors)

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.models.safetensors"

    def _keep(self, key: str, models: Sequence[Model]) -> None:
        _write(self._path(key), _flat(models), {"models": _about(models), "build": dict(self.build)})
        for path in self.running(key):
            _delete(path)

    def running(self, key: str) -> list[Path]:
        """List the snapshots of a running fit, newest first."""
        return sorted(self.folder.glob(f"{key}.*.running.safetensors"), reverse=True)

    def warn_of_other_build(self, facts: Mapping[str, Any]) -> None:
        """Say where a kept file comes from another build: the result may then differ in its last digits."""
        before = facts.get("build", {})
        changed = [f"{name} {before.get(name)} -> {now}" for name, now in self.build.items() if before.get(name) != now]
        if changed:
            log.warning(
                "going on from a fit of another build (%s): last digits may differ from an unbroken run",
                ", ".join(changed),
            )


class _Curve:
    """Names the figures of one fit, and bounds how many there are."""

    def __init__(self, name: str, told: Callable[[Mapping[str, float], int], None]) -> None:
        self._name, self._told = name, told
        self._next = 0.0

    def due(self, done: int, total: int) -> bool:
        if done < self._next:
            return False
        self._next = done + total / POINTS
        return True

    def add(self, figures: Mapping[str, float], step: int) -> None:
        self._told({f"{figure}/{self._name}": value for figure, value in figures.items()}, step)


class _Saver:
    """Keeps the snapshots of one running fit."""

    def __init__(self, fits: Fits, name: str, key: str) -> None:
        self._fits, self._name, self._key = fits, name, key
        self._last = fits.clock()

    def due(self) -> bool:
        return self._fits.clock() - self._last >= self._fits.every

    def load(self) -> Snapshot | None:
        """Give the newest snapshot that is whole."""
        for path in self._fits.running(self._key):
            found = _read(path)
            if found is None:
                continue
            tensors, facts = found
            self._fits.warn_of_other_build(facts)
            log.info("fit %s: going on from step %d", self._name, facts["step"])
            return Snapshot(facts["step"], tensors, facts["facts"])
        return None

    def save(self, snapshot: Snapshot) -> None:
        facts = {"step": snapshot.step, "facts": dict(snapshot.facts), "build": dict(self._fits.build)}
        _write(self._fits.folder / f"{self._key}.{snapshot.step:012d}.running.safetensors", snapshot.tensors, facts)
        log.info(
            "fit %s: saved at step %d, %.1f s after the last",
            self._name,
            snapshot.step,
            self._fits.clock() - self._last,
        )
        for path in self._fits.running(self._key)[KEEP:]:
            _delete(path)
        self._last = self._fits.clock()


def fit_key(data: str, learner: Learner, members: Sequence[Member], watch: Watch | None) -> str:
    """Hash all that decides a fit: data, learner, members and what they start from, watched rows; not threads, versions or times."""
    state = xxhash.xxh3_128()
    about = {"format": FORMAT, "data": data, **learner.identity()}
    state.update(json.dumps(about, sort_keys=True).encode())
    arrays: list[NDArray[Any]] = []
    for member in members:
        arrays += [member.rows, member.targets, member.weights, np.array([member.seed])]
        if member.start is not None:
            state.update(f"start {sha256(member.start)};".encode())
    if watch is not None:
        arrays += [watch.rows, watch.labels, *([] if watch.noise is None else [watch.noise])]
    for array in arrays:
        state.update(f"{array.dtype} {array.shape};".encode())
        state.update(np.ascontiguousarray(array).data)
    return str(state.hexdigest())


def _about(models: Sequence[Model]) -> list[dict[str, Any]]:
    return [{"kind": model.kind, "sizes": dict(model.sizes)} for model in models]


def _flat(models: Sequence[Model]) -> dict[str, NDArray[Any]]:
    return {
        f"{m}.{name}": np.ascontiguousarray(value)
        for m, model in enumerate(models)
        for name, value in model.tensors.items()
    }


def _models(about: Sequence[Mapping[str, Any]], tensors: Tensors) -> list[Model]:
    return [Model(each["kind"], each["sizes"], _below(tensors, f"{m}.")) for m, each in enumerate(about)]


def _write(path: Path, tensors: Tensors, facts: Mapping[str, Any]) -> None:
    whole = {name: np.ascontiguousarray(value) for name, value in tensors.items()}
    text = json.dumps(facts)
    files.write_bytes(path, safetensors.numpy.save(whole, {"facts": text, "hash": _hash(whole, text)}))


def _read(path: Path) -> tuple[dict[str, NDArray[Any]], dict[str, Any]] | None:
    """Give (tensors, facts) of a file, or None where it is missing; a torn file is None too, with a line in the log."""
    if not path.exists():
        return None
    try:
        with safetensors.safe_open(path, framework="np") as opened:
            metadata = opened.metadata()
            tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118  # no mapping, only keys()
        if metadata["hash"] == _hash(tensors, metadata["facts"]):
            return tensors, json.loads(metadata["facts"])
    except (safetensors.SafetensorError, OSError, ValueError, KeyError, TypeError):
        pass
    log.warning("checkpoint %s is torn: passed over", path.name)
    return None


def _hash(tensors: Tensors, facts: str) -> str:
    state = xxhash.xxh3_128(facts.encode())
    for name in sorted(tensors):
        state.update(f"{name} {tensors[name].dtype} {tensors[name].shape};".encode())
        state.update(np.ascontiguousarray(tensors[name]).data)
    return str(state.hexdigest())


def _below(tensors: Tensors, prefix: str) -> dict[str, NDArray[Any]]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _delete(path: Path) -> None:
    if not path.with_name(path.name + UPLOADING).exists():
        path.unlink(missing_ok=True)
