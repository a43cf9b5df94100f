"""Identity: what makes two plans the same, and the numbers that METHOD stands for."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

import zonalbatch as zb
from tests.made.layers import grid, with_scene
from tests.made.places import LEFT, TOP
from tests.made.rasters import write_tif
from tests.made.zones import frame
from zonalbatch.breakdown import Bins, Breakdown
from zonalbatch.expression import parse
from zonalbatch.lattice import Grid
from zonalbatch.layers import Asset, Layer, Layers, Scene
from zonalbatch.masks.mask import Mask
from zonalbatch.measure import Measurement
from zonalbatch.places import place_of
from zonalbatch.planning.identity import METHOD, digest, recipe_document
from zonalbatch.planning.plan import Plan, make_plan
from zonalbatch.recipe import Recipe
from zonalbatch.sinks.table import Form
from zonalbatch.zones import open_zones

GOLDEN: Mapping[int, Mapping[str, str]] = {
    1: {
        "fingerprint": "fbc486a44bc5915d842fb4d1c766a438",
        "part": "4101f52140d31cae8b8be72b0dfd5fbf",
        "numbers": "511023818497f4cf5d5b0051a997a2189594879bf667a35201c4520a126b4720",
    },
    2: {
        "fingerprint": "d904adb1195c170663265080ced0a1b1",
        "part": "ad223763db8bf439f900bed4ad5b524e",
        "numbers": "511023818497f4cf5d5b0051a997a2189594879bf667a35201c4520a126b4720",
    },
    3: {
        "fingerprint": "b28c9fe45f72a6b1027e0ccbe5b063c8",
        "part": "0f9c061d671f93f28e3d018f5dedce32",
        "numbers": "511023818497f4cf5d5b0051a997a2189594879bf667a35201c4520a126b4720",
    },
}
"""METHOD -> identities and numbers that it stands for.

