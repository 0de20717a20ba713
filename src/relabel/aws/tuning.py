"""Tuning jobs: many training jobs over ranges of settings, which minimise the one objective that the code declares."""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_origin

from botocore.exceptions import ClientError

from relabel import settings
from relabel.aws.account import Account
from relabel.aws.refusals import explained, is_missing
from relabel.aws.training import DIGITS, Job, definitions, places, resources, surroundings, tags
from relabel.container import metrics
from relabel.errors import AlgorithmError, PlatformError, UserError
from relabel.settings import TrainSettings

if TYPE_CHECKING:
    from sagemaker.core.resources import HyperParameterTuningJob

LONGEST_NAME = 32
NAME = re.compile(r"[A-Za-z0-9](-*[A-Za-z0-9])*")
PLATFORMS = "_"
"""Beginning of settings that the platform adds, as `_tuning_objective_metric`."""
DONE = ("Completed", "Failed", "Stopped")
SCALES = {"": "Auto", "log": "Logarithmic", "linear": "Linear"}
CATEGORICAL = "categorical"
STRATEGIES = {"bayesian": "Bayesian", "random": "Random", "grid": "Grid"}

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Range:
    """Where a setting is looked for: all numbers from low to high, or some values.

    kind:   `continuous`, `integer` or `categorical`.
    values: low and high, or the values, as strings.
    scale:  the platform's name of it, of numbers.
    """

    name: str
    kind: str
    values: tuple[str, ...]
    scale: str = ""

    def as_request(self) -> dict[str, Any]:
        """Spell it as the SDK does."""
        if self.kind == CATEGORICAL:
            return {"name": self.name, "values": [*self.values]}
        low, high = self.values
        return {"name": self.name, "min_value": low, "max_value": high, "scaling_type": self.scale}


def objective() -> str:
    """Give the metric that is minimised. Raises AlgorithmError where not exactly one is declared."""
    found = [metric.name for metric in metrics.METRICS if metric.objective]
    if len(found) != 1:
        raise AlgorithmError(f"{len(found)} objectives are declared in container/metrics.py: there must be one")
    return found[0]


def ranges(said: Sequence[str], fixed: Mapping[str, str], strategy: str = "bayesian") -> list[Range]:
    """Read `NAME=LOW:HIGH`, `NAME=LOW:HIGH:log` and `NAME=A,B,C`.

    >>> [each.kind for each in ranges(["lr=1e-4:1e-2:log", "width=32,64"], {})]
    ['continuous', 'categorical']

    Raises UserError with every problem: settings that there are not, values outside their own range, ranges of what is no number, settings that
    are fixed as well.
    """
    found: list[Range] = []
    problems: list[str] = []
    for each in said:
        try:
            found.append(_range(each))
        except UserError as error:
            problems += [f"--range {each}: {problem}" for problem in error.problems]
    names = [each.name for each in found]
    problems += [f"{name} has two ranges: give one" for name in sorted({n for n in names if names.count(n) > 1})]
    problems += [f"{name} has a range and a value: leave one out" for name in names if name in fixed]
    if strategy == "grid":
        problems += [f"{each.name}: a grid is of values: give NAME=A,B,C" for each in found if each.kind != CATEGORICAL]
    if not said:
        problems.append("no range: say with --range NAME=LOW:HIGH or NAME=A,B,C what is to be tuned")
    if problems:
        raise UserError(*problems)
    return found


def ensure(
    account: Account, job: Job, looked: Sequence[Range], *, strategy: str, most: int, at_once: int, name: str = ""
) -> tuple[HyperParameterTuningJob, bool]:
    """Find the tuning job that answers the question, or start it; and whether it was started now.

    Raises UserError where the name that is given is none, or that of another question.
    """
    name = name or f"relabel-tune-{_identity(job, looked, strategy, most)}"
    if len(name) > LONGEST_NAME or not NAME.fullmatch(name):
        raise UserError(f"{name} is no name of a tuning job: at most {LONGEST_NAME} letters, digits and '-'")
    kind = resources().HyperParameterTuningJob
    where = {"session": account.session, "region": account.region}
    with explained():
        try:
            there = kind.get(name, **where)
        except ClientError as error:
            if not is_missing(error):
                raise
            asked = request(job, looked, name, strategy=strategy, most=most, at_once=at_once)
            return kind.create(**asked, **where), True
    _check_same(there, job, looked, name)
    return there, False


def request(job: Job, looked: Sequence[Range], name: str, *, strategy: str, most: int, at_once: int) -> dict[str, Any]:
    """Make the arguments of HyperParameterTuningJob.create."""
    aim = {"type": "Minimize", "metric_name": objective()}
    by_kind = {
        f"{kind}_parameter_ranges": [each.as_request() for each in looked if each.kind == kind]
        for kind in ("continuous", "integer", CATEGORICAL)
    }
    limits = {"max_number_of_training_jobs": most, "max_parallel_training_jobs": at_once}
    return {
        "hyper_parameter_tuning_job_name": name,
        "hyper_parameter_tuning_job_config": {
            "strategy": STRATEGIES[strategy],
            "resource_limits": {"max_parallel_training_jobs": at_once} if strategy == "grid" else limits,
            "hyper_parameter_tuning_job_objective": aim,
            "parameter_ranges": {kind: some for kind, some in by_kind.items() if some},
        },
        "training_job_definition": {
            "algorithm_specification": {
                "training_image": job.image,
                "training_input_mode": "File",
                "metric_definitions": definitions(),
            },
            "static_hyper_parameters": dict(job.settings),
            "environment": dict(job.environment),
            **surroundings(job, name),
        },
        "tags": tags(job.tags),
    }


