"""Names: the statistics that rasterstats knows, and what each is called here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = [
    "DEFAULT_STATS", "VALID_STATS", "check_stats", "engine_name", "get_percentile",
    "remap_categories",
]  # fmt: skip

DEFAULT_STATS = ["count", "min", "max", "mean"]
VALID_STATS = [
    *DEFAULT_STATS, "sum", "std", "median", "majority", "minority", "unique", "range", "nodata",
    "nan",
]  # fmt: skip

ENGINE_NAMES = {
    "majority": "frac", "minority": "frac", "unique": "variety", "nodata": "n_nodata",
    "nan": "n_nan",
}  # fmt: skip
"""What a statistic is read from, where that has another name."""


def check_stats(stats: Sequence[str] | str | None, categorical: bool) -> list[str]:
    """The statistics that are asked for, in their order.

    Args:
        stats: a list, names with blanks between, ``"*"`` or ``"ALL"``; nothing means the default,
            or none at all if categories are counted.
        categorical: True if categories are counted.

    Raises:
        ValueError: a name is unknown, or a percentile is outside of 0 to 100.
    """
    if not stats:
        return [] if categorical else list(DEFAULT_STATS)
    if isinstance(stats, str):
        stats = VALID_STATS if stats in ("*", "ALL") else stats.split()
    for name in stats:
        if name.startswith("percentile_"):
            get_percentile(name)
        elif name not in VALID_STATS:
            raise ValueError(f"Stat {name!r} not valid; must be one of \n {VALID_STATS}")
    return list(stats)


def get_percentile(stat: str) -> float:
    """The percentile that ``percentile_<q>`` names, 0 to 100.

    Raises:
        ValueError: it is no such name, or q is no number from 0 to 100.
    """
    if not stat.startswith("percentile_"):
        raise ValueError(f"{stat!r} must start with 'percentile_'")
    q = float(stat.removeprefix("percentile_"))
    if not 0.0 <= q <= 100.0:
        raise ValueError(f"percentiles must be >= 0 and <= 100, not {q} as in {stat!r}")
    return q


def engine_name(stat: str) -> str:
    """The engine's statistic that one of rasterstats is read from."""
    if stat.startswith("percentile_"):
        return f"p{get_percentile(stat):.10f}"
    return ENGINE_NAMES.get(stat, stat)


def remap_categories(category_map: Mapping[Any, Any], stats: Mapping[Any, Any]) -> dict[Any, Any]:
    """Counts by the categories' names; what has no name keeps its value."""
    return {category_map.get(value, value): count for value, count in stats.items()}
