"""`relabel loop export`, `import` and `status`: what people do in a loop, and how far it is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from relabel.cli import loop_inputs
from relabel.cli.loop_inputs import FOLDER, WHO

if TYPE_CHECKING:
    from relabel.data.reviews import Answer
    from relabel.loop.folder import Loop
    from relabel.results.reviewing.importing import Import, Rows

FORMAT = click.Choice(["csv", "jsonl", "labelstudio", "groundtruth"])
READ = click.Path(exists=True, dir_okay=False, path_type=Path)
WRITTEN = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("folder", type=FOLDER)
@click.option("--output", required=True, type=WRITTEN, help="file to write")
@click.option("--format", "form", default="csv", show_default=True, type=FORMAT, help="what people answer in")
@click.option(
    "--texts",
    type=READ,
    help="CSV file of texts for people, where rows have none: columns id and review",
)
@WHO
def export(*, folder: Path, output: Path, form: str, texts: Path | None, by: str) -> None:
    """Write the rows that wait for a label; those on which people disagree come first."""
    from relabel import files
    from relabel.loop import asking, standing, wording
    from relabel.results.reviewing import entries
    from relabel.results.reviewing.formats import FORMATS

    loop = loop_inputs.opened(folder, by)
    asked = standing.asked(loop)
    if texts is not None:
        with loop.journal.alone():
            asked = wording.add(loop, asked, loop_inputs.texts(texts))
    questions = asking.questions(asked, loop.classes)
    queue = asking.open_queue(asked, asking.verdicts(asked, loop.answers()), loop.seed)
    if not len(queue):
        click.echo(f"0 rows to label: nothing is open, and {output} is left as it is")
        return
    _warn_wordless(asked.text[queue.question].tolist())
    written = {output: FORMATS[form].write(entries.records(questions, queue), loop.classes)}
    written |= {
        output.with_name(output.stem + end): data for end, data in FORMATS[form].companions(loop.classes).items()
    }
    with files.told(output):
        for path, data in written.items():
            files.write_bytes(path, data)
    click.echo(f"{len(queue):,} rows to label")
    for path in written:
        click.echo(f"{'questions' if path == output else 'set up by'}  {path}")


@click.command("import")
@click.argument("folder", type=FOLDER)
@click.argument("answers", nargs=-1, required=True, type=READ)
@click.option("--format", "form", type=FORMAT, help="format of the files, where name and first line do not tell it")
@click.option("--attribute", default="", help="label attribute (Ground Truth) or control (Label Studio), of several")
@click.option("--reviewer", default="", help="who answered, where the file does not say it")
@click.option("--skip-bad", is_flag=True, help="take the good answers, and write the bad ones to a file beside theirs")
@WHO
def take(
    *, folder: Path, answers: tuple[Path, ...], form: str | None, attribute: str, reviewer: str, skip_bad: bool, by: str
) -> None:
    """Take answers over: a class, or `neither`. As often as wanted, from as many people as wanted.

    Where anything is wrong, all of it is said and nothing is taken, unless --skip-bad.
    """
    from relabel import files
    from relabel.errors import UserError
    from relabel.loop import asking, standing
    from relabel.results.reviewing import importing

    loop = loop_inputs.opened(folder, by)
    rows = importing.Rows(asking.questions(standing.asked(loop), loop.classes))
    read: dict[Path, tuple[Import, bytes]] = {}
    unreadable: list[str] = []
    for path in answers:
        try:
            read[path] = _read(path, form, attribute, reviewer, rows)
        except UserError as error:
            unreadable += (f"{path.name}: {problem}" for problem in error.problems)
    problems = [problem for path, (found, _) in read.items() for problem in found.problems(path.name)]
    if unreadable or (problems and not skip_bad):
        raise UserError(*unreadable, *problems)
    for path, (found, bad) in read.items():
        if found.bad:
            files.write_bytes(beside := path.with_name(f"{path.stem}.bad{path.suffix}"), bad)
            click.echo(f"{len(found.bad):,} bad records: {beside}; mend and import them", err=True)
        with loop.journal.alone("answers"):
            fresh = _keep(loop, path, found)
        told = f"{path.name}: {len(fresh):,} new answers, {len(found.answers) - len(fresh):,} known before, {found.open:,} rows not answered yet"
        click.echo("; ".join([told, *(f"{count:,} {why}" for why, count in sorted(found.passed.items()))]))
        if not found.answers and not found.bad:
            click.echo(
                f"{path.name} holds no answer: fill in what `relabel loop export` wrote, and import that", err=True
            )
    _warn_nameless(loop, [answer for found, _ in read.values() for answer in found.answers])
    _say_waiting(loop)


@click.command()
@click.argument("folder", type=FOLDER)
@click.option("--json", "as_json", is_flag=True, help="print every figure as JSON")
def status(*, folder: Path, as_json: bool) -> None:
    """Say how far the loop is, what waits for whom, and what labels were worth."""
    import json

    from relabel.loop import standing

    loop = loop_inputs.opened(folder)
    found = standing.stands(loop)
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    click.echo(
        f"serves    {found['serving']['current']}"
        + (f", before {before}" if (before := found["serving"]["previous"]) else "")
    )
    click.echo(
        f"labels    {found['labels']:,} rows labelled by {found['answers']:,} answers, {found['disputed']:,} disputed"
    )
    for one in found["rounds"]:
        click.echo(f"round {one['round']:<3} {standing.sentence(one)}")
    click.echo(f"next      {found['next']}")


def _keep(loop: Loop, path: Path, found: Import) -> tuple[Answer, ...]:
    """Add new answers to those there are, and write that down."""
    from relabel import files
    from relabel.data.reviews import line
    from relabel.loop.journal import sha256
    from relabel.results.reviewing import importing

    fresh = importing.added(loop.answers(), found.answers)
    if fresh:
        before = loop.answers_path.read_bytes() if loop.answers_path.is_file() else b""
        files.write_bytes(loop.answers_path, before + "".join(map(line, fresh)).encode())
    last = loop.journal.last("import")
    told = last.files[loop.answers_path.name] if last else None
    if (
        loop.answers_path.is_file() and sha256(loop.answers_path) != told
    ):  # new ones, or those of an import that broke off here
        people = sorted({answer.reviewer for answer in found.answers})
        facts = {"answers": len(fresh), "reviewers": people, "file": path.name, "file_sha256": sha256(path)}
        loop.journal.write("import", loop.at()[0], facts, [loop.answers_path])
    return fresh


def _read(path: Path, form: str | None, attribute: str, reviewer: str, rows: Rows) -> tuple[Import, bytes]:
    from relabel.cli import review_inputs
    from relabel.results.reviewing import importing
    from relabel.results.reviewing.formats import FORMATS, recognised

    review_inputs.check_file(path)
    data = path.read_bytes()
    name = form or recognised(path, data)
    found = importing.taken(FORMATS[name].read(data, attribute), rows, reviewer=reviewer, source=name)
    return found, FORMATS[name].cut(data, found.bad.keys()) if found.bad else b""


def _warn_wordless(texts: Sequence[str]) -> None:
    """Say where people have nothing to read."""
    if empty := sum(not text for text in texts):
        click.echo(
            f"WARNING {empty:,} of {len(texts):,} rows have no text, and people cannot tell what they are about: "
            "add texts by `relabel loop export … --texts FILE`, with columns id and review",
            err=True,
        )


def _warn_nameless(loop: Loop, answers: Sequence[Answer]) -> None:
    """Say where answers without a name count as those of one more person."""
    from relabel.data.reviews import ANONYMOUS

    nameless = sum(answer.reviewer == ANONYMOUS for answer in answers)
    if nameless and any(answer.reviewer != ANONYMOUS for answer in loop.answers()):
        click.echo(
            f"WARNING {nameless:,} answers have no reviewer, and count as those of one more person, `{ANONYMOUS}`: "
            "fill in the column `reviewer`, or give --reviewer",
            err=True,
        )


def _say_waiting(loop: Loop) -> None:
    """Say what is open, and what people disagree on."""
    from relabel.loop import standing

    waits = standing.waiting(loop)
    disputed = f", {waits.disputed:,} of them disputed: export asks for these first" if waits.disputed else ""
    click.echo(f"{waits.answered:,} of {waits.asked:,} rows settled; {waits.asked - waits.answered:,} open{disputed}")
