"""What the platform says of a job: hyperparameters, channels, hosts and the checkpoint folder.

Its files may be missing, empty or `null`; each of these says nothing, and then the environment or the folders speak.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from relabel.container.environment import Environment
from relabel.container.paths import Paths
from relabel.errors import UserError

MODEL = "model"
"""Channel of an earlier artifact."""

ENCODER = "encoder"
"""Channel of an encoder: a folder as Hugging Face's libraries write it."""

REVIEWED = "reviewed"
"""Channel of what people answered."""

SDK_CHANNELS = ("code", "sm_drivers")
"""Channels that the SageMaker SDK's `ModelTrainer` adds where it is given source code: the code, and what starts it."""

CHANNEL = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,254}")
"""What a channel may be called."""

WHOLE = {MODEL, ENCODER, REVIEWED}
"""Channels that every host needs all of."""

TRAIN = "train"
LOCALHOST = "localhost"

J = TypeVar("J", dict[str, Any], list[Any])


@dataclass(frozen=True, slots=True)
class Hosts:
    """The machines of one job; `all` has `current` among them."""

    current: str = LOCALHOST
    all: tuple[str, ...] = (LOCALHOST,)

    @property
    def leader(self) -> str:
        """First host by name: every host finds the same one."""
        return min(self.all)

    @property
    def is_leader(self) -> bool:
        """Whether this host is the one that writes results."""
        return self.current == self.leader


@dataclass(frozen=True, slots=True)
class Configuration:
    """One job as the platform describes it.

    hyperparameters: as given, mostly strings; `relabel.settings.parse` gives them their types.
    channels:        folder of each channel, sorted by name; each was there when this was read. Never written to. Of the answers
                     that a person names it is their file.
    hosts:           the machines of the job.
    checkpoints:     folder that survives a restart.
    sharded:         channels of which each host has other files (ShardedByS3Key); the folder of one may not be there.
    """

    hyperparameters: dict[str, Any]
    channels: dict[str, Path]
    hosts: Hosts
    checkpoints: Path
    sharded: frozenset[str] = frozenset()

    @property
    def data_channels(self) -> dict[str, Path]:
        """Channels that hold rows: all but an earlier artifact's, an encoder's and the SDK's own."""
        return {name: folder for name, folder in self.channels.items() if name not in {MODEL, ENCODER, *SDK_CHANNELS}}

    @property
    def model_channel(self) -> Path | None:
        """Folder of an earlier artifact, where one is given."""
        return self.channels.get(MODEL)

    @property
    def encoder_channel(self) -> Path | None:
        """Folder of an encoder, where one is given."""
        return self.channels.get(ENCODER)


def read(paths: Paths, environment: Environment) -> Configuration:
    """Read every configuration file.

    Raises UserError with all problems of all files: JSON that is broken or of another shape, hosts that contradict each
    other, channels in a mode that cannot be read or without a folder.
    """
    problems: list[str] = []
    hosts = _hosts(paths, environment, problems)
    configuration = Configuration(
        hyperparameters=_hyperparameters(paths, environment, problems),
        channels=_channels(paths, environment, hosts, problems),
        hosts=hosts,
        checkpoints=_checkpoints(paths, problems),
        sharded=_sharded(paths),
    )
    if problems:
        raise UserError(*problems)
    return configuration


def _hyperparameters(paths: Paths, environment: Environment, problems: list[str]) -> dict[str, Any]:
    said = _file(paths.hyperparameters, problems)
    return said or _parsed(environment.hyperparameters, "SM_HPS", dict, problems)


def _hosts(paths: Paths, environment: Environment, problems: list[str]) -> Hosts:
    usual, other = paths.resource_config
    said = _file(usual, problems) or _file(other, problems)
    source = "resourceconfig.json" if said else "SM_HOSTS"
    everyone = said.get("hosts") or _parsed(environment.hosts, "SM_HOSTS", list, problems)
    current = said.get("current_host") or environment.current_host
    if not isinstance(current, str) or not isinstance(everyone, list) or not all(isinstance(h, str) for h in everyone):
        problems.append(f"{source}: give `hosts` as a list of names and `current_host` as one of them")
        return Hosts()
    if not current and len(everyone) > 1:
        problems.append(
            f"{source}: there are {len(everyone)} hosts, but no `current_host` says which of them this one is"
        )
    if current and everyone and current not in everyone:
        problems.append(f"{source}: current_host {current!r} is not one of the hosts {', '.join(everyone)}")
    return Hosts(current or (everyone or [LOCALHOST])[0], tuple(everyone or [current or LOCALHOST]))


def _channels(paths: Paths, environment: Environment, hosts: Hosts, problems: list[str]) -> dict[str, Path]:
    """Find the folder of each channel; an encoder, a champion and answers that a person names are more of them."""
    named = {} if paths.encoder is None else _present({ENCODER: paths.encoder}, "given as the encoder", problems)
    if paths.champion is not None:
        named |= _present({MODEL: paths.champion}, "given as the champion", problems)
    if paths.reviews is not None:
        named |= _answers(paths.reviews, problems)
    return {**_given(paths, environment, hosts, problems), **named}


def _named(said: Mapping[str, Any], problems: list[str]) -> dict[str, Any]:
    """Keep the channels whose names are the platform's; a name that leads elsewhere would be a folder of somebody else."""
    strange = [name for name in sorted(said) if not CHANNEL.fullmatch(name)]
    problems.extend(
        f"inputdataconfig.json: a channel is called {name!r}: give it a name of letters, digits and . _ -, not with a dot first"
        for name in strange
    )
    return {name: about for name, about in said.items() if name not in strange}


