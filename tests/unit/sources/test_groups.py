"""Groups: what makes a layer."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
import shapely

from tests.made.layers import layer, with_scene
from zonalbatch.errors import SourceError
from zonalbatch.layers import Layer, Layers
from zonalbatch.sources.groups import grouped, solar_day


def at(name: str, when: str, *boxes: tuple[float, float, float, float]) -> Layer:
    """A layer of a time with a footprint of some boxes in degrees."""
    time = datetime.fromisoformat(when).replace(tzinfo=UTC)
    footprint = shapely.to_wkb(shapely.union_all([shapely.box(*box) for box in boxes]))
    return with_scene(layer(name, time), footprint=footprint)


@pytest.mark.parametrize(
    ("when", "lon", "day"),
    [
        ("2024-06-01T10:50:00", 4.0, "2024-06-01"),
        ("2024-06-01T23:40:00", 151.0, "2024-06-02"),  # Sydney: ten hours ahead
        ("2024-06-01T00:20:00", -120.0, "2024-05-31"),  # California: eight behind
        ("2024-12-31T23:00:00", 16.0, "2025-01-01"),
        ("2024-06-01T23:40:00", 7.0, "2024-06-01"),  # 7 / 15 is nearer to 0
    ],
)
def test_a_solar_day_is_a_date_of_mean_local_time(when: str, lon: float, day: str) -> None:
    """UTC + round(longitude / 15) hours, by the middle of the footprint."""
    one = at("a", when, (lon - 1, 50, lon + 1, 51))
    assert one.datetime is not None
    assert solar_day(one.datetime, one.scenes[0]) == day


def test_a_footprint_in_two_parts_at_the_antimeridian() -> None:
    """Its own middle lies near Greenwich; the larger part says where it is."""
    one = at("a", "2024-06-01T22:00:00", (178, 50, 180, 51), (-180, 50, -179.5, 51))
    assert one.datetime is not None
    assert solar_day(one.datetime, one.scenes[0]) == "2024-06-02"


def test_without_a_footprint_the_files_say_where_a_scene_lies() -> None:
    """The extent of a layer of UTM zone 31 lies in Europe."""
    one = layer("a", datetime(2024, 6, 1, 23, 59, tzinfo=UTC))
    (day,) = grouped(Layers((one,)), "solar_day").layers
    assert day.id == "2024-06-01"


def test_scenes_of_a_day_are_one_layer_in_the_order_of_time_and_id() -> None:
    """Whatever order they came in; the layer's time is the earliest."""
    box = (3.0, 50.0, 4.0, 51.0)
    late = at("an id before all others", "2024-06-01T10:51:00", box)
    b, a = at("b", "2024-06-01T10:50:00", box), at("a", "2024-06-01T10:50:00", box)
    other = at("other", "2024-06-03T10:50:00", box)
    found = grouped(Layers((late, b, other, a)), "solar_day")
    assert [one.id for one in found.layers] == ["2024-06-01", "2024-06-03"]
    first = found.layers[0]
    assert first.items == ("a", "b", "an id before all others")
    assert first.datetime == b.datetime
    assert found.layers == grouped(Layers((a, other, b, late)), "solar_day").layers


def test_by_datetime_only_equal_times_are_one() -> None:
    """The id is the time."""
    box = (3.0, 50.0, 4.0, 51.0)
    one, same = at("a", "2024-06-01T10:50:00", box), at("b", "2024-06-01T10:50:00", box)
    other = at("c", "2024-06-01T10:50:00.5", box)
    found = grouped(Layers((one, same, other)), "datetime").layers
    assert [layer.id for layer in found] == [
        "2024-06-01T10:50:00Z",
        "2024-06-01T10:50:00.500000Z",
    ]
    assert found[0].items == ("a", "b")


def test_ranges_end_with_the_last() -> None:
    """A group of composites lasts as long as the longest of them."""
    box = (3.0, 50.0, 4.0, 51.0)
    end = datetime(2024, 6, 30, tzinfo=UTC)
    ranged = replace(at("a", "2024-06-01T00:00:00", box), datetime_end=end)
    (found,) = grouped(Layers((ranged, at("b", "2024-06-01T00:00:00", box))), "solar_day").layers
    assert found.datetime_end == end


def test_bands_that_are_scaled_unlike_are_noted() -> None:
    """So that they are put together as physical values, wherever the work is cut."""
    box = (3.0, 50.0, 4.0, 51.0)
    a, b = at("a", "2024-06-01T10:50:00", box), at("b", "2024-06-01T10:50:00", box)
    shifted = b.each_asset(lambda asset: replace(asset, offset=-1000.0))
    (same,) = grouped(Layers((a, b)), "solar_day").layers
    (mixed,) = grouped(Layers((a, shifted)), "solar_day").layers
    assert (same.mixed, mixed.mixed) == ((), ("red",))


def test_undated_layers_cannot_be_grouped() -> None:
    """The error says what to do."""
    with pytest.raises(SourceError, match="group_by: item"):
        grouped(Layers((layer("dem", None),)), "solar_day")
