"""What is known of all rows but their embeddings, in the order of the files: before splits are drawn and labels become classes.

Letters: N rows of all files together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from relabel.data.texts import Texts


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """The columns of all rows; `reading.examples_of` makes Examples of them.

    files:     the label files, as `channel/name`.
    file, row: (N,) int32 into `files` and (N,) int64, the record's number in it from 0.
    split:     (N,) uint8, a Split: that of the row's file, before any is drawn.
    names:     the distinct labels as they are written, sorted.
    codes:     (N,) int32 into `names`.
    ids:       (N,) object array of str, a row's own name or ""; None where no file has any.
    texts:     (N,), "" where unknown; None where no file has any.
    keys:      (N, 2) uint64, 128 bits of each embedding (see `keys`); None where there are no embeddings.
    hashes:    (N, 2) uint64, 128 bits of each embedding and its text (see `identity`), or None; often the same array as `keys`.
    metadata:  name -> (N,) object array of str, other columns, "" where a row has none.
    """

    files: tuple[str, ...]
    file: NDArray[np.int32]
    row: NDArray[np.int64]
    split: NDArray[np.uint8]
    names: tuple[str, ...]
    codes: NDArray[np.int32]
    ids: NDArray[np.object_] | None = None
    texts: Texts | None = None
    keys: NDArray[np.uint64] | None = None
    hashes: NDArray[np.uint64] | None = None
    metadata: Mapping[str, NDArray[np.object_]] = field(default_factory=dict)

    def __len__(self) -> int:
        return int(self.codes.size)
