"""Layers from patterns of file names, and which files they open."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.made.cogs import day, raster
from zonalbatch.errors import PassingReadError, SourceError
from zonalbatch.sources import Band, cog_layers, headers


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
        assert {n: a.dtype for n, a in second.scenes[0].assets.items()} == {
            "red": "int16",
            "scl": "uint8",
        }
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
        assert list(layer.scenes[0].assets) == ["B1"]

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
        assert (layer.scenes[0].assets["red"].band, layer.scenes[0].assets["blue"].band) == (2, 1)
        assert layer.scenes[0].assets["red"].href == layer.scenes[0].assets["blue"].href

    def test_all_bands_of_many_band_files(self, tmp_path: Path) -> None:
        """Unasked, a many-band file's bands are numbered after its {band} value."""
        raster(tmp_path / "20200101_all.tif", ("B02", "B04"))
        (layer,) = cog_layers(pattern=str(tmp_path / "{date:%Y%m%d}_{band}.tif"), bands=None).layers
        assert list(layer.scenes[0].assets) == ["all_1", "all_2"]

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

    def test_a_pattern_without_a_band(self, tmp_path: Path) -> None:
        """A band by name is in no layer if the pattern has no such field, as by a slip."""
        raster(tmp_path / "20240101_red.tif")
        with pytest.raises(SourceError, match=r"has no \{band\}, only \{date\}, \{bandd\}; write"):
            cog_layers(
                pattern=str(tmp_path / "{date:%Y%m%d}_{bandd}.tif"), bands={"r": Band(asset="red")}
            )

    @pytest.mark.parametrize("name", ["{date:%Y%m%d_{band}.tif", "{band.tif", "band}.tif", "{"])
    def test_half_a_field(self, tmp_path: Path, name: str) -> None:
        """A brace without its other half is told with what fields look like."""
        with pytest.raises(SourceError, match=r"write fields as \{band\} or \{date:%Y%m%d\}"):
            cog_layers(pattern=str(tmp_path / name), bands={"r": Band(asset="red")})

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
        assert list(layer.scenes[0].assets) == ["one"]
        assert "could not be read" in layer.missing["two"]


class TestOpened:
    """Which files of a pattern are opened."""

    @pytest.fixture
    def opened(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """Names of the files whose headers were read, in order."""
        names: list[str] = []
        read = headers.read_header

        def counting(href: str, *rest: Any) -> Any:
            names.append(Path(href).name)
            return read(href, *rest)

        monkeypatch.setattr(headers, "read_header", counting)
        return names

    @pytest.fixture
    def pattern(self, tmp_path: Path) -> str:
        """Two dates of three files; those of TCI are broken."""
        for date in (1, 2):
            raster(tmp_path / f"2020010{date}_B04.tif", ("red",))
            raster(tmp_path / f"2020010{date}_all.tif", ("blue", "green"))
            (tmp_path / f"2020010{date}_TCI.tif").write_bytes(b"")
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
        assert [set(layer.scenes[0].assets) for layer in found.layers] == [
            set(bands or ("B04", "all_1", "all_2"))
        ] * 2
        assert not found.failures

    def test_a_layer_is_made_of_what_is_opened(self, pattern: str) -> None:
        """Its items are the files that it may be read from."""
        first, _ = cog_layers(pattern=pattern, bands={"red": Band(asset="B04")}).layers
        assert first.items == (first.scenes[0].assets["red"].href,)

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

        def shaky(href: str, *rest: Any) -> Any:
            if href.endswith("20200102_all.tif"):
                raise PassingReadError(f"{href} could not be read just now (timed out)")
            return read(href, *rest)

        monkeypatch.setattr(headers, "read_header", shaky)
        found = cog_layers(pattern=pattern, bands={"green": Band(description="green")})
        assert [layer.id for layer in found.layers] == ["20200101"]
        assert {Path(f.href).name: f.permanent for f in found.failures} == {
            "20200102_TCI.tif": True,
            "20200102_all.tif": False,
        }
