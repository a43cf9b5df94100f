"""What a search asks, in the ways in which users write it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from zonalbatch.errors import InputError
from zonalbatch.searches.question import NEEDED, Question


@pytest.mark.parametrize(
    ("given", "start", "end"),
    [
        ("2024-06", "2024-06-01T00:00:00", "2024-06-30T23:59:59"),
        (2024, "2024-01-01T00:00:00", "2024-12-31T23:59:59"),
        ("2024-06/2024-08", "2024-06-01T00:00:00", "2024-08-31T23:59:59"),
        ("2024-06-05T10:00:00Z", "2024-06-05T10:00:00", "2024-06-05T10:00:00"),
        ("2024-06-05T10:00:00+02:00/..", "2024-06-05T08:00:00", None),
        ("../2024", None, "2024-12-31T23:59:59"),
        (["2024-06-01", None], "2024-06-01T00:00:00", None),
        (datetime(2024, 6, 1, tzinfo=UTC), "2024-06-01T00:00:00", "2024-06-01T00:00:00"),
    ],
)
def test_times(given: Any, start: str | None, end: str | None) -> None:
    """Days, months and years stand for all of them; a range may be open."""
    span = Question.of(datetime=given).span
    assert [one and one.isoformat()[:19] for one in span] == [start, end]
    assert all(one is None or one.tzinfo == UTC for one in span)


@pytest.mark.parametrize("given", ["June", "2024-13", "2024/2023", "2024/2025/2026", "", "../.."])
def test_what_is_no_time_is_refused(given: str) -> None:
    """One sentence with the value and the forms that are understood."""
    with pytest.raises(InputError, match=f"datetime {given!r}"):
        Question.of(datetime=given)


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        ("eo:cloud_cover<20", {"eo:cloud_cover": {"lt": 20}}),
        (" eo:cloud_cover >= 2.5 ", {"eo:cloud_cover": {"gte": 2.5}}),
        (["a>1", "a<=3", "b=x"], {"a": {"gt": 1, "lte": 3}, "b": {"eq": "x"}}),
        ("view:off_nadir!=0", {"view:off_nadir": {"neq": 0}}),
        ("day=true", {"day": {"eq": True}}),
        ({"a": {"lt": 5}, "b": 7}, {"a": {"lt": 5}, "b": {"eq": 7}}),
        ('{"a": {"in": [1, 2]}}', {"a": {"in": [1, 2]}}),
        ('{"eo:cloud_cover": 20, "b": "x"}', {"eo:cloud_cover": {"eq": 20}, "b": {"eq": "x"}}),
        (["a<5", '{"a": 3}'], {"a": {"lt": 5, "eq": 3}}),
    ],
)
def test_comparisons(given: Any, asked: dict[str, Any]) -> None:
    """Numbers are numbers: pystac-client would send them as text, which compares by letters."""
    assert Question.of(query=given).parameters()["query"] == asked


@pytest.mark.parametrize("given", ["cloudy", "<20", {}, [], 5, [5], '{"a": '])
def test_what_is_no_comparison_is_refused(given: Any) -> None:
    """The value and the form stand in the sentence."""
    with pytest.raises(InputError, match="query"):
        Question.of(query=given)


@pytest.mark.parametrize("given", ["eo:cloud_cover <", {"op": 5}, 7])
def test_what_is_no_cql2_is_refused(given: Any) -> None:
    """Before anything is sent."""
    with pytest.raises(InputError, match="is no CQL2"):
        Question.of(filter=given)


@pytest.mark.parametrize("given", [["p!=1", "p!=2"], ["p=1", '{"p": 2}']])
def test_an_operator_counts_once(given: Any) -> None:
    """Of two comparisons of a property by one operator none is lost without a word."""
    with pytest.raises(InputError, match=r"of p twice.*say it by filter"):
        Question.of(query=given)


@pytest.mark.parametrize(
    "given",
    ["-a, -b,+c", ["-a,-b", "c"], ("-a", " -b", "c"),
     [{"field": "a", "direction": "desc"}, "-b", {"field": "c"}]],
)  # fmt: skip
def test_orders(given: Any) -> None:
    """Fields with their signs in one text or several, whatever blanks are between, or keys."""
    rules = Question.of(sortby=given).sortby or ()
    assert [(r["field"], r["direction"]) for r in rules] == [
        ("a", "desc"), ("b", "desc"), ("c", "asc"),
    ]  # fmt: skip


@pytest.mark.parametrize("key", ["collections", "ids"])
def test_lists_may_hold_commas(key: str) -> None:
    """A job's list of one text with commas is what the text is in a call."""
    assert getattr(Question.of(**{key: ["a, b", "c"]}), key) == ("a", "b", "c")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("sortby", 5), ("sortby", [5]), ("sortby", {"direction": "asc"}), ("sortby", "-a,,b"),
        ("sortby", [{"field": "a", "direction": "down"}]), ("fields", {"include": 5}),
        ("fields", {"inclde": ["id"]}), ("fields", 5), ("ids", "a,"), ("collections", [1]),
    ],
)  # fmt: skip
def test_what_is_no_list_is_refused(key: str, value: Any) -> None:
    """With a sentence, before anything is sent."""
    with pytest.raises(InputError):
        Question.of(**{key: value})


def test_names_and_numbers() -> None:
    """Lists may be text with commas; pages are no larger than what is wanted in all."""
    question = Question.of(
        collections="a, b", ids=["x"], sortby="-properties.datetime,id", limit=50, max_items=7
    )
    assert question.parameters() == {
        "collections": ["a", "b"],
        "ids": ["x"],
        "sortby": [
            {"field": "properties.datetime", "direction": "desc"},
            {"field": "id", "direction": "asc"},
        ],
        "limit": 7,
    }
    for wrong in ({"limit": 0}, {"limit": 10_001}, {"max_items": True}, {"collections": 5}):
        with pytest.raises(InputError):
            Question.of(**wrong)


def test_fields_hold_what_a_source_needs() -> None:
    """What is included comes beside it; it is never left out."""
    fields = Question.of(fields="properties.eo:cloud_cover,-assets,-properties.title").fields
    assert fields is not None
    assert fields["include"] == [*NEEDED, "properties.eo:cloud_cover"]
    assert fields["exclude"] == ["properties.title"]
    fields = Question.of(fields={"include": "id", "exclude": ["links"]}).fields
    assert fields == {"include": list(NEEDED), "exclude": []}
    assert Question.of(fields="-assets").parameters()["fields"] == {"include": [], "exclude": []}
