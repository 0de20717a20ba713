"""Lightning's Trainer, as the learners use it."""

from __future__ import annotations

import logging
import warnings

import pytorch_lightning as pl


def quiet(device: str) -> pl.Trainer:
    """Make a Trainer that only trains: what is saved, logged and shown is the job's matter.

    device: "auto" takes a GPU when there is one.
    """
    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", module=r"pytorch_lightning|lightning_fabric|lightning_utilities")
    return pl.Trainer(
        max_epochs=1,
        accelerator=device,
        devices=1,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
