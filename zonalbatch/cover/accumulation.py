"""Accumulation: the kernels that turn the edges of zones into covered cells, tile by tile.

Every edge adds its signed area to the cells of the rows it crosses; a running sum along each row
gives shares. Edges run downward and are computed from their upper end, so that two neighbours that
share one get the same bits. Only cells that an edge touches are looked at.
"""

from __future__ import annotations

import numpy as np

from zonalbatch.kernels import kernel
from zonalbatch.lattice import TILE

__all__ = ["SNAP", "cover_zones", "measure_zones"]

SNAP = 1e-9
"""Shares within this of 0 or 1 are taken as 0 or 1 (below one cell: this share of the zone)."""

FAR = 4096
"""Zones whose bounds hold more tiles than this have their total worked out from their edges, not
tile by tile; not those that take all touched cells, or leave some out, for which there is no such
sum."""

WORDS = (TILE >> 6) + 1
"""Words of 64 bits that mark the cells of a line, and the one after."""

NOTHING, ONE, ALL = np.uint64(0), np.uint64(1), np.uint64(2**64 - 1)
DE_BRUIJN = np.uint64(0x03F79D71B4CB0A89)
"""Every 6 bits of it in a row are different: shifted by a power of two, they tell which."""
PLACE = np.zeros(64, np.int64)
PLACE[((DE_BRUIJN << np.arange(64, dtype=np.uint64)) >> np.uint64(58)).astype(int)] = range(64)


