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
from zonalbatch.sources.secrets import unsigned

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
