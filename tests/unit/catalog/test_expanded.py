"""Jobs over data sets, as the jobs over files that they stand for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.made.datasets import data_set
from zonalbatch.catalog.expanded import expanded
from zonalbatch.errors import JobError
from zonalbatch.job import Job

JOB: dict[str, Any] = {"zones": "a.parquet", "statistics": ["mean"], "output": {"path": "out"}}


def source(name: str, **keys: Any) -> dict[str, Any]:
    """Of a job."""
    return {"source": {"kind": "dataset", "name": name, **keys}}


def test_one_picture() -> None:
    """All files of what does not change are one layer; its API, nodata and rights are known."""
    told = expanded({**JOB, **source("copernicus_dem:elevation")})
    assert told["group_by"] == "all"
    assert told["bands"] == {"elevation": {"asset": "data", "nodata": -32767}}
    assert told["source"] == {
        "kind": "stac", "api": "planetary-computer", "collections": ["cop-dem-glo-30"],
    }  # fmt: skip


def test_bands_that_are_needed() -> None:
    """Those of the measurements and of the mask, by the names of the data set."""
    told = expanded(
        {
            **JOB, **source("sentinel2_l2a", datetime="2024-06", query="eo:cloud_cover<20"),
            "measurements": {"ndvi": "(nir - red) / (nir + red)"}, "mask": "clouds",
        }
    )  # fmt: skip
    assert list(told["bands"]) == ["red", "nir", "scl"]
    assert told["bands"]["nir"] == {"asset": "B08", "nodata": 0}
    assert told["mask"]["exclude"] == [0, 1, 3, 8, 9, 10]
    assert told["source"]["datetime"] == "2024-06"
    assert "group_by" not in told


def test_a_job_is_what_it_stands_for(tmp_path: Path) -> None:
    """Equal to the job that is written the long way; that is what it is written as."""
    short = Job(**JOB, **source("landsat_c2_l2", datetime="2024"), bands={"red": "red"})
    long = Job(
        **JOB, bands={"red": {"asset": "red", "nodata": 0}},
        source={"kind": "stac", "api": "planetary-computer", "collections": ["landsat-c2-l2"],
                "datetime": "2024"},
    )  # fmt: skip
    assert short == long
    assert "dataset" not in short.to_yaml()
    assert Job.from_yaml(short.to_yaml()) == long


def test_a_job_file_names_a_file_beside_it(tmp_path: Path) -> None:
    """As all relative paths of a job file."""
    place = {"kind": "stac", "api": "https://example.org", "collections": ["dem"]}
    data_set(tmp_path, place)
    (tmp_path / "job.yaml").write_text(
        "zones: a.parquet\nsource: {kind: dataset, name: own.yaml:height}\nstatistics: [mean]\n"
        "output: {path: out}\n"
    )
    job = Job.from_file(tmp_path / "job.yaml")
    assert list(job.bands) == ["height"]


def test_keys_override_what_is_known() -> None:
    """Of the band and of the source."""
    told = expanded(
        {
            **JOB, **source("nasadem:elevation", api="https://example.org"),
            "bands": {"dem": {"asset": "elevation", "nodata": 0}},
        }
    )  # fmt: skip
    assert told["bands"] == {"dem": {"asset": "elevation", "nodata": 0}}
    assert told["source"]["api"] == "https://example.org"


@pytest.mark.parametrize(
    ("keys", "valid"),
    [
        (source("nasadem"), True),
        (
            {**source("sentinel2_l2a", datetime="2024"), "mask": "clouds", "bands": {"a": "red"}},
            True,
        ),
        ({"source": {"kind": "dataset", "nam": "nasadem"}}, False),
        ({"source": {"kind": "cog", "files": ["a.tif"]}}, False),
    ],
)
def test_editors_know_them(keys: dict[str, Any], valid: bool) -> None:
    """The schema takes a data set without bands, and nothing else without."""
    zones = {"zones": "a.parquet", "statistics": ["mean"], "output": {"path": "out"}}
    assert Draft202012Validator(Job.schema_json()).is_valid(zones | keys) == valid


def test_a_coverage() -> None:
    """A WCS is a file with a name of its own, which holds no secret."""
    told = expanded({**JOB, **source("tandem_x")})
    (link,) = told["source"]["files"]
    assert link.startswith("wcs:1.0.0:ZONALBATCH_DLR_USER:ZONALBATCH_DLR_PASSWORD:TDM90_DEM:https:")
    assert told["bands"] == {"elevation": {"index": 1, "nodata": -32767}}


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no name": ({"source": {"kind": "dataset"}}, "no name of a data set"),
    "an unknown one": (source("nasadm"), "did you mean 'nasadem'"),
    "too many bands": (source("sentinel2_l2a", datetime="2024"), "write bands, measurements"),
    "an unknown band": (
        {**source("sentinel2_l2a", datetime="2024"), "bands": {"a": "rd"}}, "did you mean 'red'"
    ),
    "an unknown mask": (
        {**source("sentinel2_l2a:red", datetime="2024"), "mask": "clods"}, "did you mean 'clouds'"
    ),
    "a search of a coverage": (source("tandem_x", datetime="2024"), "source.datetime"),
    "an unknown key": (source("nasadem", speed=1), "speed"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    """In one sentence."""
    keys, said = REFUSED[name]
    with pytest.raises(JobError, match=said):
        Job(**JOB, **keys)
