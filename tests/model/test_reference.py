"""What a model's reference holds, and what it does not."""

from __future__ import annotations

import json

import numpy as np
import pytest

from relabel.data.tokens import Tokens
from relabel.errors import UserError
from relabel.model import artifact, package, reference
from relabel.model.artifact import Artifact, Model

WIDTH = 100


def made(rng, rows=300, width=WIDTH):
    """Make a reference of normal rows that lie near a plane of 8 directions."""
    plane = rng.standard_normal((8, width))

    def draw(n):
        return (rng.standard_normal((n, 8)) @ plane + 0.1 * rng.standard_normal((n, width))).astype(np.float32)

    probability = rng.dirichlet([1, 1, 1], rows).astype(np.float32)
    return reference.made(draw(400), draw(rows), probability), draw


def artifact_of(held=None) -> Artifact:
    """An artifact of a small model."""
    tensors = {
        "mean": np.zeros(WIDTH, np.float32),
        "scale": np.ones(WIDTH, np.float32),
        "weight.0": np.zeros((WIDTH, 3), np.float32),
        "bias.0": np.zeros(3, np.float32),
    }
    model = Model("dense", {"inputs": WIDTH, "width": 8, "depth": 0, "classes": 3}, tensors)
    return Artifact(model, ("a", "b", "c"), "given", reference=held)


def test_it_comes_back_from_its_file_as_it_was(tmp_path):
    """Saved and loaded, the reference sees rows as before; it is one of the artifact's files, and its bytes are always the same."""
    held, draw = made(np.random.default_rng(0))
    artifact.save(tmp_path, artifact_of(held))
    loaded = artifact.load(tmp_path)
    assert isinstance(loaded.reference, reference.Stored)
    assert reference.FILE in loaded.files
    back, rows = loaded.reference.read(), draw(50)
    np.testing.assert_array_equal(back.view(rows), held.view(rows))
    np.testing.assert_array_equal(back.seen, held.seen)
    np.testing.assert_array_equal(back.probability, held.probability)
    assert reference.packed(back) == reference.packed(held) == (tmp_path / reference.FILE).read_bytes()


def test_an_older_artifact_has_none(tmp_path):
    """A model without a reference, and one whose description says nothing of it, load as ever."""
    artifact.save(tmp_path, artifact_of())
    description = tmp_path / artifact.DESCRIPTION
    said = json.loads(description.read_text())
    del said["reference"]
    description.write_text(json.dumps(said))
    assert artifact.load(tmp_path).reference is None
    assert artifact.load(tmp_path).files == artifact.FILES


def test_it_goes_with_the_model_and_goes_with_the_next_one(tmp_path):
    """It is packed, survives being saved from one folder to another, and is taken away by a model without one."""
    held, _ = made(np.random.default_rng(1))
    artifact.save(tmp_path / "one", artifact_of(held))
    artifact.save(tmp_path / "two", artifact.load(tmp_path / "one"))
    one, two = ((tmp_path / name / reference.FILE).read_bytes() for name in ("one", "two"))
    assert one == two
    assert package.pack(tmp_path / "two", tmp_path / "model.tar.gz").size > len(one) // 2
    artifact.save(tmp_path / "two", artifact_of())
    assert not (tmp_path / "two" / reference.FILE).exists()


def test_a_file_that_was_changed_is_refused(tmp_path):
    """Another content or a missing file is said when the model is loaded."""
    held, _ = made(np.random.default_rng(2))
    artifact.save(tmp_path, artifact_of(held))
    path = tmp_path / reference.FILE
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(UserError, match=r"reference.safetensors: its hash is not the one"):
        artifact.load(tmp_path)
    path.unlink()
    with pytest.raises(UserError, match=r"reference.safetensors cannot be read"):
        artifact.load(tmp_path)


@pytest.mark.parametrize("content", [b"", b"\x08\0\0\0\0\0\0\0{}      ", b"junk" * 10])
def test_a_broken_file_is_said(tmp_path, content):
    """What is no reference is the user's to mend, whatever it is."""
    path = tmp_path / reference.FILE
    path.write_bytes(content)
    with pytest.raises(UserError, match="cannot be read"):
        reference.Stored(path, "").read()


def test_what_no_training_row_has_lies_outside():
    """A row in a direction that the training rows lack is far outside, though along the known directions it is like any other."""
    held, draw = made(np.random.default_rng(3))
    usual, strange = draw(100), draw(100)
    strange += 3 * np.random.default_rng(4).standard_normal(WIDTH).astype(np.float32)
    place = held.view.names.index(reference.OUTSIDE)
    assert held.view(strange)[:, place].min() > held.view(usual)[:, place].max()


def test_texts_are_seen_by_their_terms():
    """Of token ids the length and the share of unknown words are measures; the texts cannot be read off."""
    rng = np.random.default_rng(5)
    texts = Tokens.of([rng.integers(2, 500, rng.integers(1, 30)) for _ in range(300)])
    held = reference.made(texts, texts, np.full((300, 2), 0.5, np.float32))
    seen = dict(zip(held.view.names, held.view(Tokens.of([[1, 1, 7, 8], []])).T, strict=True))
    np.testing.assert_allclose(seen[reference.STRANGE], [0.5, 0])
    np.testing.assert_allclose(seen[reference.LENGTH], np.log1p([4, 0]), rtol=1e-3)
    assert held.seen.shape == (300, len(held.view.names))
    assert len(reference.packed(held)) < 200_000


def test_rows_of_another_width_are_refused():
    """A reference of another model is said to be one."""
    held, _ = made(np.random.default_rng(6))
    with pytest.raises(UserError, match="another model's"):
        held.view(np.zeros((2, WIDTH + 1), np.float32))
