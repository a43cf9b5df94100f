"""Grid: rows laid out by zone and time, file by file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.made.outputs import Made, fields, season, written
from zonalbatch.errors import InputError, OutputError
from zonalbatch.explore.columns import column_named
from zonalbatch.explore.grid import Grid, grid_of
from zonalbatch.results import Results, open_results


def laid(rows: Results) -> Grid:
    """The grid of NDVI."""
    return grid_of(rows, [column_named(rows.columns, "ndvi_mean")])


@pytest.mark.parametrize("layout", ["wide", "long"])
@pytest.mark.parametrize("parts", [1, 4])
def test_each_value_is_in_its_place(tmp_path: Path, layout: str, parts: int) -> None:
    """However many files rows lie in, and in which layout."""
    values, times = season(13, 9)
    made = Made(zones=fields(13), times=times, values=values, layout=layout)
    grid = laid(written(tmp_path / "out", made, parts=parts))
    np.testing.assert_array_equal(grid.values["ndvi_mean"], values)
    np.testing.assert_array_equal(grid.seen, np.isfinite(values))
    assert (grid.status == np.where(np.isfinite(values), "ok", "empty")).all()


def test_the_row_that_saw_most_is_taken_from_whichever_file(tmp_path: Path) -> None:
    """Status first, then the share of the zone: the order of files does not matter."""
    values, times = season(6, 4)
    first = written(tmp_path / "out", Made(zones=fields(6), times=times, values=values), parts=1)
    before = laid(first)
    file = Path(first.files[0])
    table = pq.read_table(file)
    worse = table.set_column(
        table.column_names.index("ndvi_mean"), "ndvi_mean", pa.array(np.full(len(table), 9.0))
    ).set_column(
        table.column_names.index("ndvi_count"), "ndvi_count", pa.array(np.full(len(table), 1.0))
    ).set_column(
        table.column_names.index("status"), "status", pa.array(["partial"] * len(table))
    )  # fmt: skip
    for name in ("part-0.parquet", "part-z.parquet"):
        pq.write_table(worse, file.with_name(name))
    plan = next((tmp_path / "out" / "plan").iterdir()) / "parts.parquet"
    pq.write_table(pa.table({"id": [*pq.read_table(plan)["id"].to_pylist(), "0", "z"]}), plan)
    after = laid(open_results(tmp_path / "out"))
    there = np.isfinite(values)
    np.testing.assert_array_equal(
        after.values["ndvi_mean"][there], before.values["ndvi_mean"][there]
    )
    assert (after.values["ndvi_mean"][~there] == 9).all()
    assert (after.status[~there] == "partial").all()


def test_zones_that_meet_no_layer_have_no_time(tmp_path: Path) -> None:
    """A row without a layer is no date, and does not make the others undated."""
    values, times = season(5, 6)
    status = np.where(np.isfinite(values), "ok", "empty").astype("<U8")
    status[4] = ""
    made = Made(zones=fields(5), times=times, values=values, status=status)
    rows = written(tmp_path / "out", made, parts=1)
    file = Path(rows.files[0])
    table = pq.read_table(file)
    alone = {name: pa.nulls(1, table.schema.field(name).type) for name in table.column_names}
    alone |= {"zone_id": pa.array(["F00004"]), "status": pa.array(["empty"])}
    pq.write_table(pa.concat_tables([table, pa.table(alone, schema=table.schema)]), file)
    grid = laid(open_results(tmp_path / "out"))
    assert len(grid.times) == 6
    assert grid.dated
    assert (grid.status[4] == "").all()


def test_dates_and_none_are_no_axis(tmp_path: Path) -> None:
    """Layers of which some have a date cannot be put in order."""
    values, times = season(3, 3)
    made = Made(zones=fields(3), times=[*times[:2], None], values=values)
    with pytest.raises(InputError, match="some layers have a date and others none"):
        laid(written(tmp_path / "out", made))


def test_a_broken_file_is_told(tmp_path: Path) -> None:
    """Also where only its schema is read."""
    values, times = season(3, 3)
    rows = written(tmp_path / "out", Made(zones=fields(3), times=times, values=values))
    for name in rows.files:
        Path(name).write_bytes(b"PAR1 is no end")
    with pytest.raises(OutputError, match="--verify"):
        laid(open_results(tmp_path / "out"))
