"""Laws of the job document."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.made.commands import python
from tests.made.jobs import write_text
from zonalbatch.asked import recipe_of
from zonalbatch.errors import JobError
from zonalbatch.job import Job
from zonalbatch.masks.mask import Mask
from zonalbatch.planning.files import recipe_from
from zonalbatch.planning.identity import recipe_document
from zonalbatch.sources.protocol import Band

FULL = """
version: 1
zones: {path: fields.parquet, id: field_id, columns: [crop], densify: auto, buffer: 0}
source: {kind: stac, items: items.json}
bands: {red: B04, nir: {asset: B08, scale_offset: none}, scl: SCL}
measurements: {red: red, ndvi: "(nir - red) / (nir + red)"}
mask: {band: scl, exclude: [0, 1, 3, 8, 9, 10], dilate: 0}
statistics: [count, mean, std, median, p10, p90]
coverage: fraction
weights: null
scale_offset: auto
group_by: item
resolution: null
temporal: null
output: {path: out/, layout: wide, geometry: zone}
cluster: {kind: local, workers: 2}
limits: {memory: 1.5GiB, requests_in_flight: 64, max_failures: null}
on_failure: record
"""


def document(**keys: Any) -> dict[str, Any]:
    """A small valid document with some keys replaced."""
    small = {
        "zones": {"path": "zones.gpkg"},
        "source": {"kind": "cog", "files": ["a.tif"]},
        "bands": {"red": 1},
        "output": {"path": "out"},
    }
    return small | keys


def problems(**keys: Any) -> str:
    """What is said of a document."""
    with pytest.raises(JobError) as caught:
        Job(**document(**keys))
    return str(caught.value)


def test_the_contract_is_read(tmp_path: Path) -> None:
    """Every key of the contract is read from YAML, and paths are relative to the file."""
    job = Job.from_file(write_text(tmp_path, FULL))
    assert job.zones.path == str(tmp_path / "fields.parquet")
    assert job.source.items == str(tmp_path / "items.json")  # type: ignore[union-attr]
    assert job.output.path == f"{tmp_path}/out/"
    assert job.limits.memory == 3 * 2**29
    assert job.statistics == ("count", "mean", "std", "median", "p10", "p90")
    assert list(job.bands_to_read()) == ["red", "nir", "scl"]
    assert job.bands_to_read()["nir"] == Band(asset="B08", scale_offset="none")
    assert {name: e.names for name, e in job.expressions().items()} == {
        "red": ("red",),
        "ndvi": ("nir", "red"),
    }


@pytest.mark.parametrize(
    ("written", "seconds"), [(0, 0), (90, 90), ("90s", 90), ("15min", 900), ("1.5 h", 5400)]
)
def test_outage(written: object, seconds: float) -> None:
    """How long a host is waited for is a number of seconds, or a time in words."""
    assert Job(**document() | {"limits": {"outage": written}}).limits.outage == seconds


def test_defaults() -> None:
    """A small document means the documented defaults."""
    job = Job(**document())
    assert job.statistics == ("count", "mean")
    assert (job.coverage, job.scale_offset, job.group_by) == ("fraction", "auto", None)
    assert (job.output.layout, job.output.geometry, job.on_failure) == ("wide", "auto", "record")
    assert job.limits.requests_in_flight == 64
    assert job.zones.path == "zones.gpkg"
    assert job.expressions()["red"].band == "red"


def test_json_is_read_too(tmp_path: Path) -> None:
    """A JSON file is as good as YAML; URLs and absolute paths stay as they are."""
    urls = ["https://host/a.tif", "s3://b/c.tif", "/vsis3/b/c.tif", "/abs/d.tif", "e/../f.tif"]
    text = json.dumps(document(source={"kind": "cog", "files": urls}))
    job = Job.from_file(write_text(tmp_path, text, "job.json"))
    assert job.source.files == (*urls[:4], str(tmp_path / "f.tif"))  # type: ignore[union-attr]


def test_items_are_paths_too(tmp_path: Path) -> None:
    """Items are a path or URL, or a list of them; relative ones start at the job's folder."""
    url = "https://host/catalog.json"
    cases = [
        (url, url),
        ("catalog.json", str(tmp_path / "catalog.json")),
        ([url, "a/b.json"], (url, str(tmp_path / "a" / "b.json"))),
    ]
    for items, expected in cases:
        text = json.dumps(document(source={"kind": "stac", "items": items}))
        job = Job.from_file(write_text(tmp_path, text))
        assert job.source.items == expected  # type: ignore[union-attr]
        assert job.in_memory == ()
        assert Job.from_yaml(job.to_yaml()) == job


