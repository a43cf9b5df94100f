"""Scenes: which files make which layer, as their names say; no file is opened."""

from __future__ import annotations

import glob
import os
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from zonalbatch.errors import SourceError
from zonalbatch.sources.causes import shown
from zonalbatch.sources.dates import find_date
from zonalbatch.sources.pattern import Pattern
from zonalbatch.sources.protocol import is_remote
from zonalbatch.sources.view import refuse_view

__all__ = ["FileScene", "scenes_of"]


@dataclass(frozen=True, slots=True)
class FileScene:
    """The files of one layer."""

    id: str
    """Unique among the scenes of a source."""
    datetime: datetime | None
    """UTC; None if no name says it."""
    files: Mapping[str | None, str]
    """Value of ``{band}`` (None without one) → href."""


def scenes_of(
    files: Sequence[str] | None,
    pattern: str | None,
    datetime_pattern: str | None,
    notes: dict[str, None],
) -> list[FileScene]:
    """The scenes that files make: each by itself, or those that a pattern finds to be alike.

    What a pattern leaves out is added to the notes.

    Raises:
        SourceError: nothing matches, a listed file does not exist, a name holds no date, or two
            files claim the same band of one layer.
    """
    if (files is None) == (pattern is None):
        raise SourceError("a cog source takes either files or a pattern, and one of them")
    if pattern is not None:
        return _by_pattern(Pattern.parse(pattern), datetime_pattern, notes)
    return _by_file(_hrefs(files or ()), datetime_pattern)


def _by_file(hrefs: Sequence[str], datetime_pattern: str | None) -> list[FileScene]:
    return [
        FileScene(name, _named_datetime(href, datetime_pattern), {None: href})
        for href, name in _unique_names(hrefs).items()
    ]


def _by_pattern(
    pattern: Pattern, datetime_pattern: str | None, notes: dict[str, None]
) -> list[FileScene]:
    grouped: dict[str, dict[str | None, str]] = {}
    dates: dict[str, datetime | None] = {}
    for match in pattern.matches(notes):
        scene = grouped.setdefault(match.id, {})
        if match.band in scene:
            raise SourceError(
                f"{scene[match.band]} and {match.href} both match the pattern as the same layer "
                f"{match.id!r} and band; add a field that tells them apart"
            )
        scene[match.band] = match.href
        dates[match.id] = match.datetime or _named_datetime(match.href, datetime_pattern)
    return [FileScene(key, dates[key], scene) for key, scene in grouped.items()]


def _named_datetime(href: str, datetime_pattern: str | None) -> datetime | None:
    if datetime_pattern is None:
        return None
    found = find_date(_path_of(href).rpartition("/")[2], datetime_pattern)
    if found is None:
        raise SourceError(
            f"{shown(href)} has no date like {datetime_pattern!r} in its name; correct "
            "datetime_pattern, or leave it out for undated layers"
        )
    return found


def _hrefs(files: Sequence[str]) -> list[str]:
    """Paths, globs and URLs as hrefs, each once: local paths are made absolute.

    Raises:
        SourceError: a glob matches nothing, a plain path does not exist, or there is none.
    """
    hrefs = dict.fromkeys(href for entry in files for href in _expanded(os.fspath(entry)))
    if not hrefs:
        raise SourceError("the list of files is empty; name at least one")
    return list(hrefs)


def _expanded(entry: str) -> list[str]:
    if not os.path.exists(entry):
        refuse_view(entry)
    if is_remote(entry) or entry.startswith("/vsi"):
        return [entry]
    path = os.path.abspath(os.path.expanduser(entry.removeprefix("file://")))
    if os.path.exists(path):
        return [path]
    if glob.has_magic(entry):
        return _globbed(entry, path)
    if re.match(r"[A-Za-z][A-Za-z0-9_]+:", entry):  # a GDAL name, such as NETCDF:file.nc:ndvi
        return [entry]
    raise SourceError(f"{entry} does not exist; correct the path")


def _globbed(entry: str, path: str) -> list[str]:
    found = sorted(p for p in glob.glob(path, recursive=True) if os.path.isfile(p))
    if not found:
        raise SourceError(f"{entry!r} matches no file; correct the glob")
    return found


def _unique_names(hrefs: Sequence[str]) -> dict[str, str]:
    """A name for each href: its stem, after as many parent folders as make it unique."""
    paths = {href: PurePosixPath(_path_of(href)) for href in hrefs}
    names = {href: path.stem for href, path in paths.items()}
    deepest = max(len(path.parts) for path in paths.values())
    for depth in range(1, deepest):
        clashing = _clashing(names)
        if not clashing:
            return names
        for href in clashing:
            names[href] = "/".join([*paths[href].parent.parts[-depth:], paths[href].stem])
    return names | {href: href for href in _clashing(names)}


def _clashing(names: Mapping[str, str]) -> list[str]:
    counts = Counter(names.values())
    return [href for href, name in names.items() if counts[name] > 1]


def _path_of(href: str) -> str:
    """The path of an href, without a URL's query."""
    return urlsplit(href).path if "://" in href else href
