"""The census and the chart of what was found."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

from tests.made.apis import many_scenes, scene
from zonalbatch.errors import InputError, OutputError
from zonalbatch.searches.census import Count, census, table
from zonalbatch.searches.picture import COLOURS, draw


def test_a_census_counts_by_collection() -> None:
    """Dates, number, and the least, median and largest cloud cover of those that say it."""
    items = [
        scene("a", 0, 0, day="2024-06-03", clouds=10),
        scene("b", 0, 0, day="2024-06-01", clouds=90),
        scene("c", 0, 0, day="2024-06-02", clouds=20),
        scene("d", 0, 0, collection="dem"),
    ]
    dem, s2 = census(items)
    assert s2 == Count(
        "s2", 3, datetime(2024, 6, 1, 10, 30, tzinfo=UTC), datetime(2024, 6, 3, 10, 30, tzinfo=UTC),
        (10, 20, 90),
    )  # fmt: skip
    assert (dem.collection, dem.items, dem.clouds) == ("dem", 1, None)
    lines = table([dem, s2]).splitlines()
    assert lines[2].split() == ["s2", "2024-06-01", "2024-06-03", "3", "10.0", "20.0", "90.0"]


def test_the_chart_shows_every_collection(tmp_path: Path) -> None:
    """Each has its colour; items without cloud cover have their place below."""
    items = [*many_scenes(), scene("x", 0, 0, collection="radar", day="2024-03-01")]
    draw(items, tmp_path / "clouds.png")
    pixels = (imread(tmp_path / "clouds.png")[..., :3] * 255).reshape(-1, 3)
    for colour in COLOURS[:3]:
        rgb = [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
        assert (np.abs(pixels - rgb).max(axis=1) < 60).any()


def test_what_cannot_be_drawn_is_refused(tmp_path: Path) -> None:
    """No date, another ending, no folder."""
    undated = scene("a", 0, 0)
    undated["properties"] = {}
    with pytest.raises(InputError, match="no item has a date"):
        draw([undated], tmp_path / "clouds.png")
    with pytest.raises(InputError, match=r"ends in \.png"):
        draw([scene("a", 0, 0)], tmp_path / "clouds.jpg")
    with pytest.raises(OutputError, match="cannot write"):
        draw([scene("a", 0, 0)], tmp_path / "none" / "clouds.png")
