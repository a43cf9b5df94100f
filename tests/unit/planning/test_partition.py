"""Partition: every zone in one cell, every pair in one part, and no part too large."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.made.layers import grid, layer, month, with_scene
from zonalbatch.layers import Layer
from zonalbatch.planning import partition
from zonalbatch.planning.partition import (
    Cell,
    Load,
    bucket_of,
    cells_of,
    chunks,
    fewest_rows,
    level_for,
    longest_bucket,
)  # fmt: skip


def monthly(count: int) -> list[Layer]:
    """One layer on the 15th of each month from January 2020."""
    days = [datetime(2020 + i // 12, i % 12 + 1, 15, tzinfo=UTC) for i in range(count)]
    return [layer(f"{i:03d}", day) for i, day in enumerate(days)]


def names_for(count: int) -> NDArray[np.uint64]:
    """(zone, 2) what tells zones apart, whatever order they come in."""
    return np.random.default_rng(count).integers(0, 2**62, (count, 2)).astype(np.uint64)


class TestBuckets:
    """Time is cut into years, quarters or months, UTC."""

    @pytest.mark.parametrize(
        ("when", "year", "quarter", "month"),
        [
            (datetime(2024, 1, 1, tzinfo=UTC), "2024", "2024Q1", "2024-01"),
            (datetime(2024, 3, 31, 23, 59, tzinfo=UTC), "2024", "2024Q1", "2024-03"),
            (datetime(2024, 4, 1, tzinfo=UTC), "2024", "2024Q2", "2024-04"),
            (datetime(2023, 12, 31, tzinfo=UTC), "2023", "2023Q4", "2023-12"),
        ],
    )
    def test_names(self, when: datetime, year: str, quarter: str, month: str) -> None:
        """Each layer lies in one bucket of each length."""
        one = layer("a", when)
        assert [bucket_of(one, b) for b in ("year", "quarter", "month")] == [year, quarter, month]

    def test_undated(self) -> None:
        """Layers without a time have a bucket of their own."""
        assert {bucket_of(layer("a", None), b) for b in ("year", "quarter", "month")} == {"undated"}  # type: ignore[arg-type]

    @pytest.mark.parametrize(
        ("zones", "bucket"),
        [(1, "year"), (83_333, "year"), (83_334, "quarter"), (333_334, "month"), (10**7, "month")],
    )
    def test_the_longest_that_is_not_overfull(self, zones: int, bucket: str) -> None:
        """A year of 12 layers holds 83,333 zones, a quarter of 3 a third of a million."""
        layers = monthly(24)
        load = Load(Cell(0, 0, 0, 0, zones), np.arange(24), np.arange(24), np.full(24, 1000.0))
        assert longest_bucket(layers, [load]) == bucket

    def test_bytes_count_too(self) -> None:
        """Few zones over many pixels are cut by what is decoded."""
        layers = monthly(24)
        load = Load(
            Cell(0, 0, 0, 0, 1), np.arange(24), np.arange(24), np.full(24, partition.DECODED / 4)
        )
        assert longest_bucket(layers, [load]) == "quarter"

    def test_the_fullest_cell_decides(self) -> None:
        """And only the layers that its zones may meet."""
        layers = monthly(24)
        full = Load(Cell(0, 0, 0, 0, 90_000), np.arange(24), np.arange(24), np.full(24, 1.0))
        small = Load(Cell(0, 0, 1, 90_000, 90_001), np.arange(24), np.arange(24), np.full(24, 1.0))
        assert longest_bucket(layers, [small, full]) == "quarter"
        some = Load(full.cell, np.arange(0, 24, 2), np.arange(0, 24, 2), np.full(12, 1.0))
        assert longest_bucket(layers, [small, some]) == "year"

    def test_a_city_does_not_cut_the_countryside(self) -> None:
        """Most cells decide; the layers of one that is overfull are cut."""
        layers, every = monthly(24), np.arange(24)
        cells = [Load(Cell(0, 0, i, i, i + 1), every, every, np.full(24, 1.0)) for i in range(3)]
        full = Load(Cell(0, 0, 9, 9, 90_009), every, every, np.full(24, 1.0))
        assert longest_bucket(layers, [full, *cells]) == "year"

    def test_many_rows_are_not_cut_for_their_bytes(self) -> None:
        """A part of many rows may decode more than one of few, as its files cost little beside."""
        layers, every = monthly(24), np.arange(24)
        heavy = np.full(24, partition.DECODED / 2)
        loads = [Load(Cell(0, 0, i, 0, 40_000), every, every, heavy) for i in range(20)]
        assert longest_bucket(layers, loads) == "year"
        fewest = fewest_rows(loads)
        assert fewest == partition.FEWEST
        parts = list(chunks(loads[0].cell, every[:12], heavy[:12], fewest))
        assert [len(some) for _, some in parts] == [12]
        assert len(list(chunks(loads[0].cell, every[:12], heavy[:12], 40_000))) == 6


class TestLevel:
    """Cells of space hold the largest file."""

    @pytest.mark.parametrize(
        ("height", "width", "level"),
        [(1, 1, 0), (512, 512, 0), (513, 100, 1), (100, 1024, 1), (1025, 1, 2), (10980, 10980, 5)],
    )
    def test_level(self, height: int, width: int, level: int) -> None:
        """2^level tiles of 512 cells are as long as the longer side, and no longer than needed."""
        large, small = (grid(height=h, width=w) for h, w in ((height, width), (1, 1)))
        assert level_for([layer("large", red=large), layer("small", red=small)]) == level

    def test_no_layer(self) -> None:
        """Nothing has no size."""
        assert level_for([]) == 0


class TestCells:
    """Every zone lies in exactly one cell."""

    @given(
        st.lists(st.tuples(st.integers(-9, 9), st.integers(-9, 9)), min_size=1, max_size=60),
        st.integers(0, 4),
        st.integers(0, 400_000),
    )
    def test_a_partition(self, tiles: list[tuple[int, int]], level: int, at_once: int) -> None:
        """The order names each zone once, cells follow each other, and hold what lies in them."""
        places = np.array(tiles, np.int64)
        order, cells = cells_of(places, names_for(len(places)), level, at_once)
        assert sorted(order.tolist()) == list(range(len(tiles)))
        assert [cell.start for cell in cells] == [0, *(cell.stop for cell in cells[:-1])]
        assert cells[-1].stop == len(tiles)
        assert len({cell.name for cell in cells}) == len(cells)
        for cell in cells:
            inside = places[order[cell.start : cell.stop]] >> cell.level
            assert len(inside) > 0
            assert (inside == [cell.row, cell.col]).all()
            assert 0 <= cell.level <= level

    @given(
        st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=40),
        st.randoms(use_true_random=False),
    )
    def test_the_order_of_zones_does_not_matter(
        self, tiles: list[tuple[int, int]], random: st.DrawFn
    ) -> None:
        """The same zones in another order come out in the same order, in the same cells."""
        places, names = np.array(tiles, np.int64), names_for(len(tiles))
        shuffled = np.array(random.sample(range(len(tiles)), len(tiles)))  # type: ignore[attr-defined]
        order, cells = cells_of(places, names, 2, 300_000)
        other, same = cells_of(places[shuffled], names[shuffled], 2, 300_000)
        assert cells == same
        np.testing.assert_array_equal(names[order], names[shuffled][other])

    def test_only_overfull_cells_are_split(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Into quadrants, down to one tile."""
        monkeypatch.setattr(partition, "ROWS", 10)
        crowded = [(0, 0)] * 20 + [(0, 1)] * 2 + [(3, 3)]
        far = [(4, 4)] * 3
        places = np.array(crowded + far, np.int64)
        _, cells = cells_of(places, names_for(len(places)), 2, 1)
        sizes = {cell.name: cell.stop - cell.start for cell in cells}
        assert sizes == {"0.0.0": 20, "0.0.1": 2, "1.1.1": 1, "2.1.1": 3}

    def test_negative_tiles(self) -> None:
        """Cells are anchored at the lattice's zero on both of its sides."""
        places = np.array([(-1, -1), (0, 0), (-4, 3)], np.int64)
        _, cells = cells_of(places, names_for(3), 2)
        assert {cell.name for cell in cells} == {"2.-1.-1", "2.0.0", "2.-1.0"}


