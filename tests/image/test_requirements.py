"""Promises of the image's pinned requirements."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def pins(path: Path) -> dict[str, str]:
    """Read `name==version` lines; every line that is no comment must be one, or name another file."""
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith(("#", "-r "))]
    found = {canonical(name): version for name, _, version in (line.partition("==") for line in lines)}
    assert all(found.values()), path
    return found


def canonical(name: str) -> str:
    """Spell a package's name as registries compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def test_every_dependency_of_training_and_serving_is_pinned() -> None:
    """A dependency that is added to the project is missed here before it is missed in the image."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    needed = {
        canonical(re.split(r"[\[<>=]", line)[0]) for line in project["dependencies"] + extras["train"] + extras["serve"]
    }
    assert needed <= pins(ROOT / "docker" / "requirements-cpu.txt").keys()


def test_the_image_holds_what_the_tests_ran_with() -> None:
    """Versions are those of the project's own constraints."""
    constraints = pins(ROOT / "constraints.txt")
    image = pins(ROOT / "docker" / "requirements-cpu.txt")
    assert {n: v for n, v in image.items() if n in constraints} == {n: v for n, v in constraints.items() if n in image}


def test_the_cuda_image_adds_to_the_cpu_images_packages() -> None:
    """No package is pinned twice."""
    cuda = ROOT / "docker" / "requirements-cuda.txt"
    assert "-r requirements-cpu.txt" in cuda.read_text().splitlines()
    assert pins(cuda).keys().isdisjoint(pins(ROOT / "docker" / "requirements-cpu.txt"))