def test_one_file_needs_no_list(tmp_path: Path) -> None:
    """A single path means a list of it."""
    text = json.dumps(document(source={"kind": "cog", "files": "a.tif"}))
    job = Job.from_file(write_text(tmp_path, text))
    assert job.source.files == (str(tmp_path / "a.tif"),)  # type: ignore[union-attr]
    from_python = Job(**document(source={"kind": "cog", "files": Path("a.tif")}))
    assert from_python.source.files == ("a.tif",)  # type: ignore[union-attr]


def test_densify_may_be_none() -> None:
    """The word none is text in a job, not the absence of a value."""
    keys = "zones: {path: z, densify: none}\nsource: {kind: cog, files: a.tif}\n"
    job = Job.from_yaml(keys + "bands: {red: 1}\noutput: {path: o}\n")
    assert job.zones.densify == "none"


def test_round_trip(tmp_path: Path) -> None:
    """Reading what was written gives the same job, wherever it is read."""
    job = Job.from_file(write_text(tmp_path, FULL))
    assert Job.from_yaml(job.to_yaml()) == job
    assert Job.from_file(write_text(tmp_path, job.to_yaml(), "again.yaml")) == job
    assert pickle.loads(pickle.dumps(job)) == job


NAMES = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1)
FINITE = st.floats(allow_nan=False, allow_infinity=False)
ODD = st.sampled_from(["on", "no", "null", "1e3", "007", "2024-01-01", "1:30", "~", "=", "<<", "*"])


@given(
    columns=st.lists(NAMES | ODD, unique=True),
    names=st.lists(NAMES | ODD, unique=True, min_size=1),
    asset=NAMES | ODD,
    pair=st.tuples(FINITE, FINITE),
    values=st.lists(st.integers() | FINITE, min_size=1),
    nodata=st.floats(allow_nan=False),
    memory=st.integers(min_value=1),
)
def test_round_trip_of_any_job(
    columns: Any, names: Any, asset: Any, pair: Any, values: Any, nodata: Any, memory: Any
) -> None:
    """Whatever the names and numbers, text means the same job."""
    job = Job(
        **document(
            zones={"path": "z", "columns": columns},
            bands={"red": asset, "c": {"index": 2, "nodata": nodata}},
            measurements=dict.fromkeys(names, "red / 2"),
            mask={"band": "c", "include": values},
            scale_offset={"scale": pair[0], "offset": pair[1]},
            limits={"memory": memory},
        )
    )
    assert Job.from_yaml(job.to_yaml()) == job


