"""Files and links that are made to do harm."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import rasterio.shutil

from tests.made.rasters import write_tif
from zonalbatch.errors import InputError, PermanentReadError, SourceError
from zonalbatch.sources import RasterPixels, documents, open_pixels, vetting
from zonalbatch.sources.access import OPEN, access_again, access_from, access_given
from zonalbatch.sources.links import ORIGIN, refuse_asset, refuse_name
from zonalbatch.sources.secrets import shown

TRUSTING = access_given(None, trusted=True)
VALUES = np.ones((40, 30), "uint8")


class TestTrust:
    """What opens other files is opened where the user says so."""

    def test_a_vrt(self, tmp_path: Path) -> None:
        """It is refused with what to do, and read with trust."""
        path = tmp_path / "a.vrt"
        rasterio.shutil.copy(write_tif(tmp_path / "a.tif", VALUES), path, driver="VRT")
        with pytest.raises(PermanentReadError, match=r"a VRT or HDF5 may name.*trusted: true"):
            _ = RasterPixels(str(path)).header
        assert RasterPixels(str(path), TRUSTING).read([1], (0, 0, 40, 30)).all()

    def test_overviews_elsewhere(self, tmp_path: Path) -> None:
        """The tags of a TIFF can name any file for its overviews."""
        href = write_tif(tmp_path / "a.tif", VALUES)
        with rasterio.open(href, "r+") as file:
            file.update_tags(ns="OVERVIEWS", OVERVIEW_FILE=str(tmp_path / "b.tif"))
        with pytest.raises(PermanentReadError, match="names another file for its overviews"):
            _ = RasterPixels(href).header
        assert RasterPixels(href, TRUSTING).header

    @pytest.mark.parametrize("end", [".ovr", ".msk"])
    def test_what_lies_beside(self, tmp_path: Path, end: str) -> None:
        """Overviews and masks beside a file are rasters, not descriptions of others."""
        href = write_tif(tmp_path / "a.tif", VALUES)
        Path(f"{href}{end}").write_text("<VRTDataset></VRTDataset>")
        with pytest.raises(PermanentReadError, match="no plain file of overviews or of a mask"):
            _ = RasterPixels(href).header

    @pytest.mark.parametrize("sign", [None, "aws", {"kind": "aws", "requester_pays": True}])
    def test_it_travels_beside_the_plan(self, sign: Any) -> None:
        """An access comes back from its document, with trust or without; sign cannot give it."""
        for trusted in (True, False):
            access = access_given(sign, trusted)
            assert access_again(access.document) == access
            assert access.grant("a.tif").trusted == trusted
        assert access_again({}) == OPEN
        with pytest.raises(InputError, match="trusted"):
            access_from({"kind": "aws", "trusted": True})
        with pytest.raises(InputError, match="trusted is 'yes'; write true or false"):
            access_given(None, "yes")


class TestBombs:
    """Headers that promise more than can be held."""

    def test_a_block_that_cannot_be_held(self, tmp_path: Path) -> None:
        """A small file of one huge block is refused when it is opened."""
        path = tmp_path / "a.tif"
        with rasterio.open(
            path,
            "w",
            driver="GTiff",
            count=1,
            dtype="uint8",
            width=2**15,
            height=2**18,
            sparse_ok=True,
            crs="EPSG:32631",
            transform=(10, 0, 0, 0, -10, 0),
            tiled=True,
            blockxsize=2**15,
            blockysize=2**15,
        ):
            pass
        with pytest.raises(PermanentReadError, match="512 MiB are decoded at once; write it in"):
            open_pixels(str(path)).read([1], (0, 0, 1, 1))

    def test_all_bands_of_a_block_count(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Where bands lie together they are decoded together."""
        monkeypatch.setattr(vetting, "MAX_BLOCK", 40 * 30)
        both = np.stack([VALUES] * 2)
        apart = write_tif(tmp_path / "a.tif", both, interleave="band", blockysize=40)
        assert RasterPixels(apart).header
        together = write_tif(tmp_path / "b.tif", both, interleave="pixel", blockysize=40)
        with pytest.raises(PermanentReadError, match="one of its blocks has 40 × 30 cells"):
            _ = RasterPixels(together).header


