"""Which files of the channels belong together, and to which split. Nothing is read here.

    train/{train,dev,test}.csv + .pt                 one channel: a file's name says its split
    train/*.csv + .pt, dev/*.csv + .npy, test/...    a channel for each split: its files are shards, in order of names
    train/*.csv + .pt                                train only: dev and test are drawn from it
    train/*.parquet, train/*.jsonl, train/*.csv      texts alone, or with embeddings in columns of the table
    train/pos/*.txt, train/neg/*.txt, test/...       texts alone: a folder for each class

In the channel train, `dev.csv`, `dev-00001.csv` and `val_a.csv` mean dev as long as there is no dev channel; any other
name means train. Channels that mean the same split are read one after another. Embeddings beside a table win over those
in its columns. What people decided on rows comes in the channel `reviewed`, as .jsonl or .csv.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from relabel.data import phrases, reviews
from relabel.data.examples import Split
from relabel.data.formats import MATRICES, TABLES, text_files

SPLITS = {
    "train": Split.TRAIN,
    "training": Split.TRAIN,
    "dev": Split.DEV,
    "val": Split.DEV,
    "valid": Split.DEV,
    "validation": Split.DEV,
    "test": Split.TEST,
}
"""Names of channels and of files, and the split they mean."""

REVIEWED = "reviewed"
"""Channel of what people decided."""

NAMED_FOR = re.compile(rf"({'|'.join(SPLITS)})(?![a-z])")
READ = {*TABLES, *MATRICES}
LABELS = ", ".join(TABLES)
ONLY = f"only {', '.join([*TABLES, *MATRICES])} files in the channel's own folder are read"
OTHER_DATA = {
    ".arrow",
    ".feather",
    ".gz",
    ".json",
    ".npz",
    ".pkl",
    ".pth",
    ".safetensors",
    ".tsv",
}
"""Suffixes of data that is not read: people are told when such a file is passed over."""

STORE = ".sqlite"
"""Suffix of the review page's own file of decisions, which stands beside the answers."""

CARD = "card.json"
"""What `relabel prepare` writes beside its tables; nobody misses it."""


@dataclass(frozen=True, slots=True)
class Source:
    """A label file, or a folder of text files, and its embeddings where they have a file of their own.

    table, matrix: their names as `channel/name`; that of a folder is the channel's.
    """

    split: Split
    table: str
    table_path: Path
    matrix: str | None = None
    matrix_path: Path | None = None


@dataclass(frozen=True, slots=True)
class Layout:
    """The sources in the order of splits and, inside a split, of names; what is wrong; what was passed over; files of answers."""

    sources: tuple[Source, ...]
    problems: tuple[str, ...]
    notes: tuple[str, ...]
    reviewed: tuple[Path, ...] = ()


def find(channels: Mapping[str, Path], sharded: Collection[str] = ()) -> Layout:
    """Pair the files of the channels. Hidden files and folders inside a channel are passed over.

    sharded: channels of which other hosts have other files, so that here there may be none.

    Problems: channels of unknown name or without a folder, no training data, embeddings without a label file, files of
    one name, files named for another split than their channel's.
    """
    answers = _answers({name: channels[name] for name in sorted(channels) if name.lower() == REVIEWED})
    channels = {name: folder for name, folder in channels.items() if name.lower() != REVIEWED}
    known = {name: channels[name] for name in sorted(channels) if name.lower() in SPLITS}
    given = {SPLITS[name.lower()] for name in known}
    found = [
        *(_channel(name, folder, given, lacking=name in sharded) for name, folder in known.items()),
        answers,
    ]
    sources = sorted((source for part in found for source in part.sources), key=lambda s: (s.split, s.table))
    problems = [
        *(_unknown(name) for name in sorted(channels) if name not in known),
        *([] if Split.TRAIN in given else [_no_train(channels)]),
        *(problem for part in found for problem in part.problems),
    ]
    if not problems and not sharded and not any(source.split is Split.TRAIN for source in sources):
        problems.append("train: files of dev or test, and none of train: add train.csv")
    notes = tuple(note for part in found for note in part.notes)
    return Layout(tuple(sources), tuple(problems), notes, answers.reviewed)


