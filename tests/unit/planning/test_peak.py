"""Peak: parts know what they take, and are cut until it is there; nothing else changes."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pyarrow.parquet as pq
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from tests.made.layers import CELLS, grid, layer, month
from tests.made.places import CRS, LEFT, TOP
from tests.made.zones import squares
from zonalbatch.expression import parse
from zonalbatch.layers import Layers
from zonalbatch.measure import Measurement
from zonalbatch.places import place_of
from zonalbatch.planning import files
from zonalbatch.planning.burden import Burden
from zonalbatch.planning.files import read_zones
from zonalbatch.planning.peak import PROCESS, Peaks
from zonalbatch.planning.plan import Plan, make_plan
from zonalbatch.planning.zone_rows import ZoneRows
from zonalbatch.recipe import Recipe
from zonalbatch.sinks.table import Form
from zonalbatch.zones import open_zones

MIB = 2**20
LAYERS = [layer(f"s{m}", month(m), red=grid()) for m in range(1, 13)]


def recipe(*statistics: str) -> Recipe:
    """Some statistics of red."""
    return Recipe(
        measurements=(Measurement("red", parse("red"), ()),), statistics=statistics or ("mean",)
    )


def planned(folder: Path, zones: geopandas.GeoDataFrame, *names: str, **how: Any) -> Plan:
    """The plan for zones and twelve layers."""
    reader = open_zones(zones, id="id")
    return make_plan(
        reader, Layers(tuple(LAYERS)), recipe(*names), Form(), place_of(folder / "plan"), **how
    )


def burden(folder: Path, zones: geopandas.GeoDataFrame) -> Burden:
    """What zones put on a worker."""
    rows = ZoneRows.stream(open_zones(zones, id="id"), CELLS, folder / "zones.arrow")
    return Burden.of(rows, np.arange(len(zones)), str(CRS), [CELLS])


class TestCut:
    """Parts keep to the memory of a worker."""

    @pytest.mark.parametrize("share", [0.7, 0.9])
    def test_every_part_fits_and_every_pair_is_in_one(self, tmp_path: Path, share: float) -> None:
        """Less memory makes more parts, and loses nothing."""
        whole = planned(tmp_path / "whole", squares(30, side=60), "values", "coverage")
        memory = PROCESS + int(share * (whole.estimate.memory - PROCESS))
        plan = planned(tmp_path, squares(30, side=60), "values", "coverage", memory=memory)
        assert len(plan.parts) > len(whole.parts)
        assert plan.estimate.memory <= memory < whole.estimate.memory
        pairs = Counter(
            (zone, one) for p in plan.parts for zone in range(p.start, p.stop) for one in p.layers
        )
        assert set(pairs.values()) == {1}
        assert len(pairs) == whole.estimate.rows
        assert not plan.notes

    def test_what_cannot_fit_is_told_and_hardly_cut(self, tmp_path: Path) -> None:
        """Where the process alone takes more, parts are not cut to dust."""
        plan = planned(tmp_path, squares(30, side=30), memory=64 * MIB)
        assert len(plan.parts) < 100
        (note,) = plan.notes
        assert "64 MiB" in note
        assert "raise limits.memory" in note

    def test_the_name_of_the_plan_is_the_same(self, tmp_path: Path) -> None:
        """A limit is no input: it changes how work is cut, not what is asked."""
        some = [planned(tmp_path / str(m), squares(9), memory=m * MIB) for m in (490, 2000)]
        assert some[0].fingerprint == some[1].fingerprint

    def test_a_stored_plan_knows_its_peaks(self, tmp_path: Path) -> None:
        """They are a column of its parts; parts of older plans have none."""
        plan = planned(tmp_path, squares(9))
        assert files.read_parts(plan.folder) == plan.parts
        path = Path(str(plan.folder)) / "parts.parquet"
        pq.write_table(pq.read_table(path).drop_columns(["peak"]), path)
        assert [part.peak for part in files.read_parts(plan.folder)] == [0] * len(plan.parts)


class TestPeaks:
    """What is foreseen grows with the work."""

    @given(zones=st.integers(1, 200), layers=st.integers(1, 12))
    def test_more_work_takes_more(
        self, tmp_path_factory: pytest.TempPathFactory, zones: int, layers: int
    ) -> None:
        """A part of a part takes no more than the whole."""
        all_of_them = burden(tmp_path_factory.mktemp("zones"), squares(15, side=40))
        peaks = Peaks.of(recipe("median", "values"), Form(), LAYERS, 2**30)
        sizes = np.full(12, 20_000.0)
        some = peaks.bytes(all_of_them[:zones], sizes[:layers])
        assert PROCESS < some <= peaks.bytes(all_of_them, sizes)

    def test_zones_on_top_of_each_other(self, tmp_path: Path) -> None:
        """They are gathered together, so that many of them in one tile take more than beside."""
        disc = shapely.Point(LEFT + 2_000, TOP - 2_000).buffer(1_500)
        above = geopandas.GeoDataFrame({"id": range(50)}, geometry=[disc] * 50, crs=CRS)
        beside = above.set_geometry(
            [shapely.affinity.translate(disc, 5_120 * i, 0) for i in range(50)], crs=CRS
        )
        peaks = Peaks.of(recipe(), Form(), LAYERS, 2**30)
        sizes = np.full(1, 1e6)
        told = [peaks.bytes(burden(tmp_path, zones), sizes) for zones in (above, beside)]
        assert told[0] > told[1]


class TestBurden:
    """Cells, runs and pieces of zones, from their outlines."""

    def test_a_square(self, tmp_path: Path) -> None:
        """100 × 100 cells: as many cells, about 400 on the edge, a run a row or a little more."""
        box = shapely.box(LEFT + 5, TOP - 1_005, LEFT + 1_005, TOP - 5)
        zones = geopandas.GeoDataFrame({"id": [1]}, geometry=[box], crs=CRS)
        found = burden(tmp_path, zones)
        assert 100**2 <= found.cells[0] <= 1.1 * 100**2
        assert 400 <= found.edge[0] <= 600
        assert 100 <= found.runs[0] <= 500

    def test_in_degrees(self, tmp_path: Path) -> None:
        """Zones in another CRS put nearly the same on a worker."""
        zones = squares(5, side=500)
        metres, degrees = burden(tmp_path, zones), None
        rows = ZoneRows.stream(
            open_zones(zones.to_crs(4326), id="id"), CELLS, tmp_path / "degrees.arrow"
        )
        degrees = Burden.of(rows, np.arange(25), "EPSG:4326", [CELLS])
        np.testing.assert_allclose(degrees.cells, metres.cells, rtol=0.2)
        np.testing.assert_allclose(degrees.edge, metres.edge, rtol=0.7)


class TestRowGroups:
    """Zones lie in row groups of few zones and few bytes."""

    def test_any_stretch_is_read(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Wherever it begins and ends, and however the zones lie in groups."""
        monkeypatch.setattr(files, "BYTES_IN_GROUP", 300)
        plan = planned(tmp_path, squares(4))
        stored = pq.ParquetFile((plan.folder / "zones.parquet").source())
        assert 1 < stored.num_row_groups < 16
        ids = stored.read(columns=["zone_id"])["zone_id"].to_pylist()
        for start in range(16):
            for stop in range(start + 1, 17):
                found = read_zones(plan.folder, start, stop)
                assert found["zone_id"].to_pylist() == ids[start:stop]
