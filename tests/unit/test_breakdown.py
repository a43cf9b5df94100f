"""Classes and bins: what may be given, how columns are named, how a plan keeps them."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from zonalbatch.arguments import breakdown_given
from zonalbatch.breakdown import Bins
from zonalbatch.errors import InputError
from zonalbatch.expression import bare
from zonalbatch.measure import Measurement
from zonalbatch.planning.files import recipe_from
from zonalbatch.planning.identity import recipe_document
from zonalbatch.recipe import Recipe


def recipe(*statistics: str, **breakdown: Any) -> Recipe:
    """A recipe of one band."""
    return Recipe(
        measurements=(Measurement("red", bare("red")),),
        statistics=statistics,
        breakdown=breakdown_given(*(breakdown.get(k) for k in ("classes", "edges", "bins"))),
    )


def columns(*statistics: str, **breakdown: Any) -> list[str]:
    """The columns of some statistics."""
    return [s.column for s in recipe(*statistics, **breakdown).asked]


def test_a_column_for_each_class() -> None:
    """A column is the statistic and the class's name, in the order given; others stay."""
    assert columns("mean", "frac", classes={1: "maize", 7: "wheat"}) == [
        "mean", "frac_maize", "frac_wheat",
    ]  # fmt: skip
    assert columns("class_count", "class_area", classes=[3, 2.5, -1]) == [
        "class_count_3", "class_count_2_5", "class_count_-1",
        "class_area_3", "class_area_2_5", "class_area_-1",
    ]  # fmt: skip


def test_a_column_for_each_bin() -> None:
    """A bin's column is named by its lower edge; bins of equal width stay a list."""
    assert columns("histogram", edges=[-1, 0, 0.5, 10]) == [
        "histogram_-1", "histogram_0", "histogram_0_5",
    ]  # fmt: skip
    assert columns("histogram", bins={"start": 0, "stop": 1, "count": 4}) == ["histogram"]
    assert columns("histogram", "frac") == ["histogram", "frac"]


def test_numbers_of_numpy_and_text() -> None:
    """NumPy's numbers are numbers; a value that is a key of JSON is text."""
    same = (("a", 1.0), ("b", 2.5))
    assert breakdown_given({np.uint8(1): "a", 2.5: "b"}, None, None).classes == same
    assert breakdown_given({"1": "a", "2.5": "b"}, None, None).classes == same
    assert breakdown_given(None, np.array([0, 1.0]), None).edges == (0.0, 1.0)
    assert breakdown_given(None, None, np.int64(7)).bins == Bins(7)


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"classes": []}, "give a list of values"),
    ({"classes": "12"}, "give a list of values"),
    ({"classes": {"maize": 1}}, "a name for each"),
    ({"classes": {1: 2}}, "a name for each"),
    ({"classes": [1, True]}, "give a list of values"),
    ({"classes": [1, 1.0]}, "twice"),
    ({"classes": {1: "a", 2: "a"}}, "two classes would be named 'a'"),
    ({"classes": {1: "2.5", 2: "2_5"}}, "two classes would be named '2_5'"),
    ({"classes": {1: " "}}, "a name to print"),
    ({"classes": [float("nan")]}, "a finite number"),
    ({"classes": range(5000)}, "there are 5,000; give 4,096 at most"),
    ({"edges": [1]}, "there are 1; give 2 to"),
    ({"edges": 5}, "a list of rising numbers"),
    ({"edges": [0, 0]}, "each above the one before"),
    ({"edges": [0, float("inf")]}, "finite"),
    ({"bins": 0}, "give 1 to 100,000"),
    ({"bins": 2.5}, "a number of bins"),
    ({"bins": {"start": 0}}, "a number of bins"),
    ({"bins": {"start": 1, "stop": 0, "count": 3}}, "each above the one before"),
    ({"bins": {"steps": 3}}, "a number of bins"),
    ({"edges": [0, 1], "bins": 3}, "give one of them"),
]


@pytest.mark.parametrize(("given", "said"), WRONG)
def test_refused(given: dict[str, Any], said: str) -> None:
    """What makes no sense is refused in a sentence that says what to give."""
    with pytest.raises(InputError, match=said):
        recipe("frac", "histogram", **given)


@pytest.mark.parametrize("given", [{"classes": [1]}, {"edges": [0, 1]}, {"bins": 3}])
def test_what_no_statistic_is_told_by(given: dict[str, Any]) -> None:
    """Classes and bins that nothing is told by are refused, not left aside."""
    with pytest.raises(InputError, match="no statistic is told by them"):
        columns("mean", **given)


@pytest.mark.parametrize(
    "given",
    [
        {}, {"classes": {1: "a", 0.1: "b"}}, {"edges": [0, 0.1, 7]}, {"bins": 20},
        {"bins": {"start": -1, "stop": 1, "count": 8}, "classes": [1]},
    ],
)  # fmt: skip
def test_a_plan_keeps_them(given: dict[str, Any]) -> None:
    """A recipe comes back from the stored plan as it was."""
    made = recipe("frac", "histogram", **given)
    stored = json.loads(json.dumps(recipe_document(made)))
    assert stored == recipe_document(made)
    assert recipe_from(stored, {}).breakdown == made.breakdown
