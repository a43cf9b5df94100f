"""Layers from files and from patterns of file names."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from rasterio.transform import Affine

from zonalbatch.errors import PassingReadError, SourceError
from zonalbatch.planning.identity import layer_hash
from zonalbatch.sources import Band, cog_layers, from_header, headers, read_headers
from zonalbatch.sources.fingerprint import SAMPLE, SAMPLES, fingerprint


def raster(path: Path, names: tuple[str, ...] = ("",), dtype: str = "int16", **tags: Any) -> str:
    """A small GeoTIFF with a band for each name; its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        count=len(names),
        height=4,
        width=5,
        dtype=dtype,
        crs="EPSG:32631",
        transform=Affine(10, 0, 500000, 0, -10, 5600000),
        nodata=tags.get("nodata"),
    ) as file:
        file.write(np.zeros((len(names), 4, 5), dtype=dtype))
        for i, name in enumerate(names, 1):
            if name:
                file.set_band_description(i, name)
        file.scales = (tags.get("scale", 1.0),) * len(names)
        file.offsets = (tags.get("offset", 0.0),) * len(names)
    return str(path)


def day(text: str) -> datetime:
    """Midnight UTC of a date."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


class TestFiles:
    """A list of files."""

    def test_each_file_is_a_layer(self, tmp_path: Path) -> None:
        """Its id is the stem, it has no date, and all its bands are taken."""
        raster(tmp_path / "b.tif", ("", ""))
        raster(tmp_path / "a.tif", ("red", "nir"))
        found = cog_layers(files=[str(tmp_path / "*.tif")], bands=None)
        assert [layer.id for layer in found.layers] == ["a", "b"]
        assert [layer.datetime for layer in found.layers] == [None, None]
        assert list(found.layers[0].assets) == ["red", "nir"]
        assert list(found.layers[1].assets) == ["band_1", "band_2"]
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
        assert cog_layers(files=[href], bands={"x": band}).layers[0].assets["x"].band == index

    def test_an_unknown_band_offers_the_nearest(self, tmp_path: Path) -> None:
        """A band in no file at all is a typo."""
        href = raster(tmp_path / "a.tif", ("B04", "B08"))
        with pytest.raises(SourceError, match=r"known are B04, B08; did you mean 'B04'\?"):
            cog_layers(files=[href], bands={"red": Band(asset="B4")})

    def test_a_band_of_some_files_is_missing_from_others(self, tmp_path: Path) -> None:
        """What some layers lack is said, layer by layer."""
        files = [raster(tmp_path / "a.tif", ("red",)), raster(tmp_path / "b.tif", ("nir",))]
        a, b = cog_layers(files=files, bands={"red": Band(asset="red")}).layers
        assert list(a.assets) == ["red"]
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


class TestPattern:
    """A pattern of file names."""

    def test_bands_of_one_date_meet(self, tmp_path: Path) -> None:
        """Files equal in all fields but the band make one layer, whatever their folders."""
        raster(tmp_path / "r10" / "S2_20200102_B04.tif")
        raster(tmp_path / "r20" / "S2_20200102_SCL.tif", dtype="uint8")
        raster(tmp_path / "r10" / "S2_20200101_B04.tif")
        found = cog_layers(
            pattern=str(tmp_path / "*" / "S2_{date:%Y%m%d}_{band}.tif"),
            bands={"red": Band(asset="B04"), "scl": Band(asset="SCL")},
        )
        first, second = found.layers
        assert (first.id, second.id) == ("S2_20200101", "S2_20200102")
        assert second.datetime == day("2020-01-02")
        assert {n: a.dtype for n, a in second.assets.items()} == {"red": "int16", "scl": "uint8"}
        assert first.missing == {"scl": "the layer has no file of 'SCL'"}

    @pytest.mark.parametrize(
        ("pattern", "name", "id"),
        [
            ("{date:%Y%m%d}/{band}.tif", "20200101/B1.tif", "20200101"),
            ("{tile}/x_{date:%Y%m%d}_{band}.tif", "31UDS/x_20200101_B1.tif", "31UDS_x_20200101"),
            ("{year:%Y}/{month:%m}/{band}_{date:%d}.tif", "2020/01/B1_01.tif", "2020_01_01"),
            ("**/{band}-{date:%Y-%m-%d}.tif", "a/b/B1-2020-01-01.tif", "2020-01-01"),
            ("{date:%Y}/S_{date:%Y%m%d}_{band}.tif", "2020/S_20200101_B1.tif", "S_20200101"),
        ],
    )
    def test_ids_are_what_is_left_without_the_band(
        self, tmp_path: Path, pattern: str, name: str, id: str
    ) -> None:
        """The file name without {band}, after fields that only folders hold."""
        raster(tmp_path / name)
        (layer,) = cog_layers(pattern=str(tmp_path / pattern), bands=None).layers
        assert layer.id == id
        assert layer.datetime == day("2020-01-01")
        assert list(layer.assets) == ["B1"]

    def test_other_fields_tell_layers_apart(self, tmp_path: Path) -> None:
        """Two tiles of one date are two layers."""
        for tile in ("31UDS", "31UES"):
            raster(tmp_path / tile / "20200101.tif")
        found = cog_layers(pattern=str(tmp_path / "{tile}" / "{date:%Y%m%d}.tif"), bands=None)
        assert len({layer.id for layer in found.layers}) == 2

    def test_a_band_inside_a_file(self, tmp_path: Path) -> None:
        """A name that is no {band} value is looked up among the files' descriptions."""
        raster(tmp_path / "20200101_all.tif", ("B02", "B04"))
        raster(tmp_path / "20200101_SCL.tif")
        bands = {"red": Band(asset="B04"), "blue": Band(asset="all", index=1)}
        (layer,) = cog_layers(
            pattern=str(tmp_path / "{date:%Y%m%d}_{band}.tif"), bands=bands
        ).layers
        assert (layer.assets["red"].band, layer.assets["blue"].band) == (2, 1)
        assert layer.assets["red"].href == layer.assets["blue"].href

    def test_all_bands_of_many_band_files(self, tmp_path: Path) -> None:
        """Unasked, a many-band file's bands are numbered after its {band} value."""
        raster(tmp_path / "20200101_all.tif", ("B02", "B04"))
        (layer,) = cog_layers(pattern=str(tmp_path / "{date:%Y%m%d}_{band}.tif"), bands=None).layers
        assert list(layer.assets) == ["all_1", "all_2"]

    def test_impossible_dates_are_told(self, tmp_path: Path) -> None:
        """Eight digits that are no date are left out with a note, refused if nothing else is."""
        pattern = str(tmp_path / "{date:%Y%m%d}.tif")
        raster(tmp_path / "20201399.tif")
        with pytest.raises(SourceError, match=r"impossible dates match: 1, first .*20201399"):
            cog_layers(pattern=pattern, bands=None)
        raster(tmp_path / "20201231.tif")
        found = cog_layers(pattern=pattern, bands=None)
        assert [layer.id for layer in found.layers] == ["20201231"]
        (note,) = found.notes
        assert "20201399.tif" in note
        assert "left out" in note

    @pytest.mark.parametrize("wish", [{"index": 3}, {"description": "x"}])
    def test_a_band_beyond_its_files_is_refused(self, tmp_path: Path, wish: dict[str, Any]) -> None:
        """An asset whose files all lack the band is known from their headers."""
        for date in ("20240101", "20240201"):
            raster(tmp_path / f"{date}_red.tif")
        with pytest.raises(SourceError, match=r"band 'r' .* is in no layer; known are 1$"):
            cog_layers(
                pattern=str(tmp_path / "{date:%Y%m%d}_{band}.tif"),
                bands={"r": Band(asset="red", **wish)},
            )

    def test_an_asset_that_cannot_be_read_is_a_failure(self, tmp_path: Path) -> None:
        """Of files that nobody could open it is not said that they lack the band."""
        raster(tmp_path / "20240101_red.tif")
        (tmp_path / "20240101_nir.tif").write_bytes(b"broken")
        bands = {"red": Band(asset="red"), "nir": Band(asset="nir", index=2)}
        found = cog_layers(pattern=str(tmp_path / "{date:%Y%m%d}_{band}.tif"), bands=bands)
        assert list(found.layers[0].missing) == ["nir"]

    def test_two_files_for_one_band_are_refused(self, tmp_path: Path) -> None:
        """A glob that hides a difference is an error that names both files."""
        for folder in ("a", "b"):
            raster(tmp_path / folder / "20200101_B1.tif")
        with pytest.raises(SourceError, match=r"a/20200101_B1\.tif and .*b/20200101_B1\.tif"):
            cog_layers(pattern=str(tmp_path / "*/{date:%Y%m%d}_{band}.tif"), bands=None)

    @pytest.mark.parametrize(
        "pattern", ["{a b}.tif", "{date:%Q}.tif", "{band:x}.tif", "{.tif", "https://x/{band}.tif"]
    )
    def test_an_ill_formed_pattern_is_refused(self, pattern: str) -> None:
        """Fields are words, formats are strptime's, and remote folders cannot be listed."""
        with pytest.raises(SourceError):
            cog_layers(pattern=pattern, bands=None)

    def test_a_broken_file_leaves_its_layer(self, tmp_path: Path) -> None:
        """A layer with other files stays, and says why the band is missing."""
        raster(tmp_path / "20200101_B1.tif")
        (tmp_path / "20200101_B2.tif").write_bytes(b"")
        (layer,) = cog_layers(
            pattern=str(tmp_path / "{date:%Y%m%d}_{band}.tif"),
            bands={"one": Band(asset="B1"), "two": Band(asset="B2")},
        ).layers
        assert list(layer.assets) == ["one"]
        assert "could not be read" in layer.missing["two"]


