"""Every setting once: its default, range, unit, help, other names, and how strings become it.

The command line's options, the pages' tables and the environment's names are loops over the fields of TrainSettings and ServeSettings.
"""

from relabel.settings.declaration import Setting, Settings, as_dict, fields, markdown
from relabel.settings.parsing import from_environment, parse, retired_notes
from relabel.settings.serve import ServeSettings
from relabel.settings.train import Characters, Schedule, Stemming, StopWords, TrainSettings, Truncation

__all__ = [
    "Characters",
    "Schedule",
    "ServeSettings",
    "Setting",
    "Settings",
    "Stemming",
    "StopWords",
    "TrainSettings",
    "Truncation",
    "as_dict",
    "fields",
    "from_environment",
    "markdown",
    "parse",
    "retired_notes",
]
