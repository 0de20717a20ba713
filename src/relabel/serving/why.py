"""Which words drove a prediction, where a request asks for them.

It is asked in the body (JSON, `"explain": 5` beside the texts), as a parameter of the Content-Type (`text/plain; explain=5`), or among the
platform's custom attributes (`explain=5`); `true` gives as many as are usual.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from relabel.codecs import table, texts
from relabel.codecs.codec import Records
from relabel.errors import UserError
from relabel.model import explanation
from relabel.serving.messages import Request
from relabel.serving.served import Served

MOST_TEXTS = 100
"""Texts of one request that are explained: each may take as many predictions as it has words."""
ATTRIBUTE = re.compile(rf"(?:^|[\s,;]){texts.EXPLAIN}=([^\s,;]*)")


def words(request: Request, records: Records, answered: str) -> int:
    """Give how many words of each text a request asks for, 0 where it asks for none.

    Raises UserError where that is no number, or cannot be: too many texts, vectors, or an answer that has no place for words.
    """
    asked = records.words or _outside(request)
    if not asked:
        return 0
    if answered not in (table.JSON, table.JSON_LINES):
        raise UserError(f"words are given in {table.JSON} and {table.JSON_LINES}: ask for one of these in Accept")
    if not isinstance(records.inputs, tuple):
        raise UserError(f"`{texts.EXPLAIN}` asks for words, and the body has vectors: send texts")
    if len(records.inputs) > MOST_TEXTS:
        raise UserError(f"words are asked for {len(records.inputs):,} texts: send {MOST_TEXTS} at most")
    return asked


def of(count: int, records: Records, served: Served) -> Mapping[int, Sequence[tuple[str, float]]]:
    """Give row -> its `count` words that weigh most, for records without a problem."""
    assert isinstance(records.inputs, tuple)  # noqa: S101  # `words` has refused all else
    assert served.read is not None  # noqa: S101  # no other model takes texts
    with served.computes:
        found = explanation.explain(records.inputs, served.read, served.predictor, top=count)
    return dict(zip(records.places().tolist(), (each.words for each in found), strict=True))


def _outside(request: Request) -> int:
    """Give what is asked beside the body."""
    said = table.parameters(request.content_type).get(texts.EXPLAIN)
    if said is None:
        found = ATTRIBUTE.search(request.custom_attributes.lower())
        said = found[1] if found else "false"
    return texts.words(said)
