"""Increments: whatever comes, goes and changes, an output ends as if it had been made at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias

import geopandas
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import affinity

from tests.made.layers import grid, layer, month
from tests.made.places import LEFT, TOP
from tests.made.series import Killed, Series, series
from tests.made.zones import squares
from zonalbatch.expression import parse
from zonalbatch.layers import Asset, Layer, Layers, Scene
from zonalbatch.measure import Measurement
from zonalbatch.places import place_of
from zonalbatch.planning import partition
from zonalbatch.planning.earlier import Earlier
from zonalbatch.planning.files import Part, load_part
from zonalbatch.planning.plan import Plan, make_plan
from zonalbatch.recipe import Recipe
from zonalbatch.sinks.table import Form
from zonalbatch.sources.protocol import in_order
from zonalbatch.zones import open_zones

RECIPE = Recipe(measurements=(Measurement("red", parse("red")),), statistics=("count",))
Row: TypeAlias = tuple[int, str, str, tuple[str, ...]]
"""Id and crop of a zone, id of a layer, versions of those of its scenes that the zone meets."""
State: TypeAlias = dict[int, int]
"""Number -> edition."""


def zones_of(state: State) -> geopandas.GeoDataFrame:
    """Of 64 squares those that are named, each with its edition as a crop."""
    every = squares(8, side=3000.0, left=LEFT - 4000, top=TOP + 4000)
    some = every[every["id"].isin(state)]
    return some.assign(crop=[f"edition {state[i]}" for i in some["id"]])


def layers_of(state: State) -> tuple[Layer, ...]:
    """Layers of two scenes that are shifted from one to the next; their editions differ in one."""
    return in_order(_layer(number, edition) for number, edition in state.items())


def _layer(number: int, edition: int) -> Layer:
    """A layer whose second scene is of an edition."""
    north = grid(row=40 * number, col=90 * number, height=1100, width=900)
    south = grid(row=1200, col=30 * number, height=1100, width=1400)
    one = layer(f"s{number:02d}", month(1 + number % 12), red=north)
    (red,) = one.assets
    versions = {f"{number}": north, f"{number}.{edition}": south}
    scenes = tuple(
        Scene(items=(told,), assets={"red": replace(red, grid=place, version=told)})
        for told, place in versions.items()
    )
    return replace(one, scenes=scenes)


def rows_of(zones: Mapping[str, Sequence[Any]], layers: Sequence[Layer]) -> list[Row]:
    """The rows of some zones and layers: one for each layer with a scene that the zone meets."""
    found = []
    boxes = zip(*(zones[side] for side in ("left", "bottom", "right", "top")), strict=True)
    for id, crop, box in zip(zones["zone_id"], zones["crop"], boxes, strict=True):
        for one in layers:
            met = tuple(a.version or "" for a in one.assets if _meet(box, a))
            found += [(id, crop, one.id, met)] if met else []
    return found


def _meet(box: Sequence[float], asset: Asset) -> bool:
    left, bottom, right, top = asset.grid.lattice.bounds(asset.grid.window)
    return box[0] < right and left < box[2] and box[1] < top and bottom < box[3]


@dataclass
class Store:
    """An output without a pixel: what files hold is which scenes their rows would be of."""

    folder: Path
    files: dict[str, list[Row]] = field(default_factory=dict)
    plan: Plan | None = None

    def goes_on(self, zones: State, layers: State) -> Plan:
        """The next plan."""
        earlier = Earlier.of(self.plan.folder) if self.plan else None
        if earlier:
            earlier = replace(earlier, done=frozenset(self.files))
        self.plan = make_plan(
            open_zones(zones_of(zones), id="id", columns=["crop"]), Layers(layers_of(layers)),
            RECIPE, Form(), place_of(self.folder / "plan"), earlier, prune=True,
        )  # fmt: skip
        return self.plan

    def rows(self, part: Part) -> list[Row]:
        """The rows of a part, as a worker would compute them."""
        assert self.plan is not None
        given = load_part(self.plan.folder, part.id)
        return rows_of(given.zones.to_pydict(), given.layers)

    def there(self) -> set[Row]:
        """The rows of the plan that are in its files, or in those that these are taken from."""
        parts = self.plan.parts if self.plan else ()
        held = (p for p in parts if p.id in self.files or p.source in self.files)
        return {row for part in held for row in self.rows(part)}

    def does(self, share: float) -> list[Row]:
        """Do a share of the parts, and seal if it is all; what had to be computed."""
        assert self.plan is not None
        todo, computed = [p for p in self.plan.parts if p.id not in self.files], []
        for part in todo[: round(share * len(todo))]:
            wanted = self.rows(part)
            if part.source in self.files:
                assert wanted == taken(self.files[part.source], wanted)
            else:
                computed += wanted
            self.files[part.id] = wanted
        if share == 1:
            self.files = {part.id: self.files[part.id] for part in self.plan.parts}
        return computed


def taken(rows: list[Row], wanted: list[Row]) -> list[Row]:
    """The rows that have the zones and layers of those that are wanted."""
    zones, layers = {row[0] for row in wanted}, {row[2] for row in wanted}
    return [row for row in rows if row[0] in zones and row[2] in layers]


editions = st.dictionaries(st.integers(0, 63), st.integers(0, 1), min_size=1, max_size=40)
dates = st.dictionaries(st.integers(0, 13), st.integers(0, 1), min_size=1, max_size=14)
steps = st.lists(
    st.tuples(editions, dates, st.sampled_from([0.0, 0.5, 1.0])), min_size=2, max_size=4
)


@pytest.mark.long
@given(steps, st.sampled_from([20, 60, 10**6]))
def test_every_pair_once(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[State, State, float]], rows: int
) -> None:
    """However an output came about, each pair that meets has its row once, and in no file twice;
    what stands of layers that are as they were is not computed again.
    """
    store, before = Store(tmp_path_factory.mktemp("store")), dict[int, int]()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(partition, "ROWS", rows)
        for zones, layers, share in [*steps, (*steps[-1][:2], 1.0)]:
            there = store.there()
            plan = store.goes_on(zones, layers)
            every = [row for part in plan.parts for row in store.rows(part)]
            reader = open_zones(zones_of(zones), id="id", columns=["crop"])
            (batch,) = reader.batches()
            assert sorted(every) == sorted(rows_of(batch.to_pydict(), layers_of(layers)))
            assert len({part.id for part in plan.parts}) == len(plan.parts)
            as_before = {f"s{n:02d}" for n in layers if before.get(n) == layers[n]}
            again = there.intersection(store.does(share))
            assert not [row for row in again if row[2] in as_before]
            before = layers


change = st.tuples(
    st.dictionaries(st.integers(0, 15), st.integers(0, 2), min_size=1, max_size=16),
    st.dictionaries(st.integers(0, 5), st.integers(0, 1), min_size=1, max_size=4),
    st.sampled_from([None, 0, 1, 2]),
)


@pytest.mark.long
@settings(max_examples=20)
@given(st.lists(change, min_size=2, max_size=4), st.sampled_from([7, 10**6]))
def test_the_digest_of_a_fresh_run(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[State, State, int | None]],
    rows: int,
) -> None:  # fmt: skip
    """With pixels: runs that end, or are killed after some parts, and one at last that ends."""
    with (
        series(tmp_path_factory.mktemp("series")) as made,
        pytest.MonkeyPatch.context() as patched,
    ):
        patched.setattr(partition, "ROWS", rows)
        for zones, dates, survives in [*changes, (*changes[-1][:2], None)]:
            some, names = _edited(made, zones), [made.date(n, e) for n, e in dates.items()]
            made.survives = survives
            with suppress(Killed):
                made.run(some, names, prune=True)
                assert not made.twice or survives is not None
        index = [(r["zone_id"], r["layer"]) for r in made.results().table.to_pylist()]
        assert len(index) == len(set(index))
        assert made.results().digest == made.fresh(some, names)


def _edited(made: Series, state: State) -> geopandas.GeoDataFrame:
    """Some of the zones of a series, each a few cells further east in its block."""
    every = made.zones()
    some = every[every["id"].isin(state)]
    east = np.array([10.0 * state[i] for i in some["id"]])
    shapes = [affinity.translate(g, dx) for g, dx in zip(some.geometry, east, strict=True)]
    return some.set_geometry(shapes)
