"""What the fits of a job are made of: the learner, what its models take of each row, and each row as a vector.

    embeddings                      -> mlp on them; with their encoder, the endpoint takes texts too
    texts and an encoder            -> mlp on the encoder's vectors, or the encoder trained further
    texts, with embeddings or not   -> a learner of texts on the numbers of their words

Letters: N rows, D width.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from relabel import settings
from relabel.data.examples import Examples, Features, Inputs, Split
from relabel.data.room import Room
from relabel.data.texts import Texts
from relabel.data.tokens import Tokens
from relabel.errors import UserError
from relabel.model.networks.of_words import NETWORKS
from relabel.settings import TrainSettings
from relabel.text import agreement, cache, encoder_files, reader, words
from relabel.text.preprocessing import Preprocessing
from relabel.text.reader import Reader, TextInput
from relabel.text.words import Words
from relabel.training import latent, terms
from relabel.training.learner import Learner
from relabel.training.learners import fine_tuned, network
from relabel.training.learners.boosted import Boosted
from relabel.training.learners.one_by_one import OneByOne
from relabel.training.learners.stacked import Stacked
from relabel.training.learners.tfidf import Tfidf
from relabel.training.network_fit import Recipe as NetworkRecipe
from relabel.training.stack import Recipe

log = logging.getLogger(__name__)

BASELINES: Mapping[str, tuple[str, ...]] = {"off": (), "linear": ("linear",), "all": ("linear", "boosted")}
"""Setting -> learners that stand beside one of texts."""

READ = 4096
"""Texts that are read as tokens at a time."""

LEARNED = 200_000
"""Texts that words are chosen from, at most."""

HELD: Mapping[str, int] = {"linear": 16, "boosted": 48}
"""Learner -> bytes that one of its fits holds for each token, about."""

R = TypeVar("R")


@dataclass(frozen=True, slots=True, eq=False)
class World:
    """What making the material asks of the world around it.

    encoder:  folder of an encoder, or None.
    cache:    folder in which vectors of texts are kept.
    workers:  fits of texts side by side; 0 is as many as torch has threads.
    check:    raises where the job must end.
    progress: told (what is done, how much of it, of how much).
    room:     where vectors of texts may lie; in memory without it.
    """

    encoder: Path | None = None
    cache: Path = Path()
    workers: int = 0
    check: Callable[[], None] = lambda: None
    progress: Callable[[str, int, int], None] = lambda _name, _done, _total: None
    room: Room | None = None


ALONE = World()
"""No encoder, and nobody who asks for an end."""


@dataclass(frozen=True, slots=True, eq=False)
class Baseline:
    """A plain learner that stands beside the job's own, with what its models take of each row."""

    learner: Learner
    inputs: Tokens


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """What fits are made of.

    learner:   fits members.
    inputs:    (N rows) what its models take.
    vectors:   (N, D) every row as a vector, for linear members of the audit and for what looks at neighbours.
    text:      how an endpoint reads texts for the model; None where it takes embeddings alone.
    version:   tells apart inputs that are made in different ways of the same data.
    baselines: by name.
    room:      where more vectors of texts may lie; in memory without it.
    notes:     what was learned from a part of the training texts, in sentences.
    """

    learner: Learner
    inputs: Inputs
    vectors: Features
    text: TextInput | None = None
    version: str = ""
    baselines: Mapping[str, Baseline] = field(default_factory=dict)
    room: Room | None = None
    notes: tuple[str, ...] = ()

    def learned(self, rows: NDArray[np.integer]) -> int:
        """Count those of the rows (n,) that one model learns from."""
        if not isinstance(self.inputs, Tokens) or not isinstance(self.learner, OneByOne):
            return rows.size
        in_parts = isinstance(self.learner.one, Tfidf | Boosted)
        return terms.size_of_part(self.inputs.lengths[rows]) if in_parts else rows.size

    @property
    def of_texts(self) -> bool:
        """Whether the models take tokens, and an endpoint therefore texts alone."""
        return isinstance(self.inputs, Tokens)


def chosen(examples: Examples, given: Mapping[str, Any], encoder: Path | None = None) -> TrainSettings:
    """Give the settings with the learner that this data asks for, where none is named."""
    named = settings.parse(TrainSettings, given).learner
    usual = "mlp" if examples.features is not None or encoder is not None else "linear"
    return settings.parse(TrainSettings, {**given, "learner": named or usual})


