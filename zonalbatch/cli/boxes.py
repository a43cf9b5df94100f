"""Boxes, as they are typed."""

from __future__ import annotations

from zonalbatch.errors import InputError

__all__ = ["box_of"]


def box_of(text: str | None) -> list[float] | None:
    """West, south, east and north of ``--bbox``; None if it is not given.

    Raises:
        InputError: it is no numbers.
    """
    if text is None:
        return None
    try:
        return [float(side) for side in text.split(",")]
    except ValueError:
        raise InputError(f"--bbox {text}: write west,south,east,north in degrees") from None
