"""Ways between CRSs: kept where no number can depend on it, made anew where one could."""

from __future__ import annotations

import numpy as np
import pytest
from pyproj import CRS, Transformer

from zonalbatch.projections import ellipsoid_of, transformer

LONGITUDES, LATITUDES = np.meshgrid(np.linspace(-6, 2, 9), np.linspace(50, 58, 9))


def test_one_operation_is_kept() -> None:
    """The same object is given again, whether a CRS comes as text or as an object."""
    one = transformer("OGC:CRS84", "EPSG:32631")
    assert transformer("OGC:CRS84", "EPSG:32631") is one
    assert transformer(CRS("OGC:CRS84"), CRS("EPSG:32631")) is one


def test_what_is_chosen_by_the_point_is_not_kept() -> None:
    """PROJ goes on with what it chose last: so each use begins with a new one."""
    assert transformer("EPSG:4326", "EPSG:27700") is not transformer("EPSG:4326", "EPSG:27700")


@pytest.mark.parametrize("target", ["EPSG:32631", "EPSG:27700", "EPSG:3035", "EPSG:2154"])
def test_numbers_are_pyprojs(target: str) -> None:
    """To the bit, also after other places were asked for."""
    transformer("OGC:CRS84", target).transform(170.0, -80.0)
    expected = Transformer.from_crs("OGC:CRS84", target, always_xy=True)
    found = transformer("OGC:CRS84", target).transform(LONGITUDES, LATITUDES)
    assert np.array_equal(found, expected.transform(LONGITUDES, LATITUDES))


def test_ellipsoids() -> None:
    """Of a projected CRS that of its geographic one; WGS84 where a CRS is bound to it."""
    earth, geod = ellipsoid_of("EPSG:27700")
    assert earth.is_geographic
    assert geod.a == pytest.approx(6_377_563.396)
    bound = CRS("EPSG:31370").to_wkt()
    assert ellipsoid_of(bound)[1].a == 6_378_388.0
    assert ellipsoid_of("+proj=utm +zone=31 +towgs84=1,2,3 +type=crs")[0] == CRS("OGC:CRS84")
