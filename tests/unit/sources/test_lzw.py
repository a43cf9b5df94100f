"""LZW: what GDAL compressed comes back; what is broken is told, and gives no more than asked."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rasterio.io import MemoryFile

from zonalbatch.sources.lzw import lzw_decompressed


def compressed(values: np.ndarray) -> bytes:
    """Bytes as GDAL's LZW writes them: the one block of a file."""
    settings = {"driver": "GTiff", "count": 1, "height": 1, "width": len(values), "dtype": "uint8"}
    with MemoryFile() as memory, warnings.catch_warnings(action="ignore"):  # no place on Earth
        with memory.open(**settings, compress="lzw") as file:
            file.write(values.reshape(1, 1, -1))
        with memory.open() as file:
            at, size = (
                int(file.get_tag_item(f"BLOCK_{what}_0_0", "TIFF", 1))
                for what in ("OFFSET", "SIZE")
            )
        memory.seek(0)
        return memory.read()[at : at + size]


@pytest.mark.parametrize("kinds", [1, 2, 3, 40, 256])
@pytest.mark.parametrize("size", [1, 2, 255, 5_000, 200_000])
def test_what_gdal_compressed(kinds: int, size: int) -> None:
    """Runs, strings that run into themselves, and noise that fills the table many times."""
    values = np.random.default_rng(size + kinds).integers(0, kinds, size).astype(np.uint8)
    packed = compressed(values)
    assert lzw_decompressed(packed, size) == values.tobytes()
    assert lzw_decompressed(packed, size // 2) == values[: size // 2].tobytes()
    assert lzw_decompressed(packed, size + 100) == values.tobytes()


def test_cut_off() -> None:
    """What is left of a block gives the bytes that it stands for."""
    values = np.random.default_rng(1).integers(0, 9, 10_000).astype(np.uint8)
    found = lzw_decompressed(compressed(values)[:1_000], 10_000)
    assert 1_000 < len(found) < 10_000
    assert found == values[: len(found)].tobytes()


@given(st.binary(max_size=3_000), st.integers(0, 10_000))
def test_any_bytes(packed: bytes, most: int) -> None:
    """Any bytes give at most as many as asked for, or are told to be none."""
    try:
        found = lzw_decompressed(packed, most)
    except ValueError:
        return
    assert len(found) <= most


@pytest.mark.parametrize("code", [258, 300, 511])
def test_a_code_of_nothing(code: int) -> None:
    """A string that was never written is no string."""
    packed = (code << 7).to_bytes(2, "big")
    with pytest.raises(ValueError, match="stands for nothing"):
        lzw_decompressed(packed, 10)