If a test here fails, either numbers (or identities) have changed by mistake, or METHOD must be
raised by hand and a new entry written. An entry is never changed.
"""


def zones() -> geopandas.GeoDataFrame:
    """Six polygons of odd shapes, with a name and a crop."""
    rng = np.random.default_rng(11)
    shapes: list[shapely.Geometry] = [
        shapely.Point(LEFT + 100 + 150 * i, TOP - 400).buffer(40 + 20 * i, quad_segs=3)
        for i in range(5)
    ]
    hole = shapely.box(LEFT + 3, TOP - 941, LEFT + 1127, TOP - 707)
    shapes.append(hole.difference(shapely.box(LEFT + 55, TOP - 900, LEFT + 333, TOP - 801)))
    crops = [str(c) for c in rng.choice(["wheat", "maize"], 6)]
    return frame(*shapes, id=np.arange(6), crop=crops)


def asset(href: str, **changes: Any) -> Asset:
    """A band of 100 × 120 cells of 10 m."""
    about: dict[str, Any] = {
        "href": href, "band": 1, "grid": grid(height=100, width=120), "dtype": "uint16",
        "nodata": 0, "scale": 1e-4, "offset": -0.1, "version": "W/etag",
    }  # fmt: skip
    return Asset(**about | changes)


def layers() -> tuple[Layer, ...]:
    """Two dates of red and nir; none of their files exists."""
    return tuple(
        Layer(
            id=f"scene-{month}",
            datetime=datetime(2024, month, 5, 10, 30, tzinfo=UTC),
            scenes=(
                Scene(
                    items=(f"scene-{month}",),
                    assets={b: asset(f"s3://bucket/{month}/{b}.tif") for b in ("red", "nir")},
                ),
            ),
        )
        for month in (4, 6)
    )


RECIPE = Recipe(
    measurements=(
        Measurement("red", parse("red"), (Mask("nir", (3, 8), keep=False),)),
        Measurement("ndvi", parse("(nir - red) / (nir + red)"), (Mask("nir", (3, 8), keep=False),)),
    ),
    statistics=("count", "mean", "p90"),
)


def planned(
    folder: Path,
    frame: geopandas.GeoDataFrame | None = None,
    found: tuple[Layer, ...] | None = None,
    recipe: Recipe = RECIPE,
    form: Form | None = None,
    **about: Any,
) -> Plan:
    """A plan, from metadata alone."""
    keys = {"id": "id", "columns": ["crop"]} | about
    return make_plan(
        open_zones(zones() if frame is None else frame, **keys),
        Layers(layers() if found is None else found), recipe, form or Form(),
        place_of(folder / "plan"),
    )  # fmt: skip


class TestGolden:
    """What METHOD stands for."""

    @staticmethod
    def golden() -> Mapping[str, str]:
        """The entry of this METHOD."""
        assert METHOD in GOLDEN, f"write an entry for METHOD {METHOD}"
        return GOLDEN[METHOD]

    def test_fingerprint(self, tmp_path: Path) -> None:
        """The same input gives the same names on every machine and in every version."""
        plan = planned(tmp_path)
        assert plan.fingerprint == self.golden()["fingerprint"]
        assert [part.id for part in plan.parts] == [self.golden()["part"]]

    def test_numbers(self, tmp_path: Path) -> None:
        """Every bit of every statistic of a small raster, under each rule of coverage."""
        rng = np.random.default_rng(12)
        values = rng.integers(0, 10_000, (2, 100, 120)).astype("uint16")
        path = write_tif(tmp_path / "golden.tif", values, nodata=0, scale=1e-4, offset=-0.1)
        state = hashlib.sha256()
        for rule in ("fraction", "center", "all_touched"):
            found = zb.zonal_stats(
                zones(), path,
                ["count", "sum", "mean", "min", "max", "range", "std", "variance", "median", "p2.5",
                 "p90", "valid_fraction", "n_total", "n_nodata", "n_nan", "n_masked", "n_outside"],
                measurements={"red": "band_1", "ndvi": "(band_2 - band_1) / (band_2 + band_1)"},
                coverage=rule, columns=[], geometry=False,
            )  # fmt: skip
            assert found.shape == (6, 34)
            state.update(np.ascontiguousarray(found.to_numpy("<f8")).tobytes())
        assert state.hexdigest() == self.golden()["numbers"]


class TestDigest:
    """BLAKE2b-128 over length-prefixed fields."""

    def test_by_hand(self) -> None:
        """Each field follows its length in eight bytes."""
        text = struct.pack("<Q", 2) + b"ab" + struct.pack("<Q", 0) + struct.pack("<Q", 1) + b"c"
        assert digest(b"ab", b"", b"c") == hashlib.blake2b(text, digest_size=16).digest()

    @given(st.lists(st.binary(max_size=4), max_size=4), st.lists(st.binary(max_size=4), max_size=4))
    def test_no_two_lists_read_the_same(self, one: list[bytes], other: list[bytes]) -> None:
        """Where a field ends is part of the identity."""
        assert (digest(*one) == digest(*other)) == (one == other)


class TestSame:
    """What does not change a fingerprint."""

    def test_the_same_input(self, tmp_path: Path) -> None:
        """A plan is a value: wherever and whenever it is made."""
        one, other = planned(tmp_path / "a"), planned(tmp_path / "b")
        assert one.fingerprint == other.fingerprint
        assert [p.id for p in one.parts] == [p.id for p in other.parts]

    @given(st.permutations(range(6)), st.booleans())
    def test_order(
        self, tmp_path_factory: pytest.TempPathFactory, order: list[int], turned: bool
    ) -> None:
        """The order of zones, of layers and of their bands does not matter, nor to the parts."""
        found = tuple(
            with_scene(one, assets=dict(reversed(list(one.scenes[0].assets.items()))))
            for one in reversed(layers())
        )
        wanted = planned(tmp_path_factory.mktemp("a"))
        plan = planned(tmp_path_factory.mktemp("b"), zones().iloc[order], found if turned else None)
        assert plan.fingerprint == wanted.fingerprint
        if not turned:
            assert {p.id for p in plan.parts} == {p.id for p in wanted.parts}

    def test_zones_from_a_file_or_in_memory(self, tmp_path: Path) -> None:
        """Where zones come from does not matter, nor their columns that are not carried."""
        zones().assign(other=1).to_parquet(tmp_path / "zones.parquet")
        reader = open_zones(str(tmp_path / "zones.parquet"), id="id", columns=["crop"])
        plan = make_plan(reader, Layers(layers()), RECIPE, Form(), place_of(tmp_path / "plan"))
        assert plan.fingerprint == planned(tmp_path).fingerprint

    def test_spelling_of_an_expression(self, tmp_path: Path) -> None:
        """Spaces and brackets that change nothing change nothing."""
        ndvi = replace(RECIPE.measurements[1], expression=parse("((nir-red))/(nir +  (red))"))
        other = replace(RECIPE, measurements=(RECIPE.measurements[0], ndvi))
        assert planned(tmp_path, recipe=other).fingerprint == planned(tmp_path).fingerprint


def with_asset(**changes: Any) -> Callable[[Path], Plan]:
    """A plan with the red band of the first layer changed."""

    def made(folder: Path) -> Plan:
        first, second = layers()
        red = replace(first.scenes[0].assets["red"], **changes)
        changed = with_scene(first, assets={**first.scenes[0].assets, "red": red})
        return planned(folder, found=(changed, second))

    return made


def with_layer(**changes: Any) -> Callable[[Path], Plan]:
    """A plan with the first layer changed."""
    return lambda folder: planned(folder, found=(replace(layers()[0], **changes), layers()[1]))


def with_zone(column: str, value: Any) -> Callable[[Path], Plan]:
    """A plan with one cell of the zones' table changed."""

    def made(folder: Path) -> Plan:
        frame = zones()
        frame.loc[2, column] = value
        return planned(folder, frame)

    return made


