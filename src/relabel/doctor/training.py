"""What a training job would meet: its folders, its configuration, its channels, the other hosts."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from relabel import settings
from relabel.container import companions, configuration
from relabel.container.configuration import Configuration, Hosts
from relabel.container.environment import Environment
from relabel.container.paths import Paths
from relabel.data import formats, layout
from relabel.data.formats import text_files
from relabel.data.layout import Layout
from relabel.doctor import texts
from relabel.doctor.findings import Finding, ok, problem, warning
from relabel.doctor.machine import Size
from relabel.errors import RelabelError, UserError
from relabel.model import earlier
from relabel.settings import TrainSettings


def is_meant(paths: Paths) -> bool:
    """Tell whether there is anything of a training job."""
    return paths.channels.parent.is_dir()


def folders(paths: Paths, *, contained: bool) -> Iterator[Finding]:
    """Say whether what the job leaves can be written, and whether it outlasts the container.

    contained: whether the folders are those of a container, where what is not mounted is lost at its end.
    """
    for name, folder in written(paths).items():
        above = next(path for path in (folder, *folder.absolute().parents) if path.exists())
        if not above.is_dir() or not os.access(above, os.W_OK | os.X_OK):
            user = f"user {os.getuid()}"
            yield problem(name, f"{above} cannot be written by {user}: mount it writable, or run as its owner (--user)")
        elif contained and not any(path.is_mount() for path in (folder, *folder.parents[:-1])):
            yield warning(name, f'{folder} is lost with the container: mount it (--volume "$PWD/ml:{paths.root}")')
        else:
            yield ok(name, f"{folder} can be written")


def written(paths: Paths) -> dict[str, Path]:
    """Name the folders that a job writes to."""
    return {"model": paths.model, "output": paths.failure.parent, "checkpoints": paths.checkpoints}


def read(paths: Paths, environment: Environment) -> tuple[Configuration | None, list[Finding]]:
    """Read the platform's files; no configuration where they have problems."""
    try:
        told = configuration.read(paths, environment)
    except UserError as error:
        return None, [problem("configuration", each) for each in error.problems]
    return told, [ok("configuration", f"{len(told.hyperparameters)} hyperparameters, {len(told.channels)} channels")]


def hyperparameters(given: Mapping[str, Any], encoder: Path | None) -> Iterator[Finding]:
    """Say what is wrong with the settings, and what they need that is not there.

    encoder: folder of the channel `encoder`, or None.
    """
    try:
        parsed = settings.parse(TrainSettings, given)
    except UserError as error:
        yield from (problem("settings", each) for each in error.problems)
        return
    yield from (warning("settings", note) for note in settings.retired_notes(TrainSettings, given))
    usual = settings.as_dict(TrainSettings())
    changed = [f"{name} {value}" for name, value in settings.as_dict(parsed).items() if value != usual[name]]
    yield ok("settings", ", ".join(changed) or "all as they are by default")
    yield from texts.trained(parsed, encoder)


def champion(channel: Path | None, environment: Environment) -> Iterator[Finding]:
    """Look at the model that serves now, where one is given. Whether it goes with the data the job itself says, before it trains."""
    try:
        found = earlier.read(channel, environment)
    except RelabelError as error:
        yield problem("champion", str(error))
        return
    if found is not None:
        known = "" if found.training_rows is not None else "; it does not know which rows it was trained on"
        yield ok("champion", f"{found.model.kind} {found.short_hash}, classes {', '.join(found.classes)}{known}")


def channels(found: Layout) -> Iterator[Finding]:
    """Say which files would be read. What is in them is checked by the job itself, before it trains."""
    yield from (problem("channels", each) for each in found.problems)
    yield from (warning("channels", each) for each in found.notes)
    for source in found.sources:
        paths = [path for path in (source.table_path, source.matrix_path) if path is not None]
        unreadable = [path for path in paths if not os.access(path, os.R_OK)]
        for path in unreadable:
            yield problem(
                "channels",
                f"{path} cannot be read by user {os.getuid()}: change its mode, or run as its owner (--user)",
            )
        if not unreadable:
            beside = f" with {source.matrix}" if source.matrix else ""
            yield ok("channels", f"{source.split.name.lower()}: {source.table}{beside}")
    yield from (problem("channels", each) for each in _without_embeddings(found))
    yield from (ok("channels", f"answers of people: {layout.REVIEWED}/{path.name}") for path in found.reviewed)


def _without_embeddings(found: Layout) -> Iterator[str]:
    """Name label files that have no embeddings, neither beside them nor inside, where others have some."""
    if not any(source.matrix for source in found.sources):
        return
    for source in found.sources:
        if source.matrix is None and not _embeds(source.table_path):
            stem = source.table_path.stem
            yield f"{source.table}: labels without embeddings, and others have some: add {stem}.pt or {stem}.npy"


def _embeds(path: Path) -> bool:
    """Tell whether a label file has embeddings in its columns; what cannot be read is not judged."""
    try:
        return formats.table(path).embeddings(path, (), 1) is not None
    except (UserError, OSError):
        return True


def size(found: Layout) -> Size:
    """Add up the files of embeddings or, where there are none, those of texts alone."""
    matrices = [source.matrix_path for source in found.sources if source.matrix_path is not None]
    if matrices:
        return Size(embeddings=sum(path.stat().st_size for path in matrices))
    tables = [source.table_path for source in found.sources if not _embeds(source.table_path)]
    return Size(texts=sum(file.stat().st_size for path in tables for file in _files(path)))


def _files(path: Path) -> list[Path]:
    """Give the files of a label file, which may be a folder of texts."""
    return (
        [file for inside in text_files.class_folders(path) for file in text_files.files(inside)]
        if path.is_dir()
        else [path]
    )


def hosts(told: Hosts) -> Iterator[Finding]:
    """Say whether the hosts of a job can meet: the leader must be found by name and reached at one port."""
    if len(told.all) == 1:
        yield ok("hosts", "1")
        return
    yield ok("hosts", f"{len(told.all)}, of which {told.leader} writes; this one is {told.current}")
    yield _found(told.leader)
    if told.is_leader:
        yield _free(companions.PORT)


def _found(name: str) -> Finding:
    try:
        address = socket.gethostbyname(name)
    except OSError:
        return problem(
            "hosts", f"no address is known for {name}: all hosts must be in one network and started together"
        )
    return ok("hosts", f"{name} is {address}; the others must reach it at port {companions.PORT}")


def _free(port: int) -> Finding:
    try:
        socket.create_server(("", port)).close()
    except OSError as error:
        return problem(
            "hosts", f"port {port} cannot be opened ({error.strerror}): another process of this container has it"
        )
    return ok("hosts", f"port {port} can be opened")


def files(told: Configuration) -> Layout:
    """Look at the data channels; nothing of them is read."""
    return layout.find(told.data_channels)
