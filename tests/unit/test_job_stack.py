"""The keys of a common grid."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from zonalbatch.asked import access_of
from zonalbatch.errors import JobError
from zonalbatch.job import Job, StackSource
from zonalbatch.sources import CommonGrid

STACK = {"kind": "stack", "items": "/items.json", "epsg": 3035, "resolution": 20}


def document(source: dict[str, Any], **keys: Any) -> dict[str, Any]:
    """A small document over a stack."""
    return {
        "zones": "/zones.gpkg", "source": source, "bands": {"red": "red"},
        "output": {"path": "/out"},
    } | keys  # fmt: skip


@pytest.mark.parametrize(
    ("keys", "grid"),
    [
        ({}, CommonGrid(epsg=3035, resolution=(20, 20))),
        ({"resolution": [20, 30.5]}, CommonGrid(epsg=3035, resolution=(20, 30.5))),
        (
            {"resampling": "average", "bounds": [0, 0, 100, 200]},
            CommonGrid(
                epsg=3035, resolution=(20, 20), resampling="average", bounds=(0, 0, 100, 200)
            ),
        ),
    ],
)
def test_forms(keys: dict[str, Any], grid: CommonGrid) -> None:
    """Each form is valid by the schema, makes its grid, and is the same after it was written."""
    given = document(STACK | keys)
    jsonschema.validate(json.loads(json.dumps(given)), Job.schema_json())
    job = Job(**given)
    assert isinstance(job.source, StackSource)
    assert job.source.grid() == grid
    assert Job.from_yaml(job.to_yaml()) == job
    assert job.grouping() == "solar_day"


def test_it_searches_and_signs_as_items_do() -> None:
    """Keys of a search stand in place of items; an API that wants signatures has them made."""
    search = {"api": "planetary-computer", "collections": "sentinel-2-l2a", "datetime": "2024-06"}
    source = {key: value for key, value in STACK.items() if key != "items"} | search
    assert access_of(Job(**document(source))).document["kind"] == "planetary-computer"
    assert "kind" not in access_of(Job(**document(STACK))).document


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"epsg": None}, "source.epsg is None: write a whole number"),
        ({"epsg": 4326}, "epsg 4326 (WGS 84) is not projected; give the code of a CRS that is"),
        ({"epsg": 1}, "epsg 1 is no CRS that PROJ knows"),
        ({"resolution": 0}, "source.resolution is 0: write a length, or a width and a height"),
        ({"resolution": "10 m"}, "source.resolution is '10 m'"),
        ({"resampling": "best"}, "source.resampling is 'best'; use nearest or bilinear"),
        ({"bounds": [0, 0, 30, 40]}, "which is no whole number of cells of 20; move an edge"),
        ({"bounds": [0, 0, 20]}, "source.bounds"),
        ({"items": None}, "give either items, a file of STAC items, or api"),
        ({"resolutoin": 3}, "unknown key 'resolutoin' in source; did you mean 'resolution'?"),
    ],
)
def test_refused(keys: dict[str, Any], said: str) -> None:
    """Each problem is one sentence that names the key, the value and what to do."""
    with pytest.raises(JobError) as caught:
        Job(**document(STACK | keys))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_overviews_are_not_for_a_stack() -> None:
    """Its cells have the size that its own key says."""
    with pytest.raises(JobError, match=r"its cells are as large as source\.resolution says"):
        Job(**document(STACK, resolution=60))


def test_epsg_is_missing() -> None:
    """What a grid needs at least is asked for."""
    with pytest.raises(JobError, match=r"source\.epsg is missing: code of the grid's CRS"):
        Job(**document({key: value for key, value in STACK.items() if key != "epsg"}))