class TestLinks:
    """Who wrote a name decides what it may name."""

    @pytest.mark.parametrize("href", ["/etc/a.tif", "file:///etc/a.tif", "FILE:///a.tif"])
    def test_items_of_the_web_name_the_web(self, href: str) -> None:
        """An item that was fetched must not name a file of this machine."""
        web, local = {"id": "i", ORIGIN: "https://host/i.json"}, {"id": "i", ORIGIN: "/data/i.json"}
        for good in ("https://other/a.tif", "s3://b/a.tif", "gs://b/a.tif"):
            refuse_asset(good, web)
            refuse_asset(good, local)
        with pytest.raises(SourceError, match=r"item 'i'.*trusted: true"):
            refuse_asset(href, web)
        refuse_asset("/etc/a.tif", local)

    @pytest.mark.parametrize("own", ["/data/i.json", "file:///data/i.json", "i.json"])
    def test_a_collection_of_the_web_is_of_the_web(
        self, own: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Whatever its items say where they come from: none is one of this machine by that."""
        item = {"type": "Feature", "id": "i", "properties": {}, "assets": {}, "links": [
            {"rel": "self", "href": own}]}  # fmt: skip
        collection = {"type": "FeatureCollection", "features": [item]}
        monkeypatch.setattr(documents, "_read_json", lambda href: collection)
        monkeypatch.setattr(documents, "read_item_table", lambda href: [item])
        for href in ("https://host/i.json", "https://host/i.parquet"):
            (found,) = documents.read_items(href)
            assert found[ORIGIN] == href

    @pytest.mark.parametrize(
        "href",
        [
            "/vsicurl/https://h/a.tif",
            'NETCDF:"/a.nc":x',
            "GTIFF_RAW:/etc/passwd",
            "vrt:///a.tif",
            "view:part=abs:https://h/a.tif",
            "<VRTDataset/>",
            "https://h/a\n.tif",
            "zip:///a.zip!b.tif",
            "DERIVED_SUBDATASET:LOGAMPLITUDE:/a.tif",
            "a\0.tif",
            "data:,x",
        ],
    )
    def test_names_of_gdal_are_no_links(self, href: str) -> None:
        """Wherever an item comes from."""
        for origin in (None, "/data/i.json", "https://host/i.json"):
            with pytest.raises(SourceError, match="no path and no link"):
                refuse_asset(href, {"id": "i", ORIGIN: origin})

    @pytest.mark.parametrize(
        "href",
        [
            "/vsistdin/",
            "/vsisparse/a.xml",
            "/vsizip//vsisubfile/0_9,/a",
            "/vsicurl?url=x",
            'NETCDF:"/vsimem/a":x',
            "a\n.tif",
        ],
    )
    def test_paths_that_are_made_of_files(self, href: str) -> None:
        """A job may name GDAL's stores and archives, no more."""
        refuse_name("/vsizip/data/a.zip/b.tif")
        refuse_name("/vsizip//vsicurl/https://host/a.zip/b.tif")
        with pytest.raises(PermanentReadError):
            refuse_name(href)


class TestSecrets:
    """No message tells one."""

    @pytest.mark.parametrize(
        "text",
        [
            "https://me:S3CRET@host/a.tif",
            "https://h/a.tif?sig=S3CRET",
            "Authorization: Bearer S3CRET-1",
            "{'Authorization': 'S3CRET'}",
            "password=S3CRET",
            "AWS_SECRET_ACCESS_KEY=S3CRET",
            "token: S3CRET",
            "/vsicurl/https://me:S3CRET@h/a",
            "a.tif?X-Amz-Signature=S3CRET&b=S3CRET",
            "postgresql://me:S3CRET@host/db",
            "api_key='S3CRET'",
        ],
    )
    def test_what_is_shown(self, text: str) -> None:
        """Passwords, signatures, tokens and what is named so."""
        assert "S3CRET" not in shown(text)
        assert "S3CRET" not in shown(f"it could not be read ({text}); 'more'")

    @pytest.mark.parametrize("text", ["Bearer ${TOKEN}", "password: ${PASSWORD}", "token: none"])
    def test_names_of_variables_stay(self, text: str) -> None:
        """They are no secrets, and must be told."""
        assert shown(text) == text

    def test_long_texts(self) -> None:
        """A text of one letter takes no longer for each letter that it has."""
        for text in ("a" * 10**6, "token" * 10**5, "?" * 10**5, "a://" * 10**4):
            assert len(shown(text)) <= len(text)
