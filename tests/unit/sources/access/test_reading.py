"""Reading what is not open to all, from a store on loopback."""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.made.rasters import BLOCKS, noise, write_tif
from tests.made.store import Store, serving
from tests.made.tokens import ACCOUNT, SECRET, Issuer, blobs
from zonalbatch.errors import PassingReadError, RefusedReadError
from zonalbatch.sources import RasterPixels, cog_layers
from zonalbatch.sources.access import access_from
from zonalbatch.sources.raster_header import gdal_header as read_header

HREF = f"{ACCOUNT}/box/a.tif"
PLANETARY = access_from("planetary-computer")
FIRST, MIDDLE = (0, 0, 32, 32), (256, 256, 288, 288)
"""Blocks that no request for the other, or for the head and the end of the file, brings along."""


@pytest.fixture
def values(tmp_path: Path) -> NDArray[np.uint16]:
    """What is in the file of the store."""
    found = noise(512, 512)
    write_tif(tmp_path / "box" / "a.tif", found, **BLOCKS)
    return found


@pytest.fixture
def issuer() -> Issuer:
    """The service of tokens."""
    return Issuer()


@pytest.fixture
def store(
    tmp_path: Path, values: NDArray[np.uint16], issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Store]:
    """A store that wants signatures."""
    with blobs(tmp_path, issuer, monkeypatch) as found:
        yield found


@pytest.fixture
def plain(tmp_path: Path, values: NDArray[np.uint16]) -> Iterator[Store]:
    """A store that lets in everybody, until a test has it do otherwise."""
    with serving(Store(tmp_path)) as found:
        yield found


def same(pixels: RasterPixels, values: NDArray[Any], window: tuple[int, int, int, int]) -> bool:
    """True if a window is read right."""
    top, left, bottom, right = window
    return np.array_equal(pixels.read([1], window)[0], values[top:bottom, left:right])


