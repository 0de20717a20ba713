"""What the folder of an encoder says and holds, told without torch.

A folder as transformers writes it, or as sentence-transformers does: there `modules.json` names a transformer, a pooling and perhaps a
normalisation. Nothing in a folder is ever run: weights are safetensors, custom code is not loaded.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from relabel.errors import UserError
from relabel.text.pooling import POOLINGS
from relabel.text.reader import TextInput

CONFIG = "config.json"
WEIGHTS = "model.safetensors"
SHARDS = "model.safetensors.index.json"
MODULES = "modules.json"
SENTENCES = "sentence_bert_config.json"
PROMPTS = "config_sentence_transformers.json"
TOKENIZERS = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
    "bpe.codes",
    "spiece.model",
    "sentencepiece.bpe.model",
    "tokenizer.model",
)
"""What transformers makes a tokenizer of; which of them are there depends on the model."""
VOCABULARIES = set(TOKENIZERS) - {"tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"}

POOLING_FLAGS = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_mean_tokens": "mean",
}
"""In the order in which sentence-transformers puts several of them side by side."""

PLACES_TAKEN = {
    "camembert",
    "data2vec-text",
    "ibert",
    "longformer",
    "mpnet",
    "roberta",
    "roberta-prelayernorm",
    "xlm-roberta",
    "xlm-roberta-xl",
}
"""Types of models that count places from the padding token's id on, so that not all of their places are for tokens."""

NO_LIMIT = 1_000_000
"""From here on a limit of tokens is a way to say that there is none."""

UNLIMITED_TOKENS = 512
"""Most tokens of a text for encoders that have no limit of their own."""

LEAST_TOKENS = 4
"""Marks of begin and end, which every text has, count too."""

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Said:
    """What a folder says of itself.

    transformer: folder of the network and its tokenizer, relative to the encoder's own; "" is that one.
    about:       the files that say all this, relative too.
    poolings:    empty where nothing is said.
    longest:     most tokens that the network takes.
    max_tokens:  most tokens that are to be read of a text.
    """

    transformer: str
    about: tuple[str, ...]
    poolings: tuple[str, ...]
    normalise: bool
    longest: int
    max_tokens: int
    lowercase: bool
    prompt: str


def describe(folder: Path, *, pooling: str = "", max_tokens: int = 0, normalise: bool | None = None) -> TextInput:
    """Describe the reader of an encoder's folder; what is not given is what the folder says.

    pooling:    `mean`, `cls` or `max`, or several side by side: `mean+max`. Mean, where neither says anything.
    max_tokens: most tokens of a text; 0 is the folder's own limit.
    normalise:  make each vector as long as 1.

    Raises UserError with all that is wrong with the folder or does not fit it.
    """
    said = read(folder)
    poolings = tuple(pooling.split("+")) if pooling else said.poolings or ("mean",)
    problems = [
        f"pooling {name!r}: give {', '.join(sorted(POOLINGS))}, or several with + between"
        for name in poolings
        if name not in POOLINGS
    ]
    if max_tokens and not LEAST_TOKENS <= max_tokens <= said.longest:
        problems.append(
            f"max_tokens is {max_tokens}: this encoder takes {LEAST_TOKENS} to {said.longest} tokens of a text"
        )
    if problems:
        raise UserError(*problems)
    settings = {
        "pooling": "+".join(poolings),
        "max_tokens": max_tokens or said.max_tokens,
        "normalise": said.normalise if normalise is None else normalise,
        "lowercase": said.lowercase,
        "prompt": said.prompt,
    }
    return TextInput("encoder", settings, folder=folder, files=_files(folder, said))


def subwords(folder: Path, *, max_tokens: int = 0) -> TextInput:
    """Describe the reader of an encoder's tokens, which needs no more of it than its tokenizer.json.

    max_tokens: most tokens of a text; 0, and more than the encoder takes, is the folder's own limit.

    Raises UserError where the folder is no encoder, or has no such file.
    """
    said = read(folder)
    about = describe(folder, max_tokens=max_tokens if max_tokens <= said.longest else 0)
    home = folder / said.transformer
    if not (home / TOKENIZERS[0]).exists():
        raise UserError(f"{folder}: no {TOKENIZERS[0]}: {CONVERT.format('AutoTokenizer')} writes it")
    settings = {name: about.settings[name] for name in ("max_tokens", "lowercase", "prompt")}
    return TextInput("subwords", settings, folder=home, files=(TOKENIZERS[0],))


def fingerprint(about: TextInput) -> str:
    """Give 32 hexadecimal digits of all that decides what a reader makes of a text: its settings and its files' content."""
    state = hashlib.sha256(json.dumps([about.kind, dict(about.settings)], sort_keys=True).encode())
    folder = _folder(about)
    for name in about.files:
        with (folder / name).open("rb") as file:
            state.update(f"\0{name}\0".encode() + hashlib.file_digest(file, "sha256").digest())
    return state.hexdigest()[:32]


def place(about: TextInput) -> Path:
    """Give the folder of the network and its tokenizer."""
    folder = _folder(about)
    return folder / read(folder).transformer


def config(folder: Path) -> Json:
    """Read the config.json of a network; empty where there is none that can be read."""
    found: Json = _json(folder / CONFIG, [])
    return found


