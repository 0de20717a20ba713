"""Vectors of texts, kept by what they were made of, so that no text is embedded twice: within a job, across jobs, after a kill.

    <folder>/<encoder>/<shard>.safetensors    hashes (n, 16) uint8 of texts, and their vectors (n, D) float16

The encoder's name is the fingerprint of its files and settings, a shard's that of its hashes. A shard is written whole or not at all;
one that cannot be read, or that is not as it was written, is passed over. Letters: N texts, U different ones, D width.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from pathlib import Path

import numpy as np
import safetensors
import safetensors.numpy
import xxhash
from numpy.typing import NDArray

from relabel import files
from relabel.data.examples import Dense, Features
from relabel.data.ordered import Ordered
from relabel.data.room import Room
from relabel.data.spool import laid
from relabel.errors import UserError
from relabel.text import encoder_files, reader
from relabel.text.reader import Reader, TextInput

log = logging.getLogger(__name__)

SHARD = 4096
"""Texts of a shard: what a kill may cost."""

SUM = "sum"
"""What a shard's header says of what it holds: a hash."""

KEY = np.dtype("S16")
"""128-bit xxh3 of a text, in an array that numpy can sort and search."""

Keys = NDArray[np.bytes_]


def embedded(
    texts: Sequence[str],
    about: TextInput,
    folder: Path,
    *,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
    check: Callable[[], None] = lambda: None,
    load: Callable[[TextInput], Reader] = reader.load,
    room: Room | None = None,
) -> Features:
    """Give the vectors (N, D) of texts (N,) by an encoder, from the folder where they are kept; those that are missing are made and kept.

    All are rounded to float16.

    progress: told (texts done, different texts in all), kept ones at once.
    check:    asked between shards; raises whatever must end the work, and what was made by then is kept.
    load:     makes the reader, only where a vector is missing or there is no text at all.
    room:     how many bytes may lie in memory; more goes to a file of ours.

    A text's vector depends on the order of texts in its last digit only, and the whole is the same to the bit when it was interrupted.
    Raises UserError where a vector is beyond float16.
    """
    keys, row_of = np.unique(_hashed(texts), return_inverse=True)
    shards = Shards(folder / encoder_files.fingerprint(about))
    missing = np.flatnonzero(~shards.known(keys))
    if missing.size or not keys.size:
        read = load(about)
        first = _first(row_of, keys.size)
        # In the order of the texts, so that a shard is the same in every run.
        missing = missing[np.argsort(first[missing])]
        progress(keys.size - missing.size, keys.size)
        for start in range(0, missing.size, SHARD):
            check()
            chosen = missing[start : start + SHARD]
            shards.add(keys[chosen], _vectors([texts[row] for row in first[chosen]], read))
            progress(keys.size - missing.size + start + chosen.size, keys.size)
        if not keys.size:
            return Dense(_vectors([], read).astype(np.float32))
    return shards.gathered(keys, row_of, room)


class Shards:
    """The vectors of one encoder in a folder. What another process adds meanwhile may be seen or not."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._keys = {path: keys for path in sorted(folder.glob("*.safetensors")) for keys in _read_keys(path)}

    def known(self, keys: Keys) -> NDArray[np.bool_]:
        """Tell which keys (U,) have a vector."""
        return np.isin(keys, np.concatenate([np.empty(0, KEY), *self._keys.values()]))

    def add(self, keys: Keys, vectors: NDArray[np.float16]) -> None:
        """Keep vectors (n, D) under their keys (n,) as a new shard."""
        path = self._folder / f"{xxhash.xxh3_64_hexdigest(keys.tobytes())}.safetensors"
        hashes = keys.view(np.uint8).reshape(-1, KEY.itemsize)
        vectors = np.ascontiguousarray(vectors)
        said = {SUM: _sum(hashes, vectors)}
        files.write_bytes(path, safetensors.numpy.save({"hashes": hashes, "vectors": vectors}, said))
        self._keys[path] = keys

    def gathered(self, keys: Keys, row_of: NDArray[np.intp], room: Room | None) -> Features:
        """Give the vectors (N, D) of rows (N,), of which each says its place in the known keys (U,), which rise."""
        lies = np.full(keys.size, -1)
        found = self._found(keys, lies)
        first = next(found)
        features = laid(chain((first,), found), keys.size, first.shape[1], room, first.dtype)
        if isinstance(features, Dense) and (room is None or room.holds(row_of.size, first.shape[1])):
            return Dense(features.array[lies[row_of]])
        return Ordered(features, lies[row_of])

    def _found(self, keys: Keys, lies: NDArray[np.intp]) -> Iterator[NDArray[np.float16]]:
        """Yield the vectors (n, D) of keys (U,), each once, and note where each lies among them all."""
        done = 0
        for path, kept in self._keys.items():
            place = np.searchsorted(keys, kept).clip(max=keys.size - 1)
            wanted = np.flatnonzero((keys[place] == kept) & (lies[place] < 0))
            if wanted.size:
                lies[place[wanted]] = done + np.arange(wanted.size)
                done += wanted.size
                yield safetensors.numpy.load_file(path)["vectors"][wanted]


def _hashed(texts: Sequence[str]) -> Keys:
    """Give the 128-bit xxh3 (N,) of each text."""
    digests = b"".join(xxhash.xxh3_128_digest(text.encode(errors="surrogatepass")) for text in texts)
    return np.frombuffer(digests, KEY)


def _first(row_of: NDArray[np.intp], count: int) -> NDArray[np.intp]:
    """Give the first row (U,) of each different text."""
    first = np.empty(count, np.intp)
    first[row_of[::-1]] = np.arange(row_of.size)[::-1]
    return first


def _vectors(texts: list[str], read: Reader) -> NDArray[np.float16]:
    with np.errstate(over="ignore"):
        made: NDArray[np.float16] = read(texts).astype(np.float16)
    if bad := int((~np.isfinite(made).all(axis=1)).sum()):
        raise UserError(
            f"{bad} of {len(made)} vectors of the encoder are no numbers, or beyond what float16 holds: its weights are broken, or it must normalise"
        )
    return made


def _read_keys(path: Path) -> Iterator[Keys]:
    """Yield the keys (n,) of a shard, nothing where it cannot be read or is not as it was written."""
    try:
        with safetensors.safe_open(path, framework="np") as opened:
            hashes, vectors, said = opened.get_tensor("hashes"), opened.get_tensor("vectors"), opened.metadata() or {}
        whole = hashes.ndim == vectors.ndim == 2 and len(hashes) == len(vectors) and hashes.dtype == np.uint8  # noqa: PLR2004
        if whole and said.get(SUM, "") in ("", _sum(hashes, vectors)):  # earlier versions kept none
            yield np.ascontiguousarray(hashes).view(KEY)[:, 0]
            return
    except (safetensors.SafetensorError, OSError):
        pass
    log.warning("%s cannot be read: its texts are embedded again", path)


def _sum(hashes: NDArray[np.uint8], vectors: NDArray[np.float16]) -> str:
    """Hash what a shard holds."""
    state = xxhash.xxh3_128(np.ascontiguousarray(hashes).data)
    state.update(vectors.data)
    return str(state.hexdigest())
