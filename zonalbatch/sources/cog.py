"""Layers from raster files: a list of them, or a pattern that their names follow."""

from __future__ import annotations

import difflib
import glob
import os
import re
import string
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Literal
from urllib.parse import urlsplit

from zonalbatch.errors import PassingReadError, ReadError, SourceError
from zonalbatch.layers import Asset, Failure, Layer, Layers
from zonalbatch.sources.headers import read_headers
from zonalbatch.sources.protocol import Band, Header, ScaleOffset, is_remote
from zonalbatch.sources.raster import held_nodata, shown

__all__ = ["cog_layers", "layer_order", "scale_offset_of", "unknown_band"]


_DIRECTIVES = {
    "Y": r"\d{4}",
    "y": r"\d{2}",
    "m": r"\d{2}",
    "d": r"\d{2}",
    "j": r"\d{3}",
    "H": r"\d{2}",
    "M": r"\d{2}",
    "S": r"\d{2}",
    "f": r"\d{1,6}",
    "b": r"[A-Za-z]{3}",
    "B": r"[A-Za-z]+",
}
"""strptime directive → the text it may stand for in a name."""

_GLOB = {"**/": r"(?:.*/)?", "**": r".*", "*": r"[^/]*", "?": r"[^/]"}
_WILD = re.compile(r"(\*\*/|\*\*|\*|\?)")


@dataclass(frozen=True, slots=True)
class _Scene:
    """The files of one layer."""

    id: str
    datetime: datetime | None
    files: Mapping[str | None, str]
    """Value of ``{band}`` (None without one) → href."""


@dataclass(frozen=True, slots=True)
class _Found:
    """One band of one file whose header was read."""

    href: str
    header: Header
    band: int


def cog_layers(
    *,
    files: Sequence[str] | None = None,
    pattern: str | None = None,
    bands: Mapping[str, Band] | None = None,
    scale_offset: ScaleOffset = "auto",
    datetime_pattern: str | None = None,
) -> Layers:
    """The layers that raster files make, in order of (datetime, id); reads headers, no pixel.

    Args:
        files: paths, globs or URLs; each file is a layer, named by its stem.
        pattern: a local path with ``{date:%Y%m%d}``, ``{band}``, other fields and globs; files
            equal in all fields but ``{band}`` make one layer.
        bands: name → where it lies; None takes all bands of the files.
        scale_offset: whose scale and offset to apply, for bands that do not say.
        datetime_pattern: a strptime format to find in the names (``%Y%m%d``).

    Raises:
        SourceError: nothing matches, a listed file does not exist, a band is in no file, or a
            file has no usable grid.
        ReadError: no file at all can be read; the first one's error.
    """
    scenes = _scenes(files, pattern, datetime_pattern)
    headers = read_headers(href for scene in scenes for href in scene.files.values())
    _refuse_all_unreadable(headers)
    wanted = _all_bands(scenes, headers) if bands is None else _looked_up(bands, scenes, headers)
    failures = tuple(f for scene in scenes for f in _failures(scene, headers))
    failed = {failure.layer for failure in failures}
    rules = {name: _rule(name, bands, scale_offset) for name in wanted}
    notes: dict[str, None] = {}
    layers = [_layer(scene, wanted, rules, notes) for scene in scenes if scene.id not in failed]
    return Layers(tuple(sorted(layers, key=layer_order)), failures, tuple(notes))


def layer_order(layer: Layer) -> tuple[datetime, str]:
    """Where a layer stands among others: undated ones first, then by time, then by id."""
    return layer.datetime or datetime.min.replace(tzinfo=UTC), layer.id


# --- which files make which layers ------------------------------------------------------------


def _scenes(
    files: Sequence[str] | None, pattern: str | None, datetime_pattern: str | None
) -> list[_Scene]:
    if (files is None) == (pattern is None):
        raise SourceError("a cog source takes either files or a pattern, and one of them")
    if pattern is not None:
        return _scenes_by_pattern(_Pattern.parse(pattern), datetime_pattern)
    return _scenes_by_file(_expand_files(files or ()), datetime_pattern)


