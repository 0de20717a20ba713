"""Promises of features that are held on a device; a processor stands in for one, and torch's device `meta`, which has shapes alone."""

from __future__ import annotations

import re
import runpy
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from relabel.data.examples import Dense
from relabel.training import holding
from relabel.training.inputs import Inputs
from relabel.training.learner import Hooks
from relabel.training.learners.stacked import Stacked
from relabel.training.member import Member
from relabel.training.stack import Recipe

ROOT = Path(__file__).parents[2]
CPU = torch.device("cpu")
N, D = 501, 6


def stored(dtype: type[np.floating]) -> Dense:
    """Features that may not be written to, as a file that is mapped."""
    array = np.random.default_rng(0).standard_normal((N, D)).astype(dtype)
    array[0, :3] = 6e-8, 65504, -0.0  # the least and the largest number of float16
    array.flags.writeable = False
    return Dense(array)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_a_row_that_is_held_has_the_bits_of_the_file(dtype, monkeypatch) -> None:
    """Float16 is kept as it is and widened when it is gathered; float64 is what `take` makes of it. Blocks need not be whole."""
    monkeypatch.setattr(holding, "BLOCK_BYTES", 100 * 4 * D)
    features = stored(dtype)
    whole = holding.held(features, CPU, 1 << 30)
    assert whole is not None
    assert whole.dtype == (torch.float16 if dtype is np.float16 else torch.float32)
    rows = np.random.default_rng(1).permutation(N)
    held = whole.index_select(0, torch.from_numpy(rows)).float().numpy()
    assert held.tobytes() == features.take(rows).tobytes()


@pytest.mark.parametrize(("dtype", "size"), [(np.float16, 2), (np.float32, 4)])
def test_features_for_which_a_device_has_no_room_are_left_where_they_are(dtype, size) -> None:
    """A part of what is free stays for the rest of the work."""
    needed = N * D * size
    assert holding.held(stored(dtype), CPU, needed) is None
    assert holding.held(stored(dtype), CPU, int(needed / holding.SHARE) + 1) is not None


def test_inputs_hold_what_a_device_has_room_for() -> None:
    """In float16 where it is kept so, with rows, steps and batches on the device; where there is no room they come from memory as before."""
    meta = torch.device("meta")
    inputs = Inputs(stored(np.float16), torch.float32)
    inputs.to(meta)
    rows = inputs.rows(np.zeros((3, 4), np.int64))
    batch = inputs.take(rows)
    assert (rows.device, batch.device, batch.shape, batch.dtype) == (meta, meta, (3, 4, D), torch.float32)


def test_inputs_without_room_on_the_device_bring_batches_over(monkeypatch) -> None:
    """Also those that lie in memory: a device that is too small for them trains all the same."""
    monkeypatch.setattr(holding, "free", lambda _device: 10)
    inputs = Inputs(Dense(np.zeros((N, D), np.float32)), torch.float32)
    inputs.to(torch.device("meta"))
    rows = inputs.rows(np.zeros((3, 4), np.int64))
    batch = inputs.take(rows)
    assert (rows.device.type, batch.device.type, batch.shape) == ("cpu", "meta", (3, 4, D))


def fitted(features: Dense, dtype: torch.dtype = torch.float32) -> list[bytes]:
    """Train two members; the bytes of their models."""
    labels = (features.array[:, 3] > 0).astype(np.int64)
    members = [Member(np.arange(400, dtype=np.int32), labels, np.ones(N, np.float32), seed) for seed in range(2)]
    models = Stacked(2, Recipe(lr=0.01, max_epochs=2), "cpu", dtype).fit(features, members, None, Hooks())
    assert all(tensor.dtype == np.float32 for model in models for tensor in model.tensors.values())
    return [tensor.tobytes() for model in models for tensor in model.tensors.values()]


def test_models_do_not_depend_on_where_the_features_lie(monkeypatch) -> None:
    """Held in their own precision or gathered from the file: the same steps to the last bit."""
    from_file = fitted(stored(np.float16))

    def hold(self: Inputs, device: torch.device) -> None:
        self._device, self._whole = device, holding.held(self._features, device, 1 << 30)
        assert self._whole is not None
        assert self._whole.dtype == torch.float16

    monkeypatch.setattr(Inputs, "to", hold)
    assert fitted(stored(np.float16)) == from_file


def test_bfloat16_is_a_precision_of_the_arithmetic_like_others() -> None:
    """The one path trains in it; models come out in float32, for numpy knows no bfloat16."""
    assert fitted(stored(np.float16), torch.bfloat16) != fitted(stored(np.float16))


@pytest.fixture
def benchmark(monkeypatch, capsys) -> Callable[..., list[str]]:
    """Run benchmarks/gpu.py here, where torch is loaded; what it prints."""

    def run(*arguments: str) -> list[str]:
        monkeypatch.setattr(sys, "argv", ["gpu.py", *arguments])
        runpy.run_path(str(ROOT / "benchmarks" / "gpu.py"), run_name="__main__")
        return capsys.readouterr().out.splitlines()

    return run


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_the_benchmark_says_where_there_is_no_gpu(benchmark) -> None:
    """In one line, and that is no failure."""
    assert benchmark() == ["no GPU here: nothing was measured"]


def test_the_benchmark_measures_every_case_on_a_processor_too(benchmark) -> None:
    """A line of figures for each number of rows, batch and precision."""
    told = benchmark("--device=cpu", "--rows", "900", "1200", "--width=8", "--batch", "4", "--members=2", "--steps=40")
    lines = [line.split() for line in told[4:]]
    assert [(line[0], line[2]) for line in lines] == [(n, p) for n in ("900", "1,200") for p in ("fp32", "bf16")]
    for line in lines:
        figures = [float(re.sub("[,%]", "", value)) for value in line[3:]]
        assert len(figures) == 6
        assert all(figure > 0 for figure in figures[:4])
