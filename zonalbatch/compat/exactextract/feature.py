"""Features: one zone with its fields, whatever library holds it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

__all__ = [
    "Feature", "FeatureSource", "FileFeatureSource", "GDALFeature", "GDALFeatureSource",
    "GeoPandasFeatureSource", "JSONFeature", "JSONFeatureSource", "QGISFeature",
    "QGISFeatureSource",
]  # fmt: skip


class Feature:
    """One zone with its fields."""

    def fields(self) -> list[str]:
        """Names of its fields."""
        raise NotImplementedError

    def get(self, name: str) -> Any:
        """The value of a field."""
        raise NotImplementedError

    def set(self, name: str, value: Any) -> None:
        """Give a field a value."""
        raise NotImplementedError

    def geometry(self) -> str | bytes | None:
        """Its shape as GeoJSON text or WKB."""
        raise NotImplementedError

    def set_geometry(self, geometry: str | bytes | None) -> None:
        """Give it a shape in the form that ``set_geometry_format`` names."""
        raise NotImplementedError

    def set_geometry_format(self) -> str:
        """``geojson`` or ``wkb``."""
        raise NotImplementedError

    def copy_to(self, other: Feature) -> None:
        """Copy fields and shape to another feature."""
        import shapely

        for name in self.fields():
            other.set(name, self.get(name))
        geometry = self.geometry()
        told = "geojson" if isinstance(geometry, str) else "wkb"
        if geometry is None or told == other.set_geometry_format():
            other.set_geometry(geometry)
            return
        read = shapely.from_geojson if isinstance(geometry, str) else shapely.from_wkb
        write = shapely.to_geojson if other.set_geometry_format() == "geojson" else shapely.to_wkb
        other.set_geometry(write(read(geometry)))


class JSONFeature(Feature):
    """A GeoJSON-like feature; the field ``id`` is the feature's own."""

    def __init__(self, f: Any = None) -> None:
        told = getattr(f, "__geo_interface__", f)
        self.feature: dict[str, Any] = told or {"type": "Feature", "properties": {}}

    def fields(self) -> list[str]:
        """Names of its fields."""
        own = ["id"] if "id" in self.feature else []
        return own + list(self.feature.get("properties") or ())

    def get(self, name: str) -> Any:
        """The value of a field."""
        return self.feature["id"] if name == "id" else self.feature["properties"][name]

    def set(self, name: str, value: Any) -> None:
        """Give a field a value."""
        if name == "id":
            self.feature["id"] = value
        else:
            self.feature["properties"][name] = value

    def geometry(self) -> str | None:
        """Its shape as GeoJSON text."""
        shape = self.feature.get("geometry")
        return None if shape is None else json.dumps(shape)

    def set_geometry(self, geometry: str | bytes | None) -> None:
        """Give it a shape."""
        if geometry:
            self.feature["geometry"] = json.loads(geometry)
        else:
            self.feature.pop("geometry", None)

    def set_geometry_format(self) -> str:
        """GeoJSON."""
        return "geojson"


class GDALFeature(Feature):
    """A feature of ``osgeo.ogr``."""

    def __init__(self, f: Any) -> None:
        self.feature = f

    def fields(self) -> list[str]:
        """Names of its fields."""
        told = self.feature.GetDefnRef()
        return [told.GetFieldDefn(i).GetName() for i in range(told.GetFieldCount())]

    def get(self, name: str) -> Any:
        """The value of a field."""
        return self.feature.GetField(name)

    def set(self, name: str, value: Any) -> None:
        """Give a field a value."""
        self.feature.SetField(self.feature.GetDefnRef().GetFieldIndex(name), value)

    def geometry(self) -> bytes:
        """Its shape as WKB."""
        return bytes(self.feature.GetGeometryRef().ExportToWkb())


class QGISFeature(Feature):
    """A feature of ``qgis.core``."""

    def __init__(self, feature: Any) -> None:
        self.feature = feature

    def fields(self) -> list[str]:
        """Names of its fields."""
        return [field.name() for field in self.feature.fields()]

    def get(self, name: str) -> Any:
        """The value of a field."""
        return self.feature[name]

    def geometry(self) -> bytes:
        """Its shape as WKB."""
        return bytes(self.feature.geometry().asWkb())


class FeatureSource:
    """Where features come from."""

    def count(self) -> int:
        """How many there are."""
        raise NotImplementedError

    def __iter__(self) -> Iterator[Feature]:
        raise NotImplementedError

    def srs_wkt(self) -> str | None:
        """Their CRS; None where it is not known."""
        raise NotImplementedError


class JSONFeatureSource(FeatureSource):
    """GeoJSON-like features, one or several."""

    def __init__(self, src: Any, *, srs_wkt: str | None = None) -> None:
        self.src = [src] if type(src) is dict else src
        self._srs_wkt = srs_wkt

    def count(self) -> int:
        """How many there are."""
        return len(self.src)

    def __iter__(self) -> Iterator[Feature]:
        return map(JSONFeature, self.src)

    def srs_wkt(self) -> str | None:
        """Their CRS; None where it is not known."""
        return self._srs_wkt


class GeoPandasFeatureSource(FeatureSource):
    """The rows of a GeoDataFrame."""

    def __init__(self, src: Any) -> None:
        self.src = src

    def count(self) -> int:
        """How many there are."""
        return len(self.src)

    def __iter__(self) -> Iterator[Feature]:
        return map(JSONFeature, self.src.iterfeatures())

    def srs_wkt(self) -> str | None:
        """Their CRS; None where it is not known."""
        return None if self.src.crs is None else str(self.src.crs.to_wkt())


class FileFeatureSource(GeoPandasFeatureSource):
    """The features of a file that GDAL reads."""

    def __init__(self, path: str | os.PathLike[str], layer: str | int | None = None) -> None:
        import geopandas

        super().__init__(geopandas.read_file(path, layer=layer, engine="pyogrio"))


class GDALFeatureSource(FeatureSource):
    """The features of a layer of ``osgeo.ogr``, or of a dataset with one layer."""

    def __init__(self, src: Any) -> None:
        if isinstance(src, str | os.PathLike):
            from osgeo import ogr

            src = ogr.Open(os.fspath(src))
        self.ds = src  # a layer is gone when its dataset is
        if hasattr(src, "GetLayerCount"):
            if src.GetLayerCount() > 1:
                raise ValueError(
                    "Can only process a single layer; call directly with ogr.Layer object."
                )
            src = src.GetLayer(0)
        self.src = src

    def count(self) -> int:
        """How many there are."""
        return int(self.src.GetFeatureCount())

    def __iter__(self) -> Iterator[Feature]:
        return map(GDALFeature, self.src)

    def srs_wkt(self) -> str | None:
        """Their CRS; None where it is not known."""
        srs = self.src.GetSpatialRef()
        return str(srs.ExportToWkt()) if srs else None


class QGISFeatureSource(FeatureSource):
    """The features of a vector layer of QGIS."""

    def __init__(self, src: Any) -> None:
        self.src = src

    def count(self) -> int:
        """How many there are."""
        return int(self.src.featureCount())

    def __iter__(self) -> Iterator[Feature]:
        return map(QGISFeature, self.src.getFeatures())

    def srs_wkt(self) -> str | None:
        """Their CRS; None where it is not known."""
        return str(self.src.sourceCrs().toWkt())