def made(examples: Examples, said: TrainSettings, world: World = ALONE) -> Material:
    """Make the material of a job; `said.learner` names a learner, none is the mlp.

    Raises UserError where data and learner do not go together.
    """
    if said.learner in ("", "mlp"):
        return _of_vectors(examples, said, world)
    if world.encoder is not None and said.learner != "fine_tuned":
        log.warning(
            "the channel `encoder` is not used: the learner %s reads words; mlp and fine_tuned use it", said.learner
        )
    texts, rows = _texts(examples, said), examples.rows(Split.TRAIN)
    text = (
        _subwords(said, world) if said.learner == "fine_tuned" else reader.of_words(_learned(texts.among(rows), said))
    )
    tokens = _tokens(reader.load(text), texts, world.room)
    vectors = examples.features if examples.features is not None else _latent(texts, rows, said, world.room)
    baselines = {
        name: _baseline(name, examples, texts, said, world)
        for name in BASELINES[said.baselines]
        if name != said.learner
    }
    return Material(
        learner=_learner(said, len(examples.classes), text, _with_room(said.learner, tokens, rows, world)),
        inputs=tokens,
        vectors=vectors,
        text=text,
        version=_version(text, repr(recipe(said, Preprocessing))),
        baselines=baselines,
        notes=tuple(_parts({said.learner: tokens, **{name: each.inputs for name, each in baselines.items()}}, rows)),
        room=world.room,
    )


def comparable(material: Material, examples: Examples, said: TrainSettings) -> Features:
    """Give vectors (N, D) in which the splits can be told from each other by what they hold alone.

    Those that are made of words are made anew, of all splits: directions that were learned from the training texts fit these
    better than others, so that splits drawn by chance would seem unlike.
    """
    if examples.features is not None or not material.of_texts or examples.texts is None:
        return material.vectors
    return _latent(examples.texts, np.arange(len(examples.texts)), said, material.room)


def recipe(said: TrainSettings, of: type[R]) -> R:
    """Take out of the settings what decides a fit: the fields of `of` that have a setting's name."""
    names = {each.name for each in dataclasses.fields(of)} & {*settings.as_dict(said)}  # type: ignore[arg-type]
    return of(**{name: getattr(said, name) for name in names})


def _of_vectors(examples: Examples, said: TrainSettings, world: World) -> Material:
    """Embeddings as they are given, or of texts by the encoder; where both are there, the encoder must be theirs."""
    learner = Stacked(len(examples.classes), recipe(said, Recipe))
    if world.encoder is None:
        if examples.features is None:
            raise UserError(
                "the data has texts alone, and the learner mlp takes embeddings: "
                "give them, or a channel `encoder`, or choose another learner"
            )
        return Material(learner, examples.features, examples.features)
    text = encoder_files.describe(world.encoder, pooling=said.encoder_pooling)
    texts = _texts(examples, said)
    if examples.features is not None:
        note = agreement.check(texts, examples.features, reader.load(text), seed=said.seed)
        if note:
            log.warning("%s", note)
        return Material(learner, examples.features, examples.features, text)
    vectors = cache.embedded(
        texts,
        text,
        world.cache,
        progress=lambda done, total: world.progress("texts embedded", done, total),
        check=world.check,
        room=world.room,
    )
    return Material(learner, vectors, vectors, text, _version(text, encoder_files.fingerprint(text)))


def _texts(examples: Examples, said: TrainSettings) -> Texts:
    if examples.texts is None:
        wanted = f"the learner {said.learner}" if said.learner not in ("", "mlp") else "an encoder"
        raise UserError(
            f"{wanted} takes texts, but no file has the text column `{said.text_column}`: set text_column, or choose the learner mlp"
        )
    return examples.texts


def _subwords(said: TrainSettings, world: World) -> TextInput:
    return encoder_files.subwords(_encoder(world), max_tokens=said.max_tokens)


def _encoder(world: World) -> Path:
    if world.encoder is None:
        raise UserError("the learner fine_tuned needs an encoder: give its folder as the channel `encoder`")
    return world.encoder


def _tokens(read: Reader, texts: Texts, room: Room | None) -> Tokens:
    """Read texts (N,) as tokens, some at a time."""
    return Tokens.joined((read(texts[start : start + READ]) for start in range(0, len(texts), READ)), room)


