"""Promises of encoders that are trained to the end."""

import dataclasses
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch

from relabel.data.tokens import Tokens
from relabel.errors import UserError
from relabel.evaluation import metrics
from relabel.model import artifact, predictor
from relabel.model.artifact import Artifact, Model
from relabel.text import encoder_files, reader
from relabel.training.learner import Hooks, Snapshot, Watch
from relabel.training.learners import fine_tuned
from relabel.training.learners.one_by_one import OneByOne
from relabel.training.member import Member
from relabel.training.network_fit import NetworkFit, Recipe

RECIPE = Recipe(dropout=0.1, batch_size=16, max_epochs=3, lr=1e-3, gradient_clip=1.0)
ROWS, TRAINED = 480, 320


@dataclasses.dataclass(frozen=True)
class Made:
    """Texts with a label that follows from one word in them, and the encoder that reads them."""

    about: reader.TextInput
    texts: list[str]
    labels: np.ndarray
    tokens: Tokens

    def member(self, seed: int = 3) -> Member:
        """Make a member that learns from the first rows."""
        weights = np.ones(ROWS, np.float32)
        return Member(np.arange(TRAINED, dtype=np.int32), self.labels, weights, seed)

    def learner(self, recipe: Recipe = RECIPE) -> OneByOne:
        """Make the learner."""
        return fine_tuned.learner(self.about, classes=2, recipe=recipe, device="cpu")

    def fit(self, recipe: Recipe = RECIPE, hooks: Hooks | None = None, watch: Watch | None = None) -> Model:
        """Fit one member."""
        return self.learner(recipe).fit(self.tokens, [self.member()], watch, hooks or Hooks())[0]


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    """Last digits depend on torch's threads, and commands that other tests have run set these for the process."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def made(tiny_encoder) -> Made:
    """The rule: loved is positive, hated is negative, wherever it stands."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, ROWS)
    filling = ["this", "film", "is", "good", "a", "bad", "story", "with", "the", "plot", "never", "again"]
    texts = []
    for label in labels:
        words = rng.choice(filling, rng.integers(0, 12)).tolist()
        words.insert(rng.integers(0, len(words) + 1), ("hated", "loved")[label])
        texts.append(" ".join(words))
    read = reader.load(encoder_files.subwords(tiny_encoder))
    return Made(encoder_files.describe(tiny_encoder), texts, labels, read(texts))


@pytest.fixture(scope="module")
def model(made) -> Model:
    """The model of a fit without a break."""
    return made.fit()


class Stopping:
    """A run of one member that ends at its first safe point behind a step, with a snapshot."""

    def __init__(self, step: int, kept: Snapshot | None = None) -> None:
        self.kept, self.step, self.figures = kept, step, {}

    def safe_point(self, done: int, _total: int, snapshot: Callable[[], Snapshot]) -> None:
        if done > self.step:
            self.kept = snapshot()
            raise TimeoutError


def same(one: Model, other: Model) -> None:
    """Models are the same to the bit."""
    assert one.tensors.keys() == other.tensors.keys()
    for name, value in one.tensors.items():
        np.testing.assert_array_equal(value, other.tensors[name], err_msg=name)


def test_a_rule_is_learned(made) -> None:
    """More than nine in ten of rows that it never saw."""
    held = np.arange(TRAINED, ROWS)
    probability = predictor.load(made.fit(dataclasses.replace(RECIPE, max_epochs=6)))(made.tokens.take(held))
    assert (probability.argmax(1) == made.labels[held]).mean() > 0.9
    np.testing.assert_allclose(probability.sum(1), 1, atol=1e-6)


def test_one_seed_gives_one_model(made, model) -> None:
    """Whatever trains beside it; the generator that all threads share is neither asked nor moved."""
    state = torch.get_rng_state()
    torch.manual_seed(99)
    before = torch.get_rng_state()
    learner = dataclasses.replace(made.learner(), workers=2, threads=1)
    one, other = learner.fit(made.tokens, [made.member(), made.member(4)], None, Hooks())
    assert torch.equal(torch.get_rng_state(), before)
    torch.set_rng_state(state)
    same(one, model)
    assert not np.array_equal(one.tensors["head.weight"], other.tensors["head.weight"])


