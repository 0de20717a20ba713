"""`relabel embed`: texts to embeddings, by an encoder that lies in a folder."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from relabel.cli.options import given, options
from relabel.settings import TrainSettings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from relabel.data.examples import Features
    from relabel.text.reader import Reader, TextInput

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
NEW_FOLDER = click.Path(file_okay=False, path_type=Path)

WORK = ".relabel-embed"
"""Folder of what an unfinished run has made."""

BLOCK = 8192
"""Vectors that are written at once."""

LINES = 10
"""Lines that tell how far a table is, where there is no bar."""


@click.command()
@click.option("--encoder", required=True, type=FOLDER, help="folder of transformers or sentence-transformers")
@click.option("--data", required=True, type=FOLDER, help="folder of label files with a column of texts")
@click.option(
    "--output", type=NEW_FOLDER, help="folder for the embeddings and copies of the label files  [default: --data]"
)
@click.option("--cache", type=NEW_FOLDER, help="folder where vectors are kept for further runs, by encoder and text")
@click.option(
    "--pooling",
    default="",
    help="mean, cls or max, or several as in mean+max  [default: what the encoder says, else mean]",
)
@click.option(
    "--max-tokens", default=0, type=click.IntRange(0), help="most tokens of a text  [default: the encoder's own]"
)
@click.option(
    "--batch-tokens",
    default=0,
    type=click.IntRange(0),
    help="tokens of a batch with its padding  [default: 4096, on a GPU 65536]",
)
@options(TrainSettings, only=("text_column",))
def command(
    *,
    encoder: Path,
    data: Path,
    output: Path | None,
    cache: Path | None,
    pooling: str,
    max_tokens: int,
    batch_tokens: int,
    **values: Any,
) -> None:
    """Write NAME.npy (float16) for each label file NAME in the folder.

    What is already embedded is kept: start the command again after it was stopped, and it goes on.
    """
    from relabel import settings
    from relabel.container import memory
    from relabel.container.signals import Stop, Stopped
    from relabel.data.room import Room
    from relabel.text import cache as kept
    from relabel.text import encoder_files

    column = settings.parse(TrainSettings, given(values)).text_column
    about = encoder_files.describe(encoder, pooling=pooling, max_tokens=max_tokens)
    target = output or data
    work = target / WORK / encoder_files.fingerprint(about)
    texts = _texts(data, column)
    _check_free(target, texts, work)
    work.mkdir(parents=True, exist_ok=True)
    meter = _Meter(about, batch_tokens)
    try:
        with Stop() as stop, _told() as tell:
            for path, column_texts in texts.items():
                vectors = kept.embedded(
                    column_texts,
                    about,
                    cache or work.parent,
                    progress=partial(tell, path.name),
                    check=stop.check,
                    load=lambda _about: meter.loaded(),
                    room=Room.within(memory.read().limit),
                )
                _write(path, target, vectors)
    except Stopped as stopped:
        click.echo(f"{stopped}: what is embedded is kept, start the command again to go on", err=True)
        sys.exit(stopped.exit_code)
    shutil.rmtree(work.parent)
    rows = sum(map(len, texts.values()))
    click.echo(f"{rows:,} texts in {len(texts)} files, {vectors.shape[1]} numbers each: {target}")
    click.echo(f"{meter.texts:,} texts were embedded{meter.speed}, the others were equal to these, or kept from before")


class _Meter:
    """Makes the encoder once, when it is needed, and notes what it does."""

    def __init__(self, about: TextInput, batch_tokens: int) -> None:
        self._about, self._batch_tokens = about, batch_tokens
        self._read: Reader | None = None
        self.texts, self.seconds = 0, 0.0

    def loaded(self) -> Reader:
        """Give a reader that notes what it does."""
        from relabel.text.encoder import Encoder

        self._read = self._read or Encoder(self._about, batch_tokens=self._batch_tokens)
        return self

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        assert self._read is not None  # noqa: S101  # who calls has loaded
        started = time.perf_counter()
        vectors: NDArray[np.float32] = self._read(texts)
        self.texts += len(texts)
        self.seconds += time.perf_counter() - started
        return vectors

    @property
    def speed(self) -> str:
        """Texts in a second, in words."""
        return f" in {self.seconds:.1f} s ({self.texts / self.seconds:,.0f} texts/s)" if self.texts else ""


def _texts(data: Path, column: str) -> dict[Path, list[str]]:
    """Read the texts of each label file of the folder. Raises UserError with all that is wrong with any."""
    from relabel.data import formats
    from relabel.errors import UserError

    paths = [p for p in sorted(data.iterdir()) if p.suffix.lower() in formats.TABLES and not p.name.startswith(".")]
    problems = [] if paths else [f"{data}: no label files ({', '.join(formats.TABLES)})"]
    texts = {}
    for path in paths:
        try:
            texts[path] = _column(path, column)
        except UserError as error:
            problems += [f"{path.name}: {problem}" for problem in error.problems]
        if [other.stem for other in paths].count(path.stem) > 1:
            problems.append(f"{path.name}: another label file has its name, and so would its embeddings: rename one")
    if problems:
        raise UserError(*problems)
    return texts


def _column(path: Path, column: str) -> list[str]:
    from relabel.data import formats, phrases
    from relabel.errors import UserError

    table = formats.table(path).read(path, [column])
    if column not in table.values:
        raise UserError(f"no column `{column}` of texts, only {phrases.names(table.header)}: set --text-column")
    texts: list[str] = table.values[column].tolist()
    return texts


def _check_free(target: Path, paths: Collection[Path], work: Path) -> None:
    """Refuse to replace embeddings, but for those of a run by the same encoder that did not end."""
    from relabel.data import formats
    from relabel.errors import UserError

    places = [target / f"{path.stem}{suffix}" for path in paths for suffix in formats.MATRICES]
    there = [] if work.exists() else [place for place in places if place.exists()]
    if there:
        remedy = "there are embeddings already: delete them, or give another --output"
        raise UserError(*(f"{place}: {remedy}" for place in there))


def _write(path: Path, target: Path, vectors: Features) -> None:
    """Write the embeddings of a label file, and a copy of it where it lies elsewhere."""
    import numpy as np
    from numpy.lib import format as numpy_format

    from relabel import files

    copy = target / path.name
    if not (copy.exists() and path.samefile(copy)):
        with files.replacing(copy) as place:
            shutil.copyfile(path, place)
    rows, width = vectors.shape
    with files.replacing(target / f"{path.stem}.npy") as place, place.open("wb") as file:
        numpy_format.write_array_header_1_0(file, {"descr": "<f2", "fortran_order": False, "shape": (rows, width)})
        for start in range(0, rows, BLOCK):
            file.write(vectors.take(np.arange(start, min(start + BLOCK, rows))).astype("<f2").data)


@contextmanager
def _told() -> Iterator[Callable[[str, int, int], None]]:
    """Give what shows how far each file is: bars on a terminal, some lines elsewhere."""
    from relabel.cli.running import shown

    said: dict[str, int] = {}

    def line(name: str, done: int, total: int) -> None:
        part = LINES * done // max(total, 1)
        if part > said.get(name, -1):
            said[name] = part
            click.echo(f"{name}: {done:,} of {total:,} different texts")

    bars = sys.stderr.isatty()
    with shown(bars=bars) as progress:
        yield progress if bars else line
