"""Promises about the one line that says why no GPU is used."""

from __future__ import annotations

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relabel.container import gpu
from relabel.container.gpu import Facts
from relabel.errors import PlatformError

versions = st.lists(st.integers(0, 999), min_size=1, max_size=3).map(lambda parts: ".".join(map(str, parts)))


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        (Facts("", "", 0), ""),
        (Facts("12.6", "535.54.03", 1), ""),
        (Facts("12.6", "525.60.13", 1), ""),
        (Facts("13.0", "580.65.06", 8), ""),
        (Facts("", "535.54.03", 2), "2 GPU stay idle.*cuda image"),
        (
            Facts("12.6", "470.256.02", 1),
            "525.60.13.*470.256.02.*InferenceAmiVersion al2-ami-sagemaker-inference-gpu-2,",
        ),
        (Facts("13.0", "550.163", 4), "580.65.6.*550.163.*al2023-ami-sagemaker-inference-gpu-4-1.*older CUDA"),
        (Facts("12.6", "", 0), "no driver was found.*instance with a GPU"),
        (Facts("12.6", "535.54.03", 0), "no GPU: give the container one"),
        (Facts("99.0", "580.65.06", 1), ""),
    ],
)
def test_the_line_names_what_was_found_what_is_needed_and_what_to_ask_for(facts, said) -> None:
    """And there is none where all is well or nothing was meant to be."""
    line = gpu.problem(facts)
    if said:
        with pytest.raises(AssertionError, match=f"(?s){said}"):
            raise AssertionError(line)
    else:
        assert line == ""
    assert "\n" not in line


@given(
    built=st.sampled_from(["", "11.8", "12.6", "13.0", "14.1"]), driver=versions | st.just(""), gpus=st.integers(0, 8)
)
def test_every_machine_gets_an_answer(built, driver, gpus) -> None:
    """A build for CUDA without a driver or without a GPU is never silent."""
    line = gpu.problem(Facts(built, driver, gpus))
    assert line or not built or (driver and gpus)


def test_going_on_is_one_warning_and_requiring_is_a_failure_of_the_platform(caplog) -> None:
    """The same line in both; a cpu build fails too where a GPU is required."""
    with caplog.at_level(logging.WARNING):
        gpu.check(Facts("13.0", "470.1", 1), required=False)
        gpu.check(Facts(), required=False)
    assert [record.getMessage().startswith("GOING ON WITH THE CPU: CUDA 13.0") for record in caplog.records] == [True]
    for facts in (Facts("13.0", "470.1", 1), Facts()):
        with pytest.raises(PlatformError, match="RELABEL_REQUIRE_GPU"):
            gpu.check(facts, required=True)


class Library:
    """Stands in for NVIDIA's library, which only a machine with its driver has."""

    def __init__(self, started: int) -> None:
        self.started = started

    def nvmlInit_v2(self) -> int:  # noqa: N802
        return self.started

    def nvmlSystemGetDriverVersion(self, version, _length) -> int:  # noqa: N802
        version.value = b"550.163.01"
        return 0

    def nvmlDeviceGetCount_v2(self, count) -> int:  # noqa: N802
        count._obj.value = 2
        return 0

    def nvmlShutdown(self) -> int:  # noqa: N802
        return 0


def test_the_driver_is_asked_through_its_library() -> None:
    """Version and number of GPUs, without CUDA."""
    facts = gpu.read(lambda _name: Library(0))
    assert (facts.driver, facts.gpus) == ("550.163.01", 2)


@pytest.mark.parametrize("load", [lambda _name: Library(9), lambda _name: object(), None])
def test_without_the_library_the_kernel_is_asked(tmp_path, load) -> None:
    """Its version file and its devices; nothing at all is no driver."""

    def missing(_name: str) -> object:
        raise OSError("no such library")

    assert gpu.read(load or missing, tmp_path) == Facts(gpu.read(missing, tmp_path).built_for)
    version = tmp_path / "proc" / "driver" / "nvidia" / "version"
    version.parent.mkdir(parents=True)
    version.write_text("NVRM version: NVIDIA UNIX x86_64 Kernel Module  470.256.02  Thu May  2 14:37:44 UTC 2024\n")
    (tmp_path / "dev").mkdir()
    for name in ("nvidia0", "nvidia1", "nvidiactl"):
        (tmp_path / "dev" / name).touch()
    facts = gpu.read(load or missing, tmp_path)
    assert (facts.driver, facts.gpus) == ("470.256.02", 2)