def test_frozen() -> None:
    """A job cannot be changed."""
    job = Job(**document())
    with pytest.raises(ValueError, match="frozen"):
        job.coverage = "center"
    with pytest.raises(ValueError, match="frozen"):
        job.limits.memory = 1


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"statitics": []}, "unknown key 'statitics' at top level; did you mean 'statistics'?"),
        ({"zones": {"path": "z", "idd": 1}}, "unknown key 'idd' in zones; did you mean 'id'?"),
        ({"source": {"kind": "cog", "file": 1}}, "'file' in source; did you mean 'files'?"),
        ({"source": {"kind": "dataset"}}, "source.name is no name of a data set"),
        ({"source": {"kind": "cogg"}}, "source.kind is 'cogg'; use cog or stac or stack"),
        ({"source": {}}, "source.kind is missing"),
        ({"source": {"kind": "cog"}}, "give either files or pattern"),
        ({"source": ["a.tif"]}, "list of items"),
        ({"source": {"kind": "array", "data": 3}}, "only from Python"),
        ({"bands": {"red": {"aset": 1}}}, "unknown key 'aset' in bands.red; did you mean 'asset'?"),
        ({"bands": {"lambda": 1}}, "'lambda' cannot stand in an expression"),
        ({"bands": {"µ": 1}}, "cannot stand in an expression"),
        ({"bands": {"red": 0}}, "bands.red.index is 0"),
        ({"bands": {"red": {"nodata": 0}}}, "give an asset, an index or a description"),
        ({"bands": {}}, "bands is {}: give at least 1"),
        ({"measurements": {"a": "redd"}}, "unknown band 'redd' (did you mean 'red'?)"),
        ({"measurements": {"a": "red +"}}, "measurements.a: expression 'red +' cannot be read"),
        ({"measurements": {"a": 3}}, "measurements.a is 3: write a text"),
        ({"measurements": {}}, "nothing to measure"),
        ({"mask": {"band": "sc", "exclude": [1]}}, "mask.band 'sc' is not a band"),
        ({"mask": {"band": "red", "exclude": [1]}}, "nothing to measure"),
        ({"mask": {"band": "red"}}, "does not say what it masks: give exclude, include, bits"),
        ({"mask": {"band": "red", "exclude": [[]]}}, "mask.exclude.0 is []: write a number"),
        (
            {"mask": {"band": "red", "include": [1, np.nan]}},
            "mask.include.1 is nan: write a",
        ),
        ({"mask": {"band": "red", "bits": {"c": [np.inf]}}}, "mask bits.c holds inf"),
        ({"mask": {"band": "red", "exlude": [1]}}, "'exlude' in mask; did you mean 'exclude'?"),
        ({"mask": [{"band": "red", "above": "x"}]}, "mask.0.above is 'x': write a number"),
        ({"mask": [{"band": "red", "abov": 1}]}, "'abov' in mask.0; did you mean 'above'?"),
        ({"mask": []}, "mask is []: give at least 1"),
        ({"mask": {"band": "red", "bits": ["a", 3]}}, "mask.bits is ['a', 3]: mask bits="),
        (
            {"mask": {"band": "red", "exclude": [1], "dilate": -20}},
            "mask.dilate is -20: write 0 or more",
        ),
        ({"statistics": ["mean", "mean"]}, "statistics names 'mean' twice"),
        ({"statistics": "mean"}, "statistics is 'mean': write a list"),
        ({"coverage": "fracton"}, "coverage is 'fracton'; use fraction or center or all_touched"),
        ({"weights": 3}, "weights is 3"),
        ({"weights": {"band": 1}}, "weights.path is missing"),
        ({"weights": {"path": "w.tif", "band": 0}}, "weights.band.index is 0"),
        ({"weight_by": "cells"}, "weight_by is 'cells'; use fraction or area"),
        ({"temporal": {"every": "decade"}}, "temporal.every is 'decade': write day, week, month"),
        (
            {"temporal": {"every": "day", "stats": 1}},
            "unknown key 'stats' in temporal; did you mean",
        ),
        ({"temporal": {"every": "day", "statistics": ["mean", "mean"]}}, "temporal.statistics nam"),
        ({"group_by": "day"}, "group_by is 'day'; use item or datetime or solar_day"),
        ({"scale_offset": {"scale": 1}}, "write auto, item, file, none, or {scale"),
        ({"output": {}}, "output.path is missing: folder of the result"),
        ({"cluster": {"kind": "slurm"}}, "cluster.workers is missing: number of workers"),
        ({"cluster": {"kind": "address", "address": "x"}}, "write protocol://host:port"),
        ({"cluster": {"kind": "local", "workers": 0}}, "cluster.workers is 0"),
        ({"limits": {"memory": "lots"}}, "limits.memory is 'lots': write bytes, or a size such"),
        ({"limits": {"memory": True}}, "limits.memory is True"),
        ({"version": 2}, "version is 2; use 1"),
        ({"zones": {"path": "z", "densify": -1}}, "zones.densify is -1; use auto or none"),
        ({"zones": {"path": "z", "densify": "non"}}, "zones.densify is 'non'; use auto or none"),
        ({"source": {"kind": "cog", "files": ""}}, "write a path or URL"),
        ({"source": {"kind": "stac", "items": []}}, "source.items is []: write the path of STAC"),
        ({"source": {"kind": "stac", "items": ["a", {"assets": {}}]}}, "a list of such paths"),
        ({"on_failure": "ignore"}, "on_failure is 'ignore'; use record or raise"),
    ],
)
def test_refused(keys: dict[str, Any], said: str) -> None:
    """Each problem is one sentence that names the key, the value and what to do."""
    message = problems(**keys)
    assert said in message
    assert len(message.splitlines()) == 1
    assert message.startswith("job: ")


def test_all_problems_at_once(tmp_path: Path) -> None:
    """Problems are collected, one a line, each with the file's name."""
    text = "zone: x\nsource: {kind: cog, files: []}\nbands: {red: 1}\noutput: {path: o}\n"
    path = write_text(tmp_path, text)
    with pytest.raises(JobError) as caught:
        Job.from_file(path)
    lines = str(caught.value).splitlines()
    assert len(lines) == 3
    assert all(line.startswith(f"{path}: ") for line in lines)


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (5, 5),
        ("5", 5),
        ("1.5GiB", 3 * 2**29),
        ("500 MB", 5 * 10**8),
        ("1TB", 10**12),
        ("1.5Gi", 3 * 2**29),
    ],
)
def test_sizes(size: Any, expected: int) -> None:
    """Sizes are bytes, with decimal and binary units."""
    assert Job(**document(limits={"memory": size})).limits.memory == expected


class Frame:
    """Looks like a GeoDataFrame."""

    columns = geometry = crs = None


class Array:
    """Looks like a DataArray."""

    dims = coords = isel = None


def test_python_objects() -> None:
    """Frames, arrays and items stand for themselves, and cannot be written."""
    frame, array, item = Frame(), Array(), {"id": "a", "assets": {}}
    job = Job(**document(zones=frame, source=array))
    assert job.zones.path is frame
    assert job.source.data is array  # type: ignore[union-attr]
    assert job.in_memory == ("zones", "source")
    with pytest.raises(JobError, match="zones and source are in memory"):
        job.to_yaml()
    assert Job(**document(zones={"path": frame, "id": "i"})).zones.id == "i"
    assert Job(**document(source=[item])).source.items == (item,)  # type: ignore[union-attr]
    assert Job(**document(zones=Path("z"))).zones.path == "z"


