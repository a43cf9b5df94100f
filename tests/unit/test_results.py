"""Results: the digest of rows, whatever files they lie in, and the frame made of them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from tests.made.zones import frame
from zonalbatch.errors import InputError
from zonalbatch.results import open_results, status_of

TIMES = pa.timestamp("us", "UTC")


def rows(zones: int = 6, layers: int = 4, *, text: bool = False) -> pa.Table:
    """A result of some zones and layers, with nulls, times, text and shapes."""
    rng = np.random.default_rng(8)
    zone = np.repeat(np.arange(zones), layers)
    layer = np.tile(np.arange(layers), zones)
    mean = rng.normal(size=len(zone))
    shapes = shapely.to_wkb(shapely.box(zone, zone, zone + 1, zone + 2))
    sides = shapely.bounds(shapely.from_wkb(shapes)).T
    return pa.table(
        {
            "zone_id": pa.array([f"z{z}" for z in zone] if text else zone),
            "crop": pa.array([["wheat", None, "maïs"][z % 3] for z in zone]),
            "datetime": pa.array([int(n) * 10**12 for n in layer], pa.int64()).cast(TIMES),
            "layer": pa.array([f"layer-{n}" for n in layer]),
            "red_count": rng.uniform(0, 9, len(zone)),
            "red_mean": pa.array(mean, mask=mean < -0.5),
            "status": pa.array(np.where(mean < -0.5, "empty", "ok")),
            "geometry": pa.array(shapes, pa.binary()),
            "bbox": pa.StructArray.from_arrays(
                [pa.array(side) for side in sides], names=["xmin", "ymin", "xmax", "ymax"]
            ),
        }
    )


def write(folder: Path, tables: Sequence[pa.Table], **options: Any) -> str:
    """Write tables as the files of a result; its digest."""
    (folder / "results").mkdir(parents=True)
    for i, table in enumerate(tables):
        pq.write_table(table, folder / "results" / f"part-{i:03d}.parquet", **options)
    return open_results(folder).digest


def cut(table: pa.Table, at: Sequence[int]) -> list[pa.Table]:
    """A table cut before some of its rows."""
    edges = [0, *sorted(set(at)), len(table)]
    return [table.slice(a, b - a) for a, b in pairwise(edges) if b > a]


class TestDigest:
    """SHA-256 over the rows sorted by (zone_id, layer)."""

    @given(
        at=st.lists(st.integers(1, 23), max_size=6),
        seed=st.integers(0, 99),
        group=st.integers(1, 30),
        text=st.booleans(),
    )
    def test_cutting_and_order_do_not_matter(
        self, tmp_path_factory: pytest.TempPathFactory, at: list[int], seed: int, group: int,
        text: bool,
    ) -> None:  # fmt: skip
        """Any cut into files and row groups, in any order of rows, has the same digest."""
        table = rows(text=text)
        shuffled = table.take(np.random.default_rng(seed).permutation(len(table)))
        whole = write(tmp_path_factory.mktemp("whole"), [table])
        other = write(tmp_path_factory.mktemp("cut"), cut(shuffled, at), row_group_size=group)
        assert other == whole

    def test_encodings_do_not_matter(self, tmp_path: Path) -> None:
        """Nor do compression, dictionaries, and what lies under nulls."""
        table = rows()
        whole = write(tmp_path / "a", [table])
        assert write(tmp_path / "b", [table], compression="none", use_dictionary=False) == whole
        mean = table["red_mean"].combine_chunks()
        under = np.nan_to_num(mean.to_numpy(zero_copy_only=False), nan=7.0)
        hidden = pa.Array.from_buffers(
            mean.type, len(mean), [mean.buffers()[0], pa.py_buffer(under)]
        )
        index = table.column_names.index("red_mean")
        assert write(tmp_path / "c", [table.set_column(index, "red_mean", hidden)]) == whole

    @pytest.mark.parametrize(
        ("column", "value"),
        [
            ("zone_id", 99), ("crop", "rye"), ("crop", ""), ("layer", "layer-9"),
            ("red_count", 1.5), ("red_mean", None), ("red_mean", 0.0), ("status", "failed"),
            ("geometry", b"\x01"), ("datetime", None),
        ],
    )  # fmt: skip
    def test_every_value_matters(self, tmp_path: Path, column: str, value: Any) -> None:
        """One changed cell of any column, null or not, changes it."""
        table = rows()
        place = table.column_names.index(column)
        values = table[column].to_pylist()
        values[5] = value
        changed = table.set_column(place, column, pa.array(values, table[column].type))
        assert write(tmp_path / "a", [table]) != write(tmp_path / "b", [changed])

    def test_the_last_bit_matters(self, tmp_path: Path) -> None:
        """So do a lost row, a row twice, the name of a column, and a struct's value."""
        table = rows()
        count = table["red_count"].to_numpy().copy()
        count[3] = np.nextafter(count[3], 99)
        place = table.column_names.index("red_count")
        others = [
            table.set_column(place, "red_count", pa.array(count)),
            table.slice(1),
            pa.concat_tables([table, table.slice(0, 1)]),
            table.rename_columns([n.replace("red", "nir") for n in table.column_names]),
            table.drop_columns(["bbox"]),
        ]
        digests = {write(tmp_path / str(i), [one]) for i, one in enumerate([table, *others])}
        assert len(digests) == 1 + len(others)

    def test_text_is_not_run_together(self, tmp_path: Path) -> None:
        """Where one value ends and the next begins is part of it."""
        tables = [
            pa.table({"zone_id": [1, 2], "layer": ["a", "a"], "crop": crops})
            for crops in (["ab", "c"], ["a", "bc"], ["abc", ""], ["abc", None])
        ]
        assert len({write(tmp_path / str(i), [t]) for i, t in enumerate(tables)}) == 4

    @pytest.mark.parametrize(
        "values",
        [
            pa.array([True, False, None]), pa.array([1, 2, None], pa.int32()),
            pa.array([1.5, None, 2], pa.float32()), pa.array([[1], [], None]),
            pa.array(["2024-01-01", None, None]).cast(pa.date32()),
            pa.array([b"a", b"", None]), pa.array([None, None, None]),
        ],
        ids=lambda values: str(values.type),
    )  # fmt: skip
    def test_any_carried_column(self, tmp_path: Path, values: pa.Array) -> None:
        """What users carry may be of any type."""
        table = pa.table({"zone_id": [1, 2, 3], "layer": ["a"] * 3, "own": values})
        whole = write(tmp_path / "a", [table])
        assert write(tmp_path / "b", [table.slice(2), table.slice(0, 2)]) == whole
        if values.null_count < 3:
            other = table.set_column(2, "own", pa.nulls(3, values.type))
            assert write(tmp_path / "c", [other]) != whole

    def test_long(self, tmp_path: Path) -> None:
        """Rows of the long form are sorted by measurement and statistic too."""
        keys = [(z, n, m, s) for z in (1, 2) for n in "ab" for m in ("red", "nir") for s in "xy"]
        names = ("zone_id", "layer", "measurement", "statistic")
        table = pa.table(dict(zip(names, map(list, zip(*keys, strict=True)), strict=True)))
        table = table.append_column("value", pa.array(np.arange(16.0)))
        other = table.take(np.random.default_rng(2).permutation(16))
        assert write(tmp_path / "a", [table]) == write(tmp_path / "b", cut(other, [3, 9]))


