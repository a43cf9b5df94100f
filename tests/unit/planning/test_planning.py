"""Planning: every pair in one part, from metadata alone, stored so that workers find their own.

No file of these layers exists: whatever opened one would fail.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import geopandas
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from tests.made.layers import CELLS, grid, layer, month, with_scene
from tests.made.places import CRS, LEFT, TOP
from tests.made.zones import squares
from zonalbatch.errors import InputError, SourceError, ZonesError
from zonalbatch.expression import parse
from zonalbatch.lattice import Grid, Lattice, Window
from zonalbatch.layers import Failure, Layer, Layers, Scene
from zonalbatch.masks.mask import Mask
from zonalbatch.measure import Measurement
from zonalbatch.places import place_of
from zonalbatch.planning import files as plan_files
from zonalbatch.planning import partition
from zonalbatch.planning.files import load_part, read_zones
from zonalbatch.planning.offer import on_one_lattice
from zonalbatch.planning.plan import Plan, make_plan
from zonalbatch.planning.zone_rows import ZoneRows
from zonalbatch.recipe import Recipe
from zonalbatch.sinks.table import Form
from zonalbatch.zones import open_zones


def recipe(mask: Mask | None = None, **measurements: str) -> Recipe:
    """Mean of each measurement; red by default."""
    named = measurements or {"red": "red"}
    masks = () if mask is None else (mask,)
    return Recipe(
        measurements=tuple(Measurement(n, parse(t), masks) for n, t in named.items()),
        statistics=("count", "mean"),
    )


def planned(
    folder: Path,
    zones: geopandas.GeoDataFrame,
    layers: Sequence[Layer],
    given_recipe: Recipe | None = None,
    *,
    form: Form | None = None,
    **found: Any,
) -> Plan:
    """The plan for zones and layers, stored below a folder."""
    reader = open_zones(zones, id="id", columns=["crop"])
    return make_plan(
        reader, Layers(tuple(layers), **found), given_recipe or recipe(), form or Form(),
        place_of(folder / "plan"),
    )  # fmt: skip


def pairs(plan: Plan) -> list[tuple[Any, str]]:
    """(zone id, layer id) of each pair of each part, as workers would find them."""
    found = []
    for part in plan.parts:
        given = load_part(plan.folder, part.id)
        ids = given.zones["zone_id"].to_pylist()
        found += [(zone, one.id) for zone in ids for one in given.layers]
    return found


class TestParts:
    """Every pair that can meet lies in exactly one part."""

    @given(
        rows=st.integers(1, 60), decoded=st.sampled_from([1, 30_000, 10**9]),
        count=st.integers(1, 6), side=st.sampled_from([90.0, 1500.0]), months=st.integers(1, 5),
    )  # fmt: skip
    def test_all_pairs_once(
        self, tmp_path_factory: pytest.TempPathFactory, rows: int, decoded: int, count: int,
        side: float, months: int,
    ) -> None:  # fmt: skip
        """However small parts are; zones far apart and layers over time."""
        zones = squares(count, side=side)
        layers = [
            layer(f"s{m}", month(m), red=grid(height=900, width=900)) for m in range(1, months + 1)
        ]
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(partition, "ROWS", rows)
            patched.setattr(partition, "DECODED", decoded)
            plan = planned(tmp_path_factory.mktemp("plan"), zones, layers)
        found = pairs(plan)
        assert len(found) == len(set(found))
        assert set(found) == {(z, one.id) for z in zones["id"] for one in layers}
        assert len({part.id for part in plan.parts}) == len(plan.parts)

    def test_layers_out_of_reach_are_left_out(self, tmp_path: Path) -> None:
        """A layer that no zone of a cell can meet is not in its parts; if none can, no part is."""
        zones = pd.concat([squares(2), squares(2, left=LEFT + 50_000).assign(id=range(4, 8))])
        layers = [
            layer("west"),
            layer("east", red=grid(col=5000)),
            layer("far", red=grid(row=9000)),
        ]
        plan = planned(tmp_path, zones, layers)
        found = set(pairs(plan))
        assert found == {(z, "west") for z in range(4)} | {(z, "east") for z in range(4, 8)}
        assert plan.n_zones == 8
        assert planned(tmp_path, squares(2, left=LEFT - 90_000), layers).parts == ()

    def test_a_neighbour_that_only_touches_is_not_lost(self, tmp_path: Path) -> None:
        """Zones are placed by the middle of their bounds, but reach as far as they do."""
        wide = shapely.box(LEFT - 20_000, TOP - 500, LEFT + 20, TOP - 400)
        zones = squares(1).set_geometry([wide])
        assert set(pairs(planned(tmp_path, zones, [layer("a")]))) == {(0, "a")}

    @pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:3857", "EPSG:32632", "EPSG:3035"])
    def test_zones_in_another_crs(self, tmp_path: Path, crs: str) -> None:
        """They reach the same layers."""
        zones = squares(3, side=330).to_crs(crs)
        plan = planned(tmp_path, zones, [layer("a"), layer("b", red=grid(col=60_000))])
        assert set(pairs(plan)) == {(z, "a") for z in range(9)}
        assert load_part(plan.folder, plan.parts[0].id).crs == crs

    def test_empty_zones(self, tmp_path: Path) -> None:
        """They are planned with the others, and make no cell far away."""
        zones = squares(2)
        zones.loc[1, "geometry"] = shapely.Polygon()
        zones.loc[2, "geometry"] = None
        plan = planned(tmp_path, zones, [layer("a")])
        assert plan.n_zones == 4
        assert {(0, "a"), (3, "a")} <= set(pairs(plan))
        assert any("empty" in note for note in plan.notes)

    def test_buckets_hold_their_time(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """The layers of a part lie in its bucket; undated ones by themselves."""
        monkeypatch.setattr(partition, "ROWS", 20)
        layers = [layer(f"s{m}", month(m)) for m in range(1, 13)] + [layer("undated", None)]
        plan = planned(tmp_path, squares(3), layers)
        assert plan.partition.bucket == "month"
        for part in plan.parts:
            names = {plan.layers[i].id for i in part.layers}
            wanted = f"s{int(part.bucket[5:])}" if part.bucket != "undated" else "undated"
            assert names == {wanted}


class TestStored:
    """The plan as Parquet, and what a worker reads of it."""

    def test_a_worker_finds_what_was_planned(self, tmp_path: Path) -> None:
        """Zones, layers with all they say, recipe, form and CRS come back as they were."""
        full = replace(
            layer("a", red=grid(), scl=grid(cell=20.0, height=50, width=50)),
            datetime_end=datetime(2024, 2, 1, tzinfo=UTC),
        )
        full = with_scene(full, missing={"nir": "the file is gone"})
        odd = replace(
            full.scenes[0].assets["red"], nodata=-0.5, scale=None, offset=None, version="7-9"
        )
        nan = replace(full.scenes[0].assets["scl"], nodata=float("nan"), band=3, dtype=None)
        full = with_scene(full, assets={"red": odd, "scl": nan})
        given_recipe = replace(
            recipe(Mask("scl", (3, 8.5), keep=True), red="red", double="2 * red ** 2"),
            coverage="center", densify="none",
        )  # fmt: skip
        form = Form(layout="long", geometry=False, prefix="x_", ranges=True)
        zones = squares(3)
        plan = planned(tmp_path, zones, [full], given_recipe, form=form)
        (part,) = plan.parts
        given = load_part(plan.folder, part.id)
        assert given.part == part
        assert (given.crs, given.form) == (CRS, form)
        (found,) = given.layers
        assert (found.datetime, found.datetime_end) == (full.datetime, full.datetime_end)
        found, wanted = (replace(o, datetime=None, datetime_end=None) for o in (found, full))
        assert repr(found) == repr(wanted)  # NaN is not equal to itself
        assert given.recipe.statistics == given_recipe.statistics
        assert (given.recipe.coverage, given.recipe.densify) == ("center", "none")
        for one, other in zip(given.recipe.measurements, given_recipe.measurements, strict=True):
            assert (one.name, one.masks) == (other.name, other.masks)
            assert one.expression.canonical == other.expression.canonical
        table = given.zones.to_pandas().set_index("zone_id").sort_index()
        assert table["crop"].tolist() == zones["crop"].tolist()
        shapes = shapely.from_wkb(table["geometry"].to_numpy())
        assert shapely.equals(shapes, zones.geometry.to_numpy()).all()

    def test_row_groups(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A worker reads the groups that hold its zones, and of them its own rows."""
        monkeypatch.setattr(plan_files, "ZONES_IN_GROUP", 4)
        plan = planned(tmp_path, squares(5), [layer("a")])
        everything = read_zones(plan.folder, 0, 25)["zone_id"].to_pylist()
        assert sorted(everything) == list(range(25))
        for start, stop in ((0, 1), (3, 5), (4, 8), (7, 25), (24, 25), (0, 25)):
            assert (
                read_zones(plan.folder, start, stop)["zone_id"].to_pylist()
                == everything[start:stop]
            )

    def test_an_equal_plan_is_not_written_again(self, tmp_path: Path) -> None:
        """The second finds the first, and leaves no draft."""
        first = planned(tmp_path, squares(3), [layer("a")])
        times = {path: path.stat().st_mtime_ns for path in Path(str(first.folder)).iterdir()}
        second = planned(tmp_path, squares(3), [layer("a")])
        assert (second.fingerprint, second.parts) == (first.fingerprint, first.parts)
        assert {
            path: path.stat().st_mtime_ns for path in Path(str(first.folder)).iterdir()
        } == times
        assert os.listdir(tmp_path / "plan") == [first.fingerprint]

    def test_a_torn_plan_is_written_again(self, tmp_path: Path) -> None:
        """A folder without parts.parquet is no plan."""
        first = planned(tmp_path, squares(3), [layer("a")])
        (first.folder / "parts.parquet").remove()
        again = planned(tmp_path, squares(3), [layer("a")])
        assert set(pairs(again)) == {(z, "a") for z in range(9)}

    def test_a_failure_leaves_nothing(self, tmp_path: Path) -> None:
        """Ids that repeat are known at the end only: no plan and no draft is left."""
        zones = squares(3)
        zones["id"] = [0, 1, 2, 3, 4, 5, 6, 7, 7]
        with pytest.raises(ZonesError, match="unique"):
            planned(tmp_path, zones, [layer("a")])
        assert os.listdir(tmp_path / "plan") == []

    def test_another_method_is_refused(self, tmp_path: Path) -> None:
        """A worker of another version does not compute other numbers in silence."""
        plan = planned(tmp_path, squares(2), [layer("a")])
        path = plan.folder / "recipe.json"
        document = json.loads(path.read_text())
        path.write_text(json.dumps(document | {"method": document["method"] + 1}))
        with pytest.raises(SourceError, match="method"):
            load_part(plan.folder, plan.parts[0].id)


