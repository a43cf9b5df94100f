"""Heads: what comes before the body of a message of HTTP/1.1, read strictly (RFC 9112)."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

__all__ = ["LONGEST", "BadHeadError", "Head"]

LONGEST = 65536
"""Bytes of a head, at most."""

_FIELD = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*")
_STRAY = re.compile(r"[\r\n\x00]")

_FOR_ONE_HOP = {
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "upgrade",
}
"""Fields between neighbours; not Transfer-Encoding, as bodies are passed on as they are."""


class BadHeadError(ValueError):
    """What came is no head of HTTP/1.1 that all read in the same way."""


@dataclass(frozen=True, slots=True)
class Head:
    """The first line and the fields of a request or an answer."""

    line: str
    fields: tuple[tuple[str, str], ...]
    """(name, value) each, in their order."""

    @classmethod
    def of(cls, raw: bytes) -> Head:
        """A head from its bytes, the empty line at its end included.

        Raises:
            BadHeadError: lines end in another way, or hold what no field holds.
        """
        line, *lines = raw.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
        found = [_FIELD.fullmatch(one) for one in lines]
        if _STRAY.search(line) or not all(found):
            raise BadHeadError("a line of the head cannot be read")
        pairs = tuple((one[1], one[2]) for one in found if one)
        if any(_STRAY.search(value) for _, value in pairs):
            raise BadHeadError("a field of the head cannot be read")
        return cls(line, pairs)

    def values(self, name: str) -> list[str]:
        """The values of a field, in the order of their lines."""
        return [value for one, value in self.fields if one.lower() == name]

    def listed(self, name: str) -> set[str]:
        """The members of a field that is a list, in lower case."""
        text = ",".join(self.values(name)).lower()
        return {one.strip() for one in text.split(",") if one.strip()}

    def relayed(self, line: str, *, host: str | None = None) -> Head:
        """The head as it is passed on, by a connection that ends with the message.

        Args:
            line: the first line there.
            host: the host of a request; of what the request itself says of it nothing is kept.
        """
        dropped = _FOR_ONE_HOP | self.listed("connection")
        if host is not None:
            dropped.add("host")
        kept = tuple(pair for pair in self.fields if pair[0].lower() not in dropped)
        first = () if host is None else (("Host", host),)
        return replace(self, line=line, fields=(*first, *kept, ("Connection", "close")))

    @property
    def length(self) -> int | None:
        """Bytes of the body, as the head says; None if it does not, or if it comes in chunks.

        Raises:
            BadHeadError: it says so in several ways, or in none that can be read.
        """
        lengths, codings = self.listed("content-length"), self.listed("transfer-encoding")
        if codings and (lengths or codings != {"chunked"}):
            raise BadHeadError("the length of the body is told in several ways")
        if not lengths:
            return None
        length = lengths.pop()
        if lengths or not re.fullmatch(r"[0-9]{1,18}", length):
            raise BadHeadError("the length of the body cannot be read")
        return int(length)

    @property
    def in_chunks(self) -> bool:
        """True if the body comes in chunks, each with its length."""
        return bool(self.listed("transfer-encoding"))

    def __bytes__(self) -> bytes:
        lines = [self.line, *(f"{name}: {value}" for name, value in self.fields)]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