def _scenes_by_file(hrefs: Sequence[str], datetime_pattern: str | None) -> list[_Scene]:
    return [
        _Scene(name, _named_datetime(href, datetime_pattern), {None: href})
        for href, name in _unique_names(hrefs).items()
    ]


def _scenes_by_pattern(pattern: _Pattern, datetime_pattern: str | None) -> list[_Scene]:
    grouped: dict[str, dict[str | None, str]] = {}
    dates: dict[str, datetime | None] = {}
    for match in pattern.matches():
        scene = grouped.setdefault(match.id, {})
        if match.band in scene:
            raise SourceError(
                f"{scene[match.band]} and {match.href} both match the pattern as the same layer "
                f"{match.id!r} and band; add a field that tells them apart"
            )
        scene[match.band] = match.href
        dates[match.id] = match.datetime or _named_datetime(match.href, datetime_pattern)
    return [_Scene(key, dates[key], scene) for key, scene in grouped.items()]


def _named_datetime(href: str, datetime_pattern: str | None) -> datetime | None:
    return None if datetime_pattern is None else _find_datetime(href, datetime_pattern)


# --- what could not be read -------------------------------------------------------------------


def _refuse_all_unreadable(headers: Mapping[str, Header | ReadError]) -> None:
    errors = [header for header in headers.values() if isinstance(header, ReadError)]
    if errors and len(errors) == len(headers):
        told = str(errors[0])
        if len(errors) > 1:
            told = f"none of {len(errors)} files can be read, the first: {told}"
        if isinstance(errors[0], PassingReadError):
            raise PassingReadError(told)
        raise SourceError(told)


def _failures(scene: _Scene, headers: Mapping[str, Header | ReadError]) -> Iterable[Failure]:
    """The failures of a layer none of whose files can be read."""
    errors = [(href, headers[href]) for href in scene.files.values()]
    unread = [(href, error) for href, error in errors if isinstance(error, ReadError)]
    if len(unread) == len(errors):
        for href, error in unread:
            yield Failure.of(scene.id, shown(href), error)


# --- which band lies where --------------------------------------------------------------------

_Places = dict[str, _Found | str]
"""Scene id → where a band lies in it, or why it does not."""


def _all_bands(
    scenes: Sequence[_Scene], headers: Mapping[str, Header | ReadError]
) -> dict[str, _Places]:
    """All bands of all files, by the names they go by."""
    wanted: dict[str, _Places] = {}
    for scene in scenes:
        for asset, href in scene.files.items():
            header = headers[href]
            if isinstance(header, ReadError):
                continue
            for i, name in enumerate(_own_names(asset, header), 1):
                wanted.setdefault(name, {})[scene.id] = _Found(href, header, i)
    for places in wanted.values():
        for scene in scenes:
            places.setdefault(scene.id, _why_none(scene, headers))
    return wanted


def _own_names(asset: str | None, header: Header) -> list[str]:
    count = len(header.dtypes)
    if asset is not None:
        return [asset] if count == 1 else [f"{asset}_{i}" for i in range(1, count + 1)]
    described = [text for text in header.descriptions if text]
    if len(set(described)) == count:
        return described
    return [f"band_{i}" for i in range(1, count + 1)]


def _looked_up(
    bands: Mapping[str, Band],
    scenes: Sequence[_Scene],
    headers: Mapping[str, Header | ReadError],
) -> dict[str, _Places]:
    """Where each of the job's bands lies in each scene.

    Raises:
        SourceError: a band is in none of them.
    """
    return {name: _places(name, band, scenes, headers) for name, band in bands.items()}


