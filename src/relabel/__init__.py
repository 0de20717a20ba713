"""Find wrong labels over embeddings, clean them, retrain, prove what that was worth, and serve the model.

>>> import relabel
>>> found = relabel.audit(labels, probabilities)  # your own labels and out-of-fold probabilities
>>> found.table(limit=10)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from relabel.auditing.own import audit

__all__ = ["__version__", "audit"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Import `audit` when it is asked for: an endpoint and the container's parent process do without what it needs."""
    if name == "audit":
        from relabel.auditing.own import audit  # noqa: PLC0415

        return audit
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
