"""A small believable landscape made from a seed: fields, a year of scenes, and a job for them.

    land, covers ◄─ fields ◄─ scenes ◄─ files, items

Nothing here is downloaded. The demo, the documentation and the tests live on it. An arrow points
to what is imported.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from zonalbatch.demo.fields import make_terrain
from zonalbatch.demo.files import write_scene
from zonalbatch.demo.items import write_items
from zonalbatch.demo.land import side_of
from zonalbatch.demo.scenes import make_ground, make_year

__all__ = ["JOB", "Landscape", "make_landscape"]

JOB = """\
# One row per field and date: red and NDVI, with clouds and shadows left out.
version: 1
zones: {path: fields.parquet, id: field_id, columns: [crop]}
source: {kind: stac, items: items.json}
bands: {red: B04, nir: B08, scl: SCL}
measurements: {red: red, ndvi: "(nir - red) / (nir + red)"}
mask: {band: scl, exclude: [0, 1, 3, 8, 9, 10]}
statistics: [count, mean, std, median, p10, p90, valid_fraction]
output: {path: out/}
cluster: {kind: local, workers: 2}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Landscape:
    """Where the parts of a landscape lie on disk."""

    folder: Path
    """Holds everything below."""
    fields: Path
    """GeoParquet of the field boundaries: field_id, crop, geometry."""
    items: Path
    """STAC ItemCollection of the scenes, with hrefs relative to itself."""
    job: Path
    """A job document for both, with paths relative to itself."""
    scenes: tuple[Path, ...]
    """One folder for each date, in order, with B04.tif, B08.tif and SCL.tif."""


def make_landscape(
    folder: Path, *, fields: int = 1000, dates: int = 12, seed: int = 7
) -> Landscape:
    """Write a landscape: field boundaries, scenes as COGs, STAC items and a job.

    Args:
        folder: where to write; made if absent, files of the same name are replaced.
        fields: number of field polygons; the land grows with it (6.4 ha a field).
        dates: number of scenes, spread over one year.
        seed: the same seed makes the same landscape.
    """
    rng = np.random.default_rng(seed)
    side = side_of(fields)
    terrain = make_terrain(rng, side, fields)
    ground = make_ground(rng, side, terrain)
    folder.mkdir(parents=True, exist_ok=True)
    terrain.parcels[:fields].to_parquet(folder / "fields.parquet", write_covering_bbox=True)
    year = make_year(rng, dates)
    scenes = tuple(write_scene(folder, rng, ground, weather) for weather in year)
    write_items(folder / "items.json", year, scenes, side)
    (folder / "job.yaml").write_text(JOB, encoding="utf-8")
    return Landscape(
        folder=folder,
        fields=folder / "fields.parquet",
        items=folder / "items.json",
        job=folder / "job.yaml",
        scenes=scenes,
    )
