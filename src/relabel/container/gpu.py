"""Whether CUDA can be used here, told without torch, which takes seconds, and without CUDA, which must not start before a process forks.

A release of CUDA runs on every driver from the first one of its major version on (NVIDIA's minor version compatibility).
"""

from __future__ import annotations

import ctypes
import importlib.util
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from relabel.errors import PlatformError

log = logging.getLogger(__name__)

FIRST_DRIVER = {11: (450, 80, 2), 12: (525, 60, 13), 13: (580, 65, 6)}
"""Major version of CUDA -> the first driver on Linux that runs it."""

INFERENCE_AMI = {
    11: "al2-ami-sagemaker-inference-gpu-2",
    12: "al2-ami-sagemaker-inference-gpu-2",
    13: "al2023-ami-sagemaker-inference-gpu-4-1",
}
"""Major version of CUDA -> what to ask for as the InferenceAmiVersion of an endpoint, for a driver that runs it."""

NVML = "libnvidia-ml.so.1"
KERNEL_MODULE = re.compile(r"Kernel Module .*?(\d+\.\d+(?:\.\d+)?)")
BUILT_FOR = re.compile(r"^cuda\b[^=]*= ['\"](\d+\.\d+)['\"]", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Facts:
    """What is here.

    built_for: version of CUDA that torch is built for; "" for processors alone.
    driver:    version of NVIDIA's driver; "" where there is none.
    gpus:      GPUs that this container may use.
    """

    built_for: str = ""
    driver: str = ""
    gpus: int = 0


def read(load: Callable[[str], Any] = ctypes.CDLL, system: Path = Path("/")) -> Facts:
    """Ask torch's files for the build, and NVIDIA's management library, or where it is missing the kernel, for the driver; never raises."""
    try:
        driver, gpus = _by_library(load(NVML))
    except (OSError, AttributeError):
        driver, gpus = _by_kernel(system)
    return Facts(_built_for(), driver, gpus)


def problem(facts: Facts) -> str:
    """Say in one line why no GPU is used, and what to do; "" where one is, or where none is meant to be."""
    if not facts.built_for:
        return (
            f"{facts.gpus} GPU stay idle: torch is built for processors alone. Use the cuda image" if facts.gpus else ""
        )
    major = min(max(int(facts.built_for.partition(".")[0]), min(FIRST_DRIVER)), max(FIRST_DRIVER))
    first = FIRST_DRIVER[major]
    needed = (
        f"CUDA {facts.built_for}, for which torch is built, needs NVIDIA driver {'.'.join(map(str, first))} or newer"
    )
    if not facts.driver:
        return f"{needed}, and no driver was found: take an instance with a GPU, or the cpu image"
    if tuple(int(part) for part in facts.driver.split(".")) < first:
        older = " or build the image for an older CUDA" if major > min(FIRST_DRIVER) else ""
        return (
            f"{needed}, and driver {facts.driver} was found: for an endpoint ask for InferenceAmiVersion {INFERENCE_AMI[major]},"
            f"{older or ' or a newer driver'}"
        )
    return (
        ""
        if facts.gpus
        else f"driver {facts.driver} was found and no GPU: give the container one (docker run --gpus all)"
    )


def announce(line: str, *, required: bool) -> None:
    """Warn that the work goes on without a GPU, where there is a line that says why.

    Raises PlatformError in place of the warning where a GPU is required.
    """
    if line and required:
        raise PlatformError(f"{line}. A GPU is required here (RELABEL_REQUIRE_GPU)")
    if line:
        log.warning("GOING ON WITH THE CPU: %s", line)


def check(facts: Facts, *, required: bool) -> None:
    """Announce the problem, where there is one.

    Raises PlatformError where a GPU is required and cannot be used.
    """
    without = "torch is built for processors alone: use the cuda image" if required and not facts.built_for else ""
    announce(problem(facts) or without, required=required)


def _by_library(nvml: Any) -> tuple[str, int]:
    """Give the driver's version and the number of GPUs; OSError where the library cannot start, as without a driver."""
    version = ctypes.create_string_buffer(80)
    gpus = ctypes.c_uint(0)
    if nvml.nvmlInit_v2() or nvml.nvmlSystemGetDriverVersion(version, ctypes.c_uint(len(version))):
        raise OSError("NVML does not start")
    nvml.nvmlDeviceGetCount_v2(ctypes.byref(gpus))
    nvml.nvmlShutdown()
    return _numbers(version.value.decode("ascii", "replace")), gpus.value


def _by_kernel(system: Path) -> tuple[str, int]:
    try:
        said = KERNEL_MODULE.search(
            (system / "proc/driver/nvidia/version").read_text(encoding="utf-8", errors="replace")
        )
    except OSError:
        said = None
    return said[1] if said else "", len(list(system.glob("dev/nvidia[0-9]*")))


def _numbers(version: str) -> str:
    """Keep a version that is made of numbers, "" for any other text."""
    return version if re.fullmatch(r"\d+(\.\d+)*", version) else ""


def _built_for() -> str:
    """Read what torch is built for out of its version file."""
    found = importlib.util.find_spec("torch")
    if found is None or not found.origin:
        return ""
    try:
        said = BUILT_FOR.search((Path(found.origin).parent / "version.py").read_text(encoding="utf-8"))
    except OSError:
        return ""
    return said[1] if said else ""