class TestSigned:
    """Files behind signatures."""

    def test_a_link_is_signed_when_it_is_opened(
        self, store: Store, issuer: Issuer, values: NDArray[Any]
    ) -> None:
        """One token serves header and pixels of many files, and stands in no layer."""
        found = cog_layers(files=[f"{HREF}?sig={SECRET}"], access=PLANETARY)
        pixels = RasterPixels(found.layers[0].assets[0].href, PLANETARY)
        assert pixels.href == HREF
        assert same(pixels, values, FIRST)
        assert same(RasterPixels(HREF, PLANETARY), values, MIDDLE)
        assert issuer.asked == ["account/box"]
        assert set(store.statuses("/box")) <= {200, 206}

    def test_an_open_file_outlives_its_token(
        self, store: Store, issuer: Issuer, values: NDArray[Any]
    ) -> None:
        """It is opened again by the next one before the server refuses anything."""
        issuer.life = 1.5
        pixels = RasterPixels(HREF, PLANETARY)
        assert same(pixels, values, FIRST)
        time.sleep(1.6)
        assert same(pixels, values, MIDDLE)
        assert len(issuer.asked) == 2
        assert set(store.statuses("/box")) <= {200, 206}

    def test_a_token_that_is_refused_before_its_end_is_renewed(
        self, store: Store, issuer: Issuer, values: NDArray[Any]
    ) -> None:
        """GDAL only says that bytes are missing; the file is opened again to learn why."""
        issuer.says = 3600
        pixels = RasterPixels(HREF, PLANETARY)
        assert same(pixels, values, FIRST)
        time.sleep(1.1)
        issuer.ends.clear()
        assert same(pixels, values, MIDDLE)
        assert len(issuer.asked) == 2

    def test_a_file_that_no_token_opens_is_refused_for_good(
        self, store: Store, issuer: Issuer
    ) -> None:
        """A token that is new is not to blame, so the service is not asked in vain."""
        issuer.forbidden.add("/box/a.tif")
        with pytest.raises(RefusedReadError, match=r"a\.tif could not be read .*403.*sign"):
            read_header(HREF, PLANETARY)
        time.sleep(1.1)
        for _ in range(3):
            with pytest.raises(RefusedReadError):
                read_header(HREF, PLANETARY)
        assert len(issuer.asked) == 2

    def test_a_service_that_fails_is_named(self, store: Store, issuer: Issuer) -> None:
        """No file is to blame: it may pass, and nothing of the answer is told."""
        issuer.failure = 500
        with pytest.raises(PassingReadError, match=r"token service .* answered 500") as caught:
            read_header(HREF, PLANETARY)
        assert SECRET not in str(caught.value)

    def test_nothing_tells_the_signature(
        self, store: Store, issuer: Issuer, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Not the log of this or of rasterio in all detail, nor the trace of an error."""
        caplog.set_level(logging.DEBUG)
        pixels = RasterPixels(HREF, PLANETARY)
        assert pixels.header.dtypes == ("uint16",)
        assert SECRET not in repr(pixels)
        with pytest.raises(Exception, match="could not be read") as caught:
            read_header(f"{ACCOUNT}/box/gone.tif", PLANETARY)
        assert SECRET not in "".join(traceback.format_exception(caught.value))
        assert "rasterio" in caplog.text
        assert SECRET not in caplog.text


class TestMemory:
    """GDAL remembers a failure for good; we ask again."""

    @pytest.mark.parametrize("status", [403, 404, 429, 503])
    def test_a_file_that_could_not_be_opened_can_be_later(
        self, plain: Store, values: NDArray[Any], status: int
    ) -> None:
        """The server is asked again, by header and by pixels."""
        href = f"{plain.url}/box/a.tif"
        for read in (read_header, lambda one: RasterPixels(one).header):
            plain.refusal = lambda asked: status
            with pytest.raises((PassingReadError, RefusedReadError, Exception)) as caught:
                read(href)
            assert str(status) in str(caught.value)
            plain.refusal = lambda asked: None
            assert read(href).dtypes == ("uint16",)

    def test_pixels_that_a_server_fails_to_give_may_come_later(
        self, plain: Store, values: NDArray[Any]
    ) -> None:
        """A 503 in the middle of a file is no corrupt block."""
        pixels = RasterPixels(f"{plain.url}/box/a.tif")
        assert same(pixels, values, FIRST)
        plain.refusal = lambda asked: 503
        with pytest.raises(PassingReadError, match="503"):
            pixels.read([1], MIDDLE)
        plain.refusal = lambda asked: None
        assert same(pixels, values, MIDDLE)

    def test_a_server_that_stumbles_once_is_not_noticed(
        self, plain: Store, values: NDArray[Any]
    ) -> None:
        """The file is opened again, and all is well."""
        pixels = RasterPixels(f"{plain.url}/box/a.tif")
        assert same(pixels, values, FIRST)
        told = [503]
        plain.refusal = lambda asked: told.pop() if told else None
        assert same(pixels, values, MIDDLE)


class TestOthers:
    """Access that GDAL itself is told of."""

    def test_headers_of_the_environment(
        self,
        plain: Store,
        values: NDArray[Any],
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """A token that is changed there is taken up when the old one is refused."""
        caplog.set_level(logging.DEBUG)
        good = "1"
        access = access_from(
            {"kind": "headers", "headers": {"Authorization": "Bearer ${OUR_TOKEN}", "X-A": "${A}"}}
        )
        monkeypatch.setenv("OUR_TOKEN", f"{SECRET}1")
        monkeypatch.setenv("A", "a")
        plain.refusal = lambda asked: (
            None if asked.headers.get("authorization") == f"Bearer {SECRET}{good}" else 401
        )
        pixels = RasterPixels(f"{plain.url}/box/a.tif", access)
        assert same(pixels, values, FIRST)
        assert plain.log[-1][0].headers["x-a"] == "a"
        good = "2"
        with pytest.raises(RefusedReadError, match="401") as caught:
            pixels.read([1], MIDDLE)
        assert SECRET not in "".join(traceback.format_exception(caught.value))
        monkeypatch.setenv("OUR_TOKEN", f"{SECRET}2")
        assert same(pixels, values, MIDDLE)
        assert SECRET not in caplog.text

    @pytest.fixture
    def s3(self, plain: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
        """The store as S3, and the keys of a profile."""
        keys = tmp_path / "credentials"
        keys.write_text(f"[mine]\naws_access_key_id=MYKEY\naws_secret_access_key={SECRET}\n")
        settings = {
            "AWS_S3_ENDPOINT": plain.address, "AWS_HTTPS": "NO", "AWS_VIRTUAL_HOSTING": "FALSE",
            "CPL_AWS_CREDENTIALS_FILE": str(keys), "CPL_AWS_AUTODETECT_EC2": "NO",
            "AWS_CONFIG_FILE": str(tmp_path / "none"),
        }  # fmt: skip
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        return plain

    def test_the_requester_pays_by_a_profile(self, s3: Store, values: NDArray[Any]) -> None:
        """Requests are signed by its key, for its region, and say who pays; reads, too."""
        access = access_from(
            {"kind": "aws", "requester_pays": True, "profile": "mine", "region": "eu-west-1"}
        )
        assert same(RasterPixels("s3://box/a.tif", access), values, MIDDLE)
        for asked, _ in s3.log:
            assert asked.headers["x-amz-request-payer"] == "requester"
            assert "Credential=MYKEY/" in asked.headers["authorization"]
            assert "/eu-west-1/s3/" in asked.headers["authorization"]

    def test_nobody_asks(self, s3: Store, values: NDArray[Any]) -> None:
        """Anonymous requests are not signed, though there are keys."""
        anonymous = access_from({"kind": "aws", "anonymous": True})
        assert same(RasterPixels("s3://box/a.tif", anonymous), values, MIDDLE)
        assert not any("authorization" in asked.headers for asked, _ in s3.log)

    def test_a_bucket_that_lets_nobody_in(self, s3: Store) -> None:
        """What S3 refuses is no corrupt file."""
        s3.refusal = lambda asked: 403
        with pytest.raises(RefusedReadError, match="sign"):
            read_header("s3://box/b.tif", access_from({"kind": "aws", "anonymous": True}))
