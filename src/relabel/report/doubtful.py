"""The flagged rows in the order in which people should look at them.

Letters: N rows, n of them flagged.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from numpy.typing import NDArray

from relabel.report.results import Results
from relabel.results import label_issues

PLACE = ("file", "row")
MOST_ROWS = 1 << 40
"""No file has as many rows."""


def worst_first(results: Results) -> NDArray[np.int64]:
    """Give the positions (n,) of the flagged rows: as label_issues.csv has them or, where that is not there, by posterior."""
    flagged = np.flatnonzero(results.audit["flagged"].to_numpy())
    names = pc.unique(results.audit["file"].cast(pa.string()))
    place = _places(results.audit.select(PLACE).take(flagged), names)
    order = np.argsort(place, kind="stable")
    listed = _listed(results, names)
    at = np.searchsorted(place[order], listed).clip(max=max(place.size - 1, 0))
    known = place[order][at] == listed if place.size else np.zeros(listed.size, np.bool_)
    found = flagged[order[at[known]]].astype(np.int64)
    if np.unique(found).size == flagged.size:
        return np.asarray(found)
    posterior = results.audit["posterior"].to_numpy()[flagged]
    return flagged[np.lexsort((flagged, -posterior))].astype(np.int64)


def _listed(results: Results, names: pa.Array) -> NDArray[np.int64]:
    """Places of the rows of label_issues.csv, in its order; none where it cannot be read."""
    path, none = results.folder / label_issues.NAME, np.empty(0, np.int64)
    if not path.is_file():
        return none
    options = pa.csv.ConvertOptions(include_columns=list(PLACE), column_types={"file": pa.string(), "row": pa.int64()})
    try:
        table = pa.csv.read_csv(
            path, parse_options=pa.csv.ParseOptions(newlines_in_values=True), convert_options=options
        )
        return _places(table, names)
    except (pa.ArrowException, KeyError):
        return none


def _places(table: pa.Table, names: pa.Array) -> NDArray[np.int64]:
    """File and row of each row as one number (n,); below 0 where the file is none of the names."""
    file = pc.index_in(table["file"].cast(pa.string()), value_set=names).fill_null(-1).to_numpy().astype(np.int64)
    places: NDArray[np.int64] = file * MOST_ROWS + table["row"].to_numpy()
    return places
