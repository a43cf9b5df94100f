"""Coverage: a grid of a Web Coverage Service as text that stands in an href.

``wcs:<version>:<user>:<password>:<id>:<url>``; user and password are names of environment
variables, or empty, so that no secret is written anywhere.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from zonalbatch.errors import InputError

__all__ = ["Coverage"]

_TEXT = re.compile(r"wcs:(1\.0\.0|2\.0\.1):(\w*):(\w*):([^:]+):(https?://.+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """One coverage of a service."""

    url: str
    version: str
    id: str
    user: str = ""
    """Environment variable with the user's name; empty if none is wanted."""
    password: str = ""
    """Environment variable with the password."""

    @classmethod
    def of(cls, href: str) -> Coverage | None:
        """What an href stands for; None of any other file."""
        found = _TEXT.fullmatch(href)
        if found is None:
            return None
        version, user, password, name, url = found.groups()
        return cls(url=url, version=version, id=name, user=user, password=password)

    def __str__(self) -> str:
        """The href."""
        return f"wcs:{self.version}:{self.user}:{self.password}:{self.id}:{self.url}"

    @property
    def credentials(self) -> tuple[str, str] | None:
        """User and password from the environment of this process.

        Raises:
            InputError: a variable that is wanted is not set.
        """
        wanted = [name for name in (self.user, self.password) if name]
        missing = [name for name in wanted if not os.environ.get(name)]
        if missing:
            raise InputError(
                f"{self.url} wants a login; set {' and '.join(missing)} in the environment of each "
                "machine that reads"
            )
        return (os.environ[self.user], os.environ[self.password]) if wanted else None
