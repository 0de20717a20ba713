"""What a label file holds: columns of strings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """The wanted columns of one label file.

    rows:   N.
    header: names of all columns of the file, in its order.
    values: wanted columns that the file has, each (N,) str; an empty cell is "".
    """

    rows: int
    header: tuple[str, ...]
    values: Mapping[str, NDArray[np.object_]]