def with_recipe(**changes: Any) -> Callable[[Path], Plan]:
    """A plan with another recipe."""
    return lambda folder: planned(folder, recipe=replace(RECIPE, **changes))


def with_breakdown(breakdown: Breakdown) -> Callable[[Path], Plan]:
    """A plan with classes or bins, and what is told by them."""
    told = ("frac",) if breakdown.classes else ("histogram",)
    return with_recipe(statistics=(*RECIPE.statistics, *told), breakdown=breakdown)


def moved(rows: int) -> Grid:
    """The grid of the layers, some rows further south."""
    place = asset("a").grid
    return replace(place, window=place.window.shift(rows, 0))


def masked(*masks: Mask) -> tuple[Measurement, ...]:
    """The measurements with other masks."""
    return tuple(replace(m, masks=masks) for m in RECIPE.measurements)


CHANGES: Mapping[str, Callable[[Path], Plan]] = {
    "href": with_asset(href="s3://bucket/other.tif"),
    "band": with_asset(band=2),
    "nodata": with_asset(nodata=1),
    "no nodata": with_asset(nodata="none"),
    "nodata of the file": with_asset(nodata=None),
    "scale": with_asset(scale=2e-4),
    "last bit of the scale": with_asset(scale=float(np.nextafter(1e-4, 1))),
    "scale of the file": with_asset(scale=None),
    "offset": with_asset(offset=0.0),
    "version": with_asset(version="W/other"),
    "grid": with_asset(grid=moved(1)),
    "south up": with_asset(grid=replace(moved(0), south_up=True)),
    "layer id": with_layer(id="scene-5"),
    "datetime": with_layer(datetime=datetime(2024, 4, 5, 10, 31, tzinfo=UTC)),
    "a range of time": with_layer(datetime_end=datetime(2024, 4, 9, tzinfo=UTC)),
    "a band less": with_layer(
        scenes=with_scene(layers()[0], assets={"red": layers()[0].assets[0]}).scenes
    ),
    "a band that is missing": with_layer(
        scenes=with_scene(layers()[0], missing={"swir": "gone"}).scenes
    ),
    "a layer less": lambda folder: planned(folder, found=layers()[:1]),
    "zone id": with_zone("id", 77),
    "carried value": with_zone("crop", "rye"),
    "carried null": with_zone("crop", None),
    "geometry": with_zone("geometry", shapely.box(LEFT, TOP - 90, LEFT + 90, TOP)),
    "a zone less": lambda folder: planned(folder, zones().iloc[:5]),
    "carried columns": lambda folder: planned(folder, columns=[]),
    "buffer": lambda folder: planned(folder, buffer=1.0),
    "crs of the zones": lambda folder: planned(folder, zones().to_crs("EPSG:32632")),
    "name of the crs": lambda folder: planned(
        folder, zones().set_crs("EPSG:25831", allow_override=True)
    ),
    "statistics": with_recipe(statistics=("count", "mean", "p91")),
    "order of statistics": with_recipe(statistics=("mean", "count", "p90")),
    "coverage": with_recipe(coverage="center"),
    "classes": with_breakdown(Breakdown(classes=(("a", 1.0),))),
    "a class's name": with_breakdown(Breakdown(classes=(("b", 1.0),))),
    "a class's value": with_breakdown(Breakdown(classes=(("a", 1.5),))),
    "edges": with_breakdown(Breakdown(edges=(0.0, 1.0))),
    "bins": with_breakdown(Breakdown(bins=Bins(10))),
    "bins of all zones": with_breakdown(Breakdown(bins=Bins(10, (0.0, 1.0)))),
    "densify": with_recipe(densify="none"),
    "least share": with_recipe(min_fraction=0.5),
    "default value": with_recipe(
        measurements=tuple(replace(m, default=0.0) for m in RECIPE.measurements)
    ),
    "weight_by": with_recipe(weight_by="area"),
    "states for reductions over time": with_recipe(kept=("moments",)),
    "other states": with_recipe(kept=("moments", "values")),
    "quantile_method": with_recipe(quantile_method="inverted_cdf"),
    "weights": with_recipe(weights=asset("w")),
    "another file of weights": with_recipe(weights=asset("v")),
    "weights of another version": with_recipe(weights=replace(asset("w"), version="other")),
    "nodata of the weights": with_recipe(weights=replace(asset("w"), nodata=7)),
    "grid of the weights": with_recipe(weights=replace(asset("w"), grid=moved(2))),
    "mask": with_recipe(measurements=masked()),
    "mask values": with_recipe(measurements=masked(Mask("nir", (3, 9), keep=False))),
    "mask kept": with_recipe(measurements=masked(Mask("nir", (3, 8), keep=True))),
    "expression": with_recipe(
        measurements=(
            RECIPE.measurements[0], replace(RECIPE.measurements[1], expression=parse("nir - red")),
        )
    ),
    "measurement name": with_recipe(
        measurements=(RECIPE.measurements[0], replace(RECIPE.measurements[1], name="vi"))
    ),
    "order of measurements": with_recipe(measurements=RECIPE.measurements[::-1]),
    "layout": lambda folder: planned(folder, form=Form(layout="long")),
    "without geometry": lambda folder: planned(folder, form=Form(geometry=False)),
    "prefix": lambda folder: planned(folder, form=Form(prefix="x_")),
}  # fmt: skip


