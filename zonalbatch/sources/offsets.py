"""Offsets: which scale and offset is applied to a band of an item, and whose word that is.

``auto`` takes the item's, if it states any; else the rule of the product, where that is certain;
else the file's own tags. Where two of them disagree, that is a doubt, which a run's report tells.

Earth Search takes the offset of Sentinel-2 out of its COGs, and says so by
``earthsearch:boa_offset_applied`` (``sentinel:`` in its version 0), while ``raster:bands`` state it
all the same. The flag is the truth of the two, so that no offset is applied twice
(https://github.com/Element84/earth-search/issues/9); the original files beside the COGs (``-jp2``)
have it still (issue 56). Where the flag is false though the baseline has an offset, it is wrong now
and then (issues 66 and 71): what the item states is applied, and the doubt is told.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zonalbatch.errors import SourceError
from zonalbatch.sources.products import SHIFTED_SINCE, Rule, baseline_of, rule_of
from zonalbatch.sources.protocol import ScaleOffset
from zonalbatch.sources.secrets import shown

if TYPE_CHECKING:
    from zonalbatch.sources.documents import Doc

__all__ = ["Scaling", "agree", "contradictions", "doubts_of", "scaling_of"]

FLAGS = ("earthsearch:boa_offset_applied", "sentinel:boa_offset_applied")


@dataclass(frozen=True, slots=True)
class Scaling:
    """What turns raw values into physical ones: raw × scale + offset."""

    scale: float | None
    """None leaves both to the file."""
    offset: float | None
    by: str
    """Whose word it is: job, item, rule or file, with what made it so."""
    doubt: str = ""
    """What speaks against it, without the item's name; empty if nothing does."""


FILE = Scaling(None, None, "file")


def scaling_of(doc: Doc, key: str, said: Sequence[Doc], policy: ScaleOffset) -> Scaling:
    """What is applied to one band.

    Args:
        doc: the item.
        key: of the asset.
        said: what the item says of the band, the nearest first; empty if it is not to be heard.
        policy: whose word the job wants.
    """
    if isinstance(policy, tuple):
        return Scaling(*policy, "job")
    if policy == "none":
        return Scaling(1.0, 0.0, "job")
    if policy == "file" or not said:
        return Scaling(1.0, 0.0, "item") if policy == "item" else FILE
    stated = _stated(said, doc)
    rule = None if policy == "item" or _float(said) else rule_of(doc, key)
    if stated is not None:
        return _heard(doc, key, stated, rule)
    if rule is not None:
        return _ruled(doc, key, rule)
    return Scaling(1.0, 0.0, "item") if policy == "item" else FILE


def _stated(said: Iterable[Doc], doc: Doc) -> tuple[float, float] | None:
    """(scale, offset) as an item states them; one that it leaves out does nothing.

    Raises:
        SourceError: one of them is no number.
    """
    scale = _first(said, "raster:scale", "scale")
    offset = _first(said, "raster:offset", "offset")
    if scale is None and offset is None:
        return None
    try:
        found = float(1.0 if scale is None else scale), float(offset or 0.0)
    except (TypeError, ValueError):
        found = math.nan, math.nan
    if not all(map(math.isfinite, found)):
        raise SourceError(
            f"item {doc.get('id')!r} states the scale {scale!r} and the offset {offset!r}; mend "
            "it, or say scale_offset"
        )
    return found


def _float(said: Iterable[Doc]) -> bool:
    """True if pixels are no whole numbers, so that somebody has scaled them already."""
    return str(_first(said, "data_type") or "").startswith("float")


def _first(said: Iterable[Doc], *keys: str) -> Any:
    found = (one[key] for one in said for key in keys if one.get(key) is not None)
    return next(found, None)


def _heard(doc: Doc, key: str, stated: tuple[float, float], rule: Rule | None) -> Scaling:
    """The item's word, but for an offset that it says is applied already."""
    scale, offset = stated
    flag = _applied(doc, key)
    if flag and offset:
        return Scaling(
            scale, 0.0, f"item ({flag})",
            f"states the offset {offset:g}, and that it is applied already ({flag}); it was not "
            "applied again",
        )  # fmt: skip
    if flag:
        return Scaling(scale, offset, "item")
    if rule is not None and not agree(stated, (rule.scale, rule.offset)):
        told = f"states × {scale:g} {offset:+g}, where {rule.name} has {_told(rule)}; it was heeded"
        return Scaling(scale, offset, "item", told)
    return Scaling(scale, offset, "item", _flag_doubt(doc, key) if offset else "")


def _ruled(doc: Doc, key: str, rule: Rule) -> Scaling:
    """The product's rule, but for an offset that the item says is applied already."""
    flag = _applied(doc, key)
    if flag and rule.offset:
        return Scaling(rule.scale, 0.0, f"rule: {rule.name}, {flag}")
    doubt = _flag_doubt(doc, key) if rule.offset else ""
    return Scaling(rule.scale, rule.offset, f"rule: {rule.name}", doubt)


def _told(rule: Rule) -> str:
    return f"× {rule.scale:g} {rule.offset:+g}"


def _applied(doc: Doc, key: str) -> str:
    """The flag that says that the offset is out of a COG; empty if none does."""
    properties = doc.get("properties") or {}
    set_ = [flag for flag in FLAGS if properties.get(flag) is True]
    return set_[0] if set_ and not key.endswith("-jp2") else ""


def _flag_doubt(doc: Doc, key: str) -> str:
    """What is to be said of a flag that denies an offset which the baseline has."""
    properties = doc.get("properties") or {}
    denied = [flag for flag in FLAGS if properties.get(flag) is False]
    baseline = baseline_of(doc)
    if not denied or key.endswith("-jp2") or baseline is None or baseline < SHIFTED_SINCE:
        return ""
    return (
        f"says that the offset is still in the file ({denied[0]}: false), which is wrong of some; "
        "it was applied: see whether values fall below 0"
    )


def agree(one: tuple[float, float], other: tuple[float, float]) -> bool:
    """True if two (scale, offset) are the same but for how they were written."""
    return all(
        math.isclose(a, b, rel_tol=1e-6, abs_tol=1e-12) for a, b in zip(one, other, strict=True)
    )


def doubts_of(found: Iterable[tuple[str, str, Scaling]]) -> list[str]:
    """Doubts in a sentence for each kind: how many items, which bands, and the first of them.

    Args:
        found: (item, band, what is applied to it).
    """
    kinds: dict[str, tuple[list[str], list[str]]] = {}
    for item, band, scaling in found:
        if scaling.doubt:
            items, bands = kinds.setdefault(scaling.doubt, ([], []))
            items += [item] * (item not in items[-1:])
            bands += [band] * (band not in bands)
    return [
        f"{items[0]}{f' and {len(items) - 1} more items' if len(items) > 1 else ''}: the item "
        f"{doubt} (bands {', '.join(bands)})"
        for doubt, (items, bands) in kinds.items()
    ]


def contradictions(found: Mapping[str, Sequence[float]]) -> list[str]:
    """What is said of files whose tags have another scale or offset than was applied, if any do.

    Args:
        found: ``band:href`` -> (scale, offset) of its tags.
    """
    if not found:
        return []
    first = min(found)
    (scale, offset), href = found[first], first.partition(":")[2]
    return [
        f"the tags of {len(found)} {'bands' if len(found) > 1 else 'band'} say another scale or "
        f"offset than was applied, first {shown(href)} (× {scale:g} {offset:+g}); the "
        "layers.parquet of a run has by whose word; scale_offset: file takes the tags"
    ]
