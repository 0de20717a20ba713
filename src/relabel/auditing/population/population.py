"""All rows seen together: a map, clusters, measures, slices, and the company of the doubtful ones.

Letters: N rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from relabel.auditing.population.clusters import Cluster
from relabel.auditing.population.company import Company
from relabel.auditing.population.judged import Overall
from relabel.auditing.population.projection import Projection
from relabel.auditing.population.slices import Skipped, Sliced, Worst
from relabel.auditing.population.trends import Trend


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """How many texts were measured.

    rows: texts on which every measure was taken, of `of` texts.
    why:  for people, where these are not all; None where they are.
    """

    rows: int
    of: int
    why: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Population:
    """What is known of all rows together.

    cluster:   (N,) int16 into clusters, -1 for none.
    loss:      (N,) float32, -ln of the out-of-fold probability of the given label; NaN for unlabelled rows.
    predicted: (N,) int64, the likeliest given label.
    measures:  name -> (N,) float32, NaN where a row was not measured.
    overall:   of the same rows as slices, worst and trends.
    looked_at: for people, the rows that clusters, measures, slices, trends and company are of, where these are not all; else "".
    """

    projection: Projection
    cluster: NDArray[np.int16]
    clusters: tuple[Cluster, ...]
    loss: NDArray[np.float32]
    predicted: NDArray[np.int64]
    measures: Mapping[str, NDArray[np.float32]]
    measured: Measured
    overall: Overall
    slices: tuple[Sliced, ...]
    skipped: tuple[Skipped, ...]
    worst: tuple[Worst, ...]
    trends: tuple[Trend, ...]
    company: Company
    looked_at: str = ""
