"""Links: which files a question may name, and what they are called here."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from zonalbatch.errors import SourceError
from zonalbatch.service.refusals import BAD, Refusal
from zonalbatch.sources.pattern import Pattern

__all__ = ["MOST_CHARACTERS", "href_of", "href_within", "pattern_of"]

MOST_CHARACTERS = 4096
"""Of a link."""
_WEB = ("http", "https", "s3")
_ODD = re.compile(r"[\0-\x20\x7f\\]")
_PATTERN = re.compile(r"[*?\[\]]")


def href_of(url: str, root: Path | None) -> str:
    """A link as the engine calls it: as it is, or the path of a file below the root.

    Args:
        url: ``http``, ``https``, ``s3`` or ``file``. Paths of the latter are below the root,
            wherever they seem to begin: ``file:///a.tif`` is ``<root>/a.tif``.
        root: the folder whose files may be read, resolved; None lets none be.

    Raises:
        Refusal: it may not be asked for.
    """
    if _ODD.search(url) or len(url) > MOST_CHARACTERS:
        raise Refusal(BAD, "the link holds blanks or other odd characters; encode them")
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise Refusal(BAD, f"the link is none: {error}; see RFC 3986") from None
    if parts.scheme == "file":
        return _below(root, unquote(parts.path), parts.netloc)
    if parts.scheme not in _WEB or not parts.netloc:
        raise Refusal(BAD, f"links are {', '.join(_WEB)} or file, not {parts.scheme[:20]!r}")
    if "@" in parts.netloc:
        raise Refusal(BAD, "the link holds a user or a password; leave them out")
    return url


def href_within(href: str, root: Path | None) -> str:
    """What a document names, with absolute links, as the engine calls it.

    Args:
        href: a link, or a path of this machine.
        root: as for `href_of`.

    Raises:
        Refusal: it may not be asked for, so a document may not lead there.
    """
    if "://" in href and not href.startswith("file://"):
        return href_of(href, root)
    path = Path(href.removeprefix("file://"))
    if root is None or not path.is_absolute() or not path.is_relative_to(root):
        raise Refusal(BAD, "the document names a file that may not be read")
    return _below(root, path.relative_to(root).as_posix(), "")


def _below(root: Path | None, path: str, host: str) -> str:
    if root is None:
        raise Refusal(BAD, "files of this machine are not read; give a link into the web")
    absent = Refusal(BAD, "there is no such file below the folder that may be read")
    if host not in ("", "localhost") or _PATTERN.search(path) or "\0" in path:
        raise absent
    try:
        found = (root / path.lstrip("/")).resolve(strict=True)
    except (OSError, RuntimeError, ValueError):
        raise absent from None
    if not found.is_relative_to(root) or not found.is_file():
        raise absent
    return str(found)


def pattern_of(url: str, root: Path | None) -> str:
    """A pattern of files as the engine calls it: all that match it now lie below the root.

    Args:
        url: a link to files of this machine, with fields, such as ``file:///{date:%Y}/{band}.tif``.
        root: as of `href_of`.

    Raises:
        Refusal: it may not be asked for, or no file matches.
    """
    scheme, _, path = url.partition("://")
    if scheme != "file" or _ODD.search(url) or len(url) > MOST_CHARACTERS:
        raise Refusal(BAD, "a pattern is of files, file:///…, without blanks; else give the files")
    if root is None:
        raise Refusal(BAD, "files of this machine are not read; give links into the web")
    absent = Refusal(BAD, "no file below the folder that may be read matches the pattern")
    if ".." in path.split("/"):
        raise absent
    try:
        text = str(root / path.lstrip("/"))
        found = [Path(match.href).resolve() for match in Pattern.parse(text).matches({})]
    except (SourceError, OSError, RuntimeError, ValueError):
        raise absent from None
    if not all(file.is_relative_to(root) for file in found):
        raise absent
    return text
