"""Products: what is known of the values of Sentinel-2 and Landsat, whoever offers them.

Only what is certain is told: the product must name itself, and the band must be known.

Sentinel-2: reflectance = (DN + BOA_ADD_OFFSET) / QUANTIFICATION_VALUE. The latter is 10,000. The
former is -1,000 from processing baseline 04.00 on, in force since 25 January 2022, for Level-1C and
Level-2A alike. It is the baseline that counts, not the date: older scenes are processed anew as
Collection-1. AOT and water vapour are divided by 1,000, without an offset.
    ESA, Sentinel-2 Products Specification Document (https://sentiwiki.copernicus.eu/web/s2-products)
    https://forum.step.esa.int/t/35431 (introduction of the offset, by ESA's technical manager)

Landsat Collection 2 Level-2: reflectance = DN × 0.0000275 - 0.2, kelvin = DN × 0.00341802 + 149;
the bands behind the temperature have scales of their own.
    USGS, Landsat 8-9 Collection 2 Level 2 Science Product Guide (LSDS-1619; 4-7: LSDS-1618)
    https://www.usgs.gov/faqs/how-do-i-use-a-scale-factor-landsat-level-2-science-products
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zonalbatch.sources.documents import Doc

__all__ = ["Rule", "baseline_of", "rule_of"]


@dataclass(frozen=True, slots=True)
class Rule:
    """What the maker of a product says of one band: physical = raw × scale + offset."""

    name: str
    scale: float
    offset: float


REFLECTANCE = (1e-4, -0.1)
"""Of Sentinel-2: 1 / 10,000 and -1,000 / 10,000."""
SHIFTED_SINCE = (4, 0)
"""The processing baseline that brought the offset."""
_LANDSAT_REFLECTANCE = (2.75e-5, -0.2)
_LANDSAT_TEMPERATURE = (0.00341802, 149.0)
_BEHIND = {
    **dict.fromkeys(("atran", "emis", "emsd"), (1e-4, 0.0)),
    **dict.fromkeys(("cdist", "qa"), (1e-2, 0.0)),
    **dict.fromkeys(("drad", "trad", "urad"), (1e-3, 0.0)),
}
"""Bands behind Landsat's temperature: its quality in kelvin, distances in km, radiances, …"""

_PRODUCT = re.compile(r"S2[A-D]_MSIL(?:1C|2A)_\d{8}T\d{6}_N(\d\d)(\d\d)_\w+?(?:\.SAFE)?")
_GRANULE = re.compile(r"S2[A-D]_OPER_MSI_L(?:1C|2A)_TL_\w+_N(\d\d)\.(\d\d)")
_BASELINE = re.compile(r"0?(\d{1,2})\.(\d\d)")
_SPECTRAL = re.compile(
    r"(b(0[1-9]|1[0-2]|8a)|coastal|blue|green|red|rededge[123]|nir|nir0[89]|cirrus|swir(16|22))"
    r"(_[126]0m)?(-jp2)?"
)
_THIN = re.compile(r"(aot|wvp)(_[126]0m)?(-jp2)?")
_LANDSAT = re.compile(r"L[CET]0\d_L2S[PR]_\w+")
_LANDSAT_BAND = re.compile(r"(sr_b[1-7](\.tif)?|coastal|blue|green|red|nir08|swir16|swir22)")
_LANDSAT_HEAT = re.compile(r"(st_b(6|10)(\.tif)?|lwir(11)?)")


def rule_of(doc: Doc, key: str) -> Rule | None:
    """What is certain of an asset of an item; None if its product or the asset is not known."""
    return _sentinel(doc, key.lower()) or _landsat(doc, key.lower())


def _sentinel(doc: Doc, key: str) -> Rule | None:
    baseline = baseline_of(doc)
    if baseline is None:
        return None
    name = "Sentinel-2 baseline {:02d}.{:02d}".format(*baseline)
    if _SPECTRAL.fullmatch(key):
        scale, offset = REFLECTANCE
        return Rule(name, scale, offset if baseline >= SHIFTED_SINCE else 0.0)
    return Rule(name, 1e-3, 0.0) if _THIN.fullmatch(key) else None


def baseline_of(doc: Doc) -> tuple[int, int] | None:
    """The processing baseline of a Sentinel-2 product; None if it is none, or does not say it.

    Catalogs name it in words of their own, or by the name of the product alone.
    """
    for text in _said(doc, "processing_baseline"):
        if found := _BASELINE.fullmatch(text):
            return int(found[1]), int(found[2])
    for text in (*_said(doc, "product_uri", "product_id", "granule_id"), str(doc.get("id"))):
        if found := _PRODUCT.fullmatch(text) or _GRANULE.fullmatch(text):
            return int(found[1]), int(found[2])
    return None


def _said(doc: Doc, *names: str) -> Iterator[str]:
    """What an item's properties say under the prefixes that catalogs have for Sentinel-2."""
    properties: Mapping[str, object] = doc.get("properties") or {}
    prefixes: Iterable[str] = ("s2", "sentinel", "sentinel2")
    for key in (f"{prefix}:{name}" for name in names for prefix in prefixes):
        if properties.get(key) is not None:
            yield str(properties[key])


def _landsat(doc: Doc, key: str) -> Rule | None:
    properties = doc.get("properties") or {}
    collection = str(properties.get("landsat:collection_number") or "").lstrip("0")
    if collection != "2" or not _LANDSAT.fullmatch(str(doc.get("id"))):
        return None
    name = "Landsat Collection 2 Level-2"
    if _LANDSAT_BAND.fullmatch(key):
        return Rule(name, *_LANDSAT_REFLECTANCE)
    if _LANDSAT_HEAT.fullmatch(key):
        return Rule(name, *_LANDSAT_TEMPERATURE)
    behind = _BEHIND.get(key.removeprefix("st_").removesuffix(".tif"))
    return None if behind is None else Rule(name, *behind)
