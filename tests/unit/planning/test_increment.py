"""Increments: cells and parts that stay, and where what is new comes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import geopandas
import numpy as np
import pandas as pd
import pytest

from tests.made.layers import grid, layer, month, with_scene
from tests.made.places import LEFT
from tests.made.zones import squares
from zonalbatch.errors import InputError
from zonalbatch.expression import parse
from zonalbatch.layers import Failure, Layer, Layers
from zonalbatch.measure import Measurement
from zonalbatch.places import place_of
from zonalbatch.planning import partition
from zonalbatch.planning.earlier import Earlier
from zonalbatch.planning.plan import Plan, make_plan
from zonalbatch.recipe import Recipe
from zonalbatch.sinks.table import Form
from zonalbatch.zones import open_zones

RECIPE = Recipe(measurements=(Measurement("red", parse("red")),), statistics=("mean",))
WIDE = grid(height=900, width=9000)
YEAR = [layer(f"s{m:02d}", month(m), red=WIDE) for m in range(1, 13)]


def planned(
    folder: Path,
    zones: geopandas.GeoDataFrame,
    layers: Sequence[Layer],
    before: Plan | None = None,
    failures: tuple[Failure, ...] = (),
    prune: bool = False,
) -> Plan:
    """A plan, after one of which all parts are done."""
    earlier = Earlier.of(before.folder) if before else None
    if earlier:
        earlier = replace(earlier, done=frozenset(part.id for part in earlier.parts))
    return make_plan(
        open_zones(zones, id="id", columns=["crop"]), Layers(tuple(layers), failures), RECIPE,
        Form(), place_of(folder / "plan"), earlier, prune=prune,
    )  # fmt: skip


def beside(zones: geopandas.GeoDataFrame, shift: float) -> geopandas.GeoDataFrame:
    """The same zones further east, under other ids."""
    moved = zones.set_geometry(zones.translate(shift, 0))
    return moved.assign(id=zones["id"] + 1000 + int(shift))


class TestCells:
    """Cells are kept, and never split again."""

    def test_the_first_partition_is_kept(self, tmp_path: Path) -> None:
        """Whatever comes later, space and time are cut as at first."""
        first = planned(tmp_path, squares(3), YEAR[:2])
        huge = layer("huge", month(3), red=grid(height=9000, width=90_000, cell=5.0))
        second = planned(tmp_path, squares(3), [*YEAR[:2], huge], first)
        assert second.partition == first.partition

    def test_split_cells_take_new_zones(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A new zone joins the cell that holds its tile; where there is none, one of its own."""
        monkeypatch.setattr(partition, "ROWS", 20)
        near = pd.concat([squares(4), beside(squares(4), 6000.0)])
        first = planned(tmp_path, near, YEAR[:3])
        assert len({part.cell for part in first.parts}) > 1
        cells = Earlier.of(first.folder).cells  # type: ignore[union-attr]
        more = pd.concat([near, beside(squares(2), 50.0), beside(squares(2), 60_000.0)])
        second = planned(tmp_path, more, YEAR[:3], first)
        names = {part.cell for part in second.parts}
        assert {cell.name for cell in cells} < names
        assert len(names) == len(cells) + 1
        assert {part.id for part in first.parts} < {part.id for part in second.parts}

    def test_a_part_keeps_its_zones_when_others_come_before(self, tmp_path: Path) -> None:
        """Where it starts follows from the new order; its zones remain the same neighbours."""
        west = beside(squares(2), -5200.0 * 8)
        both = pd.concat([west, squares(2)])
        first = planned(tmp_path, both, [replace(YEAR[0]), layer("w", month(2), red=grid(
            col=-5000, height=900, width=9000))])  # fmt: skip
        second = planned(tmp_path, both.iloc[1:], first.layers, first, prune=True)
        kept = {part.id: part for part in second.parts if part.source is None}
        assert len(kept) == 1
        before = next(part for part in first.parts if part.id in kept)
        (after,) = kept.values()
        assert (after.start, after.stop) == (before.start - 1, before.stop - 1)


