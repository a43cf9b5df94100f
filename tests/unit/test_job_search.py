"""Jobs that search for their scenes: what is checked before anything is asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest

import zonalbatch as zb
from zonalbatch.errors import JobError

JOB: dict[str, Any] = {
    "zones": {"path": "zones.parquet"},
    "bands": {"red": "B04"},
    "output": {"path": "out"},
}
CONFIGS = Path(__file__).resolve().parents[2] / "configs"
API = "https://stac.example.com"


def job(**source: Any) -> zb.Job:
    """A job with a source of STAC items."""
    return zb.Job(**JOB, source={"kind": "stac", **source})


def test_every_key_of_a_search() -> None:
    """Texts stand for lists, a year for its text; the document gives an equal job."""
    made = job(
        api="earth-search", collections="sentinel-2-l2a", datetime=2024,
        query={"eo:cloud_cover": {"lt": 20}}, filter={"op": "=", "args": [1, 1]}, ids=["a", "b"],
        bbox=[5, 50, 6, 51], fields={"include": ["id"]}, sortby="-datetime", limit=10, max_items=99,
    )  # fmt: skip
    source: Any = made.source
    assert (source.collections, source.datetime) == (("sentinel-2-l2a",), "2024")
    question = source.question()
    assert question.span[1].isoformat() == "2024-12-31T23:59:59+00:00"
    assert (question.limit, question.max_items) == (10, 99)
    assert zb.Job.from_yaml(made.to_yaml()) == made
    assert made.in_memory == ()


def test_the_schema_knows_searches() -> None:
    """What a job takes, its JSON Schema takes."""
    source = {
        "kind": "stac", "api": API, "collections": ["a"], "datetime": 2024, "query": "a<1",
        "filter": "a < 1", "intersects": {"type": "Point", "coordinates": [5, 50]},
    }  # fmt: skip
    job(**source)
    jsonschema.validate(JOB | {"source": source}, zb.Job.schema_json())


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ({}, "source is {'kind': 'stac'}: give either items, a file of STAC items, or api"),
        ({"items": "x", "api": API}, "give either items, a file of STAC items, or api"),
        ({"items": "x", "query": "a<1"}, "query is asked of an API; give api"),
        ({"api": "earthsearch"}, "did you mean 'earth-search'?"),
        ({"api": API, "datetime": "June"}, "datetime 'June' is not understood"),
        ({"api": API, "query": "a"}, "query 'a' is no comparison"),
        ({"api": API, "filter": "a <"}, "filter 'a <' is no CQL2"),
        ({"api": API, "colections": "a"}, "did you mean 'collections'?"),
        ({"api": API, "limit": 0}, "source.limit is 0"),
        ({"api": API, "bbox": [1, 2, 3]}, "source.bbox"),
        (
            {"api": API, "bbox": [1, 2, 3, 4], "intersects": {"type": "Point"}},
            "bbox and intersects both say where to search",
        ),
    ],
)
def test_refused(source: dict[str, Any], words: str) -> None:
    """One line that names the key, the value and what to do."""
    with pytest.raises(JobError) as told:
        job(**source)
    assert words in str(told.value)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("config", sorted(CONFIGS.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_config_is_a_valid_job(config: Path) -> None:
    """Those that ask an API too, which no test can run."""
    assert zb.Job.from_file(config).version == 1


def test_a_password_in_the_address_is_refused() -> None:
    """The job's document is kept with its result."""
    with pytest.raises(JobError, match="password") as told:
        job(api="https://me:secret@stac.example.com")
    assert "secret" not in str(told.value)
