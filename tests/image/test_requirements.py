"""Promises of the image's pinned requirements."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCKER = ROOT / "docker"
UNREACHED = {"torch-cu126.txt"}
"""Files without hashes; each says why."""


def canonical(name: str) -> str:
    """Spell a package's name as registries compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(path: Path) -> dict[str, tuple[str, int]]:
    """Read name -> version and number of hashes; every line must be a comment, a pin, or a hash of the pin above it."""
    found: dict[str, tuple[str, int]] = {}
    name = ""
    for line in path.read_text().splitlines():
        if pin := re.fullmatch(r"([A-Za-z0-9_.-]+)==(\S+)(?: \\)?", line):
            name = canonical(pin[1])
            found[name] = pin[2], 0
        elif re.fullmatch(r"    --hash=sha256:[0-9a-f]{64}(?: \\)?", line):
            found[name] = found[name][0], found[name][1] + 1
        else:
            assert not line or line.startswith("#"), f"{path.name}: {line}"
    return found


ALL = sorted(path.name for path in DOCKER.glob("*.txt") if not path.name.startswith("not-needed"))


@pytest.mark.parametrize("name", ALL)
def test_every_package_is_pinned_and_has_hashes(name) -> None:
    """What is downloaded for the image can be nothing else; the one exception is named."""
    found = pins(DOCKER / name)
    assert found
    assert all(hashes for _, hashes in found.values()) == (name not in UNREACHED)


def test_every_dependency_of_training_and_serving_is_there() -> None:
    """A dependency that is added to the project is missed here before it is missed in the image."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    needed = {
        canonical(re.split(r"[\[<>=]", line)[0]) for line in project["dependencies"] + extras["train"] + extras["serve"]
    }
    assert needed - {"torch"} <= pins(DOCKER / "requirements.txt").keys()


def test_the_target_for_texts_adds_what_its_extra_needs_and_nothing_that_is_there() -> None:
    """Its layer lies above that of cpu, so a package in both would be there twice."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    needed = {canonical(re.split(r"[\[<>=]", line)[0]) for line in extras["text"] + extras["mlflow"]}
    added = pins(DOCKER / "requirements-text.txt").keys()
    assert needed <= added
    assert added.isdisjoint(pins(DOCKER / "requirements.txt"))
    assert added.isdisjoint(pins(DOCKER / "torch-cu130.txt"))


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-text.txt"])
def test_the_image_holds_what_the_tests_ran_with(name) -> None:
    """Versions are those of the project's own constraints."""
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    constraints = {canonical(name): version for name, version in (line.split("==") for line in lines)}
    image = {name: version for name, (version, _) in pins(DOCKER / name).items()}
    assert {n: v for n, v in image.items() if n in constraints} == {n: v for n, v in constraints.items() if n in image}


@pytest.mark.parametrize("name", [name for name in ALL if name.startswith("torch-")])
def test_every_flavour_of_torch_is_one_release(name) -> None:
    """The networks are the same whichever image trains them."""
    version, _ = pins(DOCKER / name)["torch"]
    assert re.fullmatch(r"2\.13\.0(\+\w+)?", version)
    assert pins(DOCKER / name).keys().isdisjoint(pins(DOCKER / "requirements.txt"))
