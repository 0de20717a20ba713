"""The machine as this container sees it."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import relabel
from relabel.container.gpu import Facts
from relabel.container.gpu import problem as why_no_gpu
from relabel.container.memory import GIB, Memory
from relabel.doctor.findings import Finding, ok, problem, warning

TRAINING = ("torch", "pytorch-lightning", "cleanlab", "pandas")
SERVING = ("flask", "gunicorn")
LEAST_MEMORY = 1 * GIB
"""A training job loads torch, which takes most of this."""
LEAST_DISK, LITTLE_DISK = GIB // 16, 1 * GIB

ROWS_OF_TEXTS, TERMS_OF_TEXTS, MOST_TERMS = 4, 7, 1 * GIB
"""Memory of a job on texts alone, in sizes of their files: what it knows of each row, and a model of terms, which takes this much at most."""


@dataclass(frozen=True, slots=True)
class Size:
    """Bytes of the files that a job's embeddings, or its texts alone, stand in."""

    embeddings: int = 0
    texts: int = 0


def versions(installed: Mapping[str, str] | None = None) -> Finding:
    """Name what is installed, and what training or serving would miss."""
    there = _installed() if installed is None else installed
    missing = [name for name in (*TRAINING, *SERVING) if name not in there]
    named = ", ".join(f"{name} {there[name]}" for name in (*TRAINING, *SERVING) if name in there)
    system = f"relabel {relabel.__version__}, Python {platform.python_version()} on {platform.machine()}"
    if missing:
        remedy = "install 'relabel[train,serve]', or use the image"
        return problem("versions", f"{system}; {', '.join(missing)} not installed: {remedy}")
    return ok("versions", f"{system}; {named}")


def processors(cores: int) -> Finding:
    """Count the processor cores that may be used."""
    return ok("processors", f"{cores} cores") if cores > 1 else warning("processors", "1 core: training is slow on it")


def memory(found: Memory, size: Size) -> Finding:
    """Hold the memory against the data of a job. Embeddings that have no room in it are read from disk."""
    there = f"{found.limit / GIB:.1f} GiB"
    needed = LEAST_MEMORY + ROWS_OF_TEXTS * size.texts + min(TERMS_OF_TEXTS * size.texts, MOST_TERMS)
    if size.texts and needed > found.limit:
        data, remedy = f"texts of {size.texts / GIB:.1f} GiB", "take an instance with more memory, or fewer rows"
        return warning("memory", f"{there} for {data}, which need about {needed / GIB:.1f} GiB: {remedy}")
    if (size.embeddings or size.texts) and found.limit < LEAST_MEMORY:
        return warning("memory", f"{there}: training takes about 1 GiB beside its data: give the container more")
    return ok("memory", there)


def shared_memory(folder: Path = Path("/dev/shm")) -> Finding:  # noqa: S108  # looked at, not written to
    """Say how much there is. It is never a problem: nothing is put there."""
    if not folder.is_dir():
        return ok("shm", "none, and none is needed")
    return ok("shm", f"{shutil.disk_usage(folder).total / (1 << 20):.0f} MiB, and none is needed")


def gpu(facts: Facts, *, required: bool) -> Finding:
    """Say which GPU is used, or why none is."""
    line = why_no_gpu(facts)
    if required and (line or not facts.built_for):
        why = line or "torch is built for processors alone: use the cuda image"
        return problem("gpu", f"{why}. A GPU is required here (RELABEL_REQUIRE_GPU)")
    if line:
        return warning("gpu", line)
    if not facts.gpus:
        return ok("gpu", "none; torch is built for processors alone")
    return ok("gpu", f"{facts.gpus}, driver {facts.driver}, torch built for CUDA {facts.built_for}")


def free_bytes(folder: Path) -> int:
    """Count the bytes that can be written to the volume of a folder."""
    return shutil.disk_usage(folder).free


def disks(folders: Mapping[str, Path], free_of: Callable[[Path], int] = free_bytes) -> Iterator[Finding]:
    """Say how much can be written to each volume that a folder, or the nearest one above it, lies on."""
    volumes: dict[int, list[str]] = {}
    for name, folder in folders.items():
        volumes.setdefault(_there(folder).stat().st_dev, []).append(name)
    for names in volumes.values():
        folder = _there(folders[names[0]])
        free = free_of(folder)
        text = f"{free / GIB:.1f} GiB free for {', '.join(names)}"
        if free < LEAST_DISK:
            yield problem("disk", f"{text} ({folder}): free this volume, or give a larger one")
        elif free < LITTLE_DISK:
            yield warning("disk", f"{text} ({folder}): the results of a large job may not fit")
        else:
            yield ok("disk", text)


def _installed() -> dict[str, str]:
    found = {}
    for name in (*TRAINING, *SERVING):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def _there(folder: Path) -> Path:
    return next(path for path in (folder, *folder.absolute().parents) if path.exists())
