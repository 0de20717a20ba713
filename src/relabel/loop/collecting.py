"""Captured traffic into the pool: each row once, and none that has a label or was collected before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from relabel.data import duplicates
from relabel.data.examples import Dense
from relabel.data.texts import Texts
from relabel.errors import UserError
from relabel.loop import rows as stored
from relabel.loop.rows import Rows, Strings

LABELLED, COLLECTED, REPEATED = "labelled already", "collected before", "came more than once"
WORDLESS = "without a text, and the labelled rows are texts"


class Captured(Protocol):
    """Rows that came to an endpoint, such as `monitoring.captured.Traffic`: ids (N,), vectors (N, D) or None, texts (N,) or None."""

    @property
    def ids(self) -> Strings: ...  # noqa: D102
    @property
    def vectors(self) -> NDArray[np.float32] | None: ...  # noqa: D102
    @property
    def texts(self) -> Strings | None: ...  # noqa: D102


def collected(
    traffic: Captured, texts: Mapping[str, str], labelled: Rows, before: Sequence[Rows]
) -> tuple[Rows, Counter[str]]:
    """Give the rows that are new, and how many were passed over, by reason.

    texts: of rows that came without, by id: SageMaker's `INFERENCE/PLACE`, or the part before the stroke where a request had one row.

    Rows are the same where their embedding or their text is (`data.duplicates`). They are kept as the labelled ones are: of texts alone where
    those are. A name that another row has, for clients choose it, is none.

    Raises UserError where the labelled rows have embeddings, and the traffic has none.
    """
    new, wordless = _alike(stored.made(traffic.ids, _texts(traffic, texts), traffic.vectors), labelled)
    known = [labelled, *before]
    everything = stored.joined([*known, new])
    group = duplicates.groups(
        None if everything.vectors is None else Dense(everything.vectors), Texts.of(everything.texts)
    )
    first = np.unique(group, return_index=True)[1][group]
    ends = np.cumsum([len(labelled), sum(map(len, before))])
    start = int(ends[-1])
    own = first[start:]
    where = np.searchsorted(ends, own, side="right")
    repeated = (where == len(ends)) & (own != np.arange(start, group.size))
    skipped = Counter(
        {
            LABELLED: int((where == 0).sum()),
            COLLECTED: int((where == 1).sum()),
            REPEATED: int(repeated.sum()),
            WORDLESS: wordless,
        }
    )
    found = new.take((where == len(ends)) & ~repeated)
    return replace(found, id=_own(found.id, {name for part in known for name in part.id.tolist()})), +skipped


def _alike(rows: Rows, labelled: Rows) -> tuple[Rows, int]:
    """Give the rows as the labelled ones are, and how many cannot be so."""
    if not len(labelled) or (rows.vectors is None) == (labelled.vectors is None):
        return rows, 0
    if rows.vectors is None:
        raise UserError(
            "the labelled rows have embeddings, and the model reads texts: start a loop with texts alone, or a model of embeddings"
        )
    told = rows.texts != ""
    return stored.made(rows.id[told], rows.texts[told], None), int((~told).sum())


def _own(ids: Strings, taken: set[str]) -> Strings:
    """Give the names (n,) that no other row has, "" in place of others."""
    found = []
    for name in ids.tolist():
        found.append("" if name in taken else name)
        taken.add(name)
    return np.array(found, np.object_)


def _texts(traffic: Captured, texts: Mapping[str, str]) -> Strings:
    own = np.full(traffic.ids.size, "", np.object_) if traffic.texts is None else traffic.texts
    return filled(own, traffic.ids, texts)


def filled(own: Strings, ids: Strings, texts: Mapping[str, str]) -> Strings:
    """Give texts (n,), those by the ids in place of empty ones: by the whole id, or by the request's before the stroke."""
    found = [texts.get(name) or texts.get(name.rpartition("/")[0], "") for name in ids.tolist()]
    return np.array([text or known for text, known in zip(own.tolist(), found, strict=True)], np.object_)
