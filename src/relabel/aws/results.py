"""A job's results on this machine, laid out as `relabel train --output` does: model/, output/data/, and job.json, which says whose they are."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from relabel import files
from relabel.aws import objects
from relabel.aws.account import Account
from relabel.errors import PlatformError, UserError
from relabel.model import unpacking

RECORD = "job.json"
UNFINISHED = {"unfinished": True}
"""What the record says while results are laid out: they are no job's yet, and nobody else's files either."""
MODEL, OUTPUT = "model.tar.gz", "output.tar.gz"
REPORT, FIGURES, COMPARISON = "report.html", "metrics.json", "champion.json"
"""Files of a job's results. Those who write them need the packages of training."""
DATA = "data"


def is_here(folder: Path, name: str) -> bool:
    """Whether a job's results lie in a folder, whole.

    Raises UserError where something else lies there: nobody's files are replaced.
    """
    record = read(folder)
    if record.get("job") == name:
        return True
    if not record and folder.is_dir() and any(folder.iterdir()):
        raise UserError(f"{folder} holds something that is no job's results: give another folder with --output")
    return False


def read(folder: Path) -> dict[str, Any]:
    """Read what is known of the job whose results lie in a folder; nothing where there are none."""
    path = folder / RECORD
    if not path.is_file():
        return {}
    try:
        record = json.loads(path.read_text())
    except ValueError:
        raise UserError(f"{path} is no record of a job: give another folder") from None
    return dict(record) if isinstance(record, dict) else {}


def fetch(account: Account, uri: str, folder: Path, record: Mapping[str, Any]) -> None:
    """Download the archives below `uri` and unpack them into a folder."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as work:
        for name in (MODEL, OUTPUT):
            if objects.described(account, f"{uri}{name}"):
                objects.download(account, f"{uri}{name}", Path(work))
        unpack(Path(work), folder, record)


def unpack(archives: Path, folder: Path, record: Mapping[str, Any]) -> None:
    """Lay out what the archives in a folder hold; links and paths that lead elsewhere are passed over.

    The record is written last, so results are whole or not there. Raises UserError where an archive cannot be read.
    """
    files.write_json(folder / RECORD, UNFINISHED)
    for archive, place, chosen in ((MODEL, "model", unpacking.of_model), (OUTPUT, "output", _of_output)):
        if not (archives / archive).is_file():
            continue
        with tempfile.TemporaryDirectory(prefix=".unpacked-", dir=folder) as made:
            target = Path(made) / place
            target.mkdir()
            unpacking.unpack(archives / archive, target, chosen=chosen)
            shutil.rmtree(folder / place, ignore_errors=True)
            target.rename(folder / place)
    files.write_json(folder / RECORD, dict(record))


def check(folder: Path, name: str) -> None:
    """Raise PlatformError where a job that ended well left no model."""
    if not (folder / "model").is_dir():
        files.write_json(folder / RECORD, UNFINISHED)
        raise PlatformError(
            f"{name} ended well and left no {MODEL}: look whether its place in S3 may be read and was not emptied"
        )


def headline(data: Path) -> list[str]:
    """Say the answer of a job in two lines, what was found and what it was worth, by the figures beside its results; none without them."""
    if not (figures := figures_of(data)):
        return []
    compared = figures["comparison"]
    gain = compared["gain"]["accuracy"]
    accuracy = f"accuracy {compared['before']['accuracy']:.4f} before, {compared['after']['accuracy']:.4f} after"
    interval = f"95% interval {gain['low']:+.4f} to {gain['high']:+.4f}"
    return [figures["treatment"]["verdict"], f"{accuracy}: gain {gain['value']:+.4f} ({interval})"]


def figures_of(data: Path) -> dict[str, Any]:
    """Read the figures beside a job's results; nothing where there are none."""
    return _figures(data / FIGURES)


def comparison_of(data: Path) -> dict[str, Any]:
    """Read how the job's model compared with its champion; nothing where there was none."""
    return _figures(data / COMPARISON)


def _figures(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text())) if path.is_file() else {}


def _of_output(names: Iterable[str], where: str = "") -> dict[str, str]:
    """Put what the job wrote to its folder of results below data/, whether the archive has that folder or only what is in it."""
    found = unpacking.all_of(names, where)
    if any(path.startswith(f"{DATA}/") for path in found):
        return found
    return {f"{DATA}/{path}": name for path, name in found.items()}
