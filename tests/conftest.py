"""What all tests share."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from importlib.machinery import SourceFileLoader
from pathlib import Path
from threading import Barrier
from types import ModuleType
from typing import Any, TypeVar

import hypothesis
import numpy as np
import pytest

from relabel.data import planted
from relabel.model import artifact, training_rows
from relabel.model.artifact import Artifact, Model
from relabel.text import reader
from relabel.text.preprocessing import Preprocessing
from relabel.text.words import Words

# The first text that hypothesis draws makes a table of all characters, which takes a second where cores are busy; anything may take that there.
hypothesis.settings.register_profile("relabel", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("relabel")

# Tests run side by side: more threads than cores make small networks wait for each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# A shell that starts the tests in the background tells them to ignore Ctrl-C, and what they start would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGQUIT, signal.SIG_DFL)

# Servers under test are on this machine; nobody's account is.
for name in [name for name in os.environ if name.startswith("AWS_") and name != "AWS_CA_BUNDLE"]:
    del os.environ[name]
os.environ |= {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
os.environ |= dict.fromkeys(("NO_PROXY", "no_proxy"), "127.0.0.1,localhost")

R = TypeVar("R")

NOISE = np.array([[0.95, 0.05], [0.2, 0.8]])


@pytest.fixture
def channel(tmp_path) -> Callable[..., Path]:
    """Make the seed's layout in a folder: train, dev and test with planted flips, and the platform's configuration files."""

    def make(
        hyperparameters: Mapping[str, object] | None = None,
        *,
        rows: int = 900,
        width: int = 16,
        root: Path | None = None,
    ) -> Path:
        root = root or tmp_path / "ml"
        for name, share, seed in (("train", 1, 0), ("dev", 3, 1), ("test", 2, 2)):
            made = planted.reviews(rows // share, width=width, noise=NOISE, seed=seed)
            planted.write(root / "input" / "data" / "train", name, made)
        config = root / "input" / "config"
        config.mkdir(parents=True, exist_ok=True)
        (config / "hyperparameters.json").write_text(
            json.dumps({k: str(v) for k, v in (hyperparameters or {}).items()})
        )
        return root

    return make


SENTENCES = (
    "this film is good and fine with a great story and actors who play well",
    "a bad boring awful film whose plot was thin and whose end came too late",
    "I loved hated every minute of it and it was rich funny sad poorly made never again not soon",
)


@pytest.fixture(scope="session")
def tiny_encoder(tmp_path_factory) -> Path:
    """Make the folder of an encoder as transformers writes it: a BERT of 2 layers, 32 wide, for 64 tokens, with a seed for weights."""
    # seconds, for those tests alone that need them
    import torch  # noqa: PLC0415
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers  # noqa: PLC0415
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast  # noqa: PLC0415

    folder = tmp_path_factory.mktemp("encoders") / "tiny"
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))  # noqa: S106  # a token, no password
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer.train_from_iterator(
        SENTENCES * 2, trainers.WordPieceTrainer(vocab_size=300, special_tokens=special, show_progress=False)
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    names = {f"{name[1:-1].lower()}_token": name for name in special}
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=64, **names).save_pretrained(folder)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        config = BertConfig(
            vocab_size=tokenizer.get_vocab_size(),
            hidden_size=32,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=64,
            max_position_embeddings=64,
            initializer_range=0.2,
        )
        BertModel(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def sentence_encoder(tiny_encoder) -> Path:
    """Make the same encoder as sentence-transformers lays it out: mean and max, 16 tokens, normalised."""
    folder = tiny_encoder.with_name("sentences")
    shutil.copytree(tiny_encoder, folder)
    kinds = {"Transformer": "", "Pooling": "1_Pooling", "Normalize": "2_Normalize"}
    modules = [
        {"idx": n, "name": str(n), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for n, (kind, path) in enumerate(kinds.items())
    ]
    said = {
        "modules.json": modules,
        "sentence_bert_config.json": {"max_seq_length": 16, "do_lower_case": False},
        "1_Pooling/config.json": {
            "word_embedding_dimension": 32,
            "pooling_mode_cls_token": False,
            "pooling_mode_mean_tokens": True,
            "pooling_mode_max_tokens": True,
        },
    }
    (folder / "1_Pooling").mkdir()
    for name, value in said.items():
        (folder / name).write_text(json.dumps(value))
    return folder


@pytest.fixture
def text_model(tmp_path) -> Path:
    """A folder with a model of texts: `good`, `great`, and two words in other scripts speak for the class positive, `bad` and `dull` against it.

    It knows its noise, and that it has seen the text `a good film`.
    """
    terms = ("good", "great", "хорошо", "好", "bad", "dull", "film")
    worth = np.array([0, 0, 3, 3, 3, 3, -3, -3, 0], np.float32)
    tensors = {
        "idf": np.ones(9, np.float32),
        "weight": np.stack([-worth, worth], axis=1),
        "bias": np.array([0.25, 0], np.float32),
    }
    made = Artifact(
        Model("tfidf", {"terms": 7, "classes": 2}, tensors),
        ("negative", "positive"),
        "given",
        input="text",
        text=reader.of_words(Words(Preprocessing(), terms)),
        noise=NOISE,
        training_rows=training_rows.collected_texts(["a good film"]),
    )
    artifact.save(tmp_path / "text_model", made)
    return tmp_path / "text_model"


@pytest.fixture(scope="session")
def web_resources() -> ModuleType:
    """Let moto's CloudFormation make the web stack: tests/aws/web_resources.py."""
    place = Path(__file__).parent / "aws" / "web_resources.py"
    loader = SourceFileLoader("stand_ins.apigatewayv2", str(place))  # moto reads a service in the name
    module = ModuleType(loader.name)
    sys.modules[loader.name] = module
    loader.exec_module(module)
    return module


class InThreads:
    """One of several hosts that are threads of this process (see `container.company.Company`)."""

    def __init__(self, rank: int, size: int, barrier: Barrier, table: list[Any]) -> None:
        self.rank, self.size, self.names = rank, size, tuple(f"algo-{n + 1}" for n in range(size))
        self._barrier, self._table = barrier, table
        self.sent = 0

    def gather(self, array: np.ndarray) -> list[np.ndarray]:
        """Give every host's array to every host."""
        return [each.copy() for each in self._all(array)]

    def gather_bytes(self, data: bytes) -> list[bytes]:
        """Give every host's bytes to every host."""
        return self._all(data)

    def sum(self, array: np.ndarray) -> np.ndarray:
        """Add up the hosts' arrays."""
        return np.sum(self.gather(array), axis=0)

    def add_(self, tensor: Any) -> None:
        """Add up the hosts' tensors in place."""
        tensor.copy_(sum(each.clone() for each in self._all(tensor.clone())))

    def _all(self, own: Any) -> list[Any]:
        self._table[self.rank] = own
        self._barrier.wait(60)
        every = list(self._table)
        self._barrier.wait(60)
        return every


@pytest.fixture
def hosts() -> Callable[..., list[Any]]:
    """Run the same work on several hosts at once, threads of this process: give what it returns on each of them, in the order of ranks."""

    def run(size: int, work: Callable[[InThreads], R]) -> list[R]:
        barrier, table = Barrier(size), [None] * size

        def part(rank: int) -> R:
            try:
                return work(InThreads(rank, size, barrier, table))
            except BaseException:
                barrier.abort()
                raise

        with ThreadPoolExecutor(size) as pool:
            return [done.result() for done in [pool.submit(part, rank) for rank in range(size)]]

    return run
