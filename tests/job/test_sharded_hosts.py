"""Promises of a job whose rows lie on several hosts, each a process with files of its own; they meet on loopback."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

SETTINGS = {"seeds": 2, "folds": 3, "max_epochs": 3, "lr": 0.003, "threads": 1, "checkpoint_seconds": 1}
SHARDED = {"TrainingInputMode": "File", "S3DistributionType": "ShardedByS3Key"}
SIZES = {"train/a": 400, "train/b": 30, "train/c": 170, "dev/d": 90, "test/e": 60, "test/f": 120}
D = 12
ADDRESSES = (f"127.{os.getpid() % 250 + 1}.252.{n % 250 + 1}" for n in itertools.count())


def tables() -> dict[str, pa.Table]:
    """Two classes apart from each other, every eleventh label wrong; a file has one class alone, and rows of one file are in another too."""
    rng = np.random.default_rng(4)
    made = {}
    for name, rows in SIZES.items():
        true = np.zeros(rows, int) if name == "train/b" else rng.integers(0, 2, rows)
        x = rng.normal(size=(rows, D)).astype(np.float32) + np.outer(2 * true - 1, np.linspace(0.1, 1, D)).astype(
            np.float32
        )
        given = np.where(np.arange(rows) % 11 == 3, 1 - true, true) if name != "train/b" else true
        made[name] = pa.table({"embedding": list(x), "label": [("neg", "pos")[label] for label in given]})
    made["train/c"] = pa.concat_tables([made["train/c"].slice(5), made["train/a"].slice(7, 5)])
    return made


def start(root: Path, dealt: Sequence[dict[str, pa.Table]]) -> list[subprocess.Popen[str]]:
    """Start a job on as many hosts as files are dealt to."""
    hosts = sorted([next(ADDRESSES), *(f"host-{n}" for n in range(2, len(dealt) + 1))])
    started = []
    for host, files in zip(hosts, dealt, strict=True):
        for name, table in files.items():
            path = root / host / "input" / "data" / f"{name}.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            pq.write_table(table, path)
        config = root / host / "input" / "config"
        config.mkdir(parents=True)
        said = {
            "resourceconfig": {"current_host": host, "hosts": hosts},
            "inputdataconfig": dict.fromkeys(("train", "dev", "test"), SHARDED),
            "hyperparameters": {name: str(value) for name, value in SETTINGS.items()},
        }
        for name, value in said.items():
            (config / f"{name}.json").write_text(json.dumps(value))
        command = (sys.executable, "-m", "relabel", "train", "--root", str(root / host))
        here = {**os.environ, "OMP_NUM_THREADS": "1"}
        started.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=here))
    return started


def codes(started: Sequence[subprocess.Popen[str]]) -> list[int]:
    """Wait for the hosts' exit codes; kill what does not end."""
    try:
        for process in started:
            process.communicate(timeout=300)
    finally:
        for process in started:
            with process:
                process.kill()
    return [process.returncode for process in started]


def dealt_out(size: int, idle: int = 0) -> list[dict[str, pa.Table]]:
    """Give each file to one host; `idle` more hosts get none."""
    dealt: list[dict[str, pa.Table]] = [{} for _ in range(size + idle)]
    for number, (name, table) in enumerate(tables().items()):
        dealt[number % size][name] = table
    return dealt


def results(root: Path) -> tuple[pa.Table, dict[str, object], set[str]]:
    """Give what the first host has written: its audit, its figures, and the names of all files."""
    leader = min(path for path in root.iterdir())
    folder = leader / "output" / "data"
    names = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    return pq.read_table(folder / "audit.parquet"), json.loads((folder / "metrics.json").read_text()), names


def figures(value: object) -> list[float]:
    """All numbers of a file, in its order."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [number for one in value for number in figures(one)]
    return [float(value)] if isinstance(value, int | float) else []


@pytest.fixture(scope="module")
def alone(tmp_path_factory) -> tuple[pa.Table, dict[str, object], set[str]]:
    """What one host makes of all files."""
    root = tmp_path_factory.mktemp("alone")
    assert codes(start(root, dealt_out(1))) == [0]
    return results(root)


@pytest.mark.parametrize(
    ("size", "idle"),
    [pytest.param(2, 1, id="two and one without any file"), pytest.param(4, 0, id="four", marks=pytest.mark.faults)],
)
def test_several_hosts_find_what_one_host_finds(alone, tmp_path, size, idle) -> None:
    """Uneven shards, one with a single class: the same files, rows, splits, groups, decisions; probabilities to 1e-5; one writer."""
    assert codes(start(tmp_path, dealt_out(size, idle))) == [0] * (size + idle)
    (audit, metrics, names), (other, told, left) = alone, results(tmp_path)
    assert left == names
    near = ("probability", "posterior", "self_confidence")
    for column in audit.column_names:
        one, two = audit[column].to_pylist(), other[column].to_pylist()
        if column in near:
            np.testing.assert_allclose(np.array(two), np.array(one), rtol=0, atol=1e-5)
        else:
            assert two == one, column
    np.testing.assert_allclose(figures(told), figures(metrics), rtol=1e-3, atol=1e-4)
    followers = sorted(tmp_path.iterdir())[1:]
    assert not any((host / "output" / "data").exists() or (host / "model").exists() for host in followers)


def test_bad_rows_on_one_host_end_all_with_their_file_and_host(tmp_path) -> None:
    """Every host leaves a failure file that says which host's file has which bad row."""
    dealt = dealt_out(2)
    name, table = next(iter(dealt[1].items()))
    bad = np.array(table["embedding"].to_pylist(), np.float32)
    bad[3, 0] = np.inf
    dealt[1][name] = table.set_column(0, "embedding", [list(bad)])
    assert codes(start(tmp_path, dealt)) == [2, 2]
    for host in tmp_path.iterdir():
        said = (host / "output" / "failure").read_text()
        assert f"host-2: {name}.parquet" in said
        assert "row 3" in said
