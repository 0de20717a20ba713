"""Texts as the tokens of an encoder's own tokenizer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from relabel.data.tokens import Tokens
from relabel.errors import UserError

SHIFT = 1
"""What is added to the tokenizer's ids. Its 0 may be any token, ours is NOTHING, so that what pads a batch is no token of any text."""

BATCH = 4096
"""Texts that the tokenizer is given at once: what it says of each takes a hundred times the memory of its ids."""

TOKENIZER = "tokenizer.json"

MISSING = "{} is not installed: install 'relabel[train,text]', or take the image's text variant"
"""What is said of a library that only some installations have."""


class Subwords:
    """Reads texts into Tokens: the tokenizer's ids plus SHIFT, its marks of begin and end included. For several threads at once.

    tokenizer:  of the library `tokenizers`; its own padding and its own limit are turned off.
    max_tokens: most tokens of a text; what is behind them is left out.
    lowercase:  make all letters small first, whatever the tokenizer does.
    prompt:     what is put before each text.

    White space around a text does not count. What is no Unicode (a lone surrogate) becomes a question mark.
    """

    def __init__(self, tokenizer: Any, max_tokens: int, *, lowercase: bool = False, prompt: str = "") -> None:
        tokenizer.no_padding()
        tokenizer.enable_truncation(max_tokens)
        self._tokenizer = tokenizer
        self._lowercase, self._prompt = lowercase, prompt

    def __call__(self, texts: Sequence[str]) -> Tokens:
        """Read texts (n,)."""
        return Tokens.of(np.array(ids, np.int32) + SHIFT for ids in self._read(texts))

    def _read(self, texts: Sequence[str]) -> Iterator[list[int]]:
        for start in range(0, len(texts), BATCH):
            batch = [self._plain(text) for text in texts[start : start + BATCH]]
            yield from (each.ids for each in self._tokenizer.encode_batch_fast(batch))

    def _plain(self, text: str) -> str:
        plain = text.encode(errors="replace").decode().strip()
        return self._prompt + (plain.lower() if self._lowercase else plain)


def load(folder: Path, max_tokens: int, *, lowercase: bool = False, prompt: str = "") -> Subwords:
    """Make the reader of a folder with a tokenizer.json, or with what transformers makes a tokenizer of.

    Raises UserError where neither can be read.
    """
    return Subwords(_tokenizer(folder), max_tokens, lowercase=lowercase, prompt=prompt)


def _tokenizer(folder: Path) -> Any:
    try:
        return _made(folder)
    except ModuleNotFoundError as error:
        raise UserError(MISSING.format(error.name)) from None
    except Exception as error:  # the libraries raise whatever they meet
        if isinstance(error, MemoryError):
            raise
        raise UserError(
            f"{folder}: its tokenizer cannot be read ({type(error).__name__}): give its {TOKENIZER}, "
            f"as AutoTokenizer.from_pretrained(…).save_pretrained(…) writes it"
        ) from None


def _made(folder: Path) -> Any:
    if (folder / TOKENIZER).exists():
        from tokenizers import Tokenizer  # noqa: PLC0415  # only where texts are read this way

        return Tokenizer.from_file(str(folder / TOKENIZER))
    from transformers import AutoTokenizer  # noqa: PLC0415  # seconds

    return AutoTokenizer.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False).backend_tokenizer
