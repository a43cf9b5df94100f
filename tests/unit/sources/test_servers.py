"""Servers that limit requests: when they want to be asked again, and that they are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.made.rasters import BLOCKS, noise, write_tif
from tests.made.store import Store, serving
from zonalbatch.errors import PassingReadError, PermanentReadError
from zonalbatch.sources import RasterPixels
from zonalbatch.sources.servers import server_of

FIRST, MIDDLE = (0, 0, 32, 32), (256, 256, 288, 288)
"""Blocks that no request for the other, or for the head and the end of the file, brings along."""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A store with one file, which lets in everybody until a test has it do otherwise."""
    write_tif(tmp_path / "a.tif", noise(512, 512), **BLOCKS)
    with serving(Store(tmp_path)) as found:
        yield found


@pytest.mark.parametrize(
    ("href", "server"),
    [
        ("https://me:secret@data.example/a.tif?sig=x", "https://data.example"),
        ("http://127.0.0.1:8080/a.tif", "http://127.0.0.1:8080"),
        ("/vsicurl/https://data.example/a.tif", "https://data.example"),
        ("s3://bucket/a.tif", "s3://bucket"),
        ("/vsis3/bucket/a.tif", "s3://bucket"),
        ("/data/a.tif", ""),
        ("file:///data/a.tif", ""),
    ],
)
def test_who_answers(href: str, server: str) -> None:
    """Files of one host or bucket have one server, whose name holds no secret; local ones none."""
    assert server_of(href) == server


@pytest.mark.parametrize(
    ("advice", "after"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "3600"}, 60.0),
        ({"Retry-After": "soon"}, 0.0),
        ({}, 0.0),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_a_server_says_when(
    store: Store, status: int, advice: dict[str, str], after: float
) -> None:
    """The error of a limited read says what the server asks for, but no more than a minute."""
    store.refusal, store.advice = lambda asked: status, advice
    with pytest.raises(PassingReadError) as caught:
        RasterPixels(f"{store.url}/a.tif").read([1], FIRST)
    assert caught.value.after == after


def test_other_failures_are_not_asked_about(store: Store) -> None:
    """A server that has no such file, or is broken, is not asked how long it wants to be left."""
    store.advice = {"Retry-After": "7"}
    with pytest.raises(PermanentReadError):
        _ = RasterPixels(f"{store.url}/none.tif").header
    store.refusal = lambda asked: 500
    with pytest.raises(PassingReadError) as caught:
        RasterPixels(f"{store.url}/a.tif").read([1], FIRST)
    assert caught.value.after == 0


def test_what_failed_is_asked_for_anew(store: Store) -> None:
    """After a failure in the middle of a file GDAL does not answer from memory that it is lost."""
    pixels = RasterPixels(f"{store.url}/a.tif")
    pixels.read([1], FIRST)
    store.refusal = lambda asked: 503
    with pytest.raises(PassingReadError):
        pixels.read([1], MIDDLE)
    store.refusal = lambda asked: None
    top, left, bottom, right = MIDDLE
    expected = noise(512, 512)[top:bottom, left:right]
    np.testing.assert_array_equal(pixels.read([1], MIDDLE)[0], expected)