def read(folder: Path) -> Said:
    """Read what a folder says. Raises UserError with all that keeps it from being an encoder."""
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder: give the folder of an encoder, with its {CONFIG} and {WEIGHTS}")
    problems: list[str] = []
    modules = _modules(folder, problems)
    home = modules.get("Transformer", "")
    pooling = f"{modules['Pooling']}/{CONFIG}" if "Pooling" in modules else ""
    prompts = _json(folder / PROMPTS, problems)
    sentences, config, tokenizer = (
        _json(folder / home / name, problems) for name in (SENTENCES, CONFIG, "tokenizer_config.json")
    )
    problems += _missing(folder / home)
    poolings = _poolings(_json(folder / pooling, problems), problems) if pooling else ()
    if problems:
        raise UserError(*(f"{folder}: {problem}" for problem in problems))
    longest = _longest(config, tokenizer)
    own = sentences.get("max_seq_length")
    needed = (MODULES, pooling or MODULES, PROMPTS, f"{home}/{SENTENCES}".lstrip("/"))
    return Said(
        transformer=home,
        about=tuple(name for name in dict.fromkeys(needed) if modules and (folder / name).is_file()),
        poolings=poolings,
        normalise="Normalize" in modules,
        longest=longest,
        max_tokens=min(own, longest) if isinstance(own, int) and own > 0 else longest,
        lowercase=sentences.get("do_lower_case") is True,
        prompt=_prompt(prompts),
    )


def _files(folder: Path, said: Said) -> tuple[str, ...]:
    """List the files that vectors need, relative to the folder, sorted."""
    home = PurePosixPath(said.transformer)
    mine = [CONFIG, *_weights(folder / home), *(name for name in TOKENIZERS if (folder / home / name).exists())]
    return tuple(sorted({*said.about, *((home / name).as_posix() for name in mine)}))


def _folder(about: TextInput) -> Path:
    if about.folder is None:
        raise UserError(
            f"texts are read by an encoder's {about.kind}, but its files are missing: give the artifact as the job wrote it"
        )
    return about.folder


def _modules(folder: Path, problems: list[str]) -> dict[str, str]:
    """Give the folder of each module of sentence-transformers by its kind; none, where the folder is one of transformers."""
    listed = _json(folder / MODULES, problems, kind=list)
    modules: dict[str, str] = {}
    for each in listed:
        kind = str(each.get("type", "")).rpartition(".")[2]
        path = str(each.get("path", ""))
        if kind not in ("Transformer", "Pooling", "Normalize") or kind in modules:
            problems.append(f"{MODULES} asks for {kind}: only one Transformer, Pooling and Normalize are known here")
        elif PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
            problems.append(f"{MODULES}: {kind} lies outside the folder")
        else:
            modules[kind] = path
    if listed and "Transformer" not in modules:
        problems.append(f"{MODULES} names no Transformer")
    return modules


def _poolings(config: Json, problems: list[str]) -> tuple[str, ...]:
    """Read how token vectors are pooled; older and newer folders say it in other ways."""
    named = config.get("pooling_mode")
    if named is not None:
        found = [str(each) for each in ([named] if isinstance(named, str) else named)]
    else:
        flags = [name for name, value in config.items() if name.startswith("pooling_mode_") and value is True]
        found = [POOLING_FLAGS[name] for name in POOLING_FLAGS if name in flags]
        found += [name for name in flags if name not in POOLING_FLAGS]
    if unknown := [name for name in found if name not in POOLINGS]:
        problems.append(f"its pooling is {', '.join(unknown)}: only {', '.join(sorted(POOLINGS))} are known here")
    return tuple(found)


def _prompt(config: Json) -> str:
    name, prompts = config.get("default_prompt_name"), config.get("prompts")
    return str(prompts.get(name, "")) if name and isinstance(prompts, dict) else ""


def _longest(config: Json, tokenizer: Json) -> int:
    places = config.get("max_position_embeddings")
    if isinstance(places, int) and config.get("model_type") in PLACES_TAKEN:
        places -= (config.get("pad_token_id") or 0) + 1
    limits = (places, tokenizer.get("model_max_length"))
    return int(min((n for n in limits if isinstance(n, int | float) and 0 < n < NO_LIMIT), default=UNLIMITED_TOKENS))


def _missing(home: Path) -> list[str]:
    """Say which files the network and its tokenizer lack."""
    problems = [] if (home / CONFIG).exists() else [f"no {CONFIG}"]
    if not any((home / name).exists() for name in VOCABULARIES):
        problems.append(f"no {TOKENIZERS[0]}")
    if not any((home / name).exists() for name in (WEIGHTS, SHARDS)):
        pickled = any(home.glob("pytorch_model*.bin"))
        seen = (
            "its weights are a pickle (pytorch_model.bin), which could run code and is not read"
            if pickled
            else f"no {WEIGHTS}"
        )
        problems.append(f"{seen}: {CONVERT.format('AutoModel')} writes {WEIGHTS}; do it where you trust the file")
    return problems


CONVERT = "{}.from_pretrained(folder).save_pretrained(folder) of transformers"


def _weights(home: Path) -> Sequence[str]:
    if (home / WEIGHTS).exists():
        return [WEIGHTS]
    problems: list[str] = []
    shards = sorted({str(name) for name in _json(home / SHARDS, problems).get("weight_map", {}).values()})
    problems += [
        f"{SHARDS} names {Path(name).name}, which is not there"
        for name in shards
        if Path(name).name != name or not (home / name).exists()
    ]
    if problems:
        raise UserError(*(f"{home}: {problem}" for problem in problems))
    return [SHARDS, *shards]


def _json(path: Path, problems: list[str], kind: type[Any] = dict) -> Any:
    """Read a JSON file; what is missing is empty, and what is something else is among the problems."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return kind()
    except (OSError, ValueError):
        value = None
    if isinstance(value, kind) and (kind is dict or all(isinstance(each, dict) for each in value)):
        return value
    problems.append(f"{path.name} cannot be read: give it as the encoder's makers wrote it")
    return kind()
