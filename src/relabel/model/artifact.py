"""The artifact: what a training job hands to an endpoint.

    model.json            what it is, and the hashes of all other files
    model.safetensors     the arrays of the model
    training_rows.npy     hashes of the rows that it was trained on, where it knows them
    reference.safetensors what rows looked like that it never saw, where it has that: see reference
    text.json, encoder/   how texts are read, and the files of the encoder or of its tokenizer, where it takes texts

All hold arrays or text and nothing in them can run: no pickle. The description is written last, so an artifact is either complete or refused.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Collection, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import safetensors
import safetensors.numpy
from numpy.lib import format as numpy_format
from numpy.typing import NDArray

from relabel import files, npy
from relabel.errors import UserError
from relabel.model import description as descriptions
from relabel.model import reference as references
from relabel.model.reference import Reference, Stored
from relabel.text.reader import TextInput

SCHEMA = 1
EXPECTED = {"kind", "sizes", "classes", "input", "fitted_on", "noise", "tensors_sha256", "provenance"}
TENSORS = "model.safetensors"
DESCRIPTION = "model.json"
FILES = (TENSORS, DESCRIPTION)
"""Files that every artifact has."""
TRAINING_ROWS = "training_rows.npy"
"""File of those that know their training rows: sorted hashes, 8 bytes each, for which an endpoint needs no memory of its own."""
TEXT = "text.json"
"""File that says how texts are read, of those that take texts."""
ENCODER = "encoder"
"""Folder of the files that this needs."""


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """One trained model as arrays, standardisation included.

    kind:    names its predictor (see predictor.PREDICTORS).
    sizes:   what the predictor must know of the shape, for example {"inputs": 768, "width": 64, "depth": 1, "classes": 2}.
    tensors: name -> array.
    """

    kind: str
    sizes: Mapping[str, int]
    tensors: Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True, eq=False)
class Artifact:
    """A model with what is needed to use and to judge it.

    classes:    names in the order of the model's outputs.
    input:      what an endpoint takes: embeddings, or texts; of both where `text` makes embeddings of texts.
    text:       how texts are read, or None where it takes none.
    fitted_on:  the labels as given, or as the policy treated them.
    noise:      (C, C) P(given j | true i) of the training labels, or None where it was not estimated.
    temperature: by how much the model is surer than labels of rows that it never saw bear out; 1 is not at all.
    training_rows: (n,) uint64, sorted hashes of the rows that the model was trained on (see training_rows), or None where they are not known.
    reference:  what rows looked like that it never saw, in its file once it is loaded, or None; an endpoint does not open it.
    provenance: data digest, settings, versions, seed; no times and no hosts.
    tensors_sha256: hash of the tensors' file, "" before it is written.
    """

    model: Model
    classes: tuple[str, ...]
    fitted_on: Literal["given", "treated"]
    input: Literal["embedding", "text"] = "embedding"
    text: TextInput | None = None
    noise: NDArray[np.float64] | None = None
    temperature: float = 1.0
    training_rows: NDArray[np.uint64] | None = None
    reference: Reference | Stored | None = None
    provenance: Mapping[str, Any] = field(default_factory=dict)
    tensors_sha256: str = ""

    @property
    def short_hash(self) -> str:
        """Twelve characters that tell models apart."""
        return self.tensors_sha256[:12]

    @property
    def files(self) -> tuple[str, ...]:
        """All its files, as paths below its folder with `/`."""
        rows = () if self.training_rows is None else (TRAINING_ROWS,)
        reference = () if self.reference is None else (references.FILE,)
        text = () if self.text is None else (TEXT, *(f"{ENCODER}/{name}" for name in self.text.files))
        return (*FILES, *rows, *reference, *text)


def sha256(model: Model) -> str:
    """Give the hash that the tensors' file of a model has once it is written."""
    return hashlib.sha256(_packed(model)).hexdigest()