class TestOpened:
    """Which files of a pattern are opened."""

    @pytest.fixture
    def opened(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """Names of the files whose headers were read, in order."""
        names: list[str] = []
        read = headers.read_header

        def counting(href: str) -> Any:
            names.append(Path(href).name)
            return read(href)

        monkeypatch.setattr(headers, "read_header", counting)
        return names

    @pytest.fixture
    def pattern(self, tmp_path: Path) -> str:
        """Two dates of three files; those of TCI are broken."""
        for day in (1, 2):
            raster(tmp_path / f"2020010{day}_B04.tif", ("red",))
            raster(tmp_path / f"2020010{day}_all.tif", ("blue", "green"))
            (tmp_path / f"2020010{day}_TCI.tif").write_bytes(b"")
        return str(tmp_path / "{date:%Y%m%d}_{band}.tif")

    @pytest.mark.parametrize(
        ("bands", "files"),
        [
            ({"red": Band(asset="B04")}, ["B04"]),
            ({"red": Band(asset="B04", index=1)}, ["B04"]),
            ({"green": Band(asset="all", index=2), "blue": Band(asset="all")}, ["all"]),
            ({"green": Band(asset="all", description="green")}, ["all"]),
            ({"red": Band(asset="B04"), "blue": Band(asset="all")}, ["B04", "all"]),
            ({"green": Band(description="green")}, ["B04", "TCI", "all"]),
            ({"red": Band(asset="B04"), "blue": Band(asset="blue")}, ["B04", "TCI", "all"]),
            (None, ["B04", "TCI", "all"]),
        ],
    )
    def test_each_wanted_file_once(
        self, pattern: str, opened: list[str], bands: dict[str, Band] | None, files: list[str]
    ) -> None:
        """Files of unwanted assets never are; a band by its own name may lie in any file."""
        found = cog_layers(pattern=pattern, bands=bands)
        assert opened == [f"2020010{day}_{name}.tif" for day in (1, 2) for name in files]
        assert [set(layer.assets) for layer in found.layers] == [
            set(bands or ("B04", "all_1", "all_2"))
        ] * 2
        assert not found.failures

    def test_a_layer_is_made_of_what_is_opened(self, pattern: str) -> None:
        """Its items are the files that it may be read from."""
        first, _ = cog_layers(pattern=pattern, bands={"red": Band(asset="B04")}).layers
        assert first.items == (first.assets["red"].href,)

    def test_a_layer_whose_wanted_file_is_broken(self, pattern: str) -> None:
        """It is a failure that names the file, whatever else lies beside it, and no layer."""
        broken = pattern.format(date=datetime(2020, 1, 2), band="B04")
        Path(broken).write_bytes(b"")
        found = cog_layers(pattern=pattern, bands={"red": Band(asset="B04")})
        assert [layer.id for layer in found.layers] == ["20200101"]
        assert [(f.layer, f.href) for f in found.failures] == [("20200102", broken)]

    def test_a_file_that_fails_for_a_while_keeps_its_kind(
        self, pattern: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A layer without a band says of each of its files whether another time may help."""
        read = headers.read_header

        def shaky(href: str) -> Any:
            if href.endswith("20200102_all.tif"):
                raise PassingReadError(f"{href} could not be read just now (timed out)")
            return read(href)

        monkeypatch.setattr(headers, "read_header", shaky)
        found = cog_layers(pattern=pattern, bands={"green": Band(description="green")})
        assert [layer.id for layer in found.layers] == ["20200101"]
        assert {Path(f.href).name: f.permanent for f in found.failures} == {
            "20200102_TCI.tif": True,
            "20200102_all.tif": False,
        }


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
        asset = cog_layers(files=[href], bands=bands, scale_offset=rule).layers[0].assets["x"]
        assert (asset.scale, asset.offset) == applied

    @pytest.mark.parametrize(
        ("tag", "given", "applied"),
        [(-9, None, -9), (-9, "none", "none"), (-9, 5, 5), (None, None, "none"), (None, 5, 5)],
    )
    def test_whose_nodata_counts(self, tmp_path: Path, tag: Any, given: Any, applied: Any) -> None:
        """The band's, else the file's; "none" where there is none."""
        href = raster(tmp_path / "a.tif", nodata=tag)
        bands = {"x": Band(index=1, nodata=given)}
        assert cog_layers(files=[href], bands=bands).layers[0].assets["x"].nodata == applied

    def test_nodata_that_does_not_fit_is_noted(self, tmp_path: Path) -> None:
        """−9999 in uint8 means none, and the report says so once."""
        files = [raster(tmp_path / f"{i}.tif", dtype="uint8") for i in range(3)]
        found = cog_layers(files=files, bands={"x": Band(index=1, nodata=-9999)})
        assert found.layers[0].assets["x"].nodata == "none"
        assert len(found.notes) == 1

    def test_headers_override_the_grid(self, tmp_path: Path) -> None:
        """A layer re-planned by its files has their grid, and lacks what they lack."""
        small, large = raster(tmp_path / "a.tif"), raster(tmp_path / "b.tif", ("x", "y"))
        (layer,) = cog_layers(files=[large], bands=None).layers
        headers = {large: read_headers([small])[small]}
        planned = from_header(layer, headers)
        assert list(planned.assets) == ["x"]
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
    assert first.assets["red"].band == 3
    assert first.assets["red"].scale == pytest.approx(1e-4)
    assert first.assets["scl"].grid.lattice.dx == 20
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
    assert {len(layer.assets) for layer in found.layers} == {12}
    assert found.layers[0].id == "LC08_L1TP_014031_20180106"
