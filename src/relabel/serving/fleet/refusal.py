"""What a multi-model endpoint does not do, as its API says it."""

from __future__ import annotations


class RefusalError(Exception):
    """A request that is refused.

    status:  of the answer.
    message: for whoever asked.
    """

    def __init__(self, status: int, message: str) -> None:
        self.status = status
        super().__init__(message)


def not_found(name: str) -> RefusalError:
    """Refuse what needs a model that is not loaded; the platform's own containers word it so."""
    return RefusalError(404, f"Model not found: {name}")
