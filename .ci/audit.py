"""What bandit finds in the code, held against bandit.toml, and what is known against the packages that the image holds.

Vulnerabilities are looked up in the index of packages' own advisories. Where that answers for none, it says so and goes on: a machine without
it can check the code all the same. `make scan` is the strict one.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
CODE = ("src", "docker", "container", "local_test")
REQUIREMENTS = ("docker/requirements.txt", "docker/requirements-text.txt")


def differences(found: Sequence[Mapping[str, Any]], table: Mapping[str, Any]) -> list[str]:
    """Give what bandit found (its `results`) and the table has not, and what the table has in vain."""
    rules = Counter((each["test_id"], each["filename"]) for each in found if each["test_id"] not in table["left_out"])
    meant = Counter({(each["rule"], file): count for each in table["meant"] for file, count in each["files"].items()})
    lines = [
        f"{each['filename']}:{each['line_number']}: {each['test_id']} {each['issue_text']}"
        for each in found
        if (each["test_id"], each["filename"]) in rules - meant
    ]
    return lines + [f"{file}: {rule} is in bandit.toml in vain" for rule, file in meant - rules]


def advisories(report: Mapping[str, Any]) -> tuple[list[str], list[str], int]:
    """Give the vulnerabilities of a report of pip-audit, the packages that nobody answered for, and how many were answered for."""
    packages = report["dependencies"]
    bad = [
        f"{package['name']} {package['version']}: {hole['id']}, mended in {', '.join(hole['fix_versions']) or 'none yet'}"
        for package in packages
        for hole in package.get("vulns", ())
    ]
    unknown = [package["name"] for package in packages if "skip_reason" in package]
    return bad, unknown, len(packages) - len(unknown)


def main() -> int:
    """Run both; 1 where either finds something."""
    table = tomllib.loads((ROOT / ".ci" / "bandit.toml").read_text())
    problems = differences(_said("bandit", "--quiet", "--recursive", *CODE, "--format", "json")["results"], table)
    print(f"bandit: {len(problems)} problems that bandit.toml does not explain")
    for name in REQUIREMENTS:
        try:
            report = _said(
                "pip_audit", "--progress-spinner=off", "--disable-pip", "--format=json", "--requirement", name
            )
        except ValueError:
            report = {"dependencies": []}
        bad, unknown, answered = advisories(report)
        problems += bad
        print(f"{name}: {_summary(bad, unknown, answered)}")
    print("\n".join(problems), end="\n" if problems else "")
    return bool(problems)


def _summary(bad: Sequence[str], unknown: Sequence[str], answered: int) -> str:
    if not answered:
        return "NOT LOOKED UP: no index of advisories answers here; run `make scan` where one does"
    return f"{len(bad)} known vulnerabilities in {answered} packages" + (
        f", not known: {', '.join(unknown)}" if unknown else ""
    )


def _said(module: str, *arguments: str) -> dict[str, Any]:
    """Run a module that writes JSON. Raises ValueError where it writes none."""
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    report: dict[str, Any] = json.loads(done.stdout)
    return report


if __name__ == "__main__":
    sys.exit(main())
