"""A model that somebody has changed: every byte of every file, and a description that means harm."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relabel.container import environment
from relabel.errors import UserError
from relabel.model import artifact, predictor, reference, source
from relabel.model.artifact import Artifact, Model
from relabel.text.reader import TextInput

WIDTH, CLASSES = 6, ("no", "yes")
VOUCHED = (
    artifact.TENSORS,
    artifact.TRAINING_ROWS,
    reference.FILE,
    artifact.TEXT,
    "encoder/tokenizer.json",
    "encoder/deep/config.json",
)
"""Files whose hashes the description has."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    """A model with every file that one can have."""
    folder, rng = tmp_path_factory.mktemp("models"), np.random.default_rng(0)
    for name in ("tokenizer.json", "deep/config.json"):
        (folder / "encoder" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "encoder" / name).write_text(json.dumps({"name": name}))
    tensors = {
        "mean": np.zeros(WIDTH, np.float32),
        "scale": np.ones(WIDTH, np.float32),
        "weight.0": rng.standard_normal((WIDTH, 2)).astype(np.float32),
        "bias.0": np.zeros(2, np.float32),
    }
    rows = rng.standard_normal((300, WIDTH)).astype(np.float32)
    made = Artifact(
        Model("dense", {"inputs": WIDTH, "width": 1, "depth": 0, "classes": 2}, tensors),
        CLASSES,
        "given",
        noise=np.eye(2),
        training_rows=np.arange(40, dtype=np.uint64),
        reference=reference.made(rows[:200], rows[200:], rng.dirichlet([1, 1], 100).astype(np.float32)),
        text=TextInput("subwords", {"max_tokens": 8}, (), folder / "encoder", ("tokenizer.json", "deep/config.json")),
    )
    artifact.save(folder / "model", made)
    assert {
        path.relative_to(folder / "model").as_posix() for path in (folder / "model").rglob("*") if path.is_file()
    } == {
        *VOUCHED,
        artifact.DESCRIPTION,
    }
    return folder / "model"


@pytest.fixture
def model(whole, tmp_path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(whole, tmp_path / "model"))


def changed(path: Path, place: float, bit: int) -> None:
    """Turn one bit of a file, `place` of the way through it."""
    content = bytearray(path.read_bytes())
    content[min(int(place * len(content)), len(content) - 1)] ^= 1 << bit
    path.write_bytes(content)


@pytest.mark.parametrize("name", VOUCHED)
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(place=st.floats(0, 1), bit=st.integers(0, 7))
def test_one_bit_anywhere_is_enough(model, whole, name, place, bit) -> None:
    """In the header, in the middle, in the last byte: the file is named and nothing is loaded."""
    shutil.copyfile(whole / name, model / name)
    changed(model / name, place, bit)
    with pytest.raises(UserError, match=name):
        artifact.load(model)


@pytest.mark.parametrize("name", VOUCHED)
@pytest.mark.parametrize("how", ["cut", "longer", "gone", "of another file"])
def test_a_file_that_is_not_the_one_is_refused(model, name, how) -> None:
    """Torn, with something behind its end, missing, or mixed up."""
    path = model / name
    if how == "gone":
        path.unlink()
    else:
        content = path.read_bytes()
        other = next(model / each for each in VOUCHED if each != name).read_bytes()
        path.write_bytes({"cut": content[:-1], "longer": content + b"\0", "of another file": other}[how])
    with pytest.raises(UserError, match=Path(name).name):
        artifact.load(model)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(place=st.floats(0, 1), bit=st.integers(0, 7))
def test_who_names_the_hash_gets_that_description_and_no_other(model, whole, place, bit) -> None:
    """The description has the hashes of all other files, and its own is the one that `model_sha256` takes."""
    path = model / artifact.DESCRIPTION
    shutil.copyfile(whole / artifact.DESCRIPTION, path)
    pin = hashlib.sha256(path.read_bytes()).hexdigest()
    assert source.fetch(str(model), environment.read({}), pin) == model
    changed(path, place, bit)
    with pytest.raises(UserError, match=rf"the hash of {artifact.DESCRIPTION} is"):
        source.fetch(str(model), environment.read({}), pin)


@pytest.mark.parametrize("name", ["adapter_config.json", "deep/modeling.py", "pytorch_model.bin"])
def test_nothing_may_lie_beside_an_encoder_s_files(model, name) -> None:
    """The libraries that read such a folder take what they find in it, and nobody vouches for this."""
    (model / "encoder" / name).write_text("{}")
    with pytest.raises(UserError, match=rf"encoder/{name}: model\.json does not name it"):
        artifact.load(model)


def test_a_link_is_no_file_of_an_encoder(model, tmp_path) -> None:
    """It leads out of the folder, whether the description names it or not."""
    (tmp_path / "outside.json").write_text("{}")
    (model / "encoder" / "more.json").symlink_to(tmp_path / "outside.json")
    with pytest.raises(UserError, match="does not name it"):
        artifact.load(model)
    said = json.loads((model / artifact.DESCRIPTION).read_text())
    digest = hashlib.sha256(b"{}").hexdigest()
    for name in ("more.json", "../../outside.json", str(tmp_path / "outside.json")):
        said["text"]["files"] = {**said["text"]["files"], name: digest}
        (model / artifact.DESCRIPTION).write_text(json.dumps(said))
        with pytest.raises(UserError, match="no such file"):
            artifact.load(model)


ODD: list[Any] = [
    *(
        None,
        True,
        0,
        -1,
        1.5,
        10**30,
        float("inf"),
        "x",
        "",
        [],
        {},
        [1],
        [["a"]],
        [[1, 2], [3]],
        {"a": 1},
        {"sha256": 1},
    ),
    *({"inputs": "6"}, {"inputs": WIDTH, "width": 1, "depth": 10**9, "classes": 2}, {"inputs": -6, "depth": 0}),
    *({"sha256": "x", "files": []}, {"sha256": "x", "files": {"\0": "x"}}, ["a", "a"], ["a", 1], [[float("nan")]]),
]


def refused(folder: Path) -> bool:
    """Tell whether a model is refused, and in no other way than with a UserError; else it can be asked."""
    try:
        loaded = artifact.load(folder)
        made = predictor.load(loaded.model)
    except UserError:
        return True
    return made(np.zeros((1, WIDTH), np.float32)).shape != (1, len(loaded.classes))


@pytest.mark.parametrize(
    "name", ["schema", *sorted(artifact.EXPECTED), "training_rows", "reference", "text", "temperature"]
)
def test_a_description_that_means_harm_is_refused_in_words(model, name) -> None:
    """Whatever stands in a field, no memory is taken for it, and nothing but a UserError comes of it."""
    said = json.loads((model / artifact.DESCRIPTION).read_text())
    allowed: dict[str, list[Any]] = {name: [None] for name in ("noise", "training_rows", "reference", "text")}
    allowed |= {"temperature": [1.5, 10**30], "provenance": [v for v in ODD if isinstance(v, dict)]}
    allowed |= {"schema": [True]}  # which is 1
    for value in ODD:
        (model / artifact.DESCRIPTION).write_text(json.dumps({**said, name: value}))
        assert refused(model) or any(value is each or value == each for each in allowed.get(name, [])), value


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"[" * 100_000, b'{"a":' * 50_000, b"\xff", b"1" * 5000, b"NaN", b"{}"]
)
def test_what_is_no_description_is_refused_in_words(model, content) -> None:
    """Empty, of another kind, deeper than Python goes, or no text."""
    (model / artifact.DESCRIPTION).write_bytes(content)
    assert refused(model)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(content=st.binary(max_size=64) | st.binary(max_size=64).map(lambda b: len(b).to_bytes(8, "little") + b))
def test_tensors_that_somebody_vouches_for_are_read_all_the_same(model, content) -> None:
    """Of bytes that are no tensors comes a UserError, also where their hash is the one that is said."""
    (model / artifact.TENSORS).write_bytes(content)
    said = json.loads((model / artifact.DESCRIPTION).read_text())
    said["tensors_sha256"] = hashlib.sha256(content).hexdigest()
    (model / artifact.DESCRIPTION).write_text(json.dumps(said))
    assert refused(model)
