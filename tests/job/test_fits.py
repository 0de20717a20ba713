"""Promises of the kept fits."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest

from relabel.data.examples import Dense
from relabel.errors import PlatformError
from relabel.job import fits as kept
from relabel.job.fits import UPLOADING, Fits, fit_key
from relabel.model.artifact import Model
from relabel.training.learner import Hooks
from relabel.training.learners.stacked import Stacked
from relabel.training.member import Member
from relabel.training.stack import Recipe

RNG = np.random.default_rng(0)
LABELS = RNG.integers(0, 2, 400)
FEATURES = Dense((RNG.normal(size=(400, 6)) + LABELS[:, None]).astype(np.float32))
MEMBERS = [Member(np.arange(n, dtype=np.int32), LABELS, np.ones(400, np.float32), n) for n in (400, 250)]
LEARNER = Stacked(2, Recipe(max_epochs=40, width=8), "cpu")


class StoppedError(Exception):
    """Raised by a check."""


def stop_after(calls: int):
    """Make a check that raises at its n-th call."""
    left = [calls]

    def check() -> None:
        left[0] -= 1
        if left[0] < 0:
            raise StoppedError

    return check


def fits(folder: Path, **about: object) -> Fits:
    """Keep a snapshot after every chunk."""
    return Fits(**{"folder": folder, "data": "d", "build": {"threads": 1}, "every": 0.0, "clock": lambda: 0.0, **about})


def same(one: list[Model], other: list[Model]) -> bool:
    """Whether two lists of models are the same to the bit."""
    return all(
        np.array_equal(a.tensors[name], b.tensors[name]) for a, b in zip(one, other, strict=True) for name in a.tensors
    )


def test_a_finished_fit_is_not_done_again(tmp_path, caplog) -> None:
    """The second run takes the models from the disk, to the bit, and removes the snapshots of the first."""
    first = fits(tmp_path).fit("one", LEARNER, FEATURES, MEMBERS)
    with caplog.at_level(logging.INFO):
        again = fits(tmp_path).fit("one", LEARNER, FEATURES, MEMBERS)
    assert "kept from an earlier run" in caplog.text
    assert same(first, again)
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("harm", ["none", "torn", "flipped bit", "empty", "temporary file", "upload marker"])
def test_a_stopped_fit_goes_on_whatever_lies_in_the_folder(tmp_path, harm) -> None:
    """A torn or changed newest snapshot, markers of the uploader, left-over temporary files: the end is the same to the bit."""
    unbroken = LEARNER.fit(FEATURES, MEMBERS, None, Hooks())
    with pytest.raises(StoppedError):
        fits(tmp_path, check=stop_after(4)).fit("one", LEARNER, FEATURES, MEMBERS)
    older, newest = sorted(tmp_path.glob("*.running.safetensors"))
    data = newest.read_bytes()
    match harm:
        case "torn":
            newest.write_bytes(data[: len(data) // 2])
        case "flipped bit":
            newest.write_bytes(data[:-5] + bytes([data[-5] ^ 1]) + data[-4:])
        case "empty":
            newest.write_bytes(b"")
        case "temporary file":
            (tmp_path / f"{newest.name}.1234.relabel-tmp").write_bytes(data[:100])
        case "upload marker":
            (tmp_path / f"{older.name}{UPLOADING}").touch()
            (tmp_path / f"{older.name}.sagemaker-uploaded").touch()
    assert same(fits(tmp_path).fit("one", LEARNER, FEATURES, MEMBERS), unbroken)
    if harm == "upload marker":
        assert older.exists(), "a file that is being uploaded is not deleted"


def test_no_turned_bit_of_a_checkpoint_goes_unseen(tmp_path) -> None:
    """Wherever it is, in arrays, facts or header: the file is passed over, or says what it said."""
    path = tmp_path / "x.safetensors"
    tensors = {"0.w": np.arange(6, dtype=np.float32).reshape(2, 3), "1.b": np.ones(2)}
    kept._write(path, tensors, {"step": 416, "facts": {"epochs": 3, "best": 0.25}, "build": {"threads": 1}})
    data, whole = path.read_bytes(), kept._read(path)
    assert whole is not None
    for at in range(len(data)):
        for bit in range(8):
            path.write_bytes(data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :])
            found = kept._read(path)
            assert found is None or (
                found[1] == whole[1] and all(np.array_equal(found[0][n], tensors[n]) for n in tensors)
            )


def test_two_torn_snapshots_mean_starting_anew(tmp_path) -> None:
    """With no whole snapshot the fit starts from the beginning, and ends the same."""
    with pytest.raises(StoppedError):
        fits(tmp_path, check=stop_after(4)).fit("one", LEARNER, FEATURES, MEMBERS)
    for path in tmp_path.glob("*.running.safetensors"):
        path.write_bytes(b"torn")
    again = fits(tmp_path).fit("one", LEARNER, FEATURES, MEMBERS)
    assert same(again, fits(tmp_path / "other").fit("one", LEARNER, FEATURES, MEMBERS))


def test_another_build_goes_on_with_a_warning(tmp_path, caplog) -> None:
    """A fit that began with other threads is taken over, and the log says that last digits may differ."""
    with pytest.raises(StoppedError):
        fits(tmp_path, check=stop_after(4)).fit("one", LEARNER, FEATURES, MEMBERS)
    fits(tmp_path, build={"threads": 8}).fit("one", LEARNER, FEATURES, MEMBERS)
    assert "threads 1 -> 8" in caplog.text


def test_whatever_decides_a_fit_changes_its_key() -> None:
    """Other data, recipe, rows, targets, weights or seeds: another key; the same of all: the same key."""
    base = MEMBERS[0]
    others = [
        Member(base.rows[:-1], base.targets, base.weights, base.seed),
        Member(base.rows, 1 - base.targets, base.weights, base.seed),
        Member(base.rows, base.targets, base.weights * 2, base.seed),
        Member(base.rows, base.targets, base.weights, base.seed + 1),
    ]
    keys = [fit_key("d", LEARNER, [member], None) for member in (base, *others)]
    keys += [fit_key("e", LEARNER, [base], None), fit_key("d", Stacked(2, Recipe(lr=1.0), "cpu"), [base], None)]
    assert len(set(keys)) == len(keys)
    assert keys[0] == fit_key("d", Stacked(2, Recipe(max_epochs=40, width=8), "cpu"), [base], None)


def test_a_host_that_is_done_is_not_waited_for(hosts, tmp_path) -> None:
    """Where another goes on to a fit, both are told which of them differs, before the fit begins."""

    def part(company) -> str:
        own = fits(tmp_path / str(company.rank), company=company)
        with pytest.raises(PlatformError) as heard:
            own.done() if company.rank else own.fit("one", LEARNER, FEATURES, MEMBERS)
        return str(heard.value)

    first, second = hosts(2, part)
    assert first.startswith("before the fit one, algo-2 came to another result than algo-1")
    assert second.startswith("before the end, algo-2 came to another result than algo-1")
    assert not [*tmp_path.iterdir()]