def wait(
    tuning: HyperParameterTuningJob, *, stand: Say, poll: float, sleep: Callable[[float], None] = time.sleep
) -> None:
    """Return when a tuning job has ended; `stand` gets a line whenever its counts change."""
    told = ""
    while True:
        with explained():
            tuning.refresh()
        line = standing(tuning)
        if line != told:
            stand(line)
        told = line
        if tuning.hyper_parameter_tuning_job_status in DONE:
            break
        sleep(poll)
    if tuning.hyper_parameter_tuning_job_status != "Completed":
        reason = tuning.failure_reason if isinstance(tuning.failure_reason, str) else "no reason given"
        raise PlatformError(f"{line}: {reason}; to begin anew give another --name")


def standing(tuning: HyperParameterTuningJob) -> str:
    """Say in one line where a tuning job stands."""
    counts = tuning.training_job_status_counters
    said = {
        "done": _count(counts, "completed"),
        "running": _count(counts, "in_progress"),
        "failed": _count(counts, "non_retryable_error") + _count(counts, "retryable_error"),
        "stopped": _count(counts, "stopped"),
    }
    shown = ", ".join(f"{n} {what}" for what, n in said.items() if n)
    return f"{tuning.hyper_parameter_tuning_job_name}: {tuning.hyper_parameter_tuning_job_status}, jobs {shown or 'none yet'}"


def best(tuning: HyperParameterTuningJob) -> tuple[str, dict[str, str], float] | None:
    """Give the best job's name, its settings and the objective that it reached; None where no job reached any."""
    job = tuning.best_training_job
    reached = getattr(job, "final_hyper_parameter_tuning_job_objective_metric", None)
    value = getattr(reached, "value", None)
    if not isinstance(value, int | float):
        return None
    names = settings.fields(TrainSettings)
    tuned = {name: _bare(text) for name, text in job.tuned_hyper_parameters.items() if name in names}
    return str(job.training_job_name), tuned, float(value)


def _range(said: str) -> Range:
    name, mark, rest = said.partition("=")
    if not mark or not rest:
        raise UserError("give NAME=LOW:HIGH, NAME=LOW:HIGH:log or NAME=A,B,C")
    name = _name(name)
    hint = settings.fields(TrainSettings)[name][0]
    if ":" not in rest:
        values = tuple(dict.fromkeys(each.strip() for each in rest.split(",")))
        _check_values(name, values)
        if len(values) < 2:  # noqa: PLR2004
            raise UserError("one value is no range: give it as a setting")
        return Range(name, CATEGORICAL, values)
    low, high, *scale = rest.split(":")
    if hint not in (int, float) or get_origin(hint):
        raise UserError(f"{name} is no number: give the values, NAME=A,B,C")
    _check_values(name, (low, high))
    if len(scale) > 1 or "".join(scale) not in SCALES:
        raise UserError(f"after the bounds stands {':'.join(scale)}: give log, linear or nothing")
    if float(low) >= float(high):
        raise UserError(f"{low} is not below {high}")
    if "".join(scale) == "log" and float(low) <= 0:
        raise UserError("a logarithmic range begins above 0")
    return Range(name, "integer" if hint is int else "continuous", (low, high), SCALES["".join(scale)])


def _name(said: str) -> str:
    """Give a setting's own name for one of its names."""
    plain = said.strip().lstrip("-").replace("-", "_")
    for name, (_, _, about) in settings.fields(TrainSettings).items():
        if plain in (name, *about.aliases):
            return name
    settings.parse(TrainSettings, {said: ""})
    raise UserError(f"unknown setting {said}")


def _check_values(name: str, values: Sequence[str]) -> None:
    problems: list[str] = []
    for value in values:
        try:
            settings.parse(TrainSettings, {name: value})
            problems += [f"{name} has an empty value"] if not value else []
        except UserError as error:
            problems += error.problems
    if problems:
        raise UserError(*problems)


def _identity(job: Job, looked: Sequence[Range], strategy: str, most: int) -> str:
    decisive = [job.identity, sorted(map(repr, looked)), strategy, most]
    return hashlib.sha256(json.dumps(decisive).encode()).hexdigest()[:DIGITS]


def _check_same(there: HyperParameterTuningJob, job: Job, looked: Sequence[Range], name: str) -> None:
    """Refuse to take another question's tuning job for this one's."""
    said, asked = there.training_job_definition, there.hyper_parameter_tuning_job_config.parameter_ranges
    settings_there = dict(said.static_hyper_parameters or {}).items()
    ranges_there = {
        *((each.name, tuple(each.values)) for each in asked.categorical_parameter_ranges or ()),
        *((each.name, (each.min_value, each.max_value)) for each in asked.continuous_parameter_ranges or ()),
        *((each.name, (each.min_value, each.max_value)) for each in asked.integer_parameter_ranges or ()),
    }
    differs = {
        "image": said.algorithm_specification.training_image != job.image,
        "settings": {key: text for key, text in settings_there if not key.startswith(PLATFORMS)} != dict(job.settings),
        "data": places(said.input_data_config) != {channel.name: channel.uri for channel in job.channels},
        "ranges": ranges_there != {(each.name, each.values) for each in looked},
    }
    if other := [what for what, is_other in differs.items() if is_other]:
        raise UserError(f"{name} is a tuning job with other {' and '.join(other)}: give another --name, or none")


def _count(counts: Any, name: str) -> int:
    value = getattr(counts, name, 0)
    return value if isinstance(value, int) else 0


def _bare(text: Any) -> str:
    """Take off the quotes that the platform puts around values of a list."""
    return str(text).strip('"')