def test_weights(tmp_path: Path) -> None:
    """A path stands for its first band; it is relative to the job file, and is written out."""
    text = json.dumps(document(weights="pop.tif", weight_by="area"))
    job = Job.from_file(write_text(tmp_path, text))
    assert job.weights is not None
    assert job.weights.path == str(tmp_path / "pop.tif")
    assert job.weights.band.band() == Band(index=1)
    assert Job.from_yaml(job.to_yaml()) == job
    named = Job(**document(weights={"path": "/w.tif", "band": {"asset": "pop", "nodata": "none"}}))
    assert named.weights is not None
    assert named.weights.band.band() == Band(asset="pop", nodata="none")
    assert Job(**document(weights=Array())).in_memory == ("weights",)


def test_real_python_objects() -> None:
    """The objects' real classes look as expected."""
    geopandas = pytest.importorskip("geopandas")
    xarray = pytest.importorskip("xarray")
    frame = geopandas.GeoDataFrame({"a": [1]})  # without a geometry: for the zones to refuse
    array = xarray.DataArray(np.zeros((2, 2)))
    for source in (array, array.to_dataset(name="red")):
        assert Job(**document(zones=frame, source=source)).in_memory == ("zones", "source")


def test_numpy_numbers_are_numbers() -> None:
    """Values of a mask may come from NumPy."""
    mask = {"band": "c", "exclude": list(np.array([1, 2], "uint8"))}
    job = Job(**document(bands={"red": 1, "c": 2}, mask=mask))
    assert job.masks() == (Mask("c", (1, 2)),)
    assert Job.from_yaml(job.to_yaml()) == job


def test_several_masks() -> None:
    """A list of masks, each of any form, is read and written out."""
    bits = {"cloud": 3, "conf": {"offset": 8, "length": 2, "exclude": [2, 3]}, "snow": None}
    masks = [
        {"band": "scl", "exclude": ["cloud", 3], "dilate": 20},
        {"band": "qa", "bits": bits},
        {"band": "b", "nodata": True},
    ]
    job = Job(**document(bands={"red": 1, "scl": 2, "qa": 3, "b": 4}, mask=masks))
    assert [mask.band for mask in job.masks()] == ["scl", "qa", "b"]
    assert job.masks()[0] == Mask("scl", ("cloud", 3), dilate=20.0)
    assert list(job.expressions()) == ["red"]
    again = Job.from_yaml(job.to_yaml())
    assert again.masks() == job.masks()


def test_bands_not_needed_are_not_read() -> None:
    """Only what a measurement or the mask needs is read, in the document's order."""
    bands = {"a": "A", "b": "B", "c": "C", "d": "D"}
    mask = {"band": "b", "include": [1]}
    job = Job(**document(bands=bands, measurements={"x": "d / a"}, mask=mask))
    assert list(job.bands_to_read()) == ["a", "b", "d"]
    by_default = Job(**document(bands=bands, mask=mask))
    assert list(by_default.expressions()) == ["a", "c", "d"]


def test_schema_describes_every_key() -> None:
    """The schema is draft 2020-12, closed, and says what each key means."""
    schema = Job.schema_json()
    assert schema["$schema"].endswith("2020-12/schema")
    assert "ArraySource" not in json.dumps(schema)
    for group in (schema, *schema["$defs"].values()):
        assert group["additionalProperties"] is False
        assert group["description"]
        for key in group["properties"].values():
            assert key.get("description") or "$ref" in key


def test_importing_is_light() -> None:
    """Reading a job needs none of the heavy libraries."""
    code = (
        "import sys, zonalbatch.job;"
        "print({'geopandas', 'xarray', 'dask', 'rasterio', 'pandas'} & set(sys.modules))"
    )
    assert python(code).strip() == "set()"


class TestShares:
    """min_fraction and default_value."""

    def test_they_reach_the_recipe(self) -> None:
        """What a document says is what is computed, and what a worker reads of the plan."""
        made = recipe_of(Job(**document(min_fraction=0.25, default_value=-1)))
        assert (made.min_fraction, made.measurements[0].default) == (0.25, -1.0)
        assert recipe_from(json.loads(json.dumps(recipe_document(made))), {}) == made

    def test_centres_have_no_shares(self) -> None:
        """A share and a rule that asks for none are refused together."""
        assert "use fraction or all_touched" in problems(min_fraction=0.5, coverage="center")
        assert "min_fraction is 2" in problems(min_fraction=2)
