"""Pattern: a path with fields, and the files that match it."""

from __future__ import annotations

import glob
import os
import re
import string
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath

from zonalbatch.errors import SourceError
from zonalbatch.sources.causes import shown
from zonalbatch.sources.dates import date_of, date_rule
from zonalbatch.sources.protocol import is_remote

__all__ = ["Match", "Pattern"]

_GLOB = {"**/": r"(?:.*/)?", "**": r".*", "*": r"[^/]*", "?": r"[^/]"}
_WILD = re.compile(r"(\*\*/|\*\*|\*|\?)")


@dataclass(frozen=True, slots=True)
class Match:
    """One file that a pattern matches."""

    href: str
    """Absolute path."""
    id: str
    """What the file shares with those of the same layer, readable."""
    band: str | None
    """Value of ``{band}``; None if the pattern has none."""
    datetime: datetime | None
    """UTC; None if the pattern has no date."""


@dataclass(frozen=True, slots=True)
class _Field:
    """A ``{name}`` or ``{name:%Y%m%d}`` of a pattern."""

    name: str
    spec: str


@dataclass(frozen=True, slots=True)
class Pattern:
    """A path with fields and globs."""

    text: str
    """Absolute."""
    pieces: tuple[str | _Field, ...]
    """Texts and fields, in order."""

    @classmethod
    def parse(cls, text: str) -> Pattern:
        """The pattern a text stands for.

        Raises:
            SourceError: it is a URL (which cannot be listed), or a field is ill-formed.
        """
        if is_remote(text):
            raise SourceError(
                f"pattern {shown(text)!r} is remote and cannot be listed; give the files instead"
            )
        absolute = os.path.abspath(os.path.expanduser(text))
        return cls(absolute, tuple(_pieces(absolute)))

    @property
    def fields(self) -> tuple[str, ...]:
        """The names of the fields, in order."""
        return tuple(piece.name for piece in self.pieces if isinstance(piece, _Field))

    def matches(self, notes: dict[str, None]) -> list[Match]:
        """The files on disk that match, in order of their paths.

        Args:
            notes: sentences for the report, to which is added what was left out.

        Raises:
            SourceError: none does.
        """
        listed = sorted(glob.glob(self._listing(), recursive=True))
        rule, directives = self._rule()
        found = [m for href in listed if (m := rule.fullmatch(href)) and os.path.isfile(href)]
        dated = [(m, date_of(m, directives)) for m in found]
        kept = [(m, date) for m, date in dated if date is not None or not directives]
        impossible = [m.string for m, date in dated if date is None and directives]
        if impossible:
            told = f"names with impossible dates match: {len(impossible)}, first {impossible[0]}"
            if not kept:
                raise SourceError(f"{told}; correct the pattern's date format, or the names")
            notes[f"{told}; left out"] = None
        if not kept:
            raise SourceError(
                f"pattern {self.text!r} matches no file ({len(listed)} were looked at); "
                "check the folder and the fields"
            )
        ids = self._ids([m.groupdict() for m, _ in kept])
        return [
            Match(m.string, key, m.groupdict().get("band"), date)
            for (m, date), key in zip(kept, ids, strict=True)
        ]

    def _listing(self) -> str:
        """A glob that finds every match, and perhaps more."""
        text = "".join(p if isinstance(p, str) else "\0" for p in self.pieces)
        return re.sub("\0+", "*", re.sub(r"\[", "[[]", text))

    def _rule(self) -> tuple[re.Pattern[str], list[str]]:
        """The regular expression of a match, and the directive of each of its ``_t`` groups."""
        rule, directives, seen = "", list[str](), set[str]()
        for piece in self.pieces:
            if isinstance(piece, str):
                rule += _literal(piece)
            elif piece.spec:
                text, more = date_rule(piece.spec, len(directives))
                rule += text
                directives += more
            elif piece.name in seen:
                rule += f"(?P={piece.name})"
            else:
                seen.add(piece.name)
                rule += f"(?P<{piece.name}>[^/]+?)"
        return re.compile(rule), directives

    def _ids(self, found: Sequence[Mapping[str, str]]) -> list[str]:
        """A name for each match's layer; longer ones if the short ones do not tell all apart."""
        keys = [tuple((k, v) for k, v in match.items() if k != "band") for match in found]
        short = [self._id(match) for match in found]
        if len(set(zip(short, keys, strict=True))) == len(set(short)):
            return short
        return [
            "_".join(f"{v}" if k.startswith("_t") else f"{k}={v}" for k, v in key) for key in keys
        ]

    def _id(self, values: Mapping[str, str]) -> str:
        """The file name with ``{band}`` taken out, after the fields that only folders have."""
        start = _start_of_name(self.pieces)
        counter = iter(range(len(values)))
        texts = [_told(piece, values, counter) for piece in self.pieces]
        name = texts[start].rpartition("/")[2] + "".join(texts[start + 1 :])
        stem = _trimmed(_WILD.sub("", name.rpartition(".")[0] or name.partition(".")[0]))
        known = {key for piece in self.pieces[start:] for key in _keys(piece)}
        parts: list[str] = []
        for piece, text in zip(self.pieces[:start], texts, strict=False):
            if not _keys(piece) <= known:
                known |= _keys(piece)
                parts.append(text)
        return "_".join(filter(None, [*parts, stem])) or self._folder()

    def _folder(self) -> str:
        """The name of the folder, for a pattern of nothing but ``{band}``."""
        return _trimmed(re.sub(r"[*?{}]", "", PurePosixPath(self.text).parent.name)) or "layer"


def _pieces(text: str) -> Iterator[str | _Field]:
    try:
        parsed = list(string.Formatter().parse(text))
    except ValueError as error:
        raise SourceError(
            f"pattern {text!r} has a brace without its other half; write fields as {{band}} or "
            "{date:%Y%m%d}"
        ) from error
    for literal, name, spec, _ in parsed:
        if literal:
            yield literal
        if name is not None:
            yield _field(text, name, spec or "")


def _field(text: str, name: str, spec: str) -> _Field:
    if not name.isidentifier() or name.startswith("_"):
        raise SourceError(f"pattern {text!r} has a field {{{name}}}; name it by a word")
    if spec and "%" not in spec:
        raise SourceError(
            f"pattern {text!r} has {{{name}:{spec}}}; after the colon comes a date format (%Y%m%d)"
        )
    return _Field(name, spec)


def _literal(text: str) -> str:
    return "".join(_GLOB.get(bit) or re.escape(bit) for bit in _WILD.split(text))


def _start_of_name(pieces: Sequence[str | _Field]) -> int:
    """Index of the piece in which the file's own name begins."""
    return max(i for i, piece in enumerate(pieces) if isinstance(piece, str) and "/" in piece)


def _told(piece: str | _Field, values: Mapping[str, str], counter: Iterator[int]) -> str:
    if isinstance(piece, str):
        return piece
    if piece.spec:
        return re.sub(r"%.", lambda _: values[f"_t{next(counter)}"], piece.spec)
    return "" if piece.name == "band" else values[piece.name]


def _keys(piece: str | _Field) -> set[str]:
    """What a piece says of the layer: a field's name, or a date's directives."""
    if isinstance(piece, str) or piece.name == "band":
        return set()
    return set(re.findall(r"%.", piece.spec)) if piece.spec else {piece.name}


def _trimmed(stem: str) -> str:
    """A stem without doubled separators, nor any at its ends."""
    return re.sub(r"([_\-. ])[_\-. ]+", r"\1", stem).strip("_-. ")
