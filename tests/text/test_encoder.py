"""Promises of encoders: texts to vectors, by what the folder says."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModel, AutoTokenizer

from relabel.errors import UserError
from relabel.text import encoder_files, reader
from relabel.text.encoder import Encoder, batches

TEXTS = [
    "this film is good and fine",
    "",
    "awful",
    "a bad boring story with actors who play poorly, never again " * 20,
    "I loved every minute of it",
    "日本 🎬 <br/>  &amp;",
    "  good  ",
    "\u202eright to left",
]


def reference(folder: Path, poolings: list[str], max_tokens: int, *, normalise: bool) -> np.ndarray:
    """Embed TEXTS one at a time, plainly, with transformers alone."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    network = AutoModel.from_pretrained(folder).eval()
    vectors = []
    for text in TEXTS:
        read = tokenizer(text, truncation=True, max_length=max_tokens, return_tensors="pt")
        with torch.no_grad():
            hidden = network(**read).last_hidden_state[0]
        of = {"mean": hidden.mean(0), "max": hidden.max(0).values, "cls": hidden[0]}
        vector = torch.cat([of[name] for name in poolings])
        vectors.append((vector / vector.norm() if normalise else vector).numpy())
    return np.stack(vectors)


@pytest.mark.parametrize("pooling", ["mean", "cls", "max", "mean+max"])
def test_vectors_are_those_of_a_plain_loop(tiny_encoder, pooling) -> None:
    """For every pooling, text by text, with texts cut at the model's own maximum."""
    read = reader.load(encoder_files.describe(tiny_encoder, pooling=pooling))
    expected = reference(tiny_encoder, pooling.split("+"), 64, normalise=False)
    made = read(TEXTS)
    assert made.dtype == np.float32
    np.testing.assert_allclose(made, expected, atol=1e-5)


def test_a_folder_of_sentence_transformers_is_read_as_it_says(sentence_encoder) -> None:
    """Its pooling, its most tokens and its normalisation are taken from its own files."""
    read = reader.load(encoder_files.describe(sentence_encoder))
    np.testing.assert_allclose(read(TEXTS), reference(sentence_encoder, ["max", "mean"], 16, normalise=True), atol=1e-5)


def test_what_is_asked_for_wins_over_what_the_folder_says(sentence_encoder) -> None:
    """Pooling, most tokens and normalisation."""
    read = reader.load(encoder_files.describe(sentence_encoder, pooling="cls", max_tokens=8, normalise=False))
    np.testing.assert_allclose(read(TEXTS), reference(sentence_encoder, ["cls"], 8, normalise=False), atol=1e-5)


@pytest.mark.parametrize("batch_tokens", [1, 70, 100_000])
def test_a_text_gives_the_same_vector_whatever_it_comes_with(tiny_encoder, batch_tokens) -> None:
    """Alone, in any order and in batches of any size, to 1e-5; also among more texts than are read at once."""
    about = encoder_files.describe(tiny_encoder)
    alone = np.concatenate([Encoder(about)([text]) for text in TEXTS])
    order = np.random.default_rng(0).integers(0, len(TEXTS), 60 if batch_tokens == 1 else 4300)
    together = Encoder(about, batch_tokens=batch_tokens)([TEXTS[n] for n in order])
    np.testing.assert_allclose(together, alone[order], atol=1e-5)


def test_batches_hold_every_text_once_and_stay_within_the_budget() -> None:
    """Padding counted; a text longer than the budget goes alone."""
    lengths = np.random.default_rng(0).integers(1, 200, 500)
    made = [*batches(lengths, 128)]
    assert sorted(np.concatenate(made).tolist()) == [*range(500)]
    assert all(rows.size == 1 or rows.size * lengths[rows].max() <= 128 for rows in made)


def test_no_text_gives_no_vector(tiny_encoder) -> None:
    """And the width is known."""
    assert reader.load(encoder_files.describe(tiny_encoder, pooling="mean+max"))([]).shape == (0, 64)


def test_a_lone_surrogate_is_a_question_mark(tiny_encoder) -> None:
    """What is no Unicode is read and not refused."""
    read = reader.load(encoder_files.describe(tiny_encoder))
    np.testing.assert_array_equal(read(["good \ud800"]), read(["good ?"]))


