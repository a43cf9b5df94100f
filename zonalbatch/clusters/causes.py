"""Causes: what lies behind an error that Dask tells of."""

from __future__ import annotations

__all__ = ["cause_of"]


def cause_of(error: BaseException) -> str:
    """What was the first to go wrong: Dask says over and over that something failed to start."""
    words = ""
    behind: BaseException | None = error
    while behind is not None:
        words = str(behind).rstrip(".") or words
        behind = behind.__cause__
    return words or type(error).__name__