class TestOther:
    """What changes a fingerprint."""

    @pytest.mark.parametrize("change", CHANGES)
    def test_everything_that_a_number_or_a_row_depends_on(
        self, change: str, tmp_path: Path
    ) -> None:
        """Zones, layers, recipe, form: plan and parts have other names."""
        plan, other = planned(tmp_path), CHANGES[change](tmp_path)
        assert other.fingerprint != plan.fingerprint
        same = {p.id for p in plan.parts} & {p.id for p in other.parts}
        assert not same or all(len(p.layers) < len(plan.layers) for p in other.parts)

    def test_listed_values_that_are_rounded(self) -> None:
        """Masks by others than small whole numbers are another method's, and theirs alone."""
        of = {value: recipe_document(replace(RECIPE, measurements=masked(Mask("nir", (value,)))))
              for value in (3.0, 0.1, 2**53 + 1)}  # fmt: skip
        assert [one.get("mask_method") for one in of.values()] == [None, 2, 2]


class TestJobs:
    """Two jobs with the same result have the same fingerprint."""

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        """Zones, two rasters and a job."""
        zones().to_parquet(tmp_path / "zones.parquet")
        for name in ("a", "b"):
            write_tif(tmp_path / f"{name}.tif", np.ones((100, 120), "uint16"))
        return tmp_path

    JOB = """
zones: {path: zones.parquet, id: id, columns: [crop]}
source: {kind: cog, files: [a.tif, b.tif]}
bands: {red: 1}
output: {path: out}
"""

    SAME: Mapping[str, Callable[[str], str]] = {
        "comments": lambda text: f"# a comment\n{text}\n# another",
        "defaults written out": lambda text: (
            f"{text}\nversion: 1\nstatistics: [count, mean]\nmeasurements: {{red: ' red '}}"
        ),
        "quotes": lambda text: text.replace("[a.tif, b.tif]", '["a.tif", "b.tif"]'),
        "limits": lambda text: f"{text}\nlimits: {{memory: 1GB, requests_in_flight: 3}}",
        "cluster": lambda text: f"{text}\ncluster: {{kind: local, workers: 9}}",
        "address": lambda text: f"{text}\ncluster: {{kind: address, address: 'tcp://a:1'}}",
        "order of files": lambda text: text.replace("a.tif, b.tif", "b.tif, a.tif"),
        "glob": lambda text: text.replace("a.tif, b.tif", "'*.tif'"),
        "output": lambda text: text.replace("out}", "elsewhere}"),
        "on_failure": lambda text: f"{text}\non_failure: raise",
        "alias of a statistic": lambda text: f"{text}\nstatistics: [' count', mean]",
    }

    @pytest.mark.parametrize("change", SAME)
    def test_what_no_number_depends_on(self, folder: Path, change: str) -> None:
        """Text, limits, cluster, paths of the output."""
        wanted = zb.plan(zb.Job.from_yaml(self.JOB, folder))
        changed = zb.plan(zb.Job.from_yaml(self.SAME[change](self.JOB), folder))
        assert changed.fingerprint == wanted.fingerprint
        assert [p.id for p in changed.parts] == [p.id for p in wanted.parts]

    def test_a_changed_file(self, folder: Path) -> None:
        """A raster with other pixels is another layer."""
        job = zb.Job.from_yaml(self.JOB, folder)
        before = zb.plan(job).fingerprint
        write_tif(folder / "a.tif", np.full((100, 120), 7, "uint16"))
        assert zb.plan(job).fingerprint != before
