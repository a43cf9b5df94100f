"""Near: the known name that a wrong one was meant for."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

__all__ = ["hint"]


def hint(name: Any, known: Iterable[str]) -> str:
    """The nearest known name, as the end of a sentence; empty if none is near."""
    near = difflib.get_close_matches(str(name), list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""
