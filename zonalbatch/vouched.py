"""Vouched: documents that hold a hash of what they say, by which damage to them is seen."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

__all__ = ["unvouched", "vouched"]

SUM = "sum"
"""Key of the hash."""


def vouched(document: Mapping[str, Any], *, indent: int | None = None) -> str:
    """A document as JSON, with its hash."""
    return json.dumps({**document, SUM: _hash(document)}, indent=indent)


def unvouched(text: str | bytes) -> dict[str, Any]:
    """The document that `vouched` wrote.

    Raises:
        ValueError: it is not what was written.
    """
    document = json.loads(text)
    told = document.pop(SUM, None) if isinstance(document, dict) else None
    if told is None or told != _hash(document):
        raise ValueError("it is not what was written")
    return dict(document)


def _hash(document: Mapping[str, Any]) -> str:
    """BLAKE2b-64 of what a document says, hexadecimal."""
    return hashlib.blake2b(json.dumps(document, sort_keys=True).encode(), digest_size=8).hexdigest()
