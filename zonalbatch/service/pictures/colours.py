"""Colours: a ramp that those read who tell few colours apart, and pictures of its steps."""

from __future__ import annotations

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

__all__ = ["ANCHORS", "STEPS", "png", "ramp"]

ANCHORS = (
    "440154", "472d7b", "3b528b", "2c728e", "21918c", "28ae80", "5ec962", "addc30", "fde725",
)  # fmt: skip
"""Viridis (van der Walt and Smith, matplotlib, CC0) at nine equal steps, low to high."""
STEPS = 255
"""Colours of a picture beside the one that is transparent."""
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_EIGHT_BITS_OF_A_PALETTE = bytes([8, 3, 0, 0, 0])


def ramp() -> NDArray[np.uint8]:
    """(step, 3) red, green and blue, low to high, straight between the anchors."""
    anchors = np.array([list(bytes.fromhex(one)) for one in ANCHORS], np.float64)
    at, ends = np.linspace(0, 1, STEPS), np.linspace(0, 1, len(anchors))
    return np.stack([np.rint(np.interp(at, ends, one)) for one in anchors.T], 1).astype(np.uint8)


def png(steps: NDArray[np.uint8]) -> bytes:
    """A picture of (row, col) steps: 0 is transparent, 1 to `STEPS` are colours of the ramp.

    Written by https://www.w3.org/TR/png-3/, with a palette: a byte a pixel before it is deflated.
    """
    height, width = steps.shape
    rows = np.zeros((height, width + 1), np.uint8)  # the first byte of a row: it is not filtered
    rows[:, 1:] = steps
    return b"".join(
        [
            _SIGNATURE,
            _chunk(b"IHDR", struct.pack(">II", width, height) + _EIGHT_BITS_OF_A_PALETTE),
            _chunk(b"PLTE", bytes(3) + ramp().tobytes()),
            _chunk(b"tRNS", b"\0"),
            _chunk(b"IDAT", zlib.compress(rows.tobytes(), 6)),
            _chunk(b"IEND", b""),
        ]
    )


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
