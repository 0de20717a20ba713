"""Failures, by who can mend them.

    RelabelError
    ├── UserError        the data, the settings or the command: whoever started this can mend it     exit code 2
    ├── PlatformError    the machine: a full disk, missing memory, a network that does not answer   exit code 3
    └── AlgorithmError   relabel itself is wrong: every exception that is none of the above too     exit code 1

A process that a signal ended has 128 + the signal's number, as shells say it.
"""

from __future__ import annotations

import errno

DISK_ERRNOS = {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS}


def one_line(text: str) -> str:
    r"""Write out what would begin a line or command a terminal: names in messages are whatever somebody called a file or a class.

    >>> print(one_line("a name\nof two lines"))
    a name\nof two lines
    """
    return text if text.isprintable() else "".join(map(_printable, text))


def _printable(char: str) -> str:
    return char if char.isprintable() else char.encode("unicode_escape").decode("ascii")


class RelabelError(Exception):
    """A failure with a message made for the person who can mend it."""

    exit_code = 1


class UserError(RelabelError):
    """One or several problems in what the user gave; all of them in one message.

    >>> print(UserError("folds is 1: give at least 2"))
    folds is 1: give at least 2
    >>> print(UserError("train.csv: no column `label`", "dev.pt: row 3 has NaN"))
    2 problems:
    - train.csv: no column `label`
    - dev.pt: row 3 has NaN
    """

    exit_code = 2

    def __init__(self, *problems: str) -> None:
        self.problems = problems = tuple(map(one_line, problems))
        lines = problems if len(problems) == 1 else (f"{len(problems)} problems:", *(f"- {p}" for p in problems))
        super().__init__("\n".join(lines))


class PlatformError(RelabelError):
    """The machine failed: another try, or a larger machine, may do."""

    exit_code = 3


class AlgorithmError(RelabelError):
    """A promise of relabel's own code is broken: please report it."""

    exit_code = 1


def explained(error: BaseException) -> RelabelError:
    """Say any exception in terms of who can mend it; a RelabelError passes unchanged.

    A full or failing disk and missing memory are the platform's, anything else that was not foreseen is ours.
    """
    if isinstance(error, RelabelError):
        return error
    if isinstance(error, OSError) and error.errno in DISK_ERRNOS:
        where = f" at {one_line(str(error.filename))}" if error.filename else ""
        return PlatformError(
            f"writing failed{where}: {error.strerror}. Give the job a larger volume, or free this one."
        )
    if isinstance(error, MemoryError):
        return PlatformError("out of memory. Take an instance with more memory, or fewer rows.")
    return AlgorithmError(f"{type(error).__name__}: {error}")
