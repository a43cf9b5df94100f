"""Expanded: a job over a data set, as the job over files that it stands for.

Whatever reads a job knows files, items and searches, and nothing of data sets: they are a short way
to write one down. What is written beside a result is the long way.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

from zonalbatch.catalog.document import DataSet, StacPlace, Variable, WcsPlace
from zonalbatch.catalog.named import is_file, parted
from zonalbatch.catalog.offered import is_data_set
from zonalbatch.errors import SourceError
from zonalbatch.near import hint
from zonalbatch.sources.coverage import Coverage

__all__ = ["coverage_of", "expanded"]

Keys = dict[str, Any]
_WORD = re.compile(r"[A-Za-z_]\w*")


def expanded(document: Mapping[str, Any], folder: str | None = None) -> Keys:
    """A job's document with what its data set stands for; as it is, if it has none.

    Args:
        document: of a job; its source may hold, beside kind and name, keys of a source of STAC
            items, which come before the data set's own. Bands are names of variables, or keys.
        folder: in which a file of a data set lies that is named by a relative path.

    Raises:
        SourceError: there is no such data set, variable or mask.
    """
    if not is_data_set(document.get("source")):
        return dict(document)
    asked = dict(document["source"])
    del asked["kind"]
    name = asked.pop("name", None)
    if not isinstance(name, str):
        raise SourceError("source.name is no name of a data set; `zonalbatch datasets` lists them")
    if folder is not None and is_file(name):
        name = os.path.join(folder, name)
    provider, data, variable = parted(name)
    mask = _mask(provider, data, document.get("mask"))
    bands = _bands(provider, data, variable, document)
    for one in mask if isinstance(mask, list) else [mask]:
        band = one.get("band") if isinstance(one, Mapping) else None
        if isinstance(band, str) and band in data.variables and band not in bands:
            bands[band] = _band(data, band)
    source = _source(data, {key: value for key, value in asked.items() if value is not None}, bands)
    told = {**document, "source": source, "bands": bands}
    if not data.changes and source["kind"] == "stac":
        told.setdefault("group_by", "all")  # its files are one picture
    return told if mask is None else {**told, "mask": mask}


def coverage_of(place: WcsPlace, variable: Variable) -> Coverage:
    """Where the coverage of a variable is asked for."""
    return Coverage(
        url=place.url, version=place.version, id=variable.asset or "",
        user=place.user or "", password=place.password or "",
    )  # fmt: skip


def _source(data: DataSet, asked: Keys, bands: Keys) -> Keys:
    place = data.place
    if isinstance(place, StacPlace):
        query = _both(place.query, asked.pop("query", None))
        own: Keys = {"api": place.api, "collections": list(place.collections),
                     "datetime": place.datetime, "query": query or None, "sign": place.sign,
                     "trusted": place.trusted or None}  # fmt: skip
        return {"kind": "stac", **{k: v for k, v in own.items() if v is not None}, **asked}
    if asked:
        raise SourceError(f"source.{next(iter(asked))} is asked of a STAC API; leave it out")
    links = {str(coverage_of(place, data.variables[keys.pop("asset")])) for keys in bands.values()}
    if len(links) > 1:
        raise SourceError("bands of several coverages make no layer; write a job for each")
    return {"kind": "cog", "files": sorted(links)}


def _both(own: Mapping[str, Any] | None, asked: Any) -> Any:
    """What a data set and a job ask of items' properties."""
    if not own or not asked:
        return own or asked
    if not isinstance(asked, Mapping):
        raise SourceError("the data set has a query of its own; write source.query as keys")
    return {**own, **asked}


def _bands(provider: str, data: DataSet, variable: str | None, document: Mapping[str, Any]) -> Keys:
    given = document.get("bands")
    if isinstance(given, Mapping):
        return {name: _looked_up(provider, data, band) for name, band in given.items()}
    if variable is not None:
        return {variable: _band(data, variable)}
    measurements = document.get("measurements")
    if isinstance(measurements, Mapping):
        words = {word for text in measurements.values() for word in _WORD.findall(str(text))}
        return {name: _band(data, name) for name in data.variables if name in words}
    if len(data.variables) > 1:
        raise SourceError(
            f"{provider} has many bands; write bands, measurements, or a name such as "
            f"{provider}:{next(iter(data.variables))}"
        )
    return {name: _band(data, name) for name in data.variables}


def _looked_up(provider: str, data: DataSet, band: Any) -> Any:
    """The keys of a band that is a name of a variable, or that overrides some of one."""
    name = band.get("asset") if isinstance(band, Mapping) else band
    if not isinstance(name, str):
        return band
    if name in data.variables:
        given = dict(band) if isinstance(band, Mapping) else {}
        return {**_band(data, name), **{k: v for k, v in given.items() if k != "asset"}}
    if isinstance(data.place, StacPlace) and any(
        name == one.asset for one in data.variables.values()
    ):
        return band
    raise SourceError(
        f"{provider} has no variable {name!r}{hint(name, data.variables)}; it has "
        f"{', '.join(data.variables)}"
    )


def _band(data: DataSet, name: str) -> Keys:
    """A variable as a band of a job."""
    variable = data.variables[name]
    keys: Keys = {"asset": variable.asset or name}
    if isinstance(data.place, WcsPlace):
        keys = {"asset": name, "index": variable.band}
    elif variable.band != 1:
        keys["index"] = variable.band
    if variable.nodata is not None:
        keys["nodata"] = variable.nodata
    if variable.scale is not None:
        keys["scale_offset"] = {"scale": variable.scale, "offset": variable.offset}
    return keys


def _mask(provider: str, data: DataSet, given: Any) -> Any:
    """Masks, with those of the data set for their names."""
    if isinstance(given, list | tuple):
        return [_mask(provider, data, one) for one in given]
    if not isinstance(given, str):
        return given
    if given not in data.masks:
        known = f"; it has {', '.join(data.masks)}" if data.masks else ""
        raise SourceError(f"{provider} has no mask {given!r}{hint(given, data.masks)}{known}")
    return dict(data.masks[given])
