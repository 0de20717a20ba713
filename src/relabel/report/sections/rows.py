"""The doubtful rows: a table of the worst, and for each what speaks for another label: its words and its neighbours.

Letters: N rows, n of them shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from relabel.report import doubtful, excerpts, numbers
from relabel.report.results import Results
from relabel.report.section import Section

MOST = 1000
PAGE = 25
PRINTED = 100
"""Rows on paper: people print a report, not a table of a thousand texts."""

CUTS, BUDGET = (2000, 1200, 800, 500, 300, 200), 2_000_000
NEAR_CUTS, NEAR_BUDGET = (160, 120, 80, 50), 1_000_000
"""Characters of a text and of a neighbour's, and bytes of all together."""

SAID_WORDS, LONGEST_WORD = 4, 60
SURE = 0.999
UNLABELLED = "no label"
COLUMNS = ("file", "row", "id", "split", "given_label", "suggested_label", "posterior", "decision")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A doubtful row as the table shows it.

    left_out:  characters of the text that are not shown.
    words:     the few that matter most, each with what it brings to the log odds of the suggested label, and whether it speaks for it.
    near:      labelled neighbours that are known; other: of them, those with the suggested label.
    """

    rank: int
    position: int
    file: str
    row: int
    id: str
    split: str
    given: str
    suggested: str
    posterior: float
    decision: str
    text: str | None
    left_out: int
    words: Sequence[tuple[str, str, bool]]
    near: int
    other: int

    @property
    def chance(self) -> str:
        """The posterior for people; never 100%, which it is not."""
        return f">{SURE:.1%}" if self.posterior > SURE else numbers.percent(self.posterior)


def context(results: Results) -> dict[str, Any]:
    """Give the worst flagged rows, up to MOST of them, what a script shows of each on demand, and how many there are in all."""
    order = doubtful.worst_first(results)
    chosen = order[:MOST]
    explained = _explained(results, chosen)
    near = _near(results, chosen)
    rows = _rows(results, chosen, explained, near)
    return {
        "rows": rows,
        "total": order.size,
        "printed": PRINTED,
        "filters": _filters(rows),
        "by_chance": all(first.posterior >= second.posterior for first, second in pairwise(rows)),
        "has_words": any(row.words for row in rows),
        "has_near": any(row.near for row in rows),
        "looked_at": (results.overview or {}).get("looked_at", ""),
        "explained": sum(bool(row.words) for row in rows),
        "data": _details(results, chosen, explained, near),
    }


def _rows(
    results: Results, chosen: NDArray[np.int64], explained: Sequence[dict[str, Any] | None], near: Sequence[pa.Table]
) -> list[Row]:
    """What the table shows of each chosen row (n,)."""
    most = _longest(results, chosen)
    table = results.audit.select(COLUMNS).take(chosen)
    labels = results.audit["given_label"].cast(pa.string())
    around = [labels.take(found["neighbour"]).to_pylist() for found in near]
    each = zip(chosen.tolist(), table.to_pylist(), results.text(chosen), explained, around, strict=True)
    return [
        _row(rank, position, {**values, "text": text}, line, carried, most=most)
        for rank, (position, values, text, line, carried) in enumerate(each, 1)
    ]


def _row(
    rank: int, position: int, values: dict[str, Any], line: dict[str, Any] | None, carried: list[str], *, most: int
) -> Row:
    """One row: its values in the audit table, its line of explanations.jsonl, and the labels that its neighbours carry."""
    text, left_out = (None, 0) if values["text"] is None else excerpts.cut(values["text"], most)
    words = _words(line)[:SAID_WORDS]
    given, suggested = values["given_label"], values["suggested_label"]
    return Row(
        rank=rank,
        position=position,
        file=values["file"],
        row=values["row"],
        id=values["id"] or "",
        split=values["split"],
        given=UNLABELLED if given is None else given,
        suggested=suggested,
        posterior=values["posterior"],
        decision=values["decision"],
        text=text,
        left_out=left_out,
        words=[(word, numbers.signed(weight, 2), weight > 0) for word, weight in words],
        near=len(carried),
        other=carried.count(suggested),
    )


def _longest(results: Results, chosen: NDArray[np.int64]) -> int:
    """Characters of a text at most, so that all fit the budget."""
    texts = [text for text in results.text(chosen) if text is not None]
    return excerpts.longest(texts, CUTS, BUDGET)


def _explained(results: Results, chosen: NDArray[np.int64]) -> list[dict[str, Any] | None]:
    """The line of explanations.jsonl of each chosen row (n,), if it has one."""
    of_place = {(line["file"], line["row"]): line for line in results.explanations}
    table = results.audit.select(["file", "row"]).take(chosen)
    places = zip(table["file"].to_pylist(), table["row"].to_pylist(), strict=True)
    return [of_place.get(place) for place in places]


def _near(results: Results, chosen: NDArray[np.int64]) -> list[pa.Table]:
    """The neighbours of each chosen row (n,), nearest first: tables of neighbour and similarity."""
    if results.neighbours is None:
        none = pa.table({"neighbour": pa.array([], pa.int64()), "similarity": pa.array([], pa.float32())})
        return [none] * chosen.size
    row = results.neighbours["row"].to_numpy()
    order = np.argsort(row, kind="stable")
    table = results.neighbours.select(["neighbour", "similarity"]).take(order)
    starts, ends = np.searchsorted(row[order], chosen), np.searchsorted(row[order], chosen, side="right")
    return [table.slice(start, end - start) for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]


def _words(line: dict[str, Any] | None) -> list[tuple[str, float]]:
    """The words of a line of explanations.jsonl, each with its weight; one of more letters than any word has is cut."""
    return [(excerpts.cut(word, LONGEST_WORD)[0], weight) for word, weight in (line or {}).get("words", [])]


def _details(
    results: Results, chosen: NDArray[np.int64], explained: Sequence[dict[str, Any] | None], near: Sequence[pa.Table]
) -> dict[str, Any]:
    """What is shown of a row when it is opened: its reason, its words, and its neighbours as indexes into a list of them."""
    reasons = _column(results.audit.take(chosen), "reason")
    wanted = np.unique(np.concatenate([table["neighbour"].to_numpy() for table in near] or [np.array([], np.int64)]))
    place = {position: index for index, position in enumerate(wanted.tolist())}
    opened = [
        {
            "reason": reason,
            "words": _words(line),
            "of": (line or {}).get("label"),
            "probability": (line or {}).get("probability"),
            "side": (line or {}).get("model") == "side",
            "near": [
                [place[position], round(similarity, 3)]
                for position, similarity in zip(
                    table["neighbour"].to_pylist(), table["similarity"].to_pylist(), strict=True
                )
            ],
        }
        for reason, line, table in zip(reasons, explained, near, strict=True)
    ]
    return {"rows": opened, "near": _neighbours(results, wanted), "page": PAGE, "printed": PRINTED}


def _neighbours(results: Results, wanted: NDArray[np.int64]) -> list[list[Any]]:
    """Of each neighbour: label, split, file, row, and a short text or null."""
    table = results.audit.take(wanted)
    texts = results.text(wanted)
    most = excerpts.longest([text for text in texts if text is not None], NEAR_CUTS, NEAR_BUDGET)
    columns = [_column(table, name) for name in ("given_label", "split", "file", "row")]
    shorts = [None if text is None else excerpts.cut(text, most)[0] for text in texts]
    return [list(values) for values in zip(*columns, shorts, strict=True)]


def _column(table: pa.Table, name: str) -> list[Any]:
    """Values of a column; of one that an older job did not write, nulls."""
    return table[name].to_pylist() if name in table.column_names else [None] * table.num_rows


def _filters(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Columns with several values, each with its values and the rows that have them."""
    columns = {"given": "Given label", "suggested": "Suggested label", "split": "Split", "decision": "Decision"}
    filters = []
    for name, title in columns.items():
        values = [getattr(row, name) for row in rows]
        counts = {value: values.count(value) for value in sorted(set(values))}
        if len(counts) > 1:
            filters.append({"name": name, "title": title, "counts": counts})
    return filters


SECTION = Section(
    name="rows",
    title="Doubtful rows",
    context=context,
    styles=("tables.css", "rows.css"),
    scripts=("tables.js", "rows.js"),
)