def save(folder: Path, artifact: Artifact) -> None:
    """Write the files into `folder`, each atomically, the description last; what only an artifact had that was there before goes.

    Raises OSError where the disk is full or not writable; no half file stays.
    """
    tensors = _packed(artifact.model)
    description = {
        "schema": SCHEMA,
        "kind": artifact.model.kind,
        "sizes": dict(artifact.model.sizes),
        "classes": list(artifact.classes),
        "input": artifact.input,
        "fitted_on": artifact.fitted_on,
        "noise": None if artifact.noise is None else artifact.noise.tolist(),
        "temperature": artifact.temperature,
        "training_rows": None,
        "reference": None,
        "text": None,
        "tensors_sha256": hashlib.sha256(tensors).hexdigest(),
        "provenance": dict(artifact.provenance),
    }
    with (
        ExitStack() as stack
    ):  # all are written before the first takes its place, and what is opened first takes it last
        json_file = stack.enter_context(files.replacing(folder / DESCRIPTION))
        if artifact.training_rows is not None:
            rows_file = stack.enter_context(files.replacing(folder / TRAINING_ROWS))
            description["training_rows"] = _write_rows(rows_file, artifact.training_rows)
        if artifact.reference is not None:
            reference_file = stack.enter_context(files.replacing(folder / references.FILE))
            description["reference"] = _write_reference(reference_file, artifact.reference)
        if artifact.text is not None:
            description["text"] = _write_text(stack, folder, artifact.text)
        stack.enter_context(files.replacing(folder / TENSORS)).write_bytes(tensors)
        text = json.dumps(description, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
        json_file.write_text(text, encoding="utf-8")
    for name in {TRAINING_ROWS, references.FILE, TEXT} - {*artifact.files}:
        (folder / name).unlink(missing_ok=True)
    _forget(folder / ENCODER, {*artifact.files})


def load(folder: Path) -> Artifact:
    """Read an artifact back.

    Raises UserError where a file is missing, broken, of another schema, or the two do not belong together.
    """
    try:
        description = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
        tensors = (folder / TENSORS).read_bytes()
    except FileNotFoundError as error:
        raise UserError(
            f"{folder}: no {Path(error.filename).name}; a model folder holds {TENSORS} and {DESCRIPTION}{_meant(folder)}"
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(
            f"{folder}: {DESCRIPTION} cannot be read ({error}): give the artifact as the job wrote it"
        ) from None
    _check(folder, description, tensors)
    return Artifact(
        model=Model(description["kind"], description["sizes"], _unpacked(folder, tensors)),
        classes=tuple(description["classes"]),
        fitted_on=description["fitted_on"],
        input=description["input"],
        noise=None if description["noise"] is None else np.array(description["noise"]),
        temperature=description.get("temperature", 1.0),
        text=_read_text(folder, description.get("text")),
        training_rows=_read_rows(folder / TRAINING_ROWS, description.get("training_rows")),
        reference=_stored(folder / references.FILE, description.get("reference")),
        provenance=description["provenance"],
        tensors_sha256=description["tensors_sha256"],
    )


def _meant(folder: Path) -> str:
    """Name the model of a job's folder where that was given."""
    return f": did you mean {folder / 'model'}?" if (folder / "model" / DESCRIPTION).is_file() else ""


def _packed(model: Model) -> bytes:
    return safetensors.numpy.save(dict(model.tensors))


def _unpacked(folder: Path, tensors: bytes) -> dict[str, NDArray[Any]]:
    try:
        return safetensors.numpy.load(tensors)
    except (safetensors.SafetensorError, ValueError, TypeError, KeyError) as error:
        raise UserError(
            f"{folder}/{TENSORS} holds no arrays of numpy ({error}): give the artifact as the job wrote it"
        ) from None


def _write_rows(path: Path, rows: NDArray[np.uint64]) -> dict[str, Any]:
    """Write the hashes of training rows; give what the description says of them."""
    plain = np.ascontiguousarray(rows, dtype="<u8")
    with path.open("wb") as file:
        numpy_format.write_array_header_1_0(file, numpy_format.header_data_from_array_1_0(plain))
        file.write(plain.data)  # numpy's own writing of arrays would not say that a disk is full
    return {"count": rows.size, "sha256": _digest(path)}


def _read_rows(path: Path, said: Any) -> NDArray[np.uint64] | None:
    """Map the file of training rows, where the description says something of it: its pages are shared by all processes that read it."""
    if said is None:
        return None
    try:
        if not isinstance(said, dict) or _digest(path) != said.get("sha256"):
            raise UserError(f"{path}: its hash is not the one in {DESCRIPTION}: the file was changed, cut or mixed up")
        with path.open("rb") as file:
            shape, _, dtype = npy.header(file)
            if dtype != np.dtype("<u8") or shape != (said.get("count"),):
                raise UserError(
                    f"{path}: no list of hashes as {DESCRIPTION} says it: give the artifact as the job wrote it"
                )
            return np.memmap(path, dtype, "r", file.tell(), shape)
    except FileNotFoundError:
        raise UserError(
            f"{path}: no such file, but {DESCRIPTION} names it: give the artifact as the job wrote it"
        ) from None
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read ({error}): give the artifact as the job wrote it") from None


def _write_reference(path: Path, reference: Reference | Stored) -> dict[str, Any]:
    """Write a reference; give what the description says of it."""
    path.write_bytes(reference.path.read_bytes() if isinstance(reference, Stored) else references.packed(reference))
    return {"sha256": _digest(path)}


def _stored(path: Path, said: Any) -> Stored | None:
    """See that the file of the reference is the one that was written, where the description says something of it."""
    if said is None:
        return None
    try:
        found = _digest(path)
    except OSError as error:
        raise UserError(
            f"{path} cannot be read ({error.strerror}), but {DESCRIPTION} names it: give the artifact as the job wrote it"
        ) from None
    if not isinstance(said, dict) or found != said.get("sha256"):
        raise UserError(f"{path}: its hash is not the one in {DESCRIPTION}: the file was changed, cut or mixed up")
    return Stored(path, found)


def _write_text(stack: ExitStack, folder: Path, text: TextInput) -> dict[str, Any]:
    """Write how texts are read, and copy the files that this needs; give what the description says of them."""
    about = {"kind": text.kind, "settings": dict(text.settings), "terms": list(text.terms)}
    content = json.dumps(about, ensure_ascii=False, allow_nan=False).encode(errors="surrogatepass")
    stack.enter_context(files.replacing(folder / TEXT)).write_bytes(content)
    hashes = {}
    for name in text.files:
        assert text.folder is not None  # noqa: S101  # files lie in a folder
        (folder / ENCODER / name).parent.mkdir(parents=True, exist_ok=True)
        copied = stack.enter_context(files.replacing(folder / ENCODER / name))
        shutil.copyfile(text.folder / name, copied)
        hashes[name] = _digest(copied)
    return {"sha256": hashlib.sha256(content).hexdigest(), "files": hashes}


def _read_text(folder: Path, said: Any) -> TextInput | None:
    """Read how texts are read, and see that the files for it are those that were written."""
    if said is None:
        return None
    problems = []
    try:
        content = (folder / TEXT).read_bytes()
        if hashlib.sha256(content).hexdigest() != said["sha256"]:
            raise UserError(
                f"{folder / TEXT}: its hash is not the one in {DESCRIPTION}: the file was changed, cut or mixed up"
            )
        about = json.loads(content.decode(errors="surrogatepass"))
        for name, digest in said["files"].items():
            path = folder / ENCODER / name
            if not path.resolve().is_relative_to((folder / ENCODER).resolve()) or not path.is_file():
                problems.append(f"{path}: no such file, but {DESCRIPTION} names it")
            elif _digest(path) != digest:
                problems.append(
                    f"{path}: its hash is not the one in {DESCRIPTION}: the file was changed, cut or mixed up"
                )
        problems += _strangers(folder / ENCODER, said["files"])
        if problems:
            raise UserError(*problems)
        named = tuple(said["files"])
        return TextInput(
            about["kind"], about["settings"], tuple(about["terms"]), folder / ENCODER if named else None, named
        )
    except FileNotFoundError:
        raise UserError(
            f"{folder}: no {TEXT}, but {DESCRIPTION} names it: give the artifact as the job wrote it"
        ) from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UserError(f"{folder / TEXT} cannot be read ({error}): give the artifact as the job wrote it") from None


def _strangers(encoder: Path, named: Collection[str]) -> list[str]:
    """Find files that the description does not name: libraries that read such a folder take what they find in it."""
    found = (path for path in sorted(encoder.rglob("*")) if path.is_symlink() or not path.is_dir())
    return [
        f"{path}: {DESCRIPTION} does not name it, so nobody vouches for it: take it away"
        for path in found
        if path.relative_to(encoder).as_posix() not in named
    ]


def _forget(encoder: Path, kept: Collection[str]) -> None:
    """Take away the files of an encoder that is no longer part of the artifact."""
    for path in sorted(encoder.rglob("*"), reverse=True):  # a folder after what it holds
        if path.is_dir() and not path.is_symlink():
            with suppress(OSError):  # it holds files that stay
                path.rmdir()
        elif f"{ENCODER}/{path.relative_to(encoder).as_posix()}" not in kept:
            path.unlink()
    with suppress(OSError):
        encoder.rmdir()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check(folder: Path, description: Any, tensors: bytes) -> None:
    if not isinstance(description, dict) or description.get("schema") != SCHEMA:
        seen = description.get("schema") if isinstance(description, dict) else type(description).__name__
        raise UserError(
            f"{folder}/{DESCRIPTION}: schema {seen}, this version reads schema {SCHEMA}: use the relabel that wrote it"
        )
    missing = sorted(EXPECTED - description.keys())
    if missing:
        raise UserError(f"{folder}/{DESCRIPTION}: no {', '.join(missing)}: give the artifact as the job wrote it")
    if wrong := descriptions.problems(description):
        raise UserError(
            *(f"{folder}/{DESCRIPTION}: {problem}: give the artifact as the job wrote it" for problem in wrong)
        )
    if hashlib.sha256(tensors).hexdigest() != description.get("tensors_sha256"):
        raise UserError(
            f"{folder}/{TENSORS}: its hash is not the one in {DESCRIPTION}: the file was changed, cut or mixed up"
        )
