"""Data of which each host of a job is given other files: what is of the size of the rows is gathered, embeddings stay where they are.

Every host knows all labels, texts and ids, in the order of the files' names, so that nothing that follows from them depends on how many
hosts there are or which of them has which file. Letters: P parts of all hosts, N rows of them all, n rows of this host's.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import eq
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from relabel.container.company import Alone, Company
from relabel.data import parcels, phrases
from relabel.data.embeddings import Embeddings
from relabel.data.examples import Dense, Features, Split
from relabel.data.formats import MATRICES
from relabel.data.keys import Keys
from relabel.data.ordered import Ordered
from relabel.data.parts import Part
from relabel.data.sharded import Sharded, mixed
from relabel.data.stored import Warm
from relabel.data.texts import Arena
from relabel.errors import UserError

Place = tuple[Split, str]
"""Split and name of a file, by which files are in order."""


@dataclass(frozen=True, slots=True, eq=False)
class Shards:
    """Channels of which each host has other files (ShardedByS3Key), and the hosts."""

    channels: frozenset[str] = frozenset()
    company: Company = field(default_factory=Alone)

    @property
    def elsewhere(self) -> frozenset[str]:
        """Channels that may have files on other hosts alone."""
        return self.channels if self.company.size > 1 else frozenset()

    def check(self, channels: Mapping[str, Path]) -> None:
        """Raise UserError, on all hosts, where a sharded channel holds what may not be torn apart."""
        if not self.elsewhere:
            return
        own = [seen for name in sorted(self.channels & channels.keys()) for seen in _torn(name, channels[name])]
        if found := sorted({seen for theirs in _told(own, self.company) for seen in theirs}):
            raise UserError(
                f"ShardedByS3Key over {self.company.size} hosts, which may give labels to one and their embeddings to another: "
                f"{phrases.names(found)}. Give tables that have both (.parquet, .jsonl, or .csv with a column for each dimension), or "
                "use S3DataDistributionType FullyReplicated"
            )

    def gathered(self, parts: Sequence[Part], problems: Sequence[str], notes: Sequence[str], arena: Arena) -> Gathered:
        """Tell all hosts of this host's parts, and of what is wrong here or should be known; the arena takes the texts of others."""
        if not self.channels:
            everything = [*problems, *(problem for part in parts for problem in part.problems)]
            return Gathered(
                self, tuple(parts), np.full(len(parts), self.company.rank, np.int16), tuple(everything), tuple(notes)
            )
        every = parcels.exchanged(parts, self.company, arena)
        found: dict[Place, dict[int, Part]] = {}
        for rank, theirs in enumerate(every):
            for part in theirs:
                found.setdefault(_place(part), {})[rank] = part
        places, mine = sorted(found), {_place(part): part for part in parts}
        holder = _dealt([[*found[place]] for place in places])
        known = [
            mine[place] if rank == self.company.rank else found[place][rank]
            for rank, place in zip(holder, places, strict=True)
        ]
        said = self.said([*problems, *(problem for part in parts for problem in part.problems)])
        wrong = [*said, *_differing(found.values(), self.company.names), *_untrained(known, said)]
        told = dict.fromkeys(note for theirs in _told(notes, self.company) for note in theirs)
        return Gathered(self, tuple(known), np.array(holder, np.int16), tuple(wrong), tuple(told))

    def said(self, problems: Iterable[str]) -> list[str]:
        """Give the problems of all hosts, each with the name of the host that has it where not all of them have."""
        if not self.elsewhere:
            return [*problems]
        every = _told(problems, self.company)
        common = set.intersection(*map(set, every))
        named = [
            f"{name}: {problem}"
            for name, theirs in zip(self.company.names, every, strict=True)
            for problem in theirs
            if problem not in common
        ]
        return [*dict.fromkeys(problem for problem in every[0] if problem in common), *named]


