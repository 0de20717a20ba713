"""The audit of the code and of the packages: .ci/audit.py says what is new, what is no more, and what it could not look up."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

CI = Path(__file__).parents[2] / ".ci"
TABLE = tomllib.loads((CI / "bandit.toml").read_text())


@pytest.fixture(scope="module")
def audit() -> ModuleType:
    """The script, loaded."""
    spec = spec_from_file_location("audit", CI / "audit.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def finding(rule: str, name: str) -> dict[str, object]:
    """A finding as bandit writes it."""
    return {"test_id": rule, "filename": name, "line_number": 7, "issue_text": "bad"}


MEANT = [
    finding(each["rule"], file)
    for each in TABLE["meant"]
    for file, count in each["files"].items()
    for _ in range(count)
]


def test_what_is_in_the_table_is_passed_over_and_nothing_else(audit) -> None:
    """One call more in a file that has some is found; so is one in another file."""
    assert audit.differences(MEANT, TABLE) == []
    assert audit.differences([*MEANT, finding("B101", "src/a.py")], TABLE) == []
    assert audit.differences([*MEANT, finding("B602", "src/a.py")], TABLE) == ["src/a.py:7: B602 bad"]
    assert "src/relabel/cli/web.py:7: B603 bad" in audit.differences(
        [*MEANT, finding("B603", "src/relabel/cli/web.py")], TABLE
    )


def test_what_the_table_has_in_vain_is_said(audit) -> None:
    """An exception lives no longer than what it is for."""
    assert all(
        f"{each['filename']}: {each['test_id']} is in bandit.toml in vain" in audit.differences([], TABLE)
        for each in MEANT
    )


def test_every_exception_has_its_reason_and_its_file() -> None:
    """A sentence, and files that are there."""
    assert all(len(each["why"].split()) > 1 for each in TABLE["meant"])
    assert all(len(why.split()) > 4 for why in TABLE["left_out"].values())
    assert all((CI.parent / file).is_file() for each in TABLE["meant"] for file in each["files"])


def test_packages_that_nobody_answers_for_are_told_from_safe_ones(audit) -> None:
    """A report of nothing but skipped packages is no clean one."""
    report = {
        "dependencies": [
            {"name": "a", "version": "1", "vulns": []},
            {
                "name": "b",
                "version": "2",
                "vulns": [{"id": "X-1", "fix_versions": ["3"]}, {"id": "X-2", "fix_versions": []}],
            },
            {"name": "c", "skip_reason": "not found"},
        ]
    }
    bad = ["b 2: X-1, mended in 3", "b 2: X-2, mended in none yet"]
    assert audit.advisories(report) == (bad, ["c"], 2)
    assert audit.advisories({"dependencies": [{"name": "c", "skip_reason": "not found"}]}) == ([], ["c"], 0)


@pytest.mark.parametrize(("answered", "code", "said"), [(False, 0, "NOT LOOKED UP"), (True, 1, "a 1: X-1")])
def test_a_vulnerability_fails_and_an_index_that_is_away_does_not(tmp_path, answered, code, said) -> None:
    """The whole script, with stand-ins for bandit and pip-audit that print what those would."""
    package = (
        '{"name": "a", "version": "1", "vulns": [{"id": "X-1", "fix_versions": ["2"]}]}'
        if answered
        else '{"name": "a", "skip_reason": "x"}'
    )
    (tmp_path / "bandit.py").write_text(f"import json\nprint(json.dumps({{'results': {MEANT!r}}}))")
    (tmp_path / "pip_audit.py").write_text(f"print('{{\"dependencies\": [{package}]}}')")
    done = subprocess.run(
        [sys.executable, CI / "audit.py"],
        env={"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, said in done.stdout) == (code, True), done.stderr
