"""Sizes: numbers of bytes, as text with a unit."""

from __future__ import annotations

import re

__all__ = ["bytes_of"]

_UNITS = {"": 1, "b": 1} | {
    f"{prefix}{unit}": base**power
    for power, prefix in enumerate("kmgt", start=1)
    for unit, base in (("b", 1000), ("ib", 1024), ("i", 1024))  # Gi, as Kubernetes writes GiB
}


def bytes_of(text: str) -> int:
    """Bytes of ``"1.5GiB"``, ``"500 MB"`` or ``"1610612736"``.

    Raises:
        ValueError: it is no size of one byte or more.
    """
    match = re.fullmatch(r"\s*(\d{1,15}(?:\.\d{1,9})?)\s*([A-Za-z]*)\s*", text)
    unit = _UNITS.get(match[2].lower()) if match else None
    if match is None or unit is None or float(match[1]) * unit < 1:
        raise ValueError("write bytes, or a size such as 1.5GiB or 500MB")
    return int(float(match[1]) * unit)
