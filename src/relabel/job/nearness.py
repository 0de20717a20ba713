"""Rows as vectors in which they can be compared, for all stages that ask what lies near what.

Letters: N rows, U of them looked at, D width.
"""

from __future__ import annotations

import dataclasses
import logging
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from relabel.auditing import neighbours
from relabel.auditing.data_issues.issue import Issue
from relabel.auditing.data_issues.survey import Looked, Opinion, look, survey
from relabel.auditing.neighbours import Search, View
from relabel.data.examples import Examples
from relabel.job.material import Material, comparable
from relabel.settings import TrainSettings

log = logging.getLogger(__name__)

EFFORT = {"off": neighbours.QUICK, "on": neighbours.QUICK, "thorough": neighbours.THOROUGH}
"""Setting `data_issues` -> what a search spends; the report searches even where no issues are looked for."""


@dataclass(frozen=True, slots=True, eq=False)
class Nearness:
    """The rows, looked at once: all N or, of very many, U that were drawn.

    whole:  all rows, with comparable vectors (N, D) as their features.
    looked: those (U,) that are looked at.
    search: what a search in the view spends.
    """

    whole: Examples
    looked: Looked
    search: Search

    @property
    def rows(self) -> NDArray[np.intp]:
        """Those that are looked at (U,), rising."""
        return self.looked.rows

    @property
    def view(self) -> View:
        """Of those that are looked at."""
        return self.looked.view

    @property
    def said(self) -> str:
        """Say what is looked at, where it is not all; else nothing."""
        if self.rows.size == len(self.whole):
            return ""
        return f"a uniform draw of {self.rows.size:,} of {len(self.whole):,} rows"

    def opinion(self, opinion: Opinion) -> Opinion:
        """Give what is thought of the rows that are looked at."""
        if not self.said:
            return opinion
        return Opinion(opinion.probability[self.rows], opinion.wrong[self.rows])

    def with_rows(self, also: NDArray[np.intp]) -> tuple[View, NDArray[np.intp], NDArray[np.intp]]:
        """Give a view whose points are those of other rows (n,) too, the rows of all its points, and the places of these (n,) among them."""
        features = self.whole.features
        if not self.said or features is None:
            return self.view, self.rows, also
        points = np.concatenate([self.view.points, self.view.of(features.take(also))])
        place = self.rows.size + np.arange(also.size)
        return dataclasses.replace(self.view, points=points), np.concatenate([self.rows, also]), place


def seen(examples: Examples, material: Material, settings: TrainSettings) -> Nearness | None:
    """Look at the rows; None where no stage asks."""
    if settings.data_issues == "off" and settings.report == "off":
        return None
    features, search = comparable(material, examples, settings), EFFORT[settings.data_issues]
    whole = dataclasses.replace(examples, features=features)
    near = Nearness(whole, look(whole, search, seed=settings.seed), search)
    if near.said:
        log.info("what lies near what, clusters and slices are looked for in %s", near.said)
    return near


def data_issues(near: Nearness | None, opinion: Opinion, settings: TrainSettings) -> tuple[Issue, ...]:
    """Find the issues of data other than wrong labels, none where they are not looked for."""
    if near is None or settings.data_issues == "off":
        return ()
    return survey(near.whole, opinion, near.search, near.looked, seed=settings.seed)
