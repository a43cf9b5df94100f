"""Zone rows: what the client keeps of each zone while it plans."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from numpy.typing import NDArray
from pyproj import Transformer

from zonalbatch.errors import ZonesError
from zonalbatch.lattice import TILE, Lattice
from zonalbatch.zones import ZoneReader

__all__ = ["ZoneRows"]


@dataclass(slots=True, eq=False)
class ZoneRows:
    """What the client keeps of each zone: 76 bytes, 32 of them its bounds."""

    file: Path
    """All columns, in the order of the input (Arrow IPC)."""
    tiles: NDArray[np.int64]
    """(zone, 2) row and column of the fold tile that the middle of its bounds lies in."""
    bounds: NDArray[np.float64]
    """(zone, 4) left, bottom, right, top; NaN for an empty zone."""
    hashes: NDArray[np.uint8]
    """(zone, 16)."""
    figures: NDArray[np.float32]
    """(zone, 3) bytes of its WKB, its length and its area in units of the CRS."""

    @classmethod
    def stream(cls, zones: ZoneReader, reference: Lattice, file: Path) -> ZoneRows:
        """Read all zones in batches, writing them to a file on the way."""
        tiles, bounds, hashes, figures = [], [], [], []
        writer = None
        for batch in zones.batches():
            writer = writer or pa.ipc.new_file(str(file), batch.schema)
            writer.write_table(batch)
            box = np.column_stack([batch[c].to_numpy() for c in ("left", "bottom", "right", "top")])
            bounds.append(box)
            tiles.append(_tiles(box, zones.crs, reference))
            raw = batch["hash"].combine_chunks()
            hashes.append(np.frombuffer(b"".join(raw.to_pylist()), np.uint8).reshape(-1, 16))
            figures.append(_figures(batch["geometry"]))
        if writer is None or not sum(len(b) for b in bounds):
            raise ZonesError("there are no zones; check the file, or what was selected from it")
        writer.close()
        return cls(file, *map(np.concatenate, (tiles, bounds, hashes, figures)))


def _figures(wkb: pa.ChunkedArray) -> NDArray[np.float32]:
    """(zone, 3) bytes, length and area of some geometries."""
    shapes = shapely.from_wkb(wkb.to_numpy())
    sizes = pc.binary_length(wkb).to_numpy()
    told = np.column_stack([sizes, shapely.length(shapes), shapely.area(shapes)])
    return np.nan_to_num(told).astype(np.float32)


def _tiles(box: NDArray[np.float64], crs: str, reference: Lattice) -> NDArray[np.int64]:
    """(zone, 2) the fold tile of the middle of each zone's bounds; zero if it is nowhere."""
    x, y = (box[:, 0] + box[:, 2]) / 2, (box[:, 1] + box[:, 3]) / 2
    if crs != reference.crs:
        x, y = Transformer.from_crs(crs, reference.crs, always_xy=True).transform(x, y)
    row = (reference.y0 - y) / (reference.dy * TILE)
    col = (x - reference.x0) / (reference.dx * TILE)
    both = np.column_stack([row, col])
    both[~np.isfinite(both).all(axis=1)] = 0
    return np.floor(np.clip(both, -(2**40), 2**40)).astype(np.int64)
