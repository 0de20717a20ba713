"""How messages say rows and names: few of them, and never long, so that no message carries the data itself."""

from __future__ import annotations

from collections.abc import Collection, Sequence

FEW = 5
LONGEST = 40


def rows(numbers: Sequence[int]) -> str:
    """Say which rows, the first few of many.

    >>> rows([3])
    'row 3 (counted from 0)'
    >>> rows(range(2, 900))
    '898 rows (2, 3, 4, 5, 6, …, counted from 0)'
    """
    if len(numbers) == 1:
        return f"row {numbers[0]} (counted from 0)"
    shown = ", ".join(str(n) for n in numbers[:FEW])
    return f"{len(numbers):,} rows ({shown}{', …' if len(numbers) > FEW else ''}, counted from 0)"


def names(values: Collection[str]) -> str:
    """Say names, the first few of many; what is too long for a name is cut.

    >>> names(["review", "stars"])
    '`review`, `stars`'
    """
    shown = ", ".join(name(value) for value in list(values)[:FEW])
    return shown + (f" and {len(values) - FEW} more" if len(values) > FEW else "")


def name(value: str) -> str:
    """Say one name on one line, cut where it is too long for a name."""
    line = " ".join(value[: LONGEST + 1].split())
    return f"`{line if len(value) <= LONGEST else line[:LONGEST] + '…'}`"


def counted(number: int, noun: str) -> str:
    """Say a number of things.

    >>> counted(1, "row"), counted(1200, "row")
    ('1 row', '1,200 rows')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
