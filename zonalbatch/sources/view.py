"""View: a file as it is looked at: an overview, a part of its complex numbers, or warped to a grid.

Whoever opens pixels knows nothing but an href, so a view is one: ``view:overview=2:/data/a.tif``,
``view:part=abs:https://…``, ``view:warp=3035/10/10/////nearest/0:https://…``. Paths of local files
are absolute, and no URL nor GDAL name begins so, hence a view is never taken for a file. Two views
of one file are two assets, each with an identity of its own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from zonalbatch.errors import SourceError
from zonalbatch.sources.secrets import shown
from zonalbatch.sources.warp import Warp

__all__ = ["Part", "View", "overviews_of", "refuse_view"]

Part = Literal["real", "imag", "abs", "phase"]
"""Which real number to take of a complex one; the phase is in radians, from −π to π."""

_PARTS: Mapping[str | None, Part] = {name: name for name in get_args(Part)}
_TEXT = re.compile(
    rf"view:(?=\w)(?:overview=(\d+))?,?(?:part=({'|'.join(get_args(Part))}))?,?"
    r"(?:warp=([^:]+))?:(.+)",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One way to look at a file."""

    href: str
    """Path, URL or GDAL name of the file itself."""
    overview: int | None = None
    """0-based level in GDAL's order of overviews; None is full resolution."""
    part: Part | None = None
    """Which part of complex numbers; None takes pixels as they are."""
    warp: Warp | None = None
    """The grid that it is warped to; None leaves cells where they are."""

    @property
    def plain(self) -> bool:
        """True if it is the file itself."""
        return self.overview is self.part is self.warp is None

    @classmethod
    def of(cls, href: str) -> View:
        """What an href stands for: the view that it is the text of, else the file itself."""
        found = _TEXT.fullmatch(href)
        if found is None:
            return cls(href=href)
        level, part, warp, file = found.groups()
        overview = None if level is None else int(level)
        warped = None if warp is None else Warp.of(warp)
        return cls(href=file, overview=overview, part=_PARTS.get(part), warp=warped)

    def __str__(self) -> str:
        """The href of the view: that of the file itself where nothing is special about it."""
        told = {"overview": self.overview, "part": self.part, "warp": self.warp}
        keys = ",".join(f"{key}={value}" for key, value in told.items() if value is not None)
        return f"view:{keys}:{self.href}" if keys else self.href


def refuse_view(href: str) -> None:
    """Refuse a link of a user's that is written as a view: it stands in plans alone.

    Raises:
        SourceError: it is.
    """
    if href.startswith("view:"):
        raise SourceError(
            f"{shown(href)} is no file: views are names inside of plans; give the file, and what "
            "is wanted of it by resolution, a band's part, or kind: stack"
        )


def overviews_of(hrefs: Mapping[str, str]) -> str | None:
    """Which overviews the hrefs of some bands are: ``2``, or ``nir 2, red 1`` where they differ.

    Levels are 0-based in GDAL's order; a band at full resolution has none, and nor have all such.
    """
    levels = {band: View.of(href).overview for band, href in hrefs.items()}
    if len(set(levels.values())) == 1:
        (level,) = set(levels.values())
        return None if level is None else str(level)
    return ", ".join(f"{band} {level}" for band, level in levels.items() if level is not None)
