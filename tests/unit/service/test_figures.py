"""Figures that are more than one number."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from zonalbatch.service.figures import BINS, figures_of


def told(pairs: Any, most: float | None) -> Any:
    """The histogram of the engine's pairs of lower edges and counts."""
    numbers = {"histogram": pairs, "max": most, "valid_fraction": 1.0}
    return figures_of(["histogram"], numbers, 1.0, 1.0)["histogram"]


def test_the_last_edge_is_the_largest_value() -> None:
    """Edges are one more than counts, as numpy.histogram has them."""
    counts, edges = np.histogram([1.0, 2.5, 9.0], BINS)
    pairs = list(zip(edges[:-1].tolist(), counts.astype(float).tolist(), strict=True))
    assert told(pairs, 9.0) == {"edges": edges.tolist(), "counts": counts.tolist()}


def test_an_only_value_is_in_a_bin_of_breadth_one() -> None:
    """Edges go from half below to half above it, as NumPy's do."""
    counts, edges = np.histogram([5.0, 5.0], BINS)
    pairs = list(zip(edges[:-1].tolist(), counts.astype(float).tolist(), strict=True))
    assert told(pairs, 5.0)["edges"] == pytest.approx(edges.tolist())


@pytest.mark.parametrize("nothing", [None, []])
def test_without_a_value_there_is_none(nothing: Any) -> None:
    """Null, not a list of zeros."""
    assert told(nothing, None) is None