@pytest.mark.parametrize("name", ["tiny_encoder", "sentence_encoder"])
def test_the_listed_files_are_all_that_is_needed(name, request, tmp_path) -> None:
    """A copy of them alone gives the same vectors, and has the same fingerprint."""
    about = encoder_files.describe(request.getfixturevalue(name))
    for path in about.files:
        (tmp_path / path).parent.mkdir(exist_ok=True)
        shutil.copyfile(about.folder / path, tmp_path / path)
    copy = encoder_files.describe(tmp_path)
    assert copy.settings == about.settings
    assert encoder_files.fingerprint(copy) == encoder_files.fingerprint(about)
    np.testing.assert_array_equal(reader.load(copy)(TEXTS), reader.load(about)(TEXTS))


def test_the_fingerprint_follows_settings_and_content(tiny_encoder, tmp_path) -> None:
    """Another pooling, other weights: another name; a README beside them: the same."""
    folder = tmp_path / "copy"
    shutil.copytree(tiny_encoder, folder)
    first = encoder_files.fingerprint(encoder_files.describe(folder))
    (folder / "README.md").write_text("about it")
    assert encoder_files.fingerprint(encoder_files.describe(folder)) == first
    assert encoder_files.fingerprint(encoder_files.describe(folder, pooling="max")) != first
    weights = bytearray((folder / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (folder / "model.safetensors").write_bytes(weights)
    assert encoder_files.fingerprint(encoder_files.describe(folder)) != first


def broken(folder: Path, tmp_path: Path, *, without: str = "", **said: object) -> Path:
    """Copy an encoder without some file, or with another content of some JSON files."""
    copy = tmp_path / "broken"
    shutil.copytree(folder, copy)
    if without:
        (copy / without).unlink()
    for name, value in said.items():
        (copy / f"{name}.json").write_text(json.dumps(value))
    return copy


def test_weights_that_are_a_pickle_are_refused(tiny_encoder, tmp_path) -> None:
    """The message says how to make others, and nothing of the file is run."""
    folder = broken(tiny_encoder, tmp_path, without="model.safetensors")
    (folder / "pytorch_model.bin").write_bytes(b"cos\nsystem\n(S'exit 1'\ntR.")
    with pytest.raises(UserError, match=r"pickle.*save_pretrained"):
        encoder_files.describe(folder)


def test_all_that_a_folder_lacks_is_said_at_once(tmp_path) -> None:
    """Configuration, tokenizer and weights."""
    with pytest.raises(UserError) as caught:
        encoder_files.describe(tmp_path)
    assert len(caught.value.problems) == 3


@pytest.mark.parametrize(
    ("modules", "problem"),
    [
        ([{"path": "", "type": "a.Transformer"}, {"path": "1_Dense", "type": "a.Dense"}], "asks for Dense"),
        ([{"path": "../other", "type": "a.Transformer"}], "outside the folder"),
        ([{"path": "1_Pooling", "type": "a.Pooling"}], "names no Transformer"),
        ({"a": 1}, "modules.json cannot be read"),
    ],
)
def test_modules_that_are_not_known_are_refused(sentence_encoder, tmp_path, modules, problem) -> None:
    """Rather than vectors that are not the encoder's."""
    with pytest.raises(UserError, match=problem):
        encoder_files.describe(broken(sentence_encoder, tmp_path, modules=modules))


@pytest.mark.parametrize(
    ("asked", "problem"),
    [({"pooling": "sum"}, "'sum'"), ({"max_tokens": 65}, "4 to 64"), ({"max_tokens": 2}, "4 to 64")],
)
def test_what_the_encoder_cannot_do_is_refused(tiny_encoder, asked, problem) -> None:
    """An unknown pooling, more tokens than it has places for."""
    with pytest.raises(UserError, match=problem):
        encoder_files.describe(tiny_encoder, **asked)


def test_code_of_the_folder_is_never_run(tiny_encoder, tmp_path) -> None:
    """A type that transformers does not know, with a module of its own beside it, is refused."""
    config = {"model_type": "own", "auto_map": {"AutoConfig": "own.Config", "AutoModel": "own.Model"}}
    folder = broken(tiny_encoder, tmp_path, config=config)
    (folder / "own.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\nclass Config: pass\nclass Model: pass\n")
    with pytest.raises(UserError, match="code of the folder's own"):
        reader.load(encoder_files.describe(folder))
    assert not (tmp_path / "ran").exists()


def test_weights_that_lack_a_tensor_are_refused(tiny_encoder, tmp_path) -> None:
    """Where transformers would fill in what chance gives."""
    config = json.loads((tiny_encoder / "config.json").read_text())
    with pytest.raises(UserError, match=r"lacks \d+ tensors"):
        reader.load(encoder_files.describe(broken(tiny_encoder, tmp_path, config={**config, "num_hidden_layers": 3})))


@pytest.mark.parametrize("places", [64, 66])
def test_places_that_a_model_keeps_for_padding_are_no_tokens(tiny_encoder, tmp_path, places) -> None:
    """A RoBERTa counts from the padding token on; the folder's tokenizer may say less still."""
    config = {"model_type": "roberta", "max_position_embeddings": places, "pad_token_id": 1}
    about = encoder_files.describe(broken(tiny_encoder, tmp_path, config=config))
    assert about.settings["max_tokens"] == places - 2


OFFLINE = """
import sys
asked = []
sys.addaudithook(lambda event, _: asked.append(event) if event in ("socket.connect", "socket.getaddrinfo") else None)
from pathlib import Path
from relabel.text import encoder_files, reader
for folder in sys.argv[1:]:
    reader.load(encoder_files.describe(Path(folder)))(["good film"])
print(asked)
"""


def test_nothing_is_asked_of_any_network(tiny_encoder, tmp_path) -> None:
    """Neither for the network nor for the tokenizer, with or without a tokenizer.json."""
    vocabulary = json.loads((tiny_encoder / "tokenizer.json").read_text())["model"]["vocab"]
    folder = broken(
        tiny_encoder, tmp_path, without="tokenizer.json", tokenizer_config={"tokenizer_class": "BertTokenizer"}
    )
    (folder / "vocab.txt").write_text("\n".join(sorted(vocabulary, key=vocabulary.get)))
    command = [sys.executable, "-c", OFFLINE, tiny_encoder, folder]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "[]\n"


def test_a_tokenizer_without_its_json_file_reads_the_same(tiny_encoder, tmp_path) -> None:
    """What transformers makes of a vocabulary is taken."""
    vocabulary = json.loads((tiny_encoder / "tokenizer.json").read_text())["model"]["vocab"]
    folder = broken(
        tiny_encoder,
        tmp_path,
        without="tokenizer.json",
        tokenizer_config={"tokenizer_class": "BertTokenizer", "model_max_length": 64},
    )
    (folder / "vocab.txt").write_text("\n".join(sorted(vocabulary, key=vocabulary.get)))
    made, expected = (reader.load(encoder_files.describe(each))(TEXTS) for each in (folder, tiny_encoder))
    np.testing.assert_allclose(made, expected, atol=1e-5)


def test_tokens_are_those_of_the_tokenizer(sentence_encoder) -> None:
    """One more each, so that what pads is no token; cut at the folder's limit, or a smaller one, however many are asked for."""
    tokenizer = AutoTokenizer.from_pretrained(sentence_encoder)
    for asked, longest in ((0, 16), (8, 8), (256, 16)):
        about = encoder_files.subwords(sentence_encoder, max_tokens=asked)
        tokens = reader.load(about)(TEXTS)
        expected = [tokenizer(text, truncation=True, max_length=longest)["input_ids"] for text in TEXTS]
        assert [(tokens.take(np.array([n])).ids - 1).tolist() for n in range(len(TEXTS))] == expected
        assert about.files == ("tokenizer.json",)


def test_tokens_need_a_tokenizer_file(tiny_encoder, tmp_path) -> None:
    """An endpoint reads them without transformers."""
    folder = broken(tiny_encoder, tmp_path, without="tokenizer.json")
    (folder / "vocab.txt").write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\n")
    with pytest.raises(UserError, match=r"no tokenizer\.json.*AutoTokenizer"):
        encoder_files.subwords(folder)
