"""Access by headers of requests, such as a bearer token, taken from the environment."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit

from zonalbatch.errors import InputError, PassingReadError
from zonalbatch.sources.access.grant import Grant
from zonalbatch.sources.secrets import shown

__all__ = ["Headers"]

_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_HOST = re.compile(r"[^\s/?#@]+")
_PORTS = {"http": 80, "https": 443}
_VARIABLE = re.compile(r"\$\{(\w+)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Headers:
    """Headers that go with each request for a file over HTTP."""

    headers: tuple[tuple[str, str], ...]
    """(name, value) in which ``${NAME}`` stands for an environment variable of the reader's."""
    hosts: tuple[str, ...] = ()
    """Hosts that they are sent to, ``name`` or ``name:port``; empty sends them to all."""

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

        for host in self.hosts:
            if not _HOST.fullmatch(host):
                raise InputError(
                    f"sign: host {shown(host)!r} is no name of a host; write it without protocol "
                    "and path, such as data.example.org or data.example.org:8443"
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
        if not self._go_to(urlsplit(href.removeprefix("/vsicurl/"))):
            return Grant(href)
        lines = [f"{name}: {_filled(name, value)}" for name, value in self.headers]
        return Grant(href, {"GDAL_HTTP_HEADERS": "".join(f"{line}\r\n" for line in lines)})

    def _go_to(self, link: SplitResult) -> bool:
        if link.scheme not in _PORTS:
            return False
        place = link.netloc.rpartition("@")[2].lower()
        names = {link.hostname, place, f"{place}:{_PORTS[link.scheme]}"}
        return not self.hosts or not names.isdisjoint(map(str.lower, self.hosts))

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
