"""The whole examination: what is looked at, in which order."""

from __future__ import annotations

from collections.abc import Iterator

from relabel.container import gpu, memory, processors
from relabel.container.environment import Environment
from relabel.container.paths import DEFAULT_ROOT, Paths
from relabel.doctor import machine, serving, training
from relabel.doctor.findings import Finding, problem
from relabel.doctor.machine import Size


def examine(environment: Environment) -> list[Finding]:
    """Look at the machine, and at what is there of a training job and of an endpoint. Nothing but the cache of models is changed."""
    paths = environment.paths
    job, size = _job(paths, environment) if training.is_meant(paths) else ([], Size())
    endpoint = [*serving.elsewhere(environment)]
    if serving.has_many(environment.variables):
        endpoint = [*serving.many(environment)]
    elif not endpoint and serving.is_meant(paths.model):
        endpoint = [*serving.model(paths.model)]
    return [
        *_machine(environment, size),
        *machine.disks(training.written(paths) if job else {}),
        *job,
        *endpoint,
        *serving.chosen(environment.variables),
        *([] if job or endpoint else [_nothing(paths)]),
    ]


def _machine(environment: Environment, size: Size) -> Iterator[Finding]:
    yield machine.versions()
    yield machine.processors(processors.count())
    yield machine.memory(memory.read(), size)
    yield machine.shared_memory()
    yield machine.gpu(gpu.read(), required=environment.require_gpu)


def _job(paths: Paths, environment: Environment) -> tuple[list[Finding], Size]:
    """Examine what there is of a training job; the findings, and the size of its data."""
    folders = training.folders(paths, contained=paths.root == DEFAULT_ROOT)
    told, read = training.read(paths, environment)
    if told is None:
        return [*folders, *read], Size()
    found = training.files(told)
    findings = [
        *folders,
        *read,
        *training.hyperparameters(told.hyperparameters, told.encoder_channel),
        *training.channels(found),
        *training.champion(told.model_channel, environment),
        *training.hosts(told.hosts),
    ]
    return findings, training.size(found)


def _nothing(paths: Paths) -> Finding:
    training_needs = f"{paths.channels}/train for training"
    return problem(
        "mounts",
        f"no data and no model below {paths.root}: mount a folder with {training_needs}, or {paths.model} for serving "
        f'(--volume "$PWD/ml:{paths.root}")',
    )