class TestUsable:
    """What layers can be planned."""

    def test_layers_without_bands_are_failures(self, tmp_path: Path) -> None:
        """They are recorded with their reasons, beside those that the source had."""
        bare = Layer(
            id="b", datetime=None, scenes=(Scene(assets={}, missing={"red": "red.tif is corrupt"}),)
        )
        before = Failure("c", "c.tif", "c.tif is empty", permanent=True)
        plan = planned(tmp_path, squares(2), [layer("a"), bare], failures=(before,))
        assert [one.id for one in plan.layers] == ["a"]
        assert plan.failures[0] == before
        assert "'b'" in plan.failures[1].cause
        assert "red.tif is corrupt" in plan.failures[1].cause

    def test_no_layer_at_all(self, tmp_path: Path) -> None:
        """Refused, with the first reason."""
        bare = Layer(
            id="b", datetime=None, scenes=(Scene(assets={}, missing={"red": "red.tif is corrupt"}),)
        )
        with pytest.raises(InputError, match=r"red\.tif is corrupt"):
            planned(tmp_path, squares(2), [bare])
        with pytest.raises(InputError, match="no layer"):
            planned(tmp_path, squares(2), [])

    def test_grids_that_do_not_nest(self, tmp_path: Path) -> None:
        """Refused before anything is read, with the way out."""
        one = layer("a", red=grid(), nir=grid(cell=15.0))
        with pytest.raises(SourceError, match=r"'ndvi'.*nest.*gdalwarp"):
            planned(tmp_path, squares(2), [one], recipe(ndvi="nir - red"))
        planned(tmp_path, squares(2), [one], recipe(red="red", nir="nir"))

    def test_notes_of_source_and_zones(self, tmp_path: Path) -> None:
        """Both stand in the plan."""
        zones = squares(2)
        zones.loc[0, "geometry"] = shapely.Polygon(
            [(LEFT, TOP), (LEFT + 9, TOP - 9), (LEFT + 9, TOP), (LEFT, TOP - 9)]
        )
        plan = planned(tmp_path, zones, [layer("a")], notes=("a note",))
        assert plan.notes[0] == "a note"
        assert "repaired" in plan.notes[1]


