"""The GPU drivers of hosting machines: what they have when nothing is chosen, what can be chosen, what our image needs.

The tables are those of docs/on_sagemaker.md, whose tests hold them to the API's own description.
"""

from __future__ import annotations

from relabel.errors import UserError

CHOICES = {
    "al2-ami-sagemaker-inference-gpu-2": 535,
    "al2-ami-sagemaker-inference-gpu-2-1": 535,
    "al2-ami-sagemaker-inference-gpu-3-1": 550,
    "al2023-ami-sagemaker-inference-gpu-4-1": 580,
}
"""InferenceAmiVersion -> driver."""
DEFAULTS = {
    **dict.fromkeys(("g4dn", "g5", "p4d", "p4de"), 470),
    **dict.fromkeys(("g6", "p5"), 535),
    **dict.fromkeys(("p5e", "p5en"), 550),
}
"""Family of instances -> driver where nothing is chosen."""
NEEDED = 525
"""Driver for the CUDA libraries of the image as it is built by default (12.6)."""
RECOMMENDED = "al2-ami-sagemaker-inference-gpu-3-1"


def family(instance_type: str) -> str:
    """Give `g5` of `ml.g5.xlarge`."""
    parts = instance_type.split(".")
    return parts[1] if len(parts) == 3 else ""  # noqa: PLR2004  # ml.FAMILY.SIZE


def has_gpu(instance_type: str) -> bool:
    """Whether machines of a type have GPUs of NVIDIA's."""
    return family(instance_type)[:1] in {"g", "p"}


def warning(instance_type: str, ami: str) -> str:
    """Judge a choice of driver: what to be warned of, "" where nothing is.

    Raises UserError for a version that is none, or where there is no GPU.
    """
    if ami and ami not in CHOICES:
        raise UserError(f"--ami {ami}: no such version: give one of {', '.join(CHOICES)}")
    if ami and not has_gpu(instance_type):
        raise UserError(f"--ami is for instances with a GPU, and {instance_type} has none: leave it out")
    driver = CHOICES.get(ami) or DEFAULTS.get(family(instance_type))
    if not has_gpu(instance_type) or (driver is not None and driver >= NEEDED):
        return ""
    seen = f"driver {driver}" if driver else "a driver that is not known here"
    return f"{instance_type} comes with {seen}, and the CUDA libraries need {NEEDED} or newer: give --ami {RECOMMENDED}"
