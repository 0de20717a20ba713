"""What a result was computed with."""

from __future__ import annotations

import platform
from importlib import metadata
from typing import Any

import threadpoolctl
import torch

import relabel

PACKAGES = ("numpy", "torch", "pytorch-lightning", "cleanlab")


def build(threads: int) -> dict[str, Any]:
    """Say what may change the last digits of a result: versions, threads, device, and how numpy multiplies.

    OpenBLAS has a multiplication for each kind of processor. It takes the processor's own, or the one that OPENBLAS_CORETYPE names.
    """
    versions = {name: metadata.version(name) for name in PACKAGES}
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else platform.machine()
    kernels = sorted({str(pool["architecture"]) for pool in threadpoolctl.threadpool_info() if "architecture" in pool})
    return {
        "relabel": relabel.__version__,
        **versions,
        "threads": threads,
        "device": device,
        "kernels": " ".join(kernels),
    }
