"""Parts as bytes, for other hosts: all that is known of them but their embeddings. Letters: n rows."""

from __future__ import annotations

import io
import json
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
from relabel.data.texts import Arena, Texts
from relabel.errors import AlgorithmError

ABOUT = b"about"
OWN, TEXTS = ("labels", "ids"), "texts"
"""Columns of a part; all others are metadata, whose names begin with a dot."""

ROWS = 1 << 12
"""Texts that are strings at a time."""


def exchanged(parts: Sequence[Part], company: Company, arena: Arena) -> list[list[Part]]:
    """Give every host's parts to every host, in the order of ranks; the arena takes their texts."""
    if company.size == 1:
        return [[*parts]]
    every = company.gather_bytes(_written(parts))
    return [[*parts] if rank == company.rank else [*_read(data, arena)] for rank, data in enumerate(every)]


def _written(parts: Sequence[Part]) -> bytes:
    """Write parts one after another, each as a stream of Arrow."""
    file = io.BytesIO()
    for part in parts:
        table = pa.table({name: pa.array(values, pa.large_string()) for name, values in _columns(part).items()})
        table = table.replace_schema_metadata({ABOUT: json.dumps(_about(part)).encode()})
        with pa.ipc.new_stream(file, table.schema) as stream:
            stream.write_table(table)
    return file.getvalue()


def _read(data: bytes, arena: Arena) -> Iterator[Part]:
    source = pa.BufferReader(data)
    while source.tell() < source.size():
        with pa.ipc.open_stream(source) as stream:
            table = stream.read_all()
        columns = {name: strings.joined(table[name]) for name in table.column_names if name != TEXTS}
        texts = arena.put(_strings(table[TEXTS])) if TEXTS in table.column_names else None
        yield _part(json.loads(table.schema.metadata[ABOUT]), columns, texts)


def _strings(column: pa.ChunkedArray) -> Iterator[str]:
    """Give a column, some rows as strings at a time."""
    for start in range(0, len(column), ROWS):
        yield from column[start : start + ROWS].to_pylist()


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


def _part(about: Mapping[str, Any], columns: Mapping[str, NDArray[np.object_]], texts: Texts | None) -> Part:
    matrix = about["matrix"]
    return Part(
        split=Split(about["split"]),
        name=about["name"],
        matrix_name=about["matrix_name"],
        texts=texts,
        matrix=matrix and Matrix(matrix["rows"], matrix["width"], _elsewhere, matrix["where"]),
        header=tuple(about["header"]),
        problems=tuple(about["problems"]),
        metadata={name[1:]: values for name, values in columns.items() if name not in OWN},
        **{name: columns.get(name) for name in OWN},
    )


def _columns(part: Part) -> dict[str, Sequence[str]]:
    own = {name: getattr(part, name) for name in (*OWN, TEXTS)}
    others = {f".{name}": values for name, values in part.metadata.items()}
    return {name: values for name, values in {**own, **others}.items() if values is not None}


def _elsewhere(_start: int, _out: NDArray[np.float32]) -> None:
    """Stand for embeddings that another host reads."""
    raise AlgorithmError("embeddings of another host were asked for")
