"""Promises of converting checkpoints of the plain recipe."""

from __future__ import annotations

import argparse
import io
import os
import warnings
import zipfile
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
from click.testing import CliRunner
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from relabel.cli.main import commands
from relabel.errors import UserError
from relabel.model import artifact, predictor
from relabel.model.checkpoint import convert
from relabel.serving import served

WIDTH = 12


class Classifier(pl.LightningModule):
    """The plain recipe's network: two linear layers and a logit; `settings` are whatever its user keeps beside the weights."""

    def __init__(self, layers: nn.Module, **settings: Any) -> None:
        super().__init__()
        if settings:
            self.save_hyperparameters(settings)
        self.layers = layers

    def training_step(self, batch: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
        """Give the loss of a batch."""
        loss = nn.functional.binary_cross_entropy_with_logits(self.layers(batch[0]).squeeze(-1), batch[1])
        self.log("loss", loss)
        return loss

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Use Adam, at a rate that moves every weight."""
        return torch.optim.Adam(self.parameters(), lr=0.01)


def dense(*widths: int, dropout: float = 0.0) -> nn.Sequential:
    """Linear layers with ReLU and dropout between them."""
    torch.manual_seed(0)
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(widths):
        layers += [nn.Linear(inputs, outputs), nn.ReLU(), nn.Dropout(dropout)]
    return nn.Sequential(*layers[:-2])


def vectors(rows: int = 3000) -> torch.Tensor:
    """Inputs as far from standard as embeddings are."""
    return torch.randn(rows, WIDTH, generator=torch.Generator().manual_seed(0)) * 3 + 0.5


@pytest.fixture
def fitted(tmp_path) -> Callable[..., Path]:
    """Train a network for an epoch, with the callbacks that people use, and save it as Lightning does."""

    def fit(network: Classifier) -> Path:
        x = vectors(64)
        rows = DataLoader(TensorDataset(x, (x[:, 0] > 0.5).float()), batch_size=8)
        callbacks = [
            pl.callbacks.ModelCheckpoint(tmp_path, monitor="loss"),
            pl.callbacks.EarlyStopping("loss", check_on_train_epoch_end=True),
        ]
        quiet = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False, "accelerator": "cpu"}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Lightning warns of torch, of small data and of much else
            trainer = pl.Trainer(max_epochs=1, callbacks=callbacks, **quiet)
            trainer.fit(network, rows)
            trainer.save_checkpoint(tmp_path / "best.ckpt")
        network.eval()
        return tmp_path / "best.ckpt"

    return fit


@pytest.mark.parametrize("widths", [(64,), (), (16, 16)])
@torch.no_grad()
def test_one_logit_becomes_the_same_probability(fitted, widths) -> None:
    """What the artifact predicts is the sigmoid of torch's logit, to 1e-6, at every depth."""
    with torch.enable_grad():
        network = Classifier(dense(WIDTH, *widths, 1, dropout=0.3))
        made = convert(fitted(network))
    x = vectors()
    expected = torch.sigmoid(network.layers(x)).numpy()[:, 0]
    found = predictor.load(made.model)(x.numpy())
    assert expected.std() > 0.03
    np.testing.assert_allclose(found[:, 1], expected, rtol=0, atol=1e-6)
    np.testing.assert_allclose(found[:, 0], 1 - expected, rtol=0, atol=1e-6)
    assert made.classes == ("0", "1")


def saved(path: Path, network: nn.Module) -> Path:
    """Save bare weights."""
    torch.save(network.state_dict(), path)
    return path


@torch.no_grad()
def test_several_logits_stay_as_they_are(tmp_path) -> None:
    """A bare state_dict of a network of three outputs predicts torch's softmax, under the names that are given."""
    network = dense(WIDTH, 8, 3).double()
    made = convert(saved(tmp_path / "weights.pt", network), ("a", "b", "c"))
    x = vectors()
    found = predictor.load(made.model)(x.numpy())
    np.testing.assert_allclose(found, torch.softmax(network(x.double()), dim=1).numpy(), rtol=0, atol=1e-6)
    assert made.classes == ("a", "b", "c")


def test_hyperparameters_that_can_do_nothing_do_not_matter(fitted) -> None:
    """Arguments of a command line and paths lie in many checkpoints."""
    network = Classifier(dense(WIDTH, 4, 1), arguments=argparse.Namespace(lr=0.1), folder=Path("here"), lr=0.1)
    assert convert(fitted(network)).provenance["checkpoint"]["epoch"] == 1


class Burglar:
    """Makes a folder when it is unpickled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.folder),)


def test_a_checkpoint_that_would_run_code_is_refused_and_nothing_of_it_runs(fitted, tmp_path) -> None:
    """The message says what it asks for and how to save the weights alone."""
    path = fitted(Classifier(dense(WIDTH, 4, 1), lr=Burglar(tmp_path / "broken-in")))
    (tmp_path / "broken-in").rmdir()  # Lightning copies hyperparameters as pickle would, and so made it
    with pytest.raises(UserError, match=r"best\.ckpt: a pickle that asks for `posix\.mkdir`.*save the weights alone"):
        convert(path)
    assert not (tmp_path / "broken-in").exists()


@torch.no_grad()
def test_a_checkpoint_of_a_gpu_is_read_without_one(tmp_path) -> None:
    """Tensors that say they live on cuda:0 are taken onto the CPU."""
    network = dense(WIDTH, 4, 1)
    path = saved(tmp_path / "weights.pt", network)
    moved = io.BytesIO()
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(moved, "w") as target:
        for name in source.namelist():
            data = source.read(name)
            if name.endswith("data.pkl"):
                assert b"X\x03\x00\x00\x00cpu" in data
                data = data.replace(b"X\x03\x00\x00\x00cpu", b"X\x06\x00\x00\x00cuda:0")
            target.writestr(name, data)
    path.write_bytes(moved.getvalue())
    found = predictor.load(convert(path).model)(vectors().numpy())[:, 1]
    np.testing.assert_allclose(found, torch.sigmoid(network(vectors())).numpy()[:, 0], rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("network", "said"),
    [
        (nn.LSTM(WIDTH, 4), r"`weight_ih_l0 \(16, 12\)`.*expected are linear layers"),
        (
            nn.Sequential(nn.Linear(WIDTH, 4), nn.BatchNorm1d(4), nn.Linear(4, 1)),
            r"`1\.weight \(4,\)`.*`1\.running_mean",
        ),
        (nn.Sequential(nn.Linear(WIDTH, 4, bias=False)), r"`0\.weight \(4, 12\)`"),
        (nn.Sequential(nn.Linear(WIDTH, 4), nn.Linear(5, 1)), "from 12 to 4, 5 to 1"),
        (dense(WIDTH, 8, 4, 1), "from 12 to 8, 8 to 4, 4 to 1.*of one width"),
        (nn.ReLU(), "no tensors"),
    ],
)
def test_layers_that_the_artifact_does_not_have_are_named(tmp_path, network, said) -> None:
    """Recurrent, normalising, without a bias, not one after another, of several widths, none: seen and expected."""
    with pytest.raises(UserError, match=f"weights.pt: .*{said}"):
        convert(saved(tmp_path / "weights.pt", network))


def test_what_is_no_checkpoint_is_the_users_error(tmp_path) -> None:
    """A tensor, figures, a text file, a network that has diverged: no traceback, and each says what to do."""
    path = tmp_path / "weights.pt"
    for content, said in ((torch.zeros(3), "a Tensor where"), ({"loss": 0.5}, "only `loss`")):
        torch.save(content, path)
        with pytest.raises(UserError, match=said):
            convert(path)
    path.write_text("not at all")
    with pytest.raises(UserError, match="save the weights alone"):
        convert(path)
    network = nn.Linear(WIDTH, 1)
    nn.init.constant_(network.weight, torch.nan)
    with pytest.raises(UserError, match="NaN or infinite"):
        convert(saved(path, network))


@pytest.mark.parametrize("names", [("one",), ("same", "same"), ("a", "b", "c"), ("a", "")])
def test_names_that_do_not_fit_the_outputs_are_refused(tmp_path, names) -> None:
    """One logit means two classes, each with a name of its own."""
    with pytest.raises(UserError, match="a network of 2 classes"):
        convert(saved(tmp_path / "weights.pt", dense(WIDTH, 4, 1)), names)


def test_the_command_writes_a_model_that_can_be_served(fitted, tmp_path) -> None:
    """Two files that load, with the names and what is known of the training."""
    path = fitted(Classifier(dense(WIDTH, 4, 1)))
    given = ["--checkpoint", str(path), "--output", str(tmp_path / "model"), "--classes", "bad, good"]
    done = CliRunner().invoke(commands, ["convert-checkpoint", *given, "--fitted-on", "treated"])
    assert done.exit_code == 0, done.exception
    assert done.output == f"{tmp_path / 'model'}  12 wide, 1 hidden layer, classes bad, good\n"
    loaded = served.load(tmp_path / "model").artifact
    assert (loaded.classes, loaded.fitted_on) == (("bad", "good"), "treated")
    assert loaded.provenance["checkpoint"]["lightning"] == pl.__version__
    assert sorted(each.name for each in (tmp_path / "model").iterdir()) == sorted(artifact.FILES)
