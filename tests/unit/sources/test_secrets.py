"""Secrets: links as they are known, whatever they are signed with."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace

import pytest
from rasterio.errors import RasterioError

from tests.made.layers import layer
from zonalbatch.errors import ReadError
from zonalbatch.planning.identity import layer_hash
from zonalbatch.receipts import key_of
from zonalbatch.sources.causes import computing, reading
from zonalbatch.sources.secrets import shown, unsigned, writable

BARE = "https://blobs.example.com/c/B04.tif"


@pytest.mark.parametrize(
    "query",
    [
        "st=2024-06-01T10%3A00Z&se=2024-06-02T10%3A00Z&sp=rl&sv=2024-05-04&sr=c&sig=abc%3D",
        "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Expires=900&X-Amz-Signature=0af",
        "X-Goog-Credential=me&X-Goog-Signature=0af",
        "Expires=1717236000&Policy=x&Signature=y&Key-Pair-Id=K",
        "AWSAccessKeyId=A&Signature=y&Expires=1717236000",
    ],
)
def test_a_link_without_its_signature(query: str) -> None:
    """Azure, AWS, Google and CloudFront; what is no part of a signature stays."""
    assert unsigned(f"{BARE}?{query}") == BARE
    assert unsigned(f"{BARE}?version=3&{query}") == f"{BARE}?version=3"


@pytest.mark.parametrize("href", [BARE, f"{BARE}?st=4&sp=7", "/data/a?b.tif", f"{BARE}?expires=no"])
def test_what_is_not_signed_stays(href: str) -> None:
    """A key that signatures have too means nothing without one."""
    assert unsigned(href) == href


def test_a_link_that_is_signed_anew_is_the_same_layer() -> None:
    """So that items which come signed can be given again tomorrow."""

    def known(query: str) -> bytes:
        return layer_hash(layer("a").each_asset(lambda a: replace(a, href=f"{BARE}?{query}")))

    assert known("se=1&sig=abc") == known("se=2&sig=xyz")
    assert known("se=1&sig=abc") != known("se=1&sig=abc&version=2")


def test_no_signature_in_the_notes_of_a_part() -> None:
    """What is noted of a band is found again under another signature, and tells none."""
    assert key_of(f"{BARE}?sv=2024-05-04&sig=abc%3D", 2) == key_of(BARE, 2) == f"2:{BARE}"


@pytest.mark.parametrize("around", [reading, computing])
@pytest.mark.parametrize("error", [OSError, RasterioError])
def test_no_signature_in_a_traceback(
    around: Callable[[str], AbstractContextManager[None]], error: type[Exception]
) -> None:
    """What GDAL said of a signed link is no cause of the error that stands for it."""
    with pytest.raises(ReadError) as caught, around(BARE):
        raise error(f"'{BARE}?sig=s3cr3t' not recognized")
    assert "s3cr3t" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    "link",
    ["http://u:s3cr3t@h/a.tif", "http://u:p@s3cr3t@h/a.tif", "http:/u:s3cr3t@h/a.tif",
     "/vsicurl/http://u:s3cr3t@h/a.tif", "http://h/a.tif?token=s3cr3t",
     "view:overview=2:http://u:s3cr3t@h/a.tif?api_key=s3cr3t&v=1",
     "http://h/cog?url=https%3A%2F%2Fu%3As3cr3t%40h%2Fa.tif", "http://h/a.tif?s3cr3ts3cr3ts3cr3t",
     "http://h/a.tif?Subscription-Key=s3cr3t", "http://h/a.tif?sv=1&sig=s3cr3t"],
)  # fmt: skip
def test_no_secret_of_a_link_is_written(link: str) -> None:
    """Neither where it is shown nor where it names a file, and to mask twice is to mask once."""
    assert "s3cr3t" not in shown(f"{link} cannot be read")
    assert "s3cr3t" not in writable(link)
    assert writable(writable(link)) == writable(link)


@pytest.mark.parametrize(
    "link",
    [BARE, f"{BARE}?version=3&versionId=3sL4kqtJlcpXroDTDmJrmSpXd3dIbrHY", "/data/a?b.tif",
     "/data/x@y/a.tif", "view:part=abs:/data/x@y.tif", "s3://bucket/a@2.tif", f"{BARE}?download"],
)  # fmt: skip
def test_a_link_without_secrets_is_written_as_it_is(link: str) -> None:
    """So that what was written before is found again."""
    assert writable(link) == link


def test_links_that_differ_in_a_secret_stay_two() -> None:
    """Their keys in receipts do not collide, and have their plain parts."""
    one, other = (key_of(f"{BARE}?token={secret}&v=2", 1) for secret in ("s3cr3t", "t0ken"))
    assert one != other
    assert one.endswith("&v=2")
