"""`relabel doctor`: looks at a container or a folder, and says what to do."""

from __future__ import annotations

import sys
from pathlib import Path

import click


@click.command()
@click.option("--root", type=click.Path(path_type=Path), help="folder of the platform's contract, in place of its own")
@click.option("--json", "as_json", is_flag=True, help="one JSON array of {level, subject, text}")
def command(root: Path | None, *, as_json: bool) -> None:
    """Check machine, mounts, configuration, channels, model and port; exit code 2 where training or serving would fail."""
    import dataclasses
    import json

    from relabel.container import environment as environments
    from relabel.doctor import examination

    environment = environments.read()
    findings = examination.examine(environment if root is None else environment.moved(root))
    if as_json:
        click.echo(json.dumps([dataclasses.asdict(finding) for finding in findings], indent=2))
    else:
        for finding in findings:
            click.echo(f"{finding.level:<8} {finding.subject:<14} {finding.text}")
    sys.exit(2 if any(finding.level == "problem" for finding in findings) else 0)