def _places(
    name: str,
    band: Band,
    scenes: Sequence[_Scene],
    headers: Mapping[str, Header | ReadError],
) -> _Places:
    known = dict.fromkeys(str(asset) for s in scenes for asset in s.files if asset is not None)
    by_asset = band.asset in known
    places: _Places = {}
    for scene in scenes:
        hrefs = _candidates(scene, band, by_asset)
        places[scene.id] = (
            _find(band, by_asset, hrefs, headers)
            if hrefs
            else (f"the layer has no file of {band.asset!r}")
        )
    if not by_asset and not any(isinstance(place, _Found) for place in places.values()):
        inside = (text for h in headers.values() if isinstance(h, Header) for text in _labels(h))
        raise unknown_band(name, band, [*known, *dict.fromkeys(inside)])
    return places


def _labels(header: Header) -> list[str]:
    return [text or str(i) for i, text in enumerate(header.descriptions, 1)]


def _candidates(scene: _Scene, band: Band, by_asset: bool) -> list[str]:
    """The files of a scene that may hold a band."""
    if by_asset:
        return [href for asset, href in scene.files.items() if asset == band.asset]
    if band.index is not None and len(scene.files) > 1:
        raise SourceError(
            f"band {band.index} is asked for, but layer {scene.id!r} has the files "
            f"{sorted(map(str, scene.files))}; say which by asset"
        )
    return list(scene.files.values())


def _find(
    band: Band, by_asset: bool, hrefs: Sequence[str], headers: Mapping[str, Header | ReadError]
) -> _Found | str:
    unread = ""
    for href in hrefs:
        header = headers[href]
        if isinstance(header, ReadError):
            unread = unread or str(header)
            continue
        index = _index_in(header, band, by_asset)
        if index is not None:
            return _Found(href, header, index)
    return unread or f"{shown(hrefs[0])} has no band {_wish(band)}"


def _index_in(header: Header, band: Band, by_asset: bool) -> int | None:
    """1-based index of a band in a file, or None."""
    label = band.description or (None if by_asset else band.asset)
    index = band.index
    if label is not None:
        if label in header.descriptions:
            return header.descriptions.index(label) + 1
        if band.description is not None or not label.isdigit():
            return None
        index = int(label)
    index = 1 if index is None else index
    return index if 1 <= index <= len(header.dtypes) else None


def _wish(band: Band) -> str:
    wish = band.description or band.asset if band.index is None else band.index
    return repr(wish)


def unknown_band(name: str, band: Band, known: Sequence[str]) -> SourceError:
    """The error for a band that is in no layer: what is known, and what is nearest."""
    wish = _wish(band)
    near = difflib.get_close_matches(wish.strip("'"), known, n=1, cutoff=0.4)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    some = ", ".join(known[:20]) + (" …" if len(known) > 20 else "")
    return SourceError(f"band {name!r} ({wish}) is in no layer; known are {some or 'none'}{hint}")


def _why_none(scene: _Scene, headers: Mapping[str, Header | ReadError]) -> str:
    unread = [h for h in map(headers.__getitem__, scene.files.values()) if isinstance(h, ReadError)]
    return str(unread[0]) if unread else "the layer has no such band"


# --- layers -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Rule:
    """What the job says of one band's values."""

    nodata: float | int | Literal["none"] | None
    scale_offset: ScaleOffset


def _rule(name: str, bands: Mapping[str, Band] | None, default: ScaleOffset) -> _Rule:
    band = (bands or {}).get(name)
    if band is None:
        return _Rule(None, default)
    return _Rule(band.nodata, default if band.scale_offset is None else band.scale_offset)


def _layer(
    scene: _Scene,
    wanted: Mapping[str, _Places],
    rules: Mapping[str, _Rule],
    notes: dict[str, None],
) -> Layer:
    assets, missing = {}, {}
    for name, places in wanted.items():
        place = places[scene.id]
        if isinstance(place, _Found):
            assets[name] = _asset(place, rules[name], name, notes)
        else:
            missing[name] = place
    return Layer(
        id=scene.id,
        datetime=scene.datetime,
        items=tuple(shown(href) for href in scene.files.values()),
        assets=assets,
        missing=missing,
    )


