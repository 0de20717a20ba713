"""One name for the data that a fit is made of."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xxhash
from numpy.typing import NDArray

from relabel.data import keys
from relabel.data.examples import Examples


def digest(examples: Examples) -> str:
    """Give 32 hexadecimal digits (128-bit xxh3) of all that decides a fit.

    These are the keys of the features (the texts where there are none), labels, split, group, left_out and classes:
    not where rows came from, nor how a file stored them. Kept fits are named by it.
    """
    state = xxhash.xxh3_128()
    if examples.features is not None:
        state.update("features {} {};".format(*examples.features.shape).encode())
        _add_array(state, "keys", keys.of_features(examples.features) if examples.keys is None else examples.keys)
    elif examples.texts is not None:
        _add_strings(state, "texts", examples.texts)
    _add_array(state, "labels", examples.labels)
    _add_array(state, "split", examples.split)
    _add_array(state, "group", examples.group)
    _add_array(state, "left_out", examples.left_out)
    _add_strings(state, "classes", list(examples.classes))
    return str(state.hexdigest())


def _add_array(state: xxhash.xxh3_128, name: str, array: NDArray[np.generic]) -> None:
    state.update(f"{name} {array.dtype.str} {array.size};".encode())
    state.update(np.ascontiguousarray(array).data)


def _add_strings(state: xxhash.xxh3_128, name: str, strings: Sequence[str]) -> None:
    state.update(f"{name} {len(strings)};".encode())
    for text in strings:
        data = text.encode(errors="surrogatepass")
        state.update(f"{len(data)};".encode() + data)
