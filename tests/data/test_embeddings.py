"""Promises of reading embeddings: every float type and layout of .pt and .npy gives the same float32 values."""

import contextlib
import os
import tempfile
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from relabel.data import embeddings
from relabel.data.formats import npy, pt
from relabel.errors import UserError

EXACT = np.random.default_rng(0).integers(-8, 8, (7, 5)) / 4
"""Values that all float types hold exactly."""


def copied(matrix, step: int = 3) -> np.ndarray:
    """Read a matrix block by block."""
    out = np.empty((matrix.rows, matrix.width), np.float32)
    for start in range(0, matrix.rows, step):
        matrix.copy(start, out[start : start + step])
    return out


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("shape", [(7, 5), (7, 1, 5)])
@pytest.mark.parametrize("legacy", [False, True])
def test_tensors_of_all_kinds_read_alike(tmp_path, dtype, shape, legacy) -> None:
    """Float16, bfloat16, float32 and float64, (N, D) and (N, 1, D), new files and old ones."""
    tensor = torch.from_numpy(EXACT).to(dtype).reshape(shape)
    torch.save(tensor, tmp_path / "a.pt", _use_new_zipfile_serialization=not legacy)
    assert np.array_equal(copied(pt.read(tmp_path / "a.pt")), EXACT)


def test_parameters_and_views_are_tensors(tmp_path) -> None:
    """A parameter, a transposed view and a slice of a larger tensor are read as what they show."""
    full = torch.from_numpy(EXACT).float()
    for saved in (torch.nn.Parameter(full), full.T.contiguous().T, torch.cat([full, full])[:7]):
        torch.save(saved, tmp_path / "a.pt")
        assert np.array_equal(copied(pt.read(tmp_path / "a.pt")), EXACT)


@pytest.mark.parametrize("dtype", ["<f2", "<f4", "<f8", ">f4"])
@pytest.mark.parametrize("shape", [(7, 5), (7, 1, 5)])
@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays_of_all_kinds_read_alike(tmp_path, dtype, shape, order) -> None:
    """Float16, float32 and float64 of either byte order, (N, D) and (N, 1, D), by rows or by columns."""
    np.save(tmp_path / "a.npy", EXACT.astype(dtype).reshape(shape).copy(order=order))
    assert np.array_equal(copied(npy.read(tmp_path / "a.npy")), EXACT)


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_arrays_with_a_header_of_any_version_read_alike(tmp_path, version) -> None:
    """Each of the versions that numpy may write."""
    with (tmp_path / "a.npy").open("wb") as file:
        np.lib.format.write_array(file, EXACT.astype(np.float32), version=version)
    assert np.array_equal(copied(npy.read(tmp_path / "a.npy")), EXACT)


@pytest.mark.parametrize("order", [False, True])
@pytest.mark.parametrize("shape", [(-7, 5), (7, -5), (-7, -5), (-7, 1, 5)])
def test_a_shape_below_zero_is_refused(tmp_path, shape, order) -> None:
    """A header may say what no array is; it is told, and nothing is read or mapped."""
    with (tmp_path / "a.npy").open("wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": order, "shape": shape})
        file.write(EXACT.astype(np.float32).tobytes())
    with pytest.raises(UserError, match="of shape"):
        npy.read(tmp_path / "a.npy")


def test_what_is_no_array_of_floats_is_refused(tmp_path) -> None:
    """Integers, records, archives, objects and other shapes are each told apart."""
    path = tmp_path / "a.npy"
    seen = {
        "int64": np.zeros((2, 2), np.int64),
        "complex128": np.zeros((2, 2), complex),
        "f4": np.zeros(2, [("x", "f4")]),
        "shape (2,)": np.zeros(2),
        "Python objects": np.array([{}, None]),
    }
    for part, array in seen.items():
        np.save(path, array, allow_pickle=True)
        with pytest.raises(UserError) as caught:
            npy.read(path)
        assert part in str(caught.value)
    with path.open("wb") as file:
        np.savez(file, a=EXACT)
    with pytest.raises(UserError, match=r"\.npz.*one array"):
        npy.read(path)


def test_values_beyond_float32_become_infinite(tmp_path) -> None:
    """So that the check of finite rows finds them, without a warning."""
    np.save(tmp_path / "a.npy", np.array([[1e300, 1.0]]))
    torch.save(torch.tensor([[1e300, 1.0]], dtype=torch.float64), tmp_path / "a.pt")
    for matrix in (npy.read(tmp_path / "a.npy"), pt.read(tmp_path / "a.pt")):
        assert copied(matrix).tolist() == [[np.inf, 1.0]]


@pytest.mark.parametrize("order", ["C", "F"])
def test_an_array_that_is_cut_while_it_is_read_is_named(tmp_path, order) -> None:
    """By rows or by columns; a file that was mapped would end the process."""
    np.save(tmp_path / "a.npy", EXACT.copy(order=order))
    matrix = npy.read(tmp_path / "a.npy")
    os.truncate(tmp_path / "a.npy", 200)
    with pytest.raises(UserError, match=r"^a\.npy has become shorter while it was read"):
        copied(matrix)


@settings(derandomize=True, max_examples=60, deadline=None)
@given(
    st.sampled_from(["new", "old", "npy"]),
    st.lists(st.tuples(st.floats(0, 1), st.binary(max_size=4)), min_size=1, max_size=4),
)
def test_a_damaged_file_is_read_or_refused(kind, damage) -> None:
    """Whatever bytes are overwritten, no other exception than a UserError comes out of a reader."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a"
        if kind == "npy":
            with path.open("wb") as file:
                np.save(file, EXACT)
        else:
            torch.save(torch.from_numpy(EXACT), path, _use_new_zipfile_serialization=kind == "new")
        data = bytearray(path.read_bytes())
        for where, what in damage:
            at = int(where * len(data))
            data[at : at + len(what)] = what
        path.write_bytes(data)
        with contextlib.suppress(UserError):
            assert (npy if kind == "npy" else pt).read(path).width > 0


def test_a_header_that_never_ends_is_refused(tmp_path) -> None:
    """The description of an array may be torn in ways that no parser of Python survives."""
    (tmp_path / "a.npy").write_bytes(b"\x93NUMPY\x01\x00\x16\x00{'descr': '<f4', (((((\n")
    with pytest.raises(UserError, match="truncated"):
        npy.read(tmp_path / "a.npy")


@given(st.lists(st.integers(0, 2), max_size=60), st.integers(1, 8))
def test_rows_are_reordered_in_place(split, block) -> None:
    """Whatever rows leave the first part, each arrives where the order says, with any size of block."""
    order = np.argsort(split, kind="stable")
    array = np.arange(3 * len(split), dtype=np.float32).reshape(-1, 3)
    expected = array[order]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(embeddings, "BLOCK_BYTES", block * 12)
        embeddings.reordered(array, order, kept=split.count(0))
    assert np.array_equal(array, expected)
