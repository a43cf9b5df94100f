"""exactextract's weighted operations: ours are the same where every cell has a weight."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely

import zonalbatch as zb
from tests.made.rasters import noise, write_tif
from tests.made.zones import cells, frame

OURS = {
    "weighted_sum": "weighted_sum", "weighted_mean": "weighted_mean",
    "weighted_std": "weighted_stdev", "weighted_variance": "weighted_variance",
}  # fmt: skip
"""Our statistic -> exactextract's operation."""


@pytest.mark.parametrize("kind", ["uint8", "float32"])
def test_operations(tmp_path: Path, kind: str) -> None:
    """Zones of every shape agree as far as its shares, which are of float32, go."""
    exactextract = pytest.importorskip("exactextract").exact_extract
    values = write_tif(tmp_path / "v.tif", (noise(60, 70) % 12).astype(kind), nodata=3)
    weights = write_tif(tmp_path / "w.tif", np.random.default_rng(1).random((60, 70)))
    middle = cells(20, 20, 1, 1).centroid
    shapes = [
        middle.buffer(141.5), middle.buffer(120).difference(middle.buffer(55)),
        cells(3, 4, 1, 1, 0.3), cells(30, 30, 25, 3, 0.75),
        shapely.union(middle.buffer(9), cells(50, 2, 3, 9)),
    ]  # fmt: skip
    zones = frame(*shapes, id=range(len(shapes)))
    found = zb.zonal_stats(zones, values, [*OURS, "weighted_frac"], weights=weights)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs: Any = exactextract(
            values, zones, [*OURS.values(), "unique", "weighted_frac"], weights=weights,
            output="pandas", include_cols="id",
        )  # fmt: skip
    for ours, name in OURS.items():
        np.testing.assert_allclose(found[ours].to_numpy(), theirs[name].to_numpy(), rtol=2e-6)
    for listed, (_, row) in zip(found["weighted_frac"], theirs.iterrows(), strict=True):
        told = {e["class"]: e["value"] for e in listed}
        other = {
            float(name.removeprefix("weighted_frac_")): share
            for name, share in row.items()
            if str(name).startswith("weighted_frac_") and share > 0
        }
        if not other:
            other = dict(zip(map(float, row["unique"]), row["weighted_frac"], strict=True))
        assert told == pytest.approx(other, rel=1e-6)