class TestFrame:
    """`gdf`, `table`, `failures`."""

    def test_order_and_geometry(self, tmp_path: Path) -> None:
        """Rows come by zone and time, with their shapes, in the CRS of zones.parquet."""
        table = rows()
        shuffled = table.take(np.random.default_rng(3).permutation(len(table)))
        write(tmp_path, cut(shuffled, [5, 11]))
        zone = np.arange(6)
        zones = frame(*shapely.box(zone, zone, zone + 1, zone + 2), zone_id=zone)
        zones.to_parquet(tmp_path / "zones.parquet")
        found = open_results(tmp_path).gdf
        assert found["zone_id"].tolist() == table["zone_id"].to_pylist()
        assert found["layer"].tolist() == table["layer"].to_pylist()
        assert found.crs == "EPSG:32631"
        assert "bbox" not in found
        assert found.geometry.geom_equals(
            zones.geometry.loc[found["zone_id"]].reset_index(drop=True)
        ).all()
        for file in (tmp_path / "results").iterdir():
            pq.write_table(pq.read_table(file).drop_columns(["geometry", "bbox"]), file)
        pd.testing.assert_frame_equal(open_results(tmp_path).gdf, found)

    def test_temporary_files_are_no_results(self, tmp_path: Path) -> None:
        """What a killed worker left half written is not read."""
        digest = write(tmp_path, [rows()])
        (tmp_path / "results" / ".part-009.parquet.0f-1").write_bytes(b"PAR1 half")
        assert open_results(tmp_path).digest == digest
        assert len(open_results(str(tmp_path)).files) == 1

    def test_nothing_there(self, tmp_path: Path) -> None:
        """Said in a sentence that names the folder."""
        for path in (tmp_path, tmp_path / "nope"):
            with pytest.raises(InputError, match="holds no results"):
                open_results(path)
            with pytest.raises(InputError, match="no output of a run"):
                status_of(path)