class TestEstimate:
    """What a plan says it will cost."""

    def test_numbers(self, tmp_path: Path) -> None:
        """Zones, layers, parts, rows; bytes are an upper bound, whole files at most."""
        layers = [layer(f"s{m}", month(m), red=grid(), nir=grid()) for m in (1, 2, 3)]
        plan = planned(tmp_path, squares(10), layers, recipe(red="red", nir="nir"))
        estimate = plan.estimate
        assert (estimate.zones, estimate.layers, estimate.rows) == (100, 3, 300)
        assert estimate.parts == len(plan.parts) == 1
        whole = 3 * 2 * 100 * 100 * 2
        assert 0.9 * whole < estimate.decoded <= whole

    def test_a_corner_costs_a_corner(self, tmp_path: Path) -> None:
        """Only what the zones' bounds hold is counted."""
        corner = planned(tmp_path, squares(1), [layer("a")]).estimate.decoded
        assert corner == pytest.approx(2 * 8 * 8, rel=0.05)

    def test_a_file_of_two_bands_of_one_name_is_read_once(self, tmp_path: Path) -> None:
        """One band under two names (say with another nodata) is decoded once."""
        one = layer("a")
        (red,) = one.assets
        twice = with_scene(one, assets={"red": red, "raw": replace(red, nodata=0)})
        plan = planned(tmp_path, squares(10), [twice], recipe(red="red", raw="raw"))
        assert plan.estimate.decoded <= 2 * 100 * 100

    def test_lists_take_memory(self, tmp_path: Path) -> None:
        """Lists of cells are in the estimate, for each list and cell of the zones' bounds."""
        layers = [layer("a", red=grid(), nir=grid())]
        plain = recipe(red="red", nir="nir")
        memory = [
            planned(tmp_path, squares(10), layers, replace(plain, statistics=names)).estimate.memory
            for names in (("mean",), ("values",), ("values", "coverage"))
        ]
        assert memory[1] - memory[0] >= 2 * 100 * 100 * 8
        assert memory[2] - memory[1] >= 2 * 100 * 100 * 8

    def test_the_client_keeps_64_bytes_a_zone(self, tmp_path: Path) -> None:
        """At most; the rest lies on disk."""
        reader = open_zones(squares(30), id="id", columns=["crop"])
        rows = ZoneRows.stream(reader, CELLS, tmp_path / "zones.arrow")
        kept = sum(getattr(rows, name).nbytes for name in ("tiles", "bounds", "hashes"))
        assert kept <= 64 * 900