def _asset(found: _Found, rule: _Rule, name: str, notes: dict[str, None]) -> Asset:
    header, i = found.header, found.band - 1
    scale, offset = scale_offset_of(rule.scale_offset, header.scales[i], header.offsets[i])
    return Asset(
        href=found.href,
        band=found.band,
        grid=header.grid,
        dtype=header.dtypes[i],
        nodata=_nodata(rule, header, i, name, notes),
        scale=scale,
        offset=offset,
        version=header.version or None,
    )


def scale_offset_of(rule: ScaleOffset, scale: float, offset: float) -> tuple[float, float]:
    """(scale, offset) to apply where the file states these and no item speaks."""
    if isinstance(rule, tuple):
        return rule
    return (scale, offset) if rule in ("auto", "file") else (1.0, 0.0)


def _nodata(
    rule: _Rule, header: Header, i: int, name: str, notes: dict[str, None]
) -> float | int | Literal["none"]:
    """The nodata to apply: the job's, else the file's; "none" where there is none."""
    if isinstance(rule.nodata, str):
        return rule.nodata
    stated = header.nodata[i] if rule.nodata is None else held_nodata(rule.nodata, header.dtypes[i])
    if rule.nodata is not None and stated is None:
        notes[
            f"nodata {rule.nodata} of band {name!r} does not fit {header.dtypes[i]} and means none"
        ] = None
    return "none" if stated is None else stated


# --- what file names say ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Match:
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
class _Pattern:
    """A path with fields and globs."""

    text: str
    """Absolute."""
    pieces: tuple[str | _Field, ...]

    @classmethod
    def parse(cls, text: str) -> _Pattern:
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

    def matches(self) -> list[_Match]:
        """The files on disk that match, in order of their paths.

        Raises:
            SourceError: none does.
        """
        listed = sorted(glob.glob(self._listing(), recursive=True))
        rule, directives = self._rule()
        found = [m for href in listed if (m := rule.fullmatch(href)) and os.path.isfile(href)]
        texts = [(m, _datetime(_parts(m, directives))) for m in found]
        kept = [(m, date) for m, date in texts if date is not None or not directives]
        if not kept:
            raise SourceError(
                f"pattern {self.text!r} matches no file ({len(listed)} were looked at); "
                "check the folder and the fields"
            )
        ids = self._ids([m.groupdict() for m, _ in kept])
        return [
            _Match(m.string, key, m.groupdict().get("band"), date)
            for (m, date), key in zip(kept, ids, strict=True)
        ]

    def _listing(self) -> str:
        """A glob that finds every match, and perhaps more."""
        text = "".join(p if isinstance(p, str) else "\0" for p in self.pieces)
        return re.sub("\0+", "*", re.sub(r"\[", "[[]", text))

    def _rule(self) -> tuple[re.Pattern[str], tuple[str, ...]]:
        """The regular expression of a match, and the directive of each of its ``_t`` groups."""
        rule, directives, seen = "", list[str](), set[str]()
        for piece in self.pieces:
            if isinstance(piece, str):
                rule += _literal(piece)
            elif piece.spec:
                rule += _date_rule(piece.spec, directives)
            elif piece.name in seen:
                rule += f"(?P={piece.name})"
            else:
                seen.add(piece.name)
                rule += f"(?P<{piece.name}>[^/]+?)"
        return re.compile(rule), tuple(directives)

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


def _keys(piece: str | _Field) -> set[str]:
    """What a piece says of the layer: a field's name, or a date's directives."""
    if isinstance(piece, str) or piece.name == "band":
        return set()
    return set(re.findall(r"%.", piece.spec)) if piece.spec else {piece.name}