def _learned(texts: Texts, said: TrainSettings) -> Words:
    """Choose a vocabulary from training texts, of very many from a part that is spread evenly over them."""
    if len(texts) > LEARNED:
        texts = texts.among(np.linspace(0, len(texts) - 1, LEARNED).astype(np.intp))
    if said.ngrams > 1 and said.learner in NETWORKS:
        raise UserError(
            f"ngrams is {said.ngrams}: the learner {said.learner} reads one word after another, set it to 1"
        )
    return words.learned(
        texts,
        recipe(said, Preprocessing),
        vocabulary=said.vocabulary,
        ngrams=said.ngrams,
        max_tokens=said.max_tokens,
        truncate=said.truncate,
    )


def _latent(texts: Texts, rows: NDArray[np.intp], said: TrainSettings, room: Room | None) -> Features:
    """Make vectors (N, D) of the texts' words, learned from some of the texts, `rows` (n,)."""
    plain = dataclasses.replace(said, learner="linear", ngrams=1, max_tokens=0, vocabulary=latent.TERMS)
    read = _learned(texts.among(rows), plain)
    return latent.vectors(_tokens(read, texts, room), rows, len(read.terms), seed=said.seed, room=room)


def _with_room(learner: str, tokens: Tokens, rows: NDArray[np.intp], world: World) -> World:
    """Let no more models of terms be fitted side by side than memory has room for: twice of what embeddings may take."""
    if world.room is None or learner not in HELD:
        return world
    each = HELD[learner] * min(terms.MOST, int(tokens.lengths[rows].sum()))
    workers = world.workers or torch.get_num_threads()
    return dataclasses.replace(world, workers=max(1, min(workers, 2 * world.room.memory // max(1, each))))


def _parts(tokens: Mapping[str, Tokens], rows: NDArray[np.intp]) -> Iterator[str]:
    """Say what is learned from a part of the training texts, `rows` (n,). tokens: what each learner takes."""
    if any(name != "fine_tuned" for name in tokens) and rows.size > LEARNED:
        yield f"words were chosen from {LEARNED:,} of {rows.size:,} training texts, spread evenly over them"
    for name, taken in tokens.items():
        count = terms.size_of_part(taken.lengths[rows]) if name in HELD else rows.size
        if count < rows.size:
            yield (
                f"a model of the learner {name} takes {terms.MOST:,} tokens at most: "
                f"one on all {rows.size:,} training texts learns from {count:,} of them, drawn for it"
            )


def _learner(said: TrainSettings, classes: int, text: TextInput, world: World) -> Learner:
    """Make a learner of texts."""
    match said.learner:
        case "linear":
            return OneByOne(Tfidf(classes, len(text.terms), said.weight_decay), world.workers)
        case "boosted":
            return OneByOne(_trees(said, classes, len(text.terms)), world.workers)
        case "fine_tuned":
            about = encoder_files.describe(_encoder(world), pooling=said.encoder_pooling)
            return fine_tuned.learner(about, classes=classes, recipe=recipe(said, NetworkRecipe))
    words_learner = network.learner(
        said.learner,
        classes=classes,
        vocabulary=len(text.terms),
        embedding_width=said.embedding_width,
        width=said.width,
        depth=said.depth,
        dense=said.dense_width,
        pooling=said.pooling,
        recipe=recipe(said, NetworkRecipe),
    )
    return words_learner if torch.cuda.is_available() else dataclasses.replace(words_learner, workers=world.workers)


def _trees(said: TrainSettings, classes: int, terms: int) -> Boosted:
    return Boosted(
        classes,
        terms,
        max_epochs=said.max_epochs,
        depth=said.depth,
        lr=said.lr,
        weight_decay=said.weight_decay,
        patience=said.patience,
    )


def _baseline(name: str, examples: Examples, texts: Texts, said: TrainSettings, world: World) -> Baseline:
    """Make a plain learner with defaults of its own, and the job's preprocessing."""
    kept = {each.name: getattr(said, each.name) for each in dataclasses.fields(Preprocessing)}
    own = settings.parse(TrainSettings, {"learner": name, **kept})
    rows = examples.rows(Split.TRAIN)
    text = reader.of_words(_learned(texts.among(rows), own))
    tokens = _tokens(reader.load(text), texts, world.room)
    return Baseline(_learner(own, len(examples.classes), text, _with_room(name, tokens, rows, world)), tokens)


def _version(text: TextInput, also: str) -> str:
    """Name how rows were made into inputs. also: what else decides it: an encoder's files, the preprocessing of baselines."""
    said = json.dumps([text.kind, dict(text.settings), text.terms, also], ensure_ascii=True)
    return f"-{hashlib.sha256(said.encode()).hexdigest()[:16]}"