class TestLattices:
    """Grids that share all their cells are made one."""

    def test_origins_that_differ_in_the_last_bits(self) -> None:
        """Within 1e-6 of a cell they are equal; half a cell is another lattice."""
        near = Lattice(CRS, 10.0, 10.0, CELLS.x0 + 1e-7, CELLS.y0)
        half = Lattice(CRS, 10.0, 10.0, CELLS.x0 + 5.0, CELLS.y0)
        window = grid().window
        layers = [
            layer("a"), layer("b", red=Grid(near, window)), layer("c", red=Grid(half, window)),
            layer("d", red=Grid(near, window.shift(3, -2))),
        ]  # fmt: skip
        a, b, c, d = on_one_lattice(layers)
        found = [one.scenes[0].assets["red"].grid for one in (a, b, c, d)]
        assert found[0].lattice == found[1].lattice == found[3].lattice != found[2].lattice
        assert found[1].window == window
        assert found[3].window == window.shift(3, -2)
        assert found[2] == Grid(half, window)

    @given(st.permutations(range(4)))
    def test_the_order_of_layers_does_not_matter(self, order: list[int]) -> None:
        """Which of them gives its name to all follows from hrefs."""
        shifts = (0.0, 3e-7, -3e-7, 6e-7)
        layers = [
            layer(
                f"s{i}", red=Grid(Lattice(CRS, 10.0, 10.0, CELLS.x0 + s, 0.0), Window(0, 0, 9, 9))
            )
            for i, s in enumerate(shifts)
        ]
        wanted = on_one_lattice(layers)
        assert on_one_lattice([layers[i] for i in order]) == tuple(wanted[i] for i in order)
