"""Dates in the names of files, by the formats of ``strptime``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime

from zonalbatch.errors import SourceError

__all__ = ["date_of", "date_rule", "find_date"]

_DIRECTIVES = {
    "Y": r"\d{4}",
    "y": r"\d{2}",
    "m": r"\d{2}",
    "d": r"\d{2}",
    "j": r"\d{3}",
    "H": r"\d{2}",
    "M": r"\d{2}",
    "S": r"\d{2}",
    "f": r"\d{1,6}",
    "b": r"[A-Za-z]{3}",
    "B": r"[A-Za-z]+",
}
"""strptime directive → the text it may stand for in a name."""


def date_rule(spec: str, first: int = 0) -> tuple[str, list[str]]:
    """A date format as a regular expression, and its directives in order.

    Each directive is a group of its own, ``_t0``, ``_t1`` and so on, counted from ``first``.

    Raises:
        SourceError: a directive is not understood.
    """
    rule, directives = "", list[str]()
    for bit in re.split(r"(%.)", spec):
        if not bit.startswith("%"):
            rule += re.escape(bit)
            continue
        if bit[1] not in _DIRECTIVES:
            known = " ".join(f"%{key}" for key in _DIRECTIVES)
            raise SourceError(f"date format {spec!r} has {bit!r}, and only {known} are understood")
        rule += f"(?P<_t{first + len(directives)}>{_DIRECTIVES[bit[1]]})"
        directives.append(bit)
    return rule, directives


def date_of(match: re.Match[str], directives: Sequence[str]) -> datetime | None:
    """The time, UTC, that the groups of a match say; None if none, contradictory or impossible."""
    parts = [(directive, match[f"_t{i}"]) for i, directive in enumerate(directives)]
    said = dict(parts)
    if not parts or any(said[directive] != text for directive, text in parts):
        return None
    try:
        naive = datetime.strptime(" ".join(said.values()), " ".join(said))
    except ValueError:
        return None
    return naive.replace(tzinfo=UTC)


def find_date(name: str, spec: str) -> datetime | None:
    """The first date of a format in a name, whole numbers before parts of them; None if none."""
    rule, directives = date_rule(spec)
    for guarded in (rf"(?<!\d)(?:{rule})(?!\d)", rf"(?=(?:{rule}))"):
        for match in re.finditer(guarded, name):
            found = date_of(match, directives)
            if found is not None:
                return found
    return None
