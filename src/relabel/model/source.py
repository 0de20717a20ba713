"""Models from elsewhere: an address in, the folder of a model on this machine out.

| address                                                     | what lies there                           |
|-------------------------------------------------------------|-------------------------------------------|
| a path, file:///PATH                                        | a model folder, or its model.tar.gz       |
| https://…                                                   | a model.tar.gz                            |
| s3://BUCKET/KEY.tar.gz, s3://BUCKET/PREFIX/                 | a model.tar.gz, or a folder               |
| models:/NAME/VERSION, models:/NAME@ALIAS, runs:/RUN/PATH,   | what MLflow keeps: a folder, or a file    |
| mlflow-artifacts:/PATH                                      | whose name ends as that of an archive     |

A folder holds a model, at whatever depth, or a model.tar.gz.
"""

from __future__ import annotations

import hashlib
import logging
import re
import urllib.parse
from pathlib import Path

from relabel.container.environment import Environment
from relabel.errors import UserError
from relabel.model import artifact, unpacking
from relabel.model.sources import cache, http, mlflow, s3
from relabel.model.sources.cache import Cache
from relabel.model.sources.http import Page
from relabel.model.sources.remote import Remote

ARCHIVES = (".tar.gz", ".tgz", ".tar")
PIN = re.compile(r"#sha256=([^#]*)$")
SHA256 = re.compile(r"[0-9a-f]{64}")

log = logging.getLogger(__name__)


def fetch(uri: str, environment: Environment, sha256: str = "") -> Path:
    """Give the folder of a model; what comes from elsewhere, or out of an archive, lies in the cache (`RELABEL_CACHE`).

    uri:    see the table above; `#sha256=…` at its end says what must be there.
    sha256: the same. It is the hash of the archive, or of a folder its `model.json`, which holds the hashes of all other files.

    Nothing is downloaded that is in the cache. Raises UserError where there is no model or another one than the hash says, PlatformError
    where nobody answers or the cache cannot be written.
    """
    address, pin = _pinned(uri, sha256)
    if (there := _path(address)) and there.is_dir():
        return _in_place(there, pin)
    kept = cache.at(environment.cache)
    if pin and (found := kept.found(pin)):
        return found
    place = there or _remote(address, environment)
    if isinstance(place, Path) and place.is_dir():
        return _in_place(place, pin)
    if isinstance(place, Path) and not place.is_file():
        raise UserError(f"{place}: no such file or folder: give a model folder or its model.tar.gz")
    with kept.alone() as work:
        if isinstance(place, Path):
            return _unpacked(place, str(place), work, kept, pin)
        if isinstance(place, Page) or place.key.endswith(ARCHIVES):
            return _archive(place, "", work, kept, pin)
        return _folder(place, work, kept, pin)


def shown(uri: str) -> str:
    """Give an address as people may read it: without passwords, signatures and hash."""
    return http.without_secrets(uri) if "://" in uri else PIN.sub("", uri)


def _pinned(uri: str, sha256: str) -> tuple[str, str]:
    """Take the hash off an address. Raises UserError where it is none, or not the one that is said beside."""
    found = PIN.search(uri)
    pins = {each.strip().lower() for each in (*((found[1],) if found else ()), *((sha256,) if sha256.strip() else ()))}
    if not all(SHA256.fullmatch(each) for each in pins):
        raise UserError(f"{shown(uri)}: its sha256 is no hash: give 64 digits of 0-9 and a-f")
    if len(pins) > 1:
        raise UserError(f"{shown(uri)}: two different hashes, one at its end and one beside it: give one")
    return PIN.sub("", uri.strip()), "".join(pins)


def _path(address: str) -> Path | None:
    """Give the path that an address on this machine is."""
    if address.startswith("file://"):
        return Path(urllib.parse.unquote(address.removeprefix("file://")))
    return None if "://" in address or address.startswith(mlflow.SCHEMES) else Path(address)


