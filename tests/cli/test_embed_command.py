"""Promises of `relabel embed`."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
from click.testing import CliRunner, Result

from relabel.cli import embed
from relabel.errors import UserError
from relabel.text import cache, encoder_files, reader

SPLITS = {"train": 50, "dev": 9, "test": 12}


@pytest.fixture
def data(tmp_path) -> Path:
    """A folder of three label files, some texts twice, one empty."""
    folder = tmp_path / "data"
    folder.mkdir()
    for name, rows in SPLITS.items():
        lines = [f'"a {"good" if n % 2 else "bad"} film, number {n % 40}",{n % 2}' for n in range(rows - 1)]
        (folder / f"{name}.csv").write_text("review,label\n" + "\n".join([*lines, ",0"]) + "\n")
    return folder


def run(*arguments: object) -> Result:
    """Run the command; what it raises comes out."""
    return CliRunner().invoke(embed.command, [str(value) for value in arguments], catch_exceptions=False)


def texts(path: Path) -> list[str]:
    """Give the texts of a file of the fixture."""
    return [line.rpartition(",")[0].strip('"') for line in path.read_text().splitlines()[1:]]


def test_each_label_file_gets_the_vectors_of_its_texts(tiny_encoder, data) -> None:
    """As float16 beside it, in the order of its rows; nothing else is left in the folder."""
    done = run("--encoder", tiny_encoder, "--data", data)
    read = reader.load(encoder_files.describe(tiny_encoder))
    for name in SPLITS:
        made = np.load(data / f"{name}.npy")
        assert made.dtype == np.float16
        np.testing.assert_allclose(made, read(texts(data / f"{name}.csv")), rtol=1e-3, atol=1e-4)
    assert sorted(path.name for path in data.iterdir()) == sorted(f"{n}{s}" for n in SPLITS for s in (".csv", ".npy"))
    assert "71 texts in 3 files, 32 numbers each" in done.output
    assert "41 texts were embedded in" in done.output  # 40 numbers and the empty text


def test_another_folder_gets_copies_of_the_label_files(tiny_encoder, data, tmp_path) -> None:
    """It can be trained on as it is; the folder of the data stays as it was."""
    output = tmp_path / "new" / "output"
    run("--encoder", tiny_encoder, "--data", data, "--output", output, "--pooling", "mean+max", "--max-tokens", 8)
    for name, rows in SPLITS.items():
        assert (output / f"{name}.csv").read_bytes() == (data / f"{name}.csv").read_bytes()
        assert np.load(output / f"{name}.npy").shape == (rows, 64)
    assert sorted(path.suffix for path in data.iterdir()) == [".csv"] * 3


def test_a_cache_serves_other_runs(tiny_encoder, data, tmp_path) -> None:
    """What lies in it is not embedded again."""
    for output, embedded in (("one", 41), ("two", 0)):
        done = run(
            "--encoder", tiny_encoder, "--data", data, "--output", tmp_path / output, "--cache", tmp_path / "cache"
        )
        assert f"\n{embedded} texts were embedded" in done.output


def test_embeddings_that_are_there_stay(tiny_encoder, data) -> None:
    """Every file is named, and nothing is written."""
    for name in ("train.pt", "test.npy"):
        (data / name).write_bytes(b"mine")
    with pytest.raises(UserError) as caught:
        run("--encoder", tiny_encoder, "--data", data)
    assert [problem.partition(":")[0].rpartition("/")[2] for problem in caught.value.problems] == [
        "test.npy",
        "train.pt",
    ]
    assert sorted(path.name for path in data.iterdir()) == ["dev.csv", "test.csv", "test.npy", "train.csv", "train.pt"]


def test_what_cannot_be_read_is_said_at_once(tiny_encoder, data) -> None:
    """Of all files, before anything is embedded."""
    (data / "train.csv").write_text("text,label\na,1\n")
    (data / "dev.csv").write_text("")
    with pytest.raises(UserError) as caught:
        run("--encoder", tiny_encoder, "--data", data)
    assert [problem.partition(":")[0] for problem in caught.value.problems] == ["dev.csv", "train.csv"]
    assert "--text-column" in caught.value.problems[1]


def test_a_folder_without_label_files_is_refused(tiny_encoder, tmp_path) -> None:
    """The message says which files are meant."""
    with pytest.raises(UserError, match=r"no label files.*\.csv"):
        run("--encoder", tiny_encoder, "--data", tmp_path)


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM])
def test_a_run_that_was_killed_goes_on(tiny_encoder, data, ending) -> None:
    """What it had embedded is not embedded again, and the files are those of an unbroken run, to the byte."""
    many = 15 * cache.SHARD
    (data / "train.csv").write_text("review,label\n" + "".join(f"a good film of {n},1\n" for n in range(many)))
    arguments = ["--encoder", tiny_encoder, "--data", data]
    command = [sys.executable, "-m", "relabel", "embed", *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as started:
        while len(shards(data)) < 3 and started.poll() is None:
            time.sleep(0.01)
        os.kill(started.pid, ending)
        started.communicate()
    assert started.returncode == (-ending if ending == signal.SIGKILL else 128 + ending)
    kept = sum(len(safetensors.numpy.load_file(path)["vectors"]) for path in shards(data))
    assert kept > cache.SHARD
    done = run(*arguments)
    assert (
        f"\n{many + 12 - kept:,} texts were embedded" in done.output
    )  # of dev and test: 11 numbers, and the empty text
    run(*arguments, "--output", data.with_name("whole"))
    for name in SPLITS:
        assert (data / f"{name}.npy").read_bytes() == (data.with_name("whole") / f"{name}.npy").read_bytes()
    assert not (data / embed.WORK).exists()


def shards(data: Path) -> list[Path]:
    """List what an unfinished run has kept."""
    return [*data.glob(f"{embed.WORK}/*/*.safetensors")]
