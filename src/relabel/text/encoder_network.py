"""Networks of transformers: made of a folder or of a configuration, never with code of the folder's own.

Letters: B texts, L tokens of the longest.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from relabel.errors import UserError
from relabel.text import encoder_files
from relabel.text.subwords import MISSING, SHIFT

if TYPE_CHECKING:
    import torch

POOLER = "pooler"
"""Part of some networks that no vector here depends on: it is taken out, and a file may lack it."""

BUILDING = Lock()
"""While transformers makes a network, it sets what all threads share."""


def loaded(folder: Path) -> Any:
    """Load a network in float32 into memory, for use and not for training.

    Raises UserError where the folder is no encoder, its weights do not fit its config.json, or it asks for code of its own.
    """
    torch, transformers = _libraries()
    offline = {"local_files_only": True, "trust_remote_code": False}
    try:
        with _quiet(transformers):
            config = transformers.AutoConfig.from_pretrained(str(folder), **offline)
            network, found = _kind(transformers, config).from_pretrained(
                str(folder), **offline, use_safetensors=True, dtype=torch.float32, output_loading_info=True
            )
    except Exception as error:  # the library raises whatever it meets
        if isinstance(error, MemoryError):
            raise
        kind = encoder_files.config(folder).get("model_type", "not said")
        raise UserError(
            f"{folder}: no encoder of transformers can be made of it ({type(error).__name__}): its files must fit each other, "
            f"and its type ({kind}) must be one that transformers knows without code of the folder's own"
        ) from None
    lacking = sorted(name for name in found["missing_keys"] if not name.startswith(POOLER))
    if lacking:
        raise UserError(
            f"{folder}: {encoder_files.WEIGHTS} lacks {len(lacking)} tensors of the network ({lacking[0]}): "
            "give the weights that belong to its config.json"
        )
    return _in_memory(_bare(network))


def built(config: Mapping[str, Any]) -> Any:
    """Make a network of its configuration; what its weights are is chance. Raises ValueError where transformers knows no such network."""
    torch, transformers = _libraries()
    with _quiet(transformers):
        said = transformers.AutoConfig.for_model(**config)
        return _bare(_kind(transformers, said).from_config(said, dtype=torch.float32, trust_remote_code=False))


def configuration(network: Any) -> dict[str, Any]:
    """Give what `built` makes such a network of, as JSON values; not where it was loaded from."""
    said: dict[str, Any] = json.loads(network.config.to_json_string(use_diff=False))
    said.pop("_name_or_path", None)
    return said


def vector_width(config: Any, poolings: Sequence[str]) -> int:
    """Give the width of a text's vector."""
    return int(config.hidden_size) * len(poolings)


def inputs(padded: torch.Tensor, config: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """Give a network's own ids (B, L) int64 and the mask (B, L) bool of padded Tokens (B, L).

    A text without any token is one of padding, so that there is something to attend to.
    """
    mask = padded >= SHIFT
    mask[:, 0] = True
    padding = config.pad_token_id if isinstance(config.pad_token_id, int) else 0
    return (padded.long() - SHIFT).masked_fill(padded < SHIFT, padding), mask


def _libraries() -> tuple[Any, Any]:
    try:
        import torch  # noqa: PLC0415  # seconds, so only where vectors are made
        import transformers  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise UserError(MISSING.format(error.name)) from None
    return torch, transformers


def _kind(transformers: Any, config: Any) -> Any:
    """Give what makes the encoder of a configuration: of a translator, its first half."""
    return transformers.AutoModelForTextEncoding if config.is_encoder_decoder else transformers.AutoModel


def _bare(network: Any) -> Any:
    if getattr(network, POOLER, None) is not None:
        setattr(network, POOLER, None)
    return network.eval()


def _in_memory(network: Any) -> Any:
    """Take the weights out of the file, of which they are a map: one that is cut later would end the process."""
    for weights in (*network.parameters(), *network.buffers()):
        weights.data = weights.data.clone()
    return network


@contextmanager
def _quiet(transformers: Any) -> Iterator[None]:
    """Keep the library's bars and reports off the standard error, for one thread at a time."""
    logging = transformers.utils.logging
    with BUILDING:
        level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
        logging.set_verbosity(logging.CRITICAL)
        logging.disable_progress_bar()
        try:
            yield
        finally:
            logging.set_verbosity(level)
            if bars:
                logging.enable_progress_bar()
