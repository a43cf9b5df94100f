"""Classification: what STAC items call the raw values and bits of their bands.

The extension's fields stand on the band or on its asset. See
https://github.com/stac-extensions/classification (v1 and v2).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from zonalbatch.masks.legend import BitField, Legend
from zonalbatch.sources.documents import Doc
from zonalbatch.sources.item_bands import Place, band_docs

__all__ = ["legends_of"]

CLASSES, FIELDS = "classification:classes", "classification:bitfields"


def legends_of(docs: Sequence[Doc], places: Sequence[Mapping[str, Place]]) -> dict[str, Legend]:
    """Band name -> what its values are called, of bands about which any item says something.

    Args:
        docs: the items.
        places: where each of them has each band.
    """
    found: dict[str, list[Legend]] = {}
    for doc, some in zip(docs, places, strict=True):
        for name, place in some.items():
            legend = _legend(doc["assets"][place.key], place.index)
            known = found.setdefault(name, [])
            if legend not in known:  # items of a collection say the same a thousand times
                known.append(legend)
    merged = {name: Legend.merged(several) for name, several in found.items()}
    return {name: legend for name, legend in merged.items() if legend != Legend()}


def _legend(asset: Doc, index: int) -> Legend:
    """What is said of one band, 1-based, of an asset."""
    docs = band_docs(asset)
    sources = [docs[index - 1], asset] if index <= len(docs) else [asset]
    classes, fields = (_first(sources, key) for key in (CLASSES, FIELDS))
    named = [(one["name"], BitField(one["offset"], one["length"], _numbers(one)))
             for one in fields if _has(one, "name", "offset", "length")]  # fmt: skip
    return Legend(_values(classes), dict(named))


def _first(sources: Iterable[Doc], key: str) -> list[Doc]:
    """What the nearest source that says anything says."""
    told: list[Any] = next((one[key] for one in sources if isinstance(one.get(key), list)), [])
    return [one for one in told if isinstance(one, dict)]


def _values(classes: Iterable[Doc]) -> dict[str, tuple[int | float, ...]]:
    """Name -> raw values; two classes of one name are one."""
    found: dict[str, tuple[int | float, ...]] = {}
    for one in classes:
        if _has(one, "name", "value"):
            found[one["name"]] = (*found.get(one["name"], ()), one["value"])
    return found


def _numbers(field: Doc) -> dict[str, int]:
    classes = field.get("classes")
    told = classes if isinstance(classes, list) else []
    return {
        one["name"]: one["value"]
        for one in told
        if isinstance(one, dict) and _has(one, "name", "value")
    }


def _has(doc: Mapping[str, Any], text: str, *numbers: str) -> bool:
    """True if a document has a text, and whole numbers."""
    whole = all(isinstance(doc.get(key), int) for key in numbers)
    return whole and isinstance(doc.get(text), str)
