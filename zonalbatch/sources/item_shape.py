"""Shape of items: whether what should be keys, texts and lists in one is that."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from zonalbatch.errors import SourceError

__all__ = ["check_shape", "lacking"]

_KINDS: Mapping[str, type] = {"id": str, "geometry": dict, "properties": dict, "assets": dict}
_ASSET: Mapping[str, type] = {"href": str, "type": str, "roles": list}


def lacking(item: Any, needed: Collection[str] = tuple(_KINDS)) -> str:
    """The first key of which an item has not what STAC has there; empty if all is well.

    Args:
        item: as JSON has it.
        needed: keys that must be there; the others may be null or absent.
    """
    if not isinstance(item, dict):
        return "keys"
    for key, kind in _KINDS.items():
        value = item.get(key)
        if not isinstance(value, kind) and (key in needed or (value is not None and key != "id")):
            return key
    return ""


def check_shape(item: Any) -> None:
    """Refuse an item that cannot be read as one.

    Raises:
        SourceError: it has no keys, or something else where STAC has properties or assets.
    """
    name = item.get("id") if isinstance(item, dict) else item
    if missing := lacking(item, ()):
        raise SourceError(
            f"item {name!r} has no {missing} that can be read; mend it, or leave it out"
        )
    for key, asset in (item.get("assets") or {}).items():
        if not isinstance(asset, dict):
            raise SourceError(
                f"asset {key!r} of item {name!r} is no keys; write it as {{href: ...}}"
            )
        for field, kind in _ASSET.items():
            if asset.get(field) is not None and not isinstance(asset[field], kind):
                raise SourceError(
                    f"asset {key!r} of item {name!r} has a {field} that is a "
                    f"{type(asset[field]).__name__}; mend it, or leave the item out"
                )
