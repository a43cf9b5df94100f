"""Secrets: what must not stand in a message, a log or a result."""

from __future__ import annotations

import re

__all__ = ["shown"]

_URL_QUERY = re.compile(r"([a-z][a-z0-9+.]*://[^\s'\"?]*)\?[^\s'\"]*", re.IGNORECASE)
_QUERY = re.compile(r"\?[\w.%~-]+=[^\s'\"]*")
"""Also where a message has only the name of a file and its query."""
_URL_USER = re.compile(r"([a-z][a-z0-9+.]*://)[^/@\s'\"]+@", re.IGNORECASE)


def shown(text: str) -> str:
    """An href or a message with every URL's query and user masked."""
    return _URL_USER.sub(r"\1***@", _QUERY.sub("?***", _URL_QUERY.sub(r"\1?***", text)))
