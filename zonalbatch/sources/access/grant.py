"""Grants: what to open in the place of a link, and with which settings."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Protocol, TypeVar

from zonalbatch.errors import PassingReadError, RefusedReadError
from zonalbatch.sources.access.reader import Reader, reader_here
from zonalbatch.sources.secrets import shown

__all__ = ["OPEN", "Access", "Grant", "Open", "using"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True, repr=False)
class Grant:
    """The right to read one file. Two are equal if the same is sent to the server."""

    href: str
    """What to open; may hold a signature."""
    options: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """GDAL's settings while it is opened; may hold secrets."""
    ends: float = field(default=math.inf, compare=False)
    """When it runs out, seconds since 1970."""
    trusted: bool = False
    """True lets it be of a format that has GDAL open other files."""
    drivers: tuple[str, ...] | None = None
    """GDAL's drivers that may open it, unless it is trusted; None lets all that open no others."""
    reader: Reader = field(default_factory=reader_here, compare=False)
    """By what it is read."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Of requests over HTTP, beside those that all have; may hold secrets."""
        lines = self.options.get("GDAL_HTTP_HEADERS", "").splitlines()
        pairs = (line.partition(":") for line in lines if line)
        return {name.strip(): value.strip() for name, _, value in pairs}

    def __repr__(self) -> str:
        """Name the file, without what is secret."""
        return f"Grant({shown(self.href)!r})"


class Access(Protocol):
    """How the right to read files is come by. Small, frozen, picklable; holds no secret."""

    @property
    def document(self) -> dict[str, Any]:
        """It in plain types, as ``access_from`` reads it; empty if nothing is done."""
        ...

    def bare(self, href: str) -> str:
        """A link without a signature that this would replace."""
        ...

    def grant(self, href: str) -> Grant:
        """What to open now for a bare link.

        Raises:
            ReadError: the right cannot be come by: a service fails, a variable is not set.
        """
        ...

    def refused(self, grant: Grant) -> None:
        """Hear that a server refused a grant, so that the next is another one if it can be."""
        ...


@dataclass(frozen=True, slots=True)
class Open:
    """Files that anybody may read, or whose links carry all that it takes."""

    @property
    def document(self) -> dict[str, Any]:
        """Nothing."""
        return {}

    def bare(self, href: str) -> str:
        """The link as it is: its signature is all that there is."""
        return href

    def grant(self, href: str) -> Grant:
        """The link as it is."""
        return Grant(href)

    def refused(self, grant: Grant) -> None:
        """Nothing can be done about it."""


OPEN: Access = Open()


def using(access: Access, href: str, use: Callable[[Grant], T]) -> T:
    """What ``use`` makes of a grant; if that is refused, of another one, if there is another.

    Raises:
        RefusedReadError: also a new grant is refused, or there is none.
        PassingReadError: the new one ran out before all was read.
    """
    grant = access.grant(href)
    try:
        return use(grant)
    except RefusedReadError:
        access.refused(grant)
        other = access.grant(href)
        if other == grant:
            raise
    try:
        return use(other)
    except RefusedReadError as error:
        if time.time() < other.ends:
            raise
        raise PassingReadError(f"the right to read ran out meanwhile: {error}") from None