def _answers(named: Path, problems: list[str]) -> dict[str, Path]:
    if named.exists():
        return {REVIEWED: named}
    problems.append(f"there are no answers at {named}: give the file that `relabel review import` wrote")
    return {}


def _given(paths: Paths, environment: Environment, hosts: Hosts, problems: list[str]) -> dict[str, Path]:
    """Find the folders of channels: as a person, else the file, else the toolkit names them, else what is there."""
    if paths.data is not None:
        return _present(_channels_of(paths.data, problems), "given as the data", problems)
    said = _file(paths.input_data_config, problems)
    if said:
        said = _named(said, problems)
        problems.extend(problem for name in sorted(said) for problem in _refusals(name, said[name], hosts))
        folders = {name: paths.channels / name for name in sorted(said) if not _is_pipe(said[name])}
        elsewhere = {name for name in folders if _is_sharded(said[name]) and len(hosts.all) > 1}
        here = {name: folder for name, folder in folders.items() if name not in elsewhere}
        present = elsewhere | _present(here, "named in inputdataconfig.json", problems).keys()
        return {name: folder for name, folder in folders.items() if name in present}
    if environment.channels:
        return _present(environment.channels, "named in the environment (SM_CHANNEL_…)", problems)
    return _folders(paths.channels, problems)


def _channels_of(data: Path, problems: list[str]) -> dict[str, Path]:
    """Tell a folder of channels, which has a folder `train`, from one that is the channel `train` itself."""
    inside = _folders(data, problems)
    return inside if TRAIN in inside else {TRAIN: data}


def _folders(folder: Path, problems: list[str]) -> dict[str, Path]:
    try:
        return {path.name: path for path in sorted(folder.iterdir()) if path.is_dir() and not path.name.startswith(".")}
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        problems.append(f"folder {folder} cannot be read ({error.strerror}): make it readable for the job's user")
        return {}


def _present(folders: Mapping[str, Path], by: str, problems: list[str]) -> dict[str, Path]:
    """Keep the channels that have a folder; the others are problems."""
    missing = {name: folder for name, folder in folders.items() if not folder.is_dir()}
    problems.extend(
        f"channel `{name}` is {by}, but there is no folder {folder}: give it data, or take it out"
        for name, folder in missing.items()
    )
    return {name: folder for name, folder in folders.items() if name not in missing}


def _refusals(name: str, about: Any, hosts: Hosts) -> list[str]:
    """Say why a channel cannot be read in the way it is given."""
    if about is not None and not isinstance(about, dict):
        return [f"inputdataconfig.json: channel `{name}` is described by {_kind(about)}, expected an object"]
    refused = []
    if _is_pipe(about):
        refused.append(
            f"channel `{name}` comes in Pipe mode, which can be read only once: use TrainingInputMode FastFile or File"
        )
    if _is_sharded(about) and name.lower() in WHOLE and len(hosts.all) > 1:
        refused.append(
            f"channel `{name}` is ShardedByS3Key over {len(hosts.all)} hosts, and each needs all of it: "
            "use S3DataDistributionType FullyReplicated"
        )
    return refused


def _sharded(paths: Paths) -> frozenset[str]:
    """Name the channels of which each host has other files; what is wrong with their description is said elsewhere."""
    said = {} if paths.data else _file(paths.input_data_config, [])
    return frozenset(name for name, about in said.items() if _is_sharded(about) and name.lower() not in WHOLE)


def _is_sharded(about: Any) -> bool:
    return isinstance(about, dict) and about.get("S3DistributionType") == "ShardedByS3Key"


def _is_pipe(about: Any) -> bool:
    return isinstance(about, dict) and str(about.get("TrainingInputMode")).lower() == "pipe"


def _checkpoints(paths: Paths, problems: list[str]) -> Path:
    named = _file(paths.checkpoint_config, problems).get("LocalPath")
    if named and not isinstance(named, str):
        problems.append(f"checkpointconfig.json: LocalPath is {_kind(named)}, expected the path of a folder")
        return paths.checkpoints
    return paths.place(Path(named)) if named else paths.checkpoints


def _file(path: Path, problems: list[str]) -> dict[str, Any]:
    """Read an object from a file; one that is missing, empty or null is {}."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return {}
    except OSError as error:
        problems.append(f"{path} cannot be read ({error.strerror}): make it a file that the job's user may read")
        return {}
    except UnicodeDecodeError as error:
        problems.append(f"{path} is not UTF-8 (byte {error.start}): write it again as JSON in UTF-8")
        return {}
    return _parsed(text, str(path), dict, problems)


def _parsed(text: str, source: str, kind: type[J], problems: list[str]) -> J:
    """Parse JSON of one kind; nothing and null are an empty one."""
    if not text.strip():
        return kind()
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        problems.append(f"{source} is broken JSON ({error.msg}, {where}): write it again, or leave it out")
        return kind()
    if value is not None and not isinstance(value, kind):
        problems.append(f"{source} holds {_kind(value)}, expected {_kind(kind())}")
        return kind()
    return value or kind()


def _kind(value: Any) -> str:
    return {dict: "an object", list: "a list", str: "a string", bool: "true or false"}.get(type(value), "a number")
