"""Promises of what a job says it was computed with."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the names are those of OpenBLAS on x86_64")
@pytest.mark.parametrize("kernel", ["Nehalem", "Haswell"])
def test_the_kernels_that_multiply_are_part_of_the_build(kernel) -> None:
    """Two runs that differ in their last digits for this reason say so."""
    told = subprocess.run(
        [sys.executable, "-c", "from relabel.job.build import build; print(build(1)['kernels'])"],
        env={**os.environ, "OPENBLAS_CORETYPE": kernel},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.split() == [kernel]