def find_split(folder: Path, split: Split) -> Layout:
    """Pair the files of one folder that mean one split, as in a channel train, or all of them where none is named for any.

    Problems: no such folder, no such files, embeddings without a label file. What means another split is passed over,
    whatever it is. A folder of text files is the split that is asked for, or has a folder for it.
    """
    channel = folder.resolve().name
    if not folder.is_dir():
        return Layout((), (f"{channel}: no folder at {folder}",), ())
    by_stem = _by_stem(folder.iterdir())
    if not by_stem and (texts := _texts_of(folder, split)):
        return Layout((Source(split, texts.resolve().name, texts),), (), ())
    named = {stem: _named(stem) for stem in by_stem}
    other = Split.TRAIN if any(found is not None for found in named.values()) else split
    chosen = {s: paths for s, paths in by_stem.items() if (other if named[s] is None else named[s]) is split}
    if not chosen:
        return Layout((), (_none_of(split, channel, by_stem),), ())
    wrong = {stem: tuple(_unpaired(channel, stem, paths)) for stem, paths in chosen.items()}
    return Layout(
        tuple(_source(channel, split, paths) for stem, paths in chosen.items() if not wrong[stem]),
        tuple(problem for problems in wrong.values() for problem in problems),
        (),
    )


def _channel(name: str, folder: Path, given: Collection[Split], *, lacking: bool) -> Layout:
    """Pair the files of one channel; lacking: there may be none."""
    if not folder.is_dir():
        if lacking:
            return Layout((), (), ())
        return Layout((), (f"{name}: no folder at {folder}: give this channel in File or FastFile mode",), ())
    visible = [path for path in sorted(folder.iterdir()) if not path.name.startswith(".")]
    by_stem = _by_stem(visible)
    if not by_stem and (classes := text_files.class_folders(folder)):
        others = [path.name for path in visible if path not in classes]
        note = f"{name}: {phrases.names(others)} passed over: texts are read from {phrases.names([c.name for c in classes])}"
        return Layout((Source(SPLITS[name.lower()], name, folder),), (), (note,) if others else ())
    if not by_stem:
        return (
            Layout((), (), (_no_data(name, visible),) if visible else ())
            if lacking
            else Layout((), (_no_data(name, visible),), ())
        )
    wrong = {
        stem: (*_unpaired(name, stem, paths), *_misplaced(name, paths[0], given)) for stem, paths in by_stem.items()
    }
    return Layout(
        tuple(_source(name, SPLITS[name.lower()], paths) for stem, paths in by_stem.items() if not wrong[stem]),
        tuple(problem for problems in wrong.values() for problem in problems),
        tuple(f"{name}/{path.name} is passed over: {ONLY}" for path in visible if _looks_like_data(path)),
    )


def _answers(channels: Mapping[str, Path]) -> Layout:
    """Find the files of answers: of a folder, or the one that is named in its place. An empty folder is a review that has not begun."""
    visible = [path for given in channels.values() for path in (sorted(given.iterdir()) if given.is_dir() else [given])]
    visible = [path for path in visible if path.is_file() and not path.name.startswith(".")]
    read = tuple(path for path in visible if path.suffix.lower() in reviews.SUFFIXES)
    kinds = " or ".join(reviews.SUFFIXES)
    if visible and not read:
        seen = phrases.names([path.name for path in visible])
        store = next((path for path in visible if path.suffix.lower() == STORE), None)
        give = f"give {reviews.NAME}" if store is None else of_store(store.name)
        return Layout((), (f"{REVIEWED}: no file of answers ({kinds}), only {seen}: {give}",), ())
    notes = [_passed_over(path, kinds) for path in visible if path not in read]
    if channels and not visible:
        notes.append(f"{REVIEWED}: no answers yet")
    return Layout((), (), tuple(notes), read)


def of_store(name: str) -> str:
    """Say how the review page's own file becomes a file of answers."""
    return (
        f"{name} has the decisions of the review page; "
        f"`relabel review answers {name} --results out/output/data --output {reviews.NAME}` writes them down"
    )