class TestChunks:
    """Every pair of a cell's zones and a bucket's layers lies in exactly one part."""

    @given(
        st.integers(1, 500), st.integers(1, 30), st.integers(1, 400), st.integers(1, 2000),
        st.integers(0, 2**32),
    )  # fmt: skip
    def test_all_pairs_once(
        self, zones: int, layers: int, rows: int, decoded: int, seed: int
    ) -> None:
        """However small the bounds; no part is empty.

        A part exceeds its rows by less than one layer. Bytes are a wish: a layer may hold more.
        """
        sizes = np.random.default_rng(seed).uniform(0, 300, layers)
        ids = np.arange(100, 100 + layers)
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(partition, "ROWS", rows)
            patched.setattr(partition, "DECODED", decoded)
            parts = list(chunks(Cell(0, 0, 0, 7, 7 + zones), ids, sizes))
        seen = np.zeros((zones, layers), int)
        for some, of in parts:
            assert len(some) > 0
            assert len(of) > 0
            assert len(some) <= rows
            assert len(some) * (len(of) - 1) < rows
            seen[some.start - 7 : some.stop - 7, np.array(of) - 100] += 1
        assert (seen == 1).all()

    def test_one_part_if_it_fits(self) -> None:
        """Nothing is cut that need not be."""
        parts = list(chunks(Cell(0, 0, 0, 0, 1000), np.arange(100), np.full(100, 1000.0)))
        assert parts == [(range(1000), tuple(range(100)))]

    def test_few_rows_of_many_bytes_are_cut_even_so(self) -> None:
        """Sparse zones over large scenes: no part decodes much more than a worker may lose."""
        sizes = np.full(80, 0.5 * 1024**3)
        parts = list(chunks(Cell(0, 0, 0, 0, 100), np.arange(80), sizes, fewest=250_000))
        assert [len(layers) for _, layers in parts] == [8] * 10

    def test_layers_before_zones(self) -> None:
        """An overfull part is split over its layers first: each block is then read once."""
        parts = list(chunks(Cell(0, 0, 0, 0, 300_000), np.arange(10), np.full(10, 1.0)))
        assert {some for some, _ in parts} == {range(300_000)}
        assert [of for _, of in parts] == [(0, 1, 2, 3), (4, 5, 6), (7, 8, 9)]

    def test_zones_only_if_one_layer_is_too_much(self) -> None:
        """Then in pieces of nearly equal size."""
        parts = list(chunks(Cell(0, 0, 0, 0, 2_500_000), np.arange(2), np.full(2, 1.0)))
        assert {of for _, of in parts} == {(0,), (1,)}
        assert {len(some) for some, _ in parts} <= {833_333, 833_334}

    def test_bytes_split_layers(self) -> None:
        """Layers of 200 MiB go three at most to a part of 512 MiB, here two."""
        parts = list(chunks(Cell(0, 0, 0, 0, 5), np.arange(6), np.full(6, 200.0 * 1024**2)))
        assert [of for _, of in parts] == [(0, 1), (2, 3), (4, 5)]


def test_layers_are_not_touched() -> None:
    """Names of buckets follow from the time alone."""
    one = layer("a", month(5))
    assert bucket_of(with_scene(one, assets={}), "month") == bucket_of(one, "month")
