"""Three zones and a raster, whose figures numpy gives."""

from __future__ import annotations

from pathlib import Path

import geopandas
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.made.rasters import noise, write_tif
from tests.made.zones import three


@pytest.fixture
def values() -> NDArray[np.uint16]:
    """(40, 50) values, none of them 0."""
    return noise(40, 50)


@pytest.fixture
def tif(values: NDArray[np.uint16], tmp_path: Path) -> str:
    """The values as a file."""
    return write_tif(tmp_path / "scene.tif", values)


@pytest.fixture
def zones() -> geopandas.GeoDataFrame:
    """Three zones on edges of cells, in an order of their own."""
    return three()