def test_a_fit_that_was_stopped_goes_on_to_the_same_bits(made, model) -> None:
    """From a snapshot in its midst, and in the midst of an epoch."""
    one, run = made.learner().one, Stopping(20)
    with pytest.raises(TimeoutError):
        one.fit_one(made.tokens, made.member(), None, run)
    assert 20 < run.kept.step < 40
    same(one.fit_one(made.tokens, made.member(), None, Stopping(60, run.kept)), model)


def test_the_predictor_is_the_network_that_was_trained(made) -> None:
    """Its logits, to 1e-6, for every text alone."""
    base = made.learner().one.base
    fit = NetworkFit(
        base, dataclasses.replace(RECIPE, max_epochs=1), inputs=made.tokens, member=made.member(), watch=None
    )
    for rows in fit.batches():
        fit.run(rows)
    network = fit.network.eval()
    with torch.no_grad():
        alone = [
            network(torch.from_numpy(made.tokens.take(np.array([row])).padded())).softmax(1).numpy()
            for row in range(60)
        ]
    probability = predictor.load(fit.ended)(made.tokens.take(np.arange(60)))
    np.testing.assert_allclose(probability, np.concatenate(alone), atol=1e-6)


def test_an_endpoint_reads_and_answers_as_the_job_did(made, model, tmp_path) -> None:
    """From an artifact with the tokenizer alone beside the weights: the same ids, the same probabilities, also for an empty text."""
    text = encoder_files.subwords(made.about.folder)
    artifact.save(tmp_path, Artifact(model, ("negative", "positive"), "given", input="text", text=text))
    loaded = artifact.load(tmp_path)
    texts = [*made.texts[:40], "", "日本", "loved " * 500]
    ids = reader.load(loaded.text)(texts)
    np.testing.assert_array_equal(ids.ids, reader.load(text)(texts).ids)
    probability = predictor.load(loaded.model)(ids)
    np.testing.assert_array_equal(probability, predictor.load(model)(ids))
    assert str(made.about.folder).encode() not in b"".join(path.read_bytes() for path in tmp_path.rglob("*.*"))


def test_the_best_epoch_on_watched_rows_is_kept(made) -> None:
    """Where their loss rises from the first epoch on, the model is that of the first, however long training goes on."""
    watched = np.arange(TRAINED, ROWS, dtype=np.int32)
    against = Watch(watched, 1 - made.labels[watched])
    recipe = dataclasses.replace(RECIPE, max_epochs=4)
    models = [made.fit(dataclasses.replace(recipe, patience=patience), watch=against) for patience in (1, 4)]
    same(*models)
    held = predictor.load(models[0])(made.tokens.take(watched))
    last = predictor.load(made.fit(recipe))(made.tokens.take(watched))
    assert metrics.log_losses(against.labels, held).mean() < metrics.log_losses(against.labels, last).mean() - 0.1


def test_what_decides_a_fit_is_its_identity(made, tiny_encoder) -> None:
    """Recipe and encoder, pooling included."""
    own = made.learner().identity()
    assert own == made.learner().identity()
    assert own != made.learner(dataclasses.replace(RECIPE, lr=2e-5)).identity()
    other = fine_tuned.learner(encoder_files.describe(tiny_encoder, pooling="cls"), classes=2, recipe=RECIPE)
    assert own != other.identity()


@pytest.mark.parametrize("name", ["head.bias", "about"])
def test_a_model_that_lacks_a_tensor_is_refused(model, name) -> None:
    """The message names it."""
    tensors = {key: value for key, value in model.tensors.items() if key != name}
    with pytest.raises(UserError, match=f"model tensor {name}"):
        predictor.load(dataclasses.replace(model, tensors=tensors))
