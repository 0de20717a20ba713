"""The data card: what a prepared data set is, as JSON and as a page. It tells no times and no places, so the same data have the same card."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relabel.data import duplicates
from relabel.data.corpora.corpus import Corpus
from relabel.data.corpora.drawing import Draw, Drawn
from relabel.data.corpora.survey import Survey
from relabel.data.examples import Split

QUANTILES = {"min": 0.0, "q05": 0.05, "q25": 0.25, "median": 0.5, "q75": 0.75, "q95": 0.95, "q99": 0.99, "max": 1.0}
SAME = "texts are equal where they are after runs of white space became one space and letters small"


def card(corpus: Corpus, rows: Survey, asked: Draw, found: Drawn, files: Mapping[Split, str]) -> dict[str, Any]:
    """Make the card.

    files: name of each split's table.
    """
    digest, size = corpus.fingerprint()
    dropped = Counter(rows.dropped)
    dropped.update(found.dropped)
    return {
        "source": {"name": corpus.name, "kind": corpus.kind, "bytes": size, "sha256": digest},
        "seed": asked.seed,
        "size": asked.size or None,
        "shares": {split.name.lower(): share for split, share in asked.shares.items() if split not in found.given},
        "rows": {"read": rows.label.size + sum(rows.dropped.values()), "dropped": dict(sorted(dropped.items()))},
        "splits": {
            split.name.lower(): {
                "file": files[split],
                "from": "given" if split in found.given else "drawn" if split in asked.shares else "the rest",
                **_described(rows, found.split == split),
            }
            for split in Split
        },
        "duplicates": _duplicates(rows, found),
        "ids": {"given": rows.named, "repeated": int(rows.repeated.sum())},
    }


def page(said: Mapping[str, Any]) -> str:
    """Write the card as Markdown."""
    return "\n".join(_lines(said)) + "\n"


def _described(rows: Survey, here: NDArray[np.bool_]) -> dict[str, Any]:
    counts = np.bincount(rows.label[here], minlength=len(rows.classes)).tolist()
    return {
        "rows": int(here.sum()),
        "classes": dict(zip(rows.classes, counts, strict=True)),
        "words": _lengths(rows.words[here]),
        "characters": _lengths(rows.characters[here]),
    }


def _lengths(lengths: NDArray[np.int32]) -> dict[str, float]:
    values = np.quantile(lengths, [*QUANTILES.values()], method="inverted_cdf").tolist()
    return {"mean": round(float(lengths.mean()), 2), **dict(zip(QUANTILES, map(int, values), strict=True))}


def _duplicates(rows: Survey, found: Drawn) -> dict[str, Any]:
    """Count, over all rows that have a text and a label, whatever was left out of the splits."""
    size = np.bincount(found.group)
    conflicting = duplicates.conflicting(found.group, rows.label)
    return {
        "rule": SAME,
        "groups": int((size > 1).sum()),
        "rows": int(size[size > 1].sum()),
        "conflicts": {"groups": int(np.unique(found.group[conflicting]).size), "rows": int(conflicting.sum())},
    }


def _lines(said: Mapping[str, Any]) -> Iterator[str]:
    source, rows, same, ids = said["source"], said["rows"], said["duplicates"], said["ids"]
    yield f"# {source['name']}"
    yield ""
    size = f", size {said['size']:,}" if said["size"] else ""
    yield f"Kind {source['kind']}, {source['bytes']:,} bytes, SHA-256 `{source['sha256']}`; seed {said['seed']}{size}."
    yield from ("", "## Rows", "", "| split | file | from | rows | classes |", "|---|---|---|---|---|")
    for name, split in said["splits"].items():
        classes = ", ".join(f"{label} {count:,}" for label, count in split["classes"].items())
        yield f"| {name} | {split['file']} | {split['from']} | {split['rows']:,} | {classes} |"
    yield ""
    yield f"{rows['read']:,} rows were read." + ("" if rows["dropped"] else " None was left out.")
    if rows["dropped"]:
        yield from ("", "| left out | rows |", "|---|---|")
        yield from (f"| {reason} | {count:,} |" for reason, count in rows["dropped"].items())
    for unit in ("words", "characters"):
        yield from ("", f"## Lengths in {unit}", "", f"| split | mean | {' | '.join(QUANTILES)} |", "|---" * 10 + "|")
        for name, split in said["splits"].items():
            cells = " | ".join(f"{value:,}" for value in split[unit].values())
            yield f"| {name} | {cells} |"
    yield from ("", "## Duplicates", "", f"{same['rule'].capitalize()}; equal texts lie in one split.", "")
    yield f"- texts that stand more than once: {same['groups']:,}, in {same['rows']:,} rows"
    yield f"- of these, with more than one label: {same['conflicts']['groups']:,}, in {same['conflicts']['rows']:,} rows"
    if ids["repeated"]:
        yield f"- rows whose id was given before, and which have none now: {ids['repeated']:,}"
