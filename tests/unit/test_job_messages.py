"""What is said of a job's keys is said in the words of a job."""

from __future__ import annotations

from typing import Any

import pytest

from zonalbatch.errors import JobError
from zonalbatch.job import Job
from zonalbatch.job.keys import JobKeys

WRONG: tuple[Any, ...] = (
    "sixty", -3, 0, 1.5, True, float("nan"), "", [], {}, {"a": 1}, [None], [1, "a"], {1: 2},
    {"kind": "x"}, {"kind": "local", "workers": 0}, {"kind": "address", "address": 3},
    {"kind": "cog", "files": []}, {"kind": "stac", "items": 3}, {"path": 3}, {"path": "a", "id": 3},
    {"path": "a", "columns": [3]}, {"path": "a", "buffer": "x"}, {"path": "a", "layout": "x"},
    {"memory": -1}, {"max_failures": -1}, {"requests_in_flight": 0}, {"count": "x"}, {"count": 0},
    {"band": "red", "exclude": []}, {"band": 3, "include": [1]}, {"red": {"index": 0}},
)  # fmt: skip
"""Values that few keys take."""
INNER = ("input should", "should be", "constrained", "literal[", "function-", "have at least")
"""Words of pydantic's."""


def document(**keys: Any) -> dict[str, Any]:
    """A small valid document with some keys replaced."""
    return {
        "zones": "zones.gpkg",
        "source": {"kind": "cog", "files": ["a.tif"]},
        "bands": {"red": 1},
        "output": {"path": "out"},
    } | keys


@pytest.mark.parametrize("key", sorted(JobKeys.model_fields))
def test_no_inner_words(key: str) -> None:
    """Whatever a key holds, what is said of it has no word of the library that checks it."""
    said = []
    for value in WRONG:
        try:
            Job(**document(**{key: value}))
        except JobError as error:
            said += str(error).lower().splitlines()
    assert said
    assert not [line for line in said if any(word in line for word in INNER)]
    assert not [line for line in said if line.endswith("use ")]


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"resolution": "sixty"}, "resolution is 'sixty': write metres, or approx"),
        ({"resolution": -3}, "resolution is -3: write metres, or approx"),
        ({"min_fraction": "half"}, "min_fraction is 'half': write a number"),
        ({"min_fraction": 3}, "min_fraction is 3: write 1 or less"),
        ({"sketch": "yes"}, "sketch is 'yes': write true or false"),
        ({"edges": [1]}, "edges is [1]: give at least 2"),
        (
            {"limits": {"max_failures": -1}},
            "limits.max_failures is -1: write a number of failures, or a share",
        ),
        ({"limits": {"outage": "15 min ago"}}, "limits.outage is '15 min ago': write seconds, or"),
        ({"limits": {"outage": -1}}, "limits.outage is -1: write seconds, or a time such as 90s"),
    ],
)
def test_what_to_write(keys: dict[str, Any], said: str) -> None:
    """One sentence names the key, the value, and what it takes."""
    with pytest.raises(JobError) as caught:
        Job(**document(**keys))
    assert str(caught.value).startswith(f"job: {said}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("value", [60, 60.5, "approx", None])
def test_resolutions(value: Any) -> None:
    """Metres, approx or nothing are taken as they are, and written so."""
    job = Job(**document(resolution=value))
    assert job.resolution == value
    assert Job.from_yaml(job.to_yaml()) == job
