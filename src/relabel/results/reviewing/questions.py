"""What can be asked: every duplicate group of the audited rows is one question, since one answer settles all its rows.

Letters: N rows, Q questions.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from relabel.data import duplicates, phrases
from relabel.data.examples import Split
from relabel.data.reviews import Answer
from relabel.errors import UserError
from relabel.results import audit_table, columns, metrics_file

NEEDED = (
    *("file", "row", "id", "split", "group", "left_out", "given_label", "suggested_label", "posterior", "flagged"),
    *("reviewed", "text", "row_hash"),
)


@dataclass(frozen=True, slots=True, eq=False)
class Questions:
    """All questions of a job's results, in the order of the first row of each.

    Of rows (N):
    file, id, row_hash: object arrays of str; row: int64; text: object array of str or None.
    given:     object array of str, or None for unlabelled rows.
    suggested: object array of str.
    wrong:     float64, probability that the label is wrong.
    question:  int64 into the questions.

    Of questions (Q):
    shown:     int64, the row that people are shown: the most doubtful of those that count.
    split:     uint8, a Split: that of the shown row.
    size:      int64, how many rows an answer settles.
    value:     float64, expected number of wrong labels that an answer puts right: the sum over the rows, and no less than
               the number of labels that cannot be right, since they differ from the commonest one.
    conflict:  bool, the rows carry more than one label, so one at least is wrong.
    flagged:   bool, some row is flagged.
    reviewed:  bool, people decided already, before the audit.

    classes:   of the data, in order. data: their digest.
    """

    file: NDArray[np.object_]
    row: NDArray[np.int64]
    id: NDArray[np.object_]
    row_hash: NDArray[np.object_]
    text: NDArray[np.object_]
    given: NDArray[np.object_]
    suggested: NDArray[np.object_]
    wrong: NDArray[np.float64]
    question: NDArray[np.int64]
    shown: NDArray[np.int64]
    split: NDArray[np.uint8]
    size: NDArray[np.int64]
    value: NDArray[np.float64]
    conflict: NDArray[np.bool_]
    flagged: NDArray[np.bool_]
    reviewed: NDArray[np.bool_]
    classes: tuple[str, ...]
    data: str

    def __len__(self) -> int:
        return int(self.shown.size)

    def split_name(self, question: int) -> str:
        """Name the split of a question."""
        return Split(self.split[question]).name.lower()

    def answered(self, row: int, *, answer: str, reviewer: str, time: str, why: str, source: str) -> Answer:
        """Make a person's answer on a row, with what the person was shown of it."""
        return Answer(
            row_hash=self.row_hash[row],
            answer=answer,
            reviewer=reviewer,
            time=time,
            file=self.file[row],
            row=int(self.row[row]),
            id=self.id[row],
            split=self.split_name(int(self.question[row])),
            given=self.given[row],
            suggested=self.suggested[row],
            posterior=float(self.wrong[row]),
            why=why,
            source=source,
            data=self.data,
        )

    def of_hash(self) -> dict[str, int]:
        """Give the question of every row hash."""
        return dict(zip(self.row_hash.tolist(), self.question.tolist(), strict=True))


@dataclass(frozen=True, slots=True, eq=False)
class Weighed:
    """What puts questions in order: `question` of rows (N,), and of questions (Q,) value, conflict and reviewed, as in Questions."""

    question: NDArray[np.int64]
    value: NDArray[np.float64]
    conflict: NDArray[np.bool_]
    reviewed: NDArray[np.bool_]

    def __len__(self) -> int:
        return int(self.value.size)


def read(results: Path) -> Questions:
    """Read the questions of a job's `output/data` folder.

    Raises UserError where it is none, or was written before rows carried their text and hash.
    """
    if not (results / audit_table.NAME).is_file() or not (results / metrics_file.NAME).is_file():
        raise UserError(
            f"{results}: no {audit_table.NAME} beside {metrics_file.NAME}: give the folder output/data of a training job"
        )
    table = audit_table.read(results)
    if missing := [name for name in NEEDED if name not in table.column_names]:
        raise UserError(f"{audit_table.NAME}: no column {phrases.names(missing)}: run the job again with this version")
    about = metrics_file.read(results)["data"]
    return gathered(table, tuple(about["classes"]), about["digest"])


def gathered(table: pa.Table, classes: tuple[str, ...], data: str) -> Questions:
    """Make questions of the rows of an audit table."""
    column = {name: table[name].to_numpy() for name in NEEDED}
    weight = weighed(table, classes)
    group, wrong, count = weight.question, column["posterior"], len(weight)
    split = _codes(table["split"], columns.SPLITS).astype(np.uint8)
    shown = _shown(group, wrong, column["left_out"] & ~column["reviewed"])
    return Questions(
        file=column["file"],
        row=column["row"],
        id=column["id"],
        row_hash=column["row_hash"],
        text=column["text"],
        given=column["given_label"],
        suggested=column["suggested_label"],
        wrong=wrong,
        question=group,
        shown=shown,
        split=split[shown],
        size=np.bincount(group, minlength=count),
        value=weight.value,
        conflict=weight.conflict,
        flagged=_any(group, column["flagged"], count),
        reviewed=weight.reviewed,
        classes=classes,
        data=data,
    )


def weighed(table: pa.Table, classes: tuple[str, ...]) -> Weighed:
    """Weigh the questions of the rows of an audit table, of which nothing else is read."""
    group = duplicates.renumbered(table["group"].to_numpy())
    given, count = _codes(table["given_label"], classes), int(group.max(initial=-1)) + 1
    expected = np.bincount(group, weights=table["posterior"].to_numpy(), minlength=count)
    return Weighed(
        question=group,
        value=np.maximum(expected, _surely_wrong(group, given, count)),
        conflict=_any(group, duplicates.conflicting(group, given), count),
        reviewed=_any(group, table["reviewed"].to_numpy(), count),
    )


def of_splits(questions: Questions, splits: tuple[Split, ...]) -> NDArray[np.bool_]:
    """Mark the questions (Q,) of some splits."""
    return np.isin(questions.split, [int(split) for split in splits])


def _shown(group: NDArray[np.int64], wrong: NDArray[np.float64], out: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The row of each group that counts, is most doubtful, and stands first."""
    order = np.lexsort((np.arange(group.size), -wrong, out, group))
    _, first = np.unique(group[order], return_index=True)
    shown: NDArray[np.int64] = order[first]
    return shown


def _surely_wrong(group: NDArray[np.int64], given: NDArray[np.int64], count: int) -> NDArray[np.float64]:
    """How many labels of each group (Q,) differ from its commonest one."""
    known = duplicates.conflicting(group, given)
    pairs, times = np.unique(np.stack([group[known], given[known]]), axis=1, return_counts=True)
    commonest = np.zeros(count)
    np.maximum.at(commonest, pairs[0], times)
    surely: NDArray[np.float64] = np.bincount(group[known], minlength=count) - commonest
    return surely


def _codes(column: pa.ChunkedArray, names: tuple[str, ...] | list[str]) -> NDArray[np.int64]:
    """Turn names (N,) into their place; -1 for none."""
    place = pc.index_in(column.cast(pa.string()), value_set=pa.array(names, pa.string()))
    codes: NDArray[np.int64] = place.fill_null(-1).to_numpy().astype(np.int64)
    return codes


def _any(group: NDArray[np.int64], holds: NDArray[np.bool_], count: int) -> NDArray[np.bool_]:
    """Tell for each group whether something holds of any of its rows."""
    found: NDArray[np.bool_] = np.bincount(group, weights=holds, minlength=count) > 0
    return found
