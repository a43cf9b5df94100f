"""Layers from files: names, bands, values, and real ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.made.cogs import day, raster
from zonalbatch.errors import SourceError
from zonalbatch.sources import Band, cog_layers, from_header, read_headers


class TestFiles:
    """A list of files."""

    def test_each_file_is_a_layer(self, tmp_path: Path) -> None:
        """Its id is the stem, it has no date, and all its bands are taken."""
        raster(tmp_path / "b.tif", ("", ""))
        raster(tmp_path / "a.tif", ("red", "nir"))
        found = cog_layers(files=[str(tmp_path / "*.tif")], bands=None)
        assert [layer.id for layer in found.layers] == ["a", "b"]
        assert [layer.datetime for layer in found.layers] == [None, None]
        assert list(found.layers[0].scenes[0].assets) == ["red", "nir"]
        assert list(found.layers[1].scenes[0].assets) == ["band_1", "band_2"]
        assert set(found.layers[0].missing) == {"band_1", "band_2"}

    def test_equal_stems_take_their_folders(self, tmp_path: Path) -> None:
        """As many parent folders as make the ids unique, and no more."""
        files = [raster(tmp_path / name) for name in ("x/u/a.tif", "y/u/a.tif", "x/b.tif")]
        found = cog_layers(files=files, bands=None)
        assert {layer.id for layer in found.layers} == {"x/u/a", "y/u/a", "b"}

    def test_one_file_listed_twice_is_one_layer(self, tmp_path: Path) -> None:
        """A path and a glob that finds it again are the same file."""
        href = raster(tmp_path / "a.tif")
        assert len(cog_layers(files=[href, str(tmp_path / "*.tif")], bands=None).layers) == 1

    @pytest.mark.parametrize(
        ("name", "pattern", "when"),
        [
            ("S2_20200229_x.tif", "%Y%m%d", "2020-02-29"),
            ("LC08_013032_20180131_20180207.tif", "%Y%m%d", "2018-01-31"),
            ("MOD13_A2019033.tif", "%Y%j", "2019-02-02"),
            ("a_2020-03-04T05.tif", "%Y-%m-%d", "2020-03-04"),
        ],
    )
    def test_a_date_is_found_in_the_name(
        self, tmp_path: Path, name: str, pattern: str, when: str
    ) -> None:
        """The first run of digits that is a date counts."""
        found = cog_layers(files=[raster(tmp_path / name)], bands=None, datetime_pattern=pattern)
        assert found.layers[0].datetime == day(when)

    def test_a_name_without_its_date_is_refused(self, tmp_path: Path) -> None:
        """An undated file among dated ones is a mistake, not a null."""
        with pytest.raises(SourceError, match=r"a\.tif has no date like '%Y%m%d'"):
            cog_layers(files=[raster(tmp_path / "a.tif")], bands=None, datetime_pattern="%Y%m%d")

    @pytest.mark.parametrize(
        ("band", "index"),
        [
            (Band(index=2), 2),
            (Band(description="nir"), 2),
            (Band(asset="nir"), 2),
            (Band(asset="2"), 2),
            (Band(), 1),
        ],
    )
    def test_a_band_has_many_names(self, tmp_path: Path, band: Band, index: int) -> None:
        """Index, description, and a bare name that is either."""
        href = raster(tmp_path / "a.tif", ("red", "nir"))
        assert (
            cog_layers(files=[href], bands={"x": band}).layers[0].scenes[0].assets["x"].band
            == index
        )

    def test_an_unknown_band_offers_the_nearest(self, tmp_path: Path) -> None:
        """A band in no file at all is a typo."""
        href = raster(tmp_path / "a.tif", ("B04", "B08"))
        with pytest.raises(SourceError, match=r"known are B04, B08; did you mean 'B04'\?"):
            cog_layers(files=[href], bands={"red": Band(asset="B4")})

    def test_a_band_of_some_files_is_missing_from_others(self, tmp_path: Path) -> None:
        """What some layers lack is said, layer by layer."""
        files = [raster(tmp_path / "a.tif", ("red",)), raster(tmp_path / "b.tif", ("nir",))]
        a, b = cog_layers(files=files, bands={"red": Band(asset="red")}).layers
        assert list(a.scenes[0].assets) == ["red"]
        assert not b.assets
        assert "has no band 'red'" in b.missing["red"]

    def test_a_path_that_is_not_there_is_refused(self, tmp_path: Path) -> None:
        """A listed file must exist; a glob must match; a list must list."""
        with pytest.raises(SourceError, match=r"none\.tif does not exist"):
            cog_layers(files=[str(tmp_path / "none.tif")], bands=None)
        with pytest.raises(SourceError, match="matches no file"):
            cog_layers(files=[str(tmp_path / "*.tif")], bands=None)
        with pytest.raises(SourceError, match="empty"):
            cog_layers(files=[], bands=None)

    def test_a_broken_file_is_a_failure_among_others(self, tmp_path: Path) -> None:
        """One unreadable header is recorded; if all are, there is no source."""
        broken = tmp_path / "broken.tif"
        broken.write_bytes(b"II*\0nothing")
        found = cog_layers(files=[raster(tmp_path / "a.tif"), str(broken)], bands=None)
        assert [layer.id for layer in found.layers] == ["a"]
        assert [(f.layer, f.permanent) for f in found.failures] == [("broken", True)]
        assert found.failures[0].href == str(broken)
        with pytest.raises(SourceError, match=r"broken\.tif could not be read"):
            cog_layers(files=[str(broken)], bands=None)


class TestValues:
    """Nodata, scale and offset."""

    @pytest.mark.parametrize(
        ("rule", "own", "applied"),
        [
            ("auto", None, (0.5, 2.0)),
            ("file", None, (0.5, 2.0)),
            ("item", None, (1.0, 0.0)),
            ("none", None, (1.0, 0.0)),
            ((3.0, 4.0), None, (3.0, 4.0)),
            ("auto", "none", (1.0, 0.0)),
            ("none", "file", (0.5, 2.0)),
        ],
    )
    def test_whose_scale_counts(
        self, tmp_path: Path, rule: Any, own: Any, applied: tuple[float, float]
    ) -> None:
        """The band's rule, else the job's; a file has no item."""
        href = raster(tmp_path / "a.tif", scale=0.5, offset=2.0)
        bands = {"x": Band(index=1, scale_offset=own)}
        asset = (
            cog_layers(files=[href], bands=bands, scale_offset=rule).layers[0].scenes[0].assets["x"]
        )
        assert (asset.scale, asset.offset) == applied

    @pytest.mark.parametrize(
        ("tag", "given", "applied"),
        [(-9, None, -9), (-9, "none", "none"), (-9, 5, 5), (None, None, "none"), (None, 5, 5)],
    )
    def test_whose_nodata_counts(self, tmp_path: Path, tag: Any, given: Any, applied: Any) -> None:
        """The band's, else the file's; "none" where there is none."""
        href = raster(tmp_path / "a.tif", nodata=tag)
        bands = {"x": Band(index=1, nodata=given)}
        assert (
            cog_layers(files=[href], bands=bands).layers[0].scenes[0].assets["x"].nodata == applied
        )

    def test_nodata_that_does_not_fit_is_noted(self, tmp_path: Path) -> None:
        """−9999 in uint8 means none, and the report says so once."""
        files = [raster(tmp_path / f"{i}.tif", dtype="uint8") for i in range(3)]
        found = cog_layers(files=files, bands={"x": Band(index=1, nodata=-9999)})
        assert found.layers[0].scenes[0].assets["x"].nodata == "none"
        assert len(found.notes) == 1

    def test_headers_override_the_grid(self, tmp_path: Path) -> None:
        """A layer re-planned by its files has their grid, and lacks what they lack."""
        small, large = raster(tmp_path / "a.tif"), raster(tmp_path / "b.tif", ("x", "y"))
        (layer,) = cog_layers(files=[large], bands=None).layers
        headers = {large: read_headers([small])[small]}
        planned = from_header(layer, headers)
        assert list(planned.scenes[0].assets) == ["x"]
        assert "1 bands" in planned.missing["y"]


def test_flanders(data_dir: Path) -> None:
    """118 dates of four 10 m bands in one file and a 20 m mask in another."""
    found = cog_layers(
        pattern=str(
            data_dir / "timeseries/worldcereal_flanders/*/*/S2_L2A_{date:%Y%m%d}_{band}.tif"
        ),
        bands={
            "red": Band(asset="B04"),
            "nir": Band(asset="B02B03B04B08", index=4),
            "scl": Band(asset="SCL"),
        },
    )
    assert len(found.layers) == 118
    assert not found.failures
    first = found.layers[0]
    assert first.id == "S2_L2A_20170804"
    assert first.scenes[0].assets["red"].band == 3
    assert first.scenes[0].assets["red"].scale == pytest.approx(1e-4)
    assert first.scenes[0].assets["scl"].grid.lattice.dx == 20
    assert not any(layer.missing for layer in found.layers)


def test_new_york(data_dir: Path) -> None:
    """19 Landsat scenes of 12 bands, in a folder each."""
    found = cog_layers(
        pattern=str(
            data_dir
            / "timeseries/gdalcubes_L8NY18/**/LC08_L1TP_{path_row}_{date:%Y%m%d}_{band}.TIF"
        ),
        bands=None,
    )
    assert len(found.layers) == 19
    assert {len(layer.scenes[0].assets) for layer in found.layers} == {12}
    assert found.layers[0].id == "LC08_L1TP_014031_20180106"