class TestReplaced:
    """What takes the place of something is no loss."""

    def test_a_better_processing(self, tmp_path: Path) -> None:
        """The layer of an item that a new one was taken instead of goes, and its rows with it."""
        first = planned(tmp_path, squares(2), YEAR[:2])
        better = with_scene(layer("s02_v2", month(2), red=WIDE), superseded=("s02",))
        second = planned(tmp_path, squares(2), [YEAR[0], better], first)
        assert second.news.layers.document == {"new": 0, "changed": 1, "removed": 0}
        assert [len(part.layers) for part in second.parts] == [1, 1]
        assert second.todo.rewritten == 1

    def test_an_item_that_is_gone(self, tmp_path: Path) -> None:
        """Nothing took its place: refused."""
        first = planned(tmp_path, squares(2), YEAR[:2])
        with pytest.raises(InputError, match=r"1 layer \(such as 's02'\).*prune=True"):
            planned(tmp_path, squares(2), YEAR[:1], first)

    def test_a_header_that_cannot_be_read(self, tmp_path: Path) -> None:
        """Its layer stays as it was planned, and so do its rows."""
        first = planned(tmp_path, squares(2), YEAR[:2])
        failure = Failure("s02", "s02.tif", "s02.tif timed out", permanent=False)
        second = planned(tmp_path, squares(2), YEAR[:1], first, (failure,))
        assert (second.fingerprint, second.parts) == (first.fingerprint, first.parts)
        assert second.failures == (failure,)
        third = planned(tmp_path, squares(2), [YEAR[0], YEAR[2]], first, (failure,))
        assert [one.id for one in third.layers] == ["s01", "s02", "s03"]

    @pytest.mark.parametrize("left", [0, 1])
    def test_an_item_of_a_group_that_cannot_be_read(self, tmp_path: Path, left: int) -> None:
        """A day keeps the rows of all of its items, whether others are left of it or none is."""
        day = replace(YEAR[0], id="2024-01-05", scenes=(*YEAR[0].scenes, *YEAR[1].scenes))
        first = planned(tmp_path, squares(2), [day, YEAR[2]])
        failure = Failure("s01", "s01.tif", "s01.tif timed out", permanent=False)
        rest = [replace(day, scenes=YEAR[1].scenes)] * left
        second = planned(tmp_path, squares(2), [*rest, YEAR[2]], first, (failure,))
        assert second.fingerprint == first.fingerprint

    def test_a_band_that_cannot_be_read(self, tmp_path: Path) -> None:
        """A layer that lost a band keeps its rows too."""
        whole = layer("a", red=WIDE, nir=WIDE)
        first = planned(tmp_path, squares(2), [whole])
        rest = {"nir": whole.scenes[0].assets["nir"]}
        less = with_scene(whole, assets=rest, missing={"red": "red.tif is empty"})
        second = planned(tmp_path, squares(2), [less], first)
        assert second.fingerprint == first.fingerprint
        assert any("red.tif is empty" in note for note in second.notes)

    def test_lattices_of_the_first_plan(self, tmp_path: Path) -> None:
        """A new file whose origin differs in the last bits changes no layer that was there."""
        one = layer("m", month(1), red=grid(height=900, width=900))
        first = planned(tmp_path, squares(2), [one])
        place = one.assets[0].grid
        odd = replace(place, lattice=replace(place.lattice, x0=place.lattice.x0 + 1e-7))
        second = planned(tmp_path, squares(2), [layer("a", month(2), red=odd), one], first)
        assert second.todo.kept == 1
        assert len({asset.grid.lattice for made in second.layers for asset in made.assets}) == 1


def test_the_order_of_many_zones(tmp_path: Path) -> None:
    """Zones of the same content are found by their hashes, in any order of the input."""
    zones = squares(60, left=LEFT, side=60.0)
    first = planned(tmp_path, zones, YEAR[:1])
    mixed = zones.iloc[np.random.default_rng(1).permutation(len(zones))]
    assert planned(tmp_path, mixed, YEAR[:1], first).fingerprint == first.fingerprint
    second = planned(tmp_path, mixed, YEAR[:2], first)
    assert second.todo.kept == len(first.parts)
    assert {part.id for part in first.parts} < {part.id for part in second.parts}
