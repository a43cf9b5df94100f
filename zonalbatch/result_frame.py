"""Result frame: the statistics of every layer as rows of a table, beside the zones' columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from zonalbatch.layers import Layer
from zonalbatch.sinks.table import LONG, OVERVIEW, Form, overview_of
from zonalbatch.statistics import Column
from zonalbatch.work.layer_work import LayerSummary

__all__ = ["fresh_columns", "result_frame"]


def result_frame(
    base: Any,
    summaries: Sequence[LayerSummary],
    names: Mapping[tuple[str, str], str],
    form: Form,
    *,
    geometry: bool,
) -> Any:
    """The result: zone by zone, and within a zone in the order of the layers."""
    import geopandas
    import pandas as pd

    values = {key: _by_row([s.columns[key] for s in summaries]) for key in names}
    rough = _rough(summaries, list(names), form.layout)
    fresh = _of_layers([s.layer for s in summaries], len(base), form)
    if form.layout == "long":
        fresh = _long(fresh, values, form)
    else:
        fresh |= {names[key]: column for key, column in values.items()}
    if rough is not None:
        fresh["approximate"] = rough
    shape = base.geometry.name
    rows, count = base, len(next(iter(fresh.values()))) // len(base)
    if count > 1:
        kept = base if geometry else base.drop(columns=shape)
        rows = kept.iloc[np.repeat(np.arange(len(base)), count)]
    # One frame out of columns: to add them to a GeoDataFrame would copy it again and again.
    columns = {name: rows[name] for name in rows.columns if name != shape} | fresh
    if geometry:
        columns[shape] = rows[shape]
        result = geopandas.GeoDataFrame(columns, index=rows.index, geometry=shape)
    else:
        result = pd.DataFrame(columns, index=rows.index)
    result.attrs = base.attrs
    return result


def fresh_columns(
    layers: Sequence[Layer], names: Mapping[tuple[str, str], str], form: Form
) -> list[str]:
    """Names of the columns that come beside the zones' own."""
    of_rows = LONG if form.layout == "long" else tuple(names.values())
    return [*_of_layers(layers, 0, form), *of_rows]


def _by_row(columns: Sequence[Column]) -> Any:
    """(row,) results of all layers, zone by zone."""
    if isinstance(columns[0], np.ndarray):
        return np.column_stack(columns).reshape(-1)
    from zonalbatch.list_column import ListColumn

    zones, layers = len(columns[0]), len(columns)
    if layers == 1:
        return ListColumn(columns[0])
    order = np.arange(zones * layers).reshape(layers, zones).T.reshape(-1)
    return ListColumn(pa.chunked_array(columns).take(pa.array(order)))


def _rough(summaries: Sequence[LayerSummary], keys: Sequence[tuple[str, str]], layout: str) -> Any:
    """(row,) True where a number is not exact; None if all are, as they nearly always are."""
    exact = np.zeros(len(summaries[0].met), bool)
    columns = [_by_row([s.approximate.get(key, exact) for s in summaries]) for key in keys]
    table = np.column_stack(columns)
    if not table.any():
        return None
    return table.reshape(-1) if layout == "long" else table.any(axis=1)


def _of_layers(layers: Sequence[Layer], zones: int, form: Form) -> dict[str, Any]:
    """Which of several layers each row is of, and when that was measured if any layer says so.

    And which overview was read, if a resolution was given.
    """
    import pandas as pd

    at = np.tile(np.arange(len(layers)), zones)
    seen = {OVERVIEW: np.array([overview_of(one) for one in layers], object)[at]}
    seen = seen if form.overviews else {}
    if len(layers) == 1:
        return seen
    fresh: dict[str, Any] = {"layer": np.array([one.id for one in layers], object)[at]}
    times = [one.datetime for one in layers]
    if any(times):
        fresh["datetime"] = pd.to_datetime(np.array(times, object), utc=True)[at]
    return fresh | seen


def _long(
    fresh: Mapping[str, Any], values: Mapping[tuple[str, str], Any], form: Form
) -> dict[str, Any]:
    """One row for each measurement and statistic."""
    rows = len(next(iter(values.values())))
    return {name: column.repeat(len(values)) for name, column in fresh.items()} | {
        "measurement": np.tile(np.array([form.prefixed(m) for m, _ in values], object), rows),
        "statistic": np.tile(np.array([s for _, s in values], object), rows),
        "value": np.column_stack(list(values.values())).reshape(-1),
    }
