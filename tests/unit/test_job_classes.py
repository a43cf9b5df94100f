"""Classes, edges and bins in a job document."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from zonalbatch.asked import recipe_of
from zonalbatch.breakdown import Bins
from zonalbatch.errors import JobError
from zonalbatch.job import Job
from zonalbatch.planning.identity import recipe_document


def document(**keys: Any) -> dict[str, Any]:
    """The smallest job, and more keys."""
    return {
        "zones": "z.gpkg", "source": {"kind": "cog", "files": ["a.tif"]}, "bands": {"red": 1},
        "output": {"path": "out"},
    } | keys  # fmt: skip


FORMS: list[dict[str, Any]] = [
    {"classes": [1, 2.5]},
    {"classes": {"1": "maize", "2": "wheat"}},
    {"edges": [-1, 0, 0.5]},
    {"bins": 20},
    {"bins": {"start": 0, "stop": 1, "count": 5}},
    {"classes": [1], "bins": {"count": 5}},
]


@pytest.mark.parametrize("keys", FORMS)
def test_forms(keys: dict[str, Any]) -> None:
    """Each form is valid by the schema, is read, and means the same after it was written."""
    given = document(statistics=["frac", "histogram"], **keys)
    jsonschema.validate(json.loads(json.dumps(given)), Job.schema_json())
    job = Job(**given)
    again = Job.from_yaml(job.to_yaml())
    assert again == job
    assert again.breakdown() == job.breakdown()


def test_meaning() -> None:
    """Names and values of classes, edges, and bins of each zone's own or of all."""
    job = Job.from_yaml("""
zones: z.gpkg
source: {kind: cog, files: a.tif}
bands: {red: 1}
statistics: [frac, histogram]
classes: {1: maize, 2.5: wheat}
bins: {start: 0, stop: 10, count: 4}
output: {path: o}
""")
    assert job.breakdown().classes == (("maize", 1.0), ("wheat", 2.5))
    assert job.breakdown().bins == Bins(4, (0.0, 10.0))
    assert Job(**document()).breakdown().classes == ()


@pytest.mark.parametrize(("keys", "kept"), list(zip(FORMS, (0, 0, 2, 0, 2, 0), strict=True)))
def test_identity(keys: dict[str, Any], kept: int) -> None:
    """Histograms over bins of all zones have a method of their own; other jobs keep their names."""
    job = Job(**document(statistics=["frac", "histogram"], **keys))
    assert recipe_document(recipe_of(job)).get("histogram_method", 0) == kept


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"classes": []}, "classes is []: write a list of values, or a name for each"),
        ({"classes": {"maize": 1}}, "a name for each, such as 1: maize"),
        ({"classes": [1, 1]}, "twice"),
        ({"classes": {1: "a", 2: "a"}}, "two classes would be named 'a'"),
        ({"edges": [1, 0]}, "each above the one before"),
        ({"edges": ["a", 0]}, "edges.0 is 'a': write a number"),
        ({"bins": {"start": 0}}, "bins has no stop and no count; give start, stop and count"),
        ({"bins": {"start": 0, "stop": 1}}, "bins has no count; give start, stop and count"),
        ({"bins": {"cout": 3}}, "unknown key 'cout' in bins; did you mean 'count'?"),
        ({"edges": [0, 1], "bins": 3}, "give one of them"),
    ],
)
def test_refused(keys: dict[str, Any], said: str) -> None:
    """Each problem is one sentence that names the key and what to do."""
    with pytest.raises(JobError) as caught:
        Job(**document(**keys))
    assert said in str(caught.value)
