"""What tells one content of a file from another."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from rasterio.transform import Affine

from zonalbatch.planning.identity import layer_hash
from zonalbatch.sources import cog_layers
from zonalbatch.sources.fingerprint import SAMPLE, SAMPLES, fingerprint


class TestVersion:
    """What tells one content of a file from another."""

    @staticmethod
    def written(path: Path, values: np.ndarray, **options: Any) -> str:
        """A raster of these values; its path."""
        height, width = values.shape
        with rasterio.open(
            path, "w", count=1, height=height, width=width, dtype=values.dtype, crs="EPSG:32631",
            transform=Affine(10, 0, 500000, 0, -10, 5600000), **options,
        ) as file:  # fmt: skip
            file.write(values, 1)
        return str(path)

    @pytest.fixture
    def values(self) -> np.ndarray:
        """Half a million cells: far more than is sampled."""
        rng = np.random.default_rng(3)
        return rng.integers(0, 3000, (640, 800)).astype("uint16")

    @staticmethod
    def identity(href: str) -> bytes:
        """The identity of the one layer that a file makes."""
        (layer,) = cog_layers(files=[href]).layers
        return layer_hash(layer)

    @staticmethod
    def touch(path: Path) -> None:
        """Give a file another time of change."""
        os.utime(path, (2_000_000_000, 2_000_000_000))

    @staticmethod
    def copy(path: Path) -> None:
        """Put a new copy in the place of a file."""
        shutil.copyfile(path, path.with_suffix(".new"))
        path.with_suffix(".new").replace(path)

    @pytest.mark.parametrize("change", [touch, copy])
    def test_the_same_bytes_are_the_same_layer(
        self, tmp_path: Path, values: np.ndarray, change: Callable[[Path], None]
    ) -> None:
        """A file that is touched or copied anew makes no other plan."""
        path = tmp_path / "a.tif"
        before = self.identity(self.written(path, values, driver="GTiff"))
        change(path)
        assert self.identity(str(path)) == before

    @pytest.mark.parametrize(
        "options",
        [
            {"driver": "COG", "compress": "deflate"},
            {"driver": "GTiff", "compress": "lzw"},
            {"driver": "GTiff", "compress": "deflate", "tiled": True, "bigtiff": "yes"},
        ],
    )
    @pytest.mark.parametrize("cell", [(0, 0), (321, 456), (639, 799)])
    def test_one_cell_of_a_compressed_file(
        self, tmp_path: Path, values: np.ndarray, options: dict[str, Any], cell: tuple[int, int]
    ) -> None:
        """A block of another size moves all that follow, and the tables of the file say so."""
        path = tmp_path / "a.tif"
        before = self.identity(self.written(path, values, **options))
        values[cell] = 60_000
        assert self.identity(self.written(path, values, **options)) != before

    def test_an_uncompressed_file_of_equal_size(self, tmp_path: Path, values: np.ndarray) -> None:
        """Other values under the same head, size and time are seen, also where borders are bare."""
        path = tmp_path / "a.tif"
        values[:200] = values[-200:] = 0
        before = self.identity(self.written(path, values, driver="GTiff"))
        status = path.stat()
        values[200:-200] += 1
        self.written(path, values, driver="GTiff")
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
        assert path.stat().st_size == status.st_size
        assert self.identity(str(path)) != before

    @pytest.mark.parametrize("size", [0, 1, SAMPLE, SAMPLE + 1, SAMPLE * SAMPLES])
    def test_small_files_are_read_whole(self, tmp_path: Path, size: int) -> None:
        """Up to 128 KiB no byte changes unseen."""
        path = tmp_path / "a"
        path.write_bytes(bytes(size))
        seen = {fingerprint(str(path))}
        places = sorted({*range(0, size, 4099), *range(max(0, size - 3), size)})
        for place in places:
            path.write_bytes(bytes(place) + b"x" + bytes(size - place - 1))
            seen.add(fingerprint(str(path)))
        assert len(seen) == 1 + len(places)

    def test_what_is_not_seen(self, tmp_path: Path) -> None:
        """Bytes between the samples of a large file of equal size are not looked at."""
        path = tmp_path / "a"
        path.write_bytes(bytes(SAMPLE * SAMPLES * 3))
        before = fingerprint(str(path))
        with path.open("r+b") as file:
            file.seek(SAMPLE + 10)
            file.write(b"x")
        assert fingerprint(str(path)) == before
