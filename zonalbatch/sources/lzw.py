"""LZW: blocks that TIFF compresses by a growing table of strings, decompressed within bounds.

Adobe, TIFF Revision 6.0 (1992), section 13: codes lie highest bit first, 9 to 12 bits wide. Those
of writers before TIFF 5 lie lowest bit first; GDAL reads them, here they are no LZW.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from zonalbatch.kernels import kernel

__all__ = ["lzw_decompressed"]

CLEAR, END, FIRST, CODES = 256, 257, 258, 4096
"""The codes that empty the table and end the data, the first code of a string, and all of them."""


def lzw_decompressed(packed: Any, most: int) -> bytearray:
    """The bytes of a block, of which no more than a number are made.

    Args:
        packed: the block as it is in the file.
        most: bytes that it may give; what goes beyond is left.

    Raises:
        ValueError: it holds a code that stands for nothing.
    """
    out = bytearray(most)
    size = _decompress(np.frombuffer(packed, np.uint8), np.frombuffer(out, np.uint8))
    if size < 0:
        raise ValueError("a code of a block stands for nothing")
    del out[size:]
    return out


@kernel()
def _decompress(packed, out):
    """Fill in bytes as far as there is room; how many, or -1 at a code that stands for nothing.

    Each string of the table is a string written before and the byte behind it, so it lies in `out`
    already: the table says where it begins and how long it is.
    """
    begins = np.empty(CODES, np.int64)
    lengths = np.empty(CODES, np.int64)
    next_code, width = FIRST, 9
    last_begin, last_length = 0, 0  # of the string written last; 0 long if there is none
    bits, n_bits, at, n = np.uint64(0), 0, 0, 0
    while n < len(out):
        while n_bits < width and at < len(packed):
            bits = (bits << np.uint64(8)) | np.uint64(packed[at])
            n_bits += 8
            at += 1
        if n_bits < width:
            break
        n_bits -= width
        code = np.int64(bits >> np.uint64(n_bits)) & ((1 << width) - 1)
        if code == END:
            break
        if code == CLEAR:
            next_code, width, last_length = FIRST, 9, 0
            continue
        if code < CLEAR:
            begin, length = n, 1
            out[n] = code
        elif last_length == 0 or code > next_code:
            return -1
        else:
            begin, length = begins[code], lengths[code]
            if code == next_code:  # the string written last, and its first byte again
                begin, length = last_begin, last_length + 1
            length = min(length, len(out) - n)
            for i in range(length):  # one by one: the string written last runs into itself
                out[n + i] = out[begin + i]
        if last_length > 0 and next_code < CODES:
            begins[next_code], lengths[next_code] = last_begin, last_length + 1
            next_code += 1
            if next_code + 1 >= 1 << width and width < 12:
                width += 1
        last_begin, last_length = n, length
        n += length
    return n
