"""Embeddings as one torch tensor. Only tensors are loaded, no code of a file is ever run."""

from __future__ import annotations

import pickle
import re
import warnings
from collections.abc import Sized
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from relabel.data.formats.matrix import Matrix, flat_shape
from relabel.errors import DISK_ERRNOS, UserError

if TYPE_CHECKING:
    import torch

ZIP = b"PK\x03\x04"
REMEDY = "save the embeddings alone, as one tensor: torch.save(tensor, path)"


def read(path: Path) -> Matrix:
    """Open one tensor (N, D) or (N, 1, D) of float16, bfloat16, float32 or float64, memory-mapped if its file allows.

    Raises UserError where the file is truncated or holds anything else: objects, code, several tensors, integers.
    """
    tensor = _tensor(loaded(path, REMEDY), path.stat().st_size)
    rows, width = flat_shape(tensor.shape, f"{_kind(tensor)} tensor")
    flat = tensor.detach().reshape(rows, width)

    def copy(start: int, out: NDArray[np.float32]) -> None:
        import torch  # noqa: PLC0415  # seconds, so only where a tensor is read

        torch.from_numpy(out).copy_(flat[start : start + len(out)])

    return Matrix(rows, width, copy, half=_kind(tensor) == "float16")


def loaded(path: Path, remedy: str) -> Any:
    """Load what torch takes for harmless, tensors and plain containers, onto the CPU wherever it was saved.

    Raises UserError, which ends with the remedy, where the file is truncated, or holds objects or code.
    """
    import torch  # noqa: PLC0415  # seconds, so only where a tensor is read

    with path.open("rb") as file:
        mapped = file.read(len(ZIP)) == ZIP  # files older than torch 1.6 are no zip and cannot be mapped
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # hints on pickles of other programs, which are refused below
            return torch.load(path, map_location="cpu", weights_only=True, mmap=mapped)
    except pickle.UnpicklingError as error:
        asked = re.search(r"GLOBAL ([\w.]+)", str(error))
        what = (
            f"a pickle that asks for `{asked[1]}`"
            if asked
            else "a pickle of something else than a tensor, or a torn one"
        )
        raise UserError(f"{what}: nothing of it was run; {remedy}") from None
    except Exception as error:  # a torn or foreign file can end in any exception of the reader
        if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno in DISK_ERRNOS):
            raise
        raise UserError(f"no tensor can be read from it: it is truncated, or not a file of torch; {remedy}") from None


def _tensor(loaded: Any, file_bytes: int) -> torch.Tensor:
    import torch  # noqa: PLC0415  # seconds, so only where a tensor is read

    if not isinstance(loaded, torch.Tensor):
        entries = f" of {len(loaded)} entries" if isinstance(loaded, Sized) else ""
        raise UserError(f"a {type(loaded).__name__}{entries} where a tensor is expected; {REMEDY}")
    if loaded.layout != torch.strided or loaded.device.type != "cpu":
        raise UserError(f"a {loaded.device.type} tensor of layout {loaded.layout}: save it dense, on the CPU")
    if loaded.dtype not in (torch.float16, torch.bfloat16, torch.float32, torch.float64):
        raise UserError(f"a tensor of {_kind(loaded)}: give float16, bfloat16, float32 or float64")
    if loaded.numel() * loaded.element_size() > file_bytes:
        raise UserError(
            f"a tensor of shape {tuple(loaded.shape)} in a file of {file_bytes:,} bytes: save tensor.clone()"
        )
    return loaded


def _kind(tensor: torch.Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")
