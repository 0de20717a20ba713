"""Parts as bytes, for other hosts: all that is known of them but their embeddings. Texts go in pieces, so that no host holds all of them twice.

Letters: n rows.
"""

from __future__ import annotations

import dataclasses
import io
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from relabel.container.company import Company
from relabel.data.examples import Split
from relabel.data.formats import strings
from relabel.data.formats.matrix import Matrix
from relabel.data.parts import Part
from relabel.data.texts import Arena, Texts, joined
from relabel.errors import AlgorithmError

ABOUT = b"about"
OWN = ("labels", "ids")
"""Columns of a part; all others are metadata, whose names begin with a dot."""

PIECE = 1 << 24
"""Bytes of texts that a host sends at a time."""


def exchanged(parts: Sequence[Part], company: Company, arena: Arena) -> list[list[Part]]:
    """Give every host's parts to every host, in the order of ranks; the arena takes their texts."""
    if company.size == 1:
        return [[*parts]]
    every = [[*_read(data)] for data in company.gather_bytes(_written(parts))]
    texts = _exchanged_texts(parts, company, arena)
    return [
        [*parts]
        if rank == company.rank
        else [_with_texts(part, texts[rank, number]) for number, part in enumerate(told)]
        for rank, told in enumerate(every)
    ]


def _exchanged_texts(parts: Sequence[Part], company: Company, arena: Arena) -> Mapping[tuple[int, int], list[Texts]]:
    """Give the texts of others: (rank, number of the part) -> pieces, one after another."""
    found = defaultdict[tuple[int, int], list[Texts]](list)
    pieces = _pieces(parts)
    while True:
        number, lengths, data = next(pieces, (-1, np.empty(0, np.int32), b""))
        numbers = [int(each[0]) for each in company.gather(np.array([number]))]
        if max(numbers) < 0:
            return found
        sent = zip(numbers, company.gather(lengths), company.gather_bytes(data), strict=True)
        for rank, (of, sizes, texts) in enumerate(sent):
            if of >= 0 and rank != company.rank:
                found[rank, of].append(arena.take(sizes, texts))


def _pieces(parts: Sequence[Part]) -> Iterator[tuple[int, NDArray[np.int32], bytes]]:
    """Give the texts of all parts, some at a time: number of the part, lengths, bytes."""
    for number, part in enumerate(parts):
        for lengths, data in part.texts.pieces(PIECE) if part.texts is not None else ():
            yield number, lengths, data


def _with_texts(part: Part, pieces: Sequence[Texts]) -> Part:
    return dataclasses.replace(part, texts=joined(pieces, [len(piece) for piece in pieces]))


def _written(parts: Sequence[Part]) -> bytes:
    """Write parts one after another, each as a stream of Arrow."""
    file = io.BytesIO()
    for part in parts:
        table = pa.table({name: pa.array(values, pa.large_string()) for name, values in _columns(part).items()})
        table = table.replace_schema_metadata({ABOUT: json.dumps(_about(part)).encode()})
        with pa.ipc.new_stream(file, table.schema) as stream:
            stream.write_table(table)
    return file.getvalue()


def _read(data: bytes) -> Iterator[Part]:
    source = pa.BufferReader(data)
    while source.tell() < source.size():
        with pa.ipc.open_stream(source) as stream:
            table = stream.read_all()
        columns = {name: strings.joined(table[name]) for name in table.column_names}
        yield _part(json.loads(table.schema.metadata[ABOUT]), columns)


def _about(part: Part) -> dict[str, Any]:
    matrix = part.matrix and {"rows": part.matrix.rows, "width": part.matrix.width, "where": part.matrix.where}
    return {
        "split": int(part.split),
        "name": part.name,
        "matrix_name": part.matrix_name,
        "header": list(part.header),
        "problems": list(part.problems),
        "matrix": matrix,
    }


def _part(about: Mapping[str, Any], columns: Mapping[str, NDArray[np.object_]]) -> Part:
    matrix = about["matrix"]
    return Part(
        split=Split(about["split"]),
        name=about["name"],
        matrix_name=about["matrix_name"],
        texts=None,
        matrix=matrix and Matrix(matrix["rows"], matrix["width"], _elsewhere, matrix["where"]),
        header=tuple(about["header"]),
        problems=tuple(about["problems"]),
        metadata={name[1:]: values for name, values in columns.items() if name not in OWN},
        **{name: columns.get(name) for name in OWN},
    )


def _columns(part: Part) -> dict[str, Sequence[str]]:
    own = {name: getattr(part, name) for name in OWN}
    others = {f".{name}": values for name, values in part.metadata.items()}
    return {name: values for name, values in {**own, **others}.items() if values is not None}


def _elsewhere(_start: int, _out: NDArray[np.float32]) -> None:
    """Stand for embeddings that another host reads."""
    raise AlgorithmError("embeddings of another host were asked for")