@dataclass(frozen=True, slots=True, eq=False)
class Gathered:
    """The parts of all hosts.

    parts:    P, in the order of splits and names; the embeddings of those that others hold cannot be read here.
    holder:   (P,) int16 rank of the host that reads each.
    problems: of all hosts and parts; notes: sentences, of all hosts.
    """

    shards: Shards
    parts: tuple[Part, ...]
    holder: NDArray[np.int16]
    problems: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def own(self) -> list[Part]:
        """The parts whose embeddings are read here."""
        return [part for part, rank in zip(self.parts, self.holder, strict=True) if rank == self.shards.company.rank]

    def joined(self, own: Embeddings) -> Embeddings:
        """Give the embeddings of all parts: this host's (n, D) as they are, those of others where they lie."""
        matrices = [part.matrix for part in self.parts]
        if not self.shards.channels or not matrices or matrices[0] is None:
            return own
        sizes, company = [part.rows for part in self.parts], self.shards.company
        host, order = np.repeat(self.holder, sizes), mixed(np.repeat(np.arange(len(sizes)), sizes))
        local = Dense(np.empty((0, matrices[0].width), np.float32)) if own.features is None else own.features
        every = _placed(local, host, order, company)
        rows, nothing = np.arange(host.size), np.empty((0, 2), np.uint64)
        keys: Keys = every.joined(rows, nothing if own.keys is None else own.keys)
        if not any(said.item() for said in company.gather(np.array([own.hashes is not own.keys]))):
            return Embeddings(every, keys, keys)
        return Embeddings(every, keys, every.joined(rows, nothing if own.hashes is None else own.hashes))


ALONE = Shards()
"""All files are on this host, or on every host."""


def _placed(local: Features, host: NDArray[np.int16], order: NDArray[np.int32], company: Company) -> Sharded:
    """Say where the rows lie. On disk they are numbered in the mixed order: what training reads together has neighbouring numbers then."""
    here = np.flatnonzero(host == company.rank)
    if isinstance(local, Warm):
        here, stored = order[host[order] == company.rank], here
        local = Ordered(local, np.searchsorted(stored, here))
    place = np.zeros(host.size, np.int32)
    place[here] = np.arange(here.size, dtype=np.int32)
    return Sharded(local, host, place, order, company)


def _torn(name: str, folder: Path) -> list[str]:
    """Files of embeddings beside their labels, and texts in a folder for each class: what belongs together may come to different hosts."""
    visible = [path for path in sorted(folder.iterdir()) if not path.name.startswith(".")] if folder.is_dir() else []
    files = [path for path in visible if path.is_file()]
    apart = [path for path in files if path.suffix.lower() in MATRICES]
    if not files:
        apart = [path for path in visible if any(path.glob("*.txt"))]
    return [f"{name}/{path.name}" for path in apart]


def _place(part: Part) -> Place:
    return part.split, part.name


def _dealt(holders: Sequence[Sequence[int]]) -> list[int]:
    """Choose one holder of each part: files that several hosts have, those of replicated channels, are dealt out in turn."""
    turn, chosen = 0, []
    for ranks in holders:
        chosen.append(ranks[turn % len(ranks)])
        turn += len(ranks) > 1
    return chosen


def _differing(found: Iterable[Mapping[int, Part]], names: Sequence[str]) -> Iterator[str]:
    """Say which files of one name are not the same one on all hosts that have them."""
    for by_rank in found:
        (first, part), *others = by_rank.items()
        strange = [names[rank] for rank, other in others if not _alike(part, other)]
        if strange:
            yield f"{part.name}: {names[first]} and {', '.join(strange)} have different files of this name: rename one of them"


def _alike(one: Part, other: Part) -> bool:
    """Whether two files hold the same; of one that cannot be read nothing is said here."""
    return bool(one.problems or other.problems) or all(
        (a is None) == (b is None) and (a is None or b is None or (len(a) == len(b) and all(map(eq, a, b))))
        for a, b in ((one.labels, other.labels), (one.texts, other.texts), (one.ids, other.ids))
    )


def _untrained(parts: Sequence[Part], problems: Sequence[str]) -> list[str]:
    if problems or any(part.split is Split.TRAIN for part in parts):
        return []
    return ["train: no host has a file of training rows: give the training data as channel `train`"]


def _told(said: Iterable[str], company: Company) -> list[list[str]]:
    """Give the sentences of every host to every host."""
    return [json.loads(theirs) for theirs in company.gather_bytes(json.dumps([*said]).encode())]