def _passed_over(path: Path, kinds: str) -> str:
    said = of_store(path.name) if path.suffix.lower() == STORE else f"only {kinds} files are read"
    return f"{REVIEWED}/{path.name} is passed over: {said}"


def _by_stem(paths: Iterable[Path]) -> dict[str, list[Path]]:
    """Put the files that are read together by their names without suffix, in order of names."""
    by_stem: dict[str, list[Path]] = {}
    for path in sorted(paths):
        if path.is_file() and path.suffix.lower() in READ and not path.name.startswith("."):
            by_stem.setdefault(path.stem, []).append(path)
    return by_stem


def _source(channel: str, own: Split, paths: Sequence[Path]) -> Source:
    """Describe a label file and its embeddings; own: the split of a file whose name does not say any."""
    table, *beside = sorted(paths, key=lambda path: path.suffix.lower() in MATRICES)
    named = _named(table.stem)
    split = own if named is None else named
    alone = Source(split, f"{channel}/{table.name}", table)
    return replace(alone, matrix=f"{channel}/{beside[0].name}", matrix_path=beside[0]) if beside else alone


def _texts_of(folder: Path, split: Split) -> Path | None:
    """Find the text files of a split: the folder itself, or one inside that is named for it."""
    inside = [path for path in sorted(folder.iterdir()) if path.is_dir() and SPLITS.get(path.name.lower()) is split]
    return next((path for path in (*inside, folder) if text_files.class_folders(path)), None)


def _unpaired(channel: str, stem: str, paths: Sequence[Path]) -> Iterator[str]:
    """Yield what hinders these files of one stem from being one label file and, where there are any, its embeddings."""
    tables = [path.name for path in paths if path.suffix.lower() in TABLES]
    matrices = [path.name for path in paths if path.suffix.lower() in MATRICES]
    if not tables:
        yield f"{channel}/{matrices[0]}: embeddings without labels: add {stem}.csv beside it"
    for several in (tables, matrices):
        if len(several) > 1:
            yield f"{channel}/{several[0]}: {phrases.names(several[1:])} has the same name: keep one of them"


def _misplaced(channel: str, path: Path, given: Collection[Split]) -> Iterator[str]:
    """Yield what is wrong with a file that is named for another split than its channel's."""
    own, named = SPLITS[channel.lower()], _named(path.stem)
    if named is None or named is own or (own is Split.TRAIN and named not in given):
        return
    wanted = named.name.lower()
    instead = f"there is a channel for {wanted} too" if named in given else f"give it in a channel `{wanted}`"
    yield f"{channel}/{path.name}: named for {wanted} in a channel of {own.name.lower()}: {instead}; move or rename it"


def _named(stem: str) -> Split | None:
    match = NAMED_FOR.match(stem.lower())
    return SPLITS[match[1]] if match else None


def _looks_like_data(path: Path) -> bool:
    """Tell whether what is not read would be missed: data of another format, or a folder of data."""
    if path.is_dir():
        return any(inner.suffix.lower() in READ | OTHER_DATA for inner in path.iterdir())
    return path.suffix.lower() in OTHER_DATA and path.name != CARD


def _unknown(channel: str) -> str:
    return f"{channel}: unknown channel: the channels are `train`, `dev` (also `val`, `valid`, `validation`), `test` and `{REVIEWED}`"


def _no_train(channels: Collection[str]) -> str:
    seen = f"only {phrases.names(sorted(channels))}" if channels else "and no other"
    return f"train: no such channel, {seen}: give the training data as channel `train`"


def _none_of(split: Split, channel: str, stems: Collection[str]) -> str:
    name = split.name.lower()
    seen = f"only {phrases.names(stems)}" if stems else "and none of any other"
    return f"{channel}: no label files ({LABELS}) for {name}, {seen}: name them {name}, or choose another split"


def _no_data(channel: str, visible: Sequence[Path]) -> str:
    seen = (
        f"nothing to read, only {phrases.names([path.name for path in visible])}" if visible else "the folder is empty"
    )
    return f"{channel}: {seen}: give label files ({LABELS}), or a folder of .txt files for each class"