def _pieces(text: str) -> Iterator[str | _Field]:
    try:
        parsed = list(string.Formatter().parse(text))
    except ValueError as error:
        raise SourceError(f"pattern {text!r} is ill-formed ({error}); close each brace") from error
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


def _date_rule(spec: str, directives: list[str]) -> str:
    """A strptime format as a regular expression; its directives are appended to the list."""
    rule = ""
    for bit in re.split(r"(%.)", spec):
        if not bit.startswith("%"):
            rule += re.escape(bit)
            continue
        if bit[1] not in _DIRECTIVES:
            known = " ".join(f"%{key}" for key in _DIRECTIVES)
            raise SourceError(f"date format {spec!r} has {bit!r}, and only {known} are understood")
        rule += f"(?P<_t{len(directives)}>{_DIRECTIVES[bit[1]]})"
        directives.append(bit)
    return rule


def _parts(match: re.Match[str], directives: Sequence[str]) -> list[tuple[str, str]]:
    return [(directive, match[f"_t{i}"]) for i, directive in enumerate(directives)]


def _datetime(parts: Sequence[tuple[str, str]]) -> datetime | None:
    """The time that directives and their texts say; None if none, contradictory or impossible."""
    said = dict(parts)
    if not parts or any(said[directive] != text for directive, text in parts):
        return None
    try:
        naive = datetime.strptime(" ".join(said.values()), " ".join(said))
    except ValueError:
        return None
    return naive.replace(tzinfo=UTC)


def _start_of_name(pieces: Sequence[str | _Field]) -> int:
    """Index of the piece in which the file's own name begins."""
    return max(i for i, piece in enumerate(pieces) if isinstance(piece, str) and "/" in piece)


def _told(piece: str | _Field, values: Mapping[str, str], counter: Iterator[int]) -> str:
    if isinstance(piece, str):
        return piece
    if piece.spec:
        return re.sub(r"%.", lambda _: values[f"_t{next(counter)}"], piece.spec)
    return "" if piece.name == "band" else values[piece.name]


def _trimmed(stem: str) -> str:
    """A stem without doubled separators, nor any at its ends."""
    return re.sub(r"([_\-. ])[_\-. ]+", r"\1", stem).strip("_-. ")


def _find_datetime(href: str, pattern: str) -> datetime:
    """The time that a file's name holds, UTC; the first that reads as a date, whole numbers first.

    Raises:
        SourceError: the name holds none.
    """
    directives: list[str] = []
    rule = _date_rule(pattern, directives)
    name = _path_of(href).rpartition("/")[2]
    for guarded in (rf"(?<!\d)(?:{rule})(?!\d)", rf"(?=(?:{rule}))"):
        for match in re.finditer(guarded, name):
            found = _datetime(_parts(match, directives))
            if found is not None:
                return found
    raise SourceError(
        f"{shown(href)} has no date like {pattern!r} in its name; correct datetime_pattern, "
        "or leave it out for undated layers"
    )


def _expand_files(files: Sequence[str]) -> list[str]:
    """Paths, globs and URLs as hrefs, each once: local paths are made absolute.

    Raises:
        SourceError: a glob matches nothing, a plain path does not exist, or there is none.
    """
    hrefs = dict.fromkeys(href for entry in files for href in _expanded(os.fspath(entry)))
    if not hrefs:
        raise SourceError("the list of files is empty; name at least one")
    return list(hrefs)


def _expanded(entry: str) -> list[str]:
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
    return {href: href if href in _clashing(names) else name for href, name in names.items()}


def _clashing(names: Mapping[str, str]) -> list[str]:
    counts: dict[str, int] = {}
    for name in names.values():
        counts[name] = counts.get(name, 0) + 1
    return [href for href, name in names.items() if counts[name] > 1]


def _path_of(href: str) -> str:
    """The path of an href, without a URL's query."""
    return urlsplit(href).path if "://" in href else href
