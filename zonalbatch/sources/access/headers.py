"""Access by headers of requests, such as a bearer token, taken from the environment."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from zonalbatch.errors import InputError, PassingReadError
from zonalbatch.sources.access.grant import Grant

__all__ = ["Headers"]

_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_VARIABLE = re.compile(r"\$\{(\w+)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Headers:
    """Headers that go with each request for a file over HTTP."""

    headers: tuple[tuple[str, str], ...]
    """(name, value) in which ``${NAME}`` stands for an environment variable of the reader's."""
    hosts: tuple[str, ...] = ()
    """Hosts that they are sent to; empty sends them to all."""

    def __post_init__(self) -> None:
        """Refuse headers that would put a secret into the plan; nothing of it is repeated."""
        for name, value in self.headers:
            if not _NAME.fullmatch(name):
                raise InputError("sign: a header's name is made of letters, digits and -")
            if not _VARIABLE.search(value):
                raise InputError(
                    f"sign: header {name} names no environment variable; write its secret as "
                    "${NAME}, such as 'Bearer ${TOKEN}', so that it stands in no file"
                )

    @property
    def document(self) -> dict[str, Any]:
        """The names of variables, not their values."""
        hosts = {"hosts": list(self.hosts)} if self.hosts else {}
        return {"kind": "headers", "headers": dict(self.headers), **hosts}

    def bare(self, href: str) -> str:
        """The link as it is: what is in it is not ours."""
        return href

    def grant(self, href: str) -> Grant:
        """The link with the headers as the environment has them now.

        Raises:
            PassingReadError: a variable is not set here.
        """
        host = urlsplit(href.removeprefix("/vsicurl/"))
        sent = host.scheme in ("http", "https") and (not self.hosts or host.hostname in self.hosts)
        if not sent:
            return Grant(href)
        lines = [f"{name}: {_filled(name, value)}" for name, value in self.headers]
        return Grant(href, {"GDAL_HTTP_HEADERS": "".join(f"{line}\r\n" for line in lines)})

    def refused(self, grant: Grant) -> None:
        """The next grant asks the environment again."""


def _filled(header: str, value: str) -> str:
    """A header's value with its variables."""
    for name in _VARIABLE.findall(value):
        held = os.environ.get(name, "").strip()
        if not held or not held.isprintable():
            raise PassingReadError(
                f"the environment variable {name} of header {header} is "
                f"{'no single line' if held else 'not set'} on a machine that reads; "
                "set it there and run again"
            )
    return _VARIABLE.sub(lambda found: os.environ[found[1]].strip(), value)
