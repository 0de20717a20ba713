"""`relabel review`: what people are asked about the labels, their answers, and how far that is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from relabel.cli import review_inputs, review_page
from relabel.cli.review_inputs import READ, RESULTS, SPLITS, WRITTEN

if TYPE_CHECKING:
    from relabel.data.reviews import Answer
    from relabel.results.reviewing.importing import Import, Rows
    from relabel.results.reviewing.progress import Progress

FORMAT = click.Choice(["csv", "jsonl", "labelstudio", "groundtruth"])


@click.group()
def command() -> None:
    """Ask people about doubtful labels, take their answers over, see what is left.

    RESULTS is the folder output/data of a training job.
    """


command.add_command(review_page.serve)
command.add_command(review_page.answers)


@command.command()
@click.argument("results", type=RESULTS)
@click.option("--output", required=True, type=WRITTEN, help="file to write")
@click.option("--format", "form", default="csv", show_default=True, type=FORMAT, help="what people answer in")
@click.option("--count", default=100, show_default=True, type=click.IntRange(1), help="questions to ask")
@click.option(
    "--random-share",
    default=0.1,
    show_default=True,
    type=click.FloatRange(0, 1),
    help="share of the questions drawn by chance from all others, to estimate what the worst ones leave out",
)
@click.option("--splits", default=SPLITS, show_default=True, help="splits to ask about")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0), help="the draw follows from it")
@click.option("--reviews", type=WRITTEN, help="answers so far (reviews.jsonl): they are not asked for again")
def export(
    *,
    results: Path,
    output: Path,
    form: str,
    count: int,
    random_share: float,
    splits: str,
    seed: int,
    reviews: Path | None,
) -> None:
    """Write the questions whose answers put most labels right.

    Questions on which people disagree come first, then duplicates with different labels, then the likeliest errors, with the random share
    among them. One question stands for all duplicates of its row.
    """
    from relabel import files
    from relabel.results.reviewing import entries, queue
    from relabel.results.reviewing.formats import FORMATS

    questions = review_inputs.questions(results)
    wanted, verdicts = (
        review_inputs.wanted(questions, splits),
        review_inputs.verdicts(questions, review_inputs.answers(reviews)),
    )
    chosen = queue.drawn(questions, wanted, verdicts, count=count, random_share=random_share, seed=seed)
    written = {output: FORMATS[form].write(entries.records(questions, chosen), questions.classes)}
    written |= {
        output.with_name(output.stem + end): data for end, data in FORMATS[form].companions(questions.classes).items()
    }
    with files.told(output):
        for path, data in written.items():
            files.write_bytes(path, data)
    click.echo(
        f"{len(chosen):,} questions on {int(questions.size[chosen.question].sum()):,} rows: {_reasons(chosen.why)}"
    )
    if not any(questions.text[questions.shown[chosen.question]]):
        click.echo("no texts are known: people see file, row and id alone", err=True)
    for path in written:
        click.echo(f"{'questions' if path == output else 'set up by'}  {path}")


@command.command("import")
@click.argument("answers", nargs=-1, required=True, type=READ)
@click.option("--results", required=True, type=RESULTS, help="the results that were asked about")
@click.option("--reviews", required=True, type=WRITTEN, help="file of all answers (reviews.jsonl), which only grows")
@click.option(
    "--format", "form", type=FORMAT, help="format of the files, where it cannot be told by name and first line"
)
@click.option(
    "--attribute", default="", help="label attribute (Ground Truth) or control (Label Studio), where there are several"
)
@click.option("--reviewer", default="", help="who answered, where the file does not say it")
@click.option("--skip-bad", is_flag=True, help="take the good answers, and write the bad ones to a file beside theirs")
def take(
    *,
    answers: tuple[Path, ...],
    results: Path,
    reviews: Path,
    form: str | None,
    attribute: str,
    reviewer: str,
    skip_bad: bool,
) -> None:
    """Take answers over: CSV, JSON Lines, Label Studio's JSON and JSON-MIN, Ground Truth's output manifest.

    A file is taken a second time without effect. Where anything is wrong, all of it is said and nothing is written, unless --skip-bad.
    """
    from relabel import files
    from relabel.data.reviews import line
    from relabel.errors import UserError
    from relabel.results.reviewing import importing

    questions = review_inputs.questions(results)
    rows, known = importing.Rows(questions), review_inputs.answers(reviews if reviews.is_file() else None)
    read: dict[Path, tuple[Import, bytes]] = {}
    unreadable: list[str] = []
    for path in answers:
        try:
            read[path] = _read(path, form, attribute, reviewer, rows)
        except UserError as error:
            unreadable += error.problems
    problems = [problem for path, (found, _) in read.items() for problem in found.problems(path.name)]
    if unreadable or (problems and not skip_bad):
        raise UserError(*unreadable, *problems)
    new: tuple[Answer, ...] = ()
    for path, (found, bad) in read.items():
        new += (fresh := importing.added([*known, *new], found.answers))
        _say_read(path, found, len(fresh), importing.superseded(known, found.answers))
        if found.bad:
            click.echo("\n".join(found.problems(path.name)), err=True)
            beside = path.with_name(f"{path.stem}.bad{path.suffix}")
            files.write_bytes(beside, bad)
            click.echo(f"{len(found.bad):,} bad records: {beside}; mend and import them", err=True)
    if new or not reviews.is_file():
        before = reviews.read_bytes() if reviews.is_file() else b""
        ended = before if before.endswith(b"\n") or not before else before + b"\n"
        with files.told(reviews):
            files.write_bytes(reviews, ended + "".join(map(line, new)).encode())
    click.echo(f"{len(known) + len(new):,} answers: {reviews}")


@command.command()
@click.option("--results", required=True, type=RESULTS, help="results that are reviewed")
@click.option("--reviews", required=True, type=WRITTEN, help="answers so far (reviews.jsonl)")
@click.option("--asked", multiple=True, type=READ, help="a file that was exported, to tell how much of it is answered")
@click.option("--splits", default=SPLITS, show_default=True, help="splits to look at")
@click.option(
    "--least", default=0.05, show_default=True, type=click.FloatRange(0), help="errors per question worth the work"
)
@click.option("--json", "as_json", is_flag=True, help="print every figure as JSON")
def status(*, results: Path, reviews: Path, asked: tuple[Path, ...], splits: str, least: float, as_json: bool) -> None:
    """Say what was found, what is left to find, and when it is no longer worth the work."""
    import json

    from relabel.results.reviewing import importing, progress

    questions = review_inputs.questions(results)
    verdicts = review_inputs.verdicts(questions, review_inputs.answers(reviews))
    rows = importing.Rows(questions)
    named = {found for path in asked for found in _read(path, None, "", "", rows)[0].asked}
    about = {int(questions.question[rows.by_hash[found]]) for found in named}
    wanted = review_inputs.wanted(questions, splits)
    count = sum(bool(wanted[question]) for question in about) if asked else None
    found = progress.measured(questions, wanted, verdicts, least=least, asked=count)
    if as_json:
        click.echo(json.dumps(found.as_dict(), indent=2))
        return
    for name, value in _lines(found):
        click.echo(f"{name:<28}{value}")


def _read(path: Path, form: str | None, attribute: str, reviewer: str, rows: Rows) -> tuple[Import, bytes]:
    """Give what a file came to, and the file of its bad records."""
    from relabel.results.reviewing import importing
    from relabel.results.reviewing.formats import FORMATS, recognised

    review_inputs.check_file(path)
    data = path.read_bytes()
    name = form or recognised(path, data)
    with _named(path):
        reading = FORMATS[name].read(data, attribute)
        found = importing.taken(reading, rows, reviewer=reviewer, source=name)
        return found, FORMATS[name].cut(data, found.bad.keys()) if found.bad else b""


def _reasons(why: Sequence[str]) -> str:
    from collections import Counter

    return ", ".join(f"{count:,} {reason}" for reason, count in Counter(why).items()) or "nothing is left to ask"


def _say_read(path: Path, found: Import, fresh: int, superseded: int) -> None:
    """Say what a file came to."""
    told = f"{path.name}: {fresh:,} new answers, {len(found.answers) - fresh:,} known before, {found.open:,} rows not answered yet"
    click.echo("; ".join([told, *(f"{count:,} {why}" for why, count in sorted(found.passed.items()))]))
    if superseded:
        click.echo(
            f"{path.name}: {superseded:,} of the known answers were followed by others of the same person, which hold; "
            "to go back to them, give a later time in a column `time`",
            err=True,
        )


def _lines(found: Progress) -> Iterator[tuple[str, str]]:
    """Give the figures as people read them."""
    yield "answered", f"{found.answered:,}" + (f" of {found.asked:,} asked" if found.asked is not None else "")
    yield "labels wrong, right", f"{found.wrong:,}, {found.right:,}"
    yield "neither, disputed", f"{found.neither:,}, {found.disputed:,}"
    yield "errors with duplicates", f"{found.errors:,}"
    if found.precision is not None:
        interval = found.precision
        yield "precision of the flags", f"{interval.value:.2f} ({interval.low:.2f} to {interval.high:.2f})"
        yield "  expected on these rows", f"{found.expected_precision:.2f}"
    if found.recall is None:
        yield "recall of the flags", "not known without answers of rows drawn by chance"
    else:
        yield "recall of the flags", f"{found.recall.value:.2f} ({found.recall.low:.2f} to {found.recall.high:.2f})"
    yield "open questions", f"{found.open:,}"
    yield (
        "errors expected in them",
        f"{found.remaining.value:,.1f} ({found.remaining.low:,.1f} to {found.remaining.high:,.1f})",
    )
    for count, errors in found.next.items():
        yield f"  in the next {count}", f"{errors:,.1f}"
    yield (
        f"worth asking (from {found.least:g})",
        f"{found.until_stop:,} more; {found.remaining_then:,.1f} errors stay then",
    )
    for name, scale in (("flagged", found.flagged), ("not flagged", found.unflagged)):
        if scale.factor != 1:
            about = f"{scale.answers:,} answers: {scale.found:,} errors where {scale.expected:,.1f} were expected"
            yield f"scaled, {name} rows", f"x {scale.factor:.2f} after {about}"


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Begin every problem with the file's name."""
    from relabel.errors import UserError

    try:
        yield
    except UserError as error:
        raise UserError(*(f"{path.name}: {problem}" for problem in error.problems)) from None