@kernel()
def measure_zones(xy, rings, zone_rings, x0, y0, dx, dy):
    """What the kernels need to know of each zone beforehand.

    Returns (zone, 8) its cells (top, left, bottom, right) and its tiles likewise, half-open;
    (zone,) its area by the shoelace formula, cells; and a bound on the cells that edges touch.
    """
    n = len(zone_rings) - 1
    spans, areas = np.zeros((n, 8), np.int64), np.zeros(n)
    touched = 0.0
    for zone in range(n):
        first, last = rings[zone_rings[zone]], rings[zone_rings[zone + 1]]
        if first == last:
            continue
        left = right = xy[first, 0]
        bottom = top = xy[first, 1]
        twice = 0.0
        for ring in range(zone_rings[zone], zone_rings[zone + 1]):
            x_0, y_0 = xy[rings[ring], 0], xy[rings[ring], 1]
            x_a = y_a = 0.0
            for vertex in range(rings[ring], rings[ring + 1]):
                x, y = xy[vertex, 0], xy[vertex, 1]
                left, right = min(left, x), max(right, x)
                bottom, top = min(bottom, y), max(top, y)
                x_b, y_b = x - x_0, y - y_0
                twice += x_a * y_b - x_b * y_a
                touched += abs(x_b - x_a) / dx + abs(y_b - y_a) / dy + 3.0
                x_a, y_a = x_b, y_b
        areas[zone] = 0.5 * abs(twice) / (dx * dy)
        spans[zone, 0] = int(np.floor((y0 - top) / dy))
        spans[zone, 1] = int(np.floor((left - x0) / dx))
        spans[zone, 2] = max(int(np.ceil((y0 - bottom) / dy)), spans[zone, 0] + 1)
        spans[zone, 3] = max(int(np.ceil((right - x0) / dx)), spans[zone, 1] + 1)
        for side in range(2):
            spans[zone, 4 + side] = spans[zone, side] // TILE
            spans[zone, 6 + side] = -(-spans[zone, 2 + side] // TILE)
    return spans, areas, touched


@kernel()
def _edges_of_band(xy, rings, zone_rings, zone, x0, y0, dx, dy, row0, edges):
    """Collect a zone's edges that cross a row of tiles, in cells from (row0, column 0's left edge).

    Every edge runs downward in ``edges``: (x_top, y_top, x_bottom, y_bottom, sense). Two neighbours
    that share an edge get the same bits for it, whichever way they walk along it.
    """
    origin = y0 - dy * row0
    n = 0
    for ring in range(zone_rings[zone], zone_rings[zone + 1]):
        first, last = rings[ring], rings[ring + 1]
        y_a = (origin - xy[first, 1]) / dy
        for vertex in range(first + 1, last):
            y_b = (origin - xy[vertex, 1]) / dy
            if y_a != y_b and max(y_a, y_b) > 0 and min(y_a, y_b) < TILE:
                x_a, x_b = xy[vertex - 1, 0], xy[vertex, 0]
                if y_b > y_a:
                    edges[n, 0], edges[n, 1], edges[n, 2], edges[n, 3] = x_a, y_a, x_b, y_b
                    edges[n, 4] = 1.0
                else:
                    edges[n, 0], edges[n, 1], edges[n, 2], edges[n, 3] = x_b, y_b, x_a, y_a
                    edges[n, 4] = -1.0
                n += 1
            y_a = y_b
    return n


@kernel()
def _longest_zone(rings, zone_rings):
    """The largest number of vertices of a zone."""
    longest = 1
    for zone in range(len(zone_rings) - 1):
        longest = max(longest, rings[zone_rings[zone + 1]] - rings[zone_rings[zone]])
    return longest


@kernel()
def _add_edge(x_a, y_a, x_b, y_b, sense, top, left, bottom, right, acc, touched):
    """Add an edge's signed area to the cells of the window [top, bottom) × [left, right).

    ``acc`` has one column more than the window; what an edge adds to a cell it also adds, less
    its share inside that cell, to the next.
    """
    if y_b <= top or y_a >= bottom or (x_a >= right and x_b >= right):
        return
    slope = (x_b - x_a) / (y_b - y_a)
    first_row = top if y_a <= top else int(y_a)
    last_row = bottom if y_b >= bottom else int(np.ceil(y_b))
    y_0 = max(y_a, float(first_row))
    x_0 = x_a if y_0 == y_a else x_a + (y_0 - y_a) * slope
    for row in range(first_row, last_row):
        y_1 = min(y_b, row + 1.0)
        x_1 = x_b if y_1 == y_b else x_a + (y_1 - y_a) * slope
        drop = sense * (y_1 - y_0)
        x_l, x_r = min(x_0, x_1), max(x_0, x_1)
        line = row - top
        y_0, x_0 = y_1, x_1
        if x_r <= left:
            acc[line, 0] += drop
            touched[line, 0] |= ONE
            continue
        if x_l >= right:
            continue
        # What is added to a row must be the edge's drop to the last bit: a remainder would show in
        # all cells to the right. So parts are split off, and the last cell gets what is left.
        rate = drop / (x_r - x_l) if x_r > x_l else 0.0
        if x_l < left:
            part = rate * (left - x_l)
            acc[line, 0] += part
            drop -= part
            x_l = float(left)
        cell = int(x_l)
        _touch(touched, line, cell - left, min(int(x_r) + 1, right) - left)
        while x_r > cell + 1.0 and cell < right:
            part = rate * (cell + 1.0 - x_l)
            within = part * (0.5 * (x_l + cell + 1.0) - cell)
            acc[line, cell - left] += part - within
            acc[line, cell - left + 1] += within
            drop -= part
            cell += 1
            x_l = float(cell)
        if cell < right:
            within = drop * (0.5 * (x_l + x_r) - cell)
            acc[line, cell - left] += drop - within
            acc[line, cell - left + 1] += within


@kernel()
def _touch(touched, line, first, last):
    """Mark the columns from ``first`` to ``last`` of a line as touched by an edge."""
    word = first >> 6
    while word < last >> 6:
        touched[line, word] |= ALL << np.uint64(first & 63)
        word += 1
        first = word << 6
    touched[line, word] |= (ALL >> np.uint64(63 - last + first)) << np.uint64(first & 63)


@kernel()
def _scan(acc, touched, height, width, top, left, faint, fractional, run_at, run_length, n_runs,
          cell_at, cell_fraction, n_cells):  # fmt: skip
    """Turn accumulated areas into runs and boundary cells; return new counts, inner, total.

    Only touched cells are looked at: what lies between two of them is as the first.
    """
    inner = 0
    total = 0.0
    whole = 1.0 - SNAP if fractional else faint
    for line in range(height):
        at = (top + line) * TILE + left
        share = 0.0
        start = -1  # where a run of inner cells began
        after = 0  # the column after the last one looked at
        partial = False
        for word in range((width >> 6) + 1):
            bits = touched[line, word]
            touched[line, word] = NOTHING
            while bits:
                low = bits & (~bits + ONE)
                bits ^= low
                col = (word << 6) + PLACE[(low * DE_BRUIJN) >> np.uint64(58)]
                change = acc[line, col]
                acc[line, col] = 0.0
                if col >= width:
                    break
                if partial:
                    for between in range(after, col):
                        cell_at[n_cells], cell_fraction[n_cells] = at + between, share
                        n_cells += 1
                        total += share
                share += change
                after = col + 1
                partial = False
                if share > whole:
                    if start < 0:
                        start = col
                    continue
                if start >= 0:
                    run_at[n_runs], run_length[n_runs] = at + start, col - start
                    n_runs += 1
                    inner += col - start
                    start = -1
                if share > faint:
                    partial = True
                    cell_at[n_cells], cell_fraction[n_cells] = at + col, share
                    n_cells += 1
                    total += share
        if partial:
            for between in range(after, width):
                cell_at[n_cells], cell_fraction[n_cells] = at + between, share
                n_cells += 1
                total += share
        if start >= 0:
            run_at[n_runs], run_length[n_runs] = at + start, width - start
            n_runs += 1
            inner += width - start
    return n_runs, n_cells, inner, total + inner


@kernel()
def _add_crossings(x_a, y_a, x_b, y_b, sense, top, left, bottom, right, acc, touched):
    """Add an edge's sense to the first cell right of it whose centre it does not leave behind.

    A centre on the edge counts as right of it, one at the edge's upper end as below it.
    """
    first = max(top, int(np.ceil(y_a - 0.5)))
    last = min(bottom, int(np.ceil(y_b - 0.5)))
    slope = (x_b - x_a) / (y_b - y_a)
    for row in range(first, last):
        crossing = x_a + (row + 0.5 - y_a) * slope
        col = min(max(int(np.ceil(crossing - 0.5)), left), right)
        acc[row - top, col - left] += sense
        touched[row - top, (col - left) >> 6] |= ONE << np.uint64((col - left) & 63)


@kernel()
def _centers_inside(xy, rings, zone_rings, zone, x0, y0, dx, dy):
    """The number of centres in a zone: each crossing of a row of them starts or ends a run."""
    total = 0.0
    for ring in range(zone_rings[zone], zone_rings[zone + 1]):
        for vertex in range(rings[ring] + 1, rings[ring + 1]):
            x_a, y_a = (xy[vertex - 1, 0] - x0) / dx, (y0 - xy[vertex - 1, 1]) / dy
            x_b, y_b = (xy[vertex, 0] - x0) / dx, (y0 - xy[vertex, 1]) / dy
            sense = -1.0 if y_b > y_a else 1.0
            if y_b < y_a:
                x_a, y_a, x_b, y_b = x_b, y_b, x_a, y_a
            for row in range(int(np.ceil(y_a - 0.5)), int(np.ceil(y_b - 0.5))):
                crossing = x_a + (row + 0.5 - y_a) * ((x_b - x_a) / (y_b - y_a))
                total += sense * np.ceil(crossing - 0.5)
    return abs(total)


@kernel()
def cover_zones(xy, rings, zone_rings, order, spans, areas, inside, x0, y0, dx, dy, fractional,
           centers, least, out_zone, out_row, out_col, window, run_span, cell_span, out_inner,
           out_total, run_at, run_length, cell_at, cell_fraction, zone_total, beyond):  # fmt: skip
    """Cover zones in an order, tile by tile; return the numbers of pieces, runs, boundary cells.

    Cells of which a zone covers less than ``least`` are left out; 0 for all.
    """
    acc, touched = np.zeros((TILE, TILE + 1)), np.zeros((TILE, WORDS), np.uint64)
    edges = np.empty((_longest_zone(rings, zone_rings), 5))
    summed = centers or (fractional and least == 0)
    n = n_runs = n_cells = 0
    for zone in order:
        top, left, bottom, right = spans[zone, 0], spans[zone, 1], spans[zone, 2], spans[zone, 3]
        # Rounding leaves shares of about 1e-16 of a row's height where nothing is covered.
        faint = 1e-15 * min(1.0, float(bottom - top))
        faint += SNAP * min(1.0, areas[zone])
        if least > faint:
            faint = np.nextafter(least, 0.0)  # a share that is just so large is kept
        if centers:
            faint = 0.5
        span = spans[zone, 4], spans[zone, 5], spans[zone, 6], spans[zone, 7]
        far = (span[2] - span[0]) * (span[3] - span[1]) > FAR and summed
        if far:
            zone_total[zone] = (
                areas[zone]
                if fractional
                else _centers_inside(xy, rings, zone_rings, zone, x0, y0, dx, dy)
            )
            here = (max(span[0], inside[0]), max(span[1], inside[1]),
                    min(span[2], inside[2]), min(span[3], inside[3]))  # fmt: skip
            beyond[zone] = here != span
            span = here
        for tile_row in range(span[0], span[2]):
            row0 = tile_row * TILE
            n_edges = _edges_of_band(xy, rings, zone_rings, zone, x0, y0, dx, dy, row0, edges)
            t, b = max(top - row0, 0), min(bottom - row0, TILE)
            for tile_col in range(span[1], span[3]):
                col0 = tile_col * TILE
                l, r = max(left - col0, 0), min(right - col0, TILE)  # noqa: E741
                origin = x0 + dx * col0
                for edge in range(n_edges):
                    x_a = (edges[edge, 0] - origin) / dx
                    x_b = (edges[edge, 2] - origin) / dx
                    y_a, y_b, sense = edges[edge, 1], edges[edge, 3], edges[edge, 4]
                    if centers:
                        _add_crossings(x_a, y_a, x_b, y_b, sense, t, l, b, r, acc, touched)
                    else:
                        _add_edge(x_a, y_a, x_b, y_b, sense, t, l, b, r, acc, touched)
                runs, cells = n_runs, n_cells
                n_runs, n_cells, inner, total = _scan(
                    acc, touched, b - t, r - l, t, l, faint, fractional,
                    run_at, run_length, n_runs, cell_at, cell_fraction, n_cells,
                )  # fmt: skip
                if n_runs == runs and n_cells == cells:
                    continue
                zone_total[zone] += 0.0 if far else total
                wanted = inside[0] <= tile_row < inside[2] and inside[1] <= tile_col < inside[3]
                if not wanted:
                    beyond[zone] = True
                    n_runs, n_cells = runs, cells
                    continue
                out_zone[n], out_row[n], out_col[n] = zone, tile_row, tile_col
                window[n, 0], window[n, 1], window[n, 2], window[n, 3] = t, l, b, r
                run_span[n, 0], run_span[n, 1] = runs, n_runs
                cell_span[n, 0], cell_span[n, 1] = cells, n_cells
                out_inner[n], out_total[n] = inner, total
                n += 1
    return n, n_runs, n_cells
