"""Packed: arrays of whole numbers, as text for a page."""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["packed", "packed_text", "zigzag"]

LEVEL = 6
"""Of DEFLATE: 9 takes four times as long for the last hundredth."""


def packed(values: NDArray[Any]) -> dict[str, Any]:
    """Whole numbers from 0, in as many bytes as the largest needs.

    All lowest bytes come first, then all that are next, and so on: bytes of one kind are alike, so
    that DEFLATE makes less of them.
    """
    flat = np.ascontiguousarray(values).reshape(-1).astype("<u4")
    most = int(flat.max(initial=0))
    width = max(1, (most.bit_length() + 7) // 8)
    planes = flat.view(np.uint8).reshape(-1, 4).T[:width]
    return {"count": len(flat), "width": width, "data": _text(planes.tobytes())}


def packed_text(values: Any) -> dict[str, Any]:
    """Whatever JSON can say."""
    return {"data": _text(json.dumps(values, ensure_ascii=False).encode())}


def zigzag(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Whole numbers without a sign: 0, −1, 1, −2, … become 0, 1, 2, 3, …"""
    return (values << 1) ^ (values >> 63)


def _text(data: bytes) -> str:
    return base64.b64encode(zlib.compress(data, LEVEL)).decode()