def _remote(address: str, environment: Environment) -> Remote | Path:
    """Give what can be fetched from an address, or the path on this machine that MLflow has for it."""
    if address.startswith(mlflow.SCHEMES):
        asked = mlflow.server(environment.variables)
        address = mlflow.located(address, asked)
        if address.startswith(mlflow.ARTIFACTS):
            return mlflow.artifacts(address, asked)
    there = _path(address)
    if there is not None:
        return there
    if found := re.fullmatch(r"s3://([^/]+)/(.*)", address):
        path = found[2] if not found[2] or found[2].endswith(("/", *ARCHIVES)) else found[2] + "/"
        return s3.bucket(found[1], path)
    if address.startswith(("http://", "https://")):
        return Page(address)
    raise UserError(
        f"{shown(address)}: no address of a model that is known here: give a path, https://, s3://BUCKET/KEY, or {mlflow.EXAMPLES}"
    )


def _in_place(folder: Path, pin: str) -> Path:
    """Take a folder of this machine as it is."""
    if pin:
        _check(str(folder), artifact.DESCRIPTION, _digest(folder / artifact.DESCRIPTION), pin)
    return folder


def _archive(remote: Remote, name: str, work: Path, kept: Cache, pin: str) -> Path:
    """Fetch an archive, unless its server says that it is the one that is in the cache."""
    where, key = (f"{each.rstrip('/')}/{name}" if name else each for each in (remote.shown, remote.key))
    known, former = kept.seen(key)
    if pin and former != pin:
        known = ""
    tag = remote.save(name, work / "archive", known)
    if tag is None:
        return kept.folder / "contents" / former
    log.info("fetched %s", where)
    found = _unpacked(work / "archive", where, work, kept, pin)
    kept.note(key, tag, found.name)
    return found


def _unpacked(archive: Path, where: str, work: Path, kept: Cache, pin: str) -> Path:
    """Unpack an archive into the cache."""
    sha256 = _digest(archive)
    _check(where, "the archive", sha256, pin)
    if found := kept.found(sha256):
        return found
    made = work / "model"
    made.mkdir()
    try:
        unpacking.unpack(archive, made)
        artifact.load(made)
    except UserError as error:
        raise _no_model(where, error, made, archive) from None
    return kept.keep(made, sha256)


def _folder(remote: Remote, work: Path, kept: Cache, pin: str) -> Path:
    """Fetch a folder file by file, its description first: where that is in the cache, so are all files that it names."""
    names = remote.names()
    found = unpacking.of_model(names, remote.shown)
    if artifact.DESCRIPTION not in found:
        archives = sorted((name for name in names if name.rpartition("/")[2] == "model.tar.gz"), key=len)
        if archives:
            return _archive(remote, archives[0], work, kept, pin)
        raise UserError(
            f"{remote.shown}: neither {artifact.DESCRIPTION} nor model.tar.gz lies there: look at the address"
        )
    made = work / "model"
    for path, name in sorted(found.items(), key=lambda item: item[0] != artifact.DESCRIPTION):
        (made / path).parent.mkdir(parents=True, exist_ok=True)
        remote.save(name, made / path)
        if path == artifact.DESCRIPTION:
            sha256 = _digest(made / path)
            _check(remote.shown, artifact.DESCRIPTION, sha256, pin)
            if there := kept.found(sha256):
                return there
    log.info("fetched %s", remote.shown)
    try:
        artifact.load(made)
    except UserError as error:
        raise _no_model(remote.shown, error, made) from None
    return kept.keep(made, sha256)


def _no_model(where: str, error: UserError, *places: Path) -> UserError:
    """Say a problem of what was fetched by its address."""
    said = "; ".join(error.problems)
    for place in places:
        said = said.replace(f"{place}", where)
    return UserError(said)


def _check(where: str, what: str, sha256: str, pin: str) -> None:
    if pin and sha256 != pin:
        raise UserError(
            f"{shown(where)}: the hash of {what} is {sha256}, expected was {pin}: it is another model, or was changed on the way"
        )


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from None
