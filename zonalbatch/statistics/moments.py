"""Moments: the state behind count, sum, mean, variance, min and max.

A state is (count, sum, m2, min, max) of one zone, where ``m2`` is the sum of squared deviations
from the mean, each cell weighted by its share. States merge by the rule of Chan, Golub and LeVeque
(Updating Formulae and a Pairwise Algorithm for Computing Sample Variances, 1979), which does not
lose digits as sums of squares do. Within one fold tile integers of up to 16 bits are summed exactly
around the first value, all others in two passes around the mean. Kernels name ``np.float64``: in
numba ``float`` of a float32 stays a float32.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from zonalbatch.cover.cells import REASONS, Cells
from zonalbatch.kernels import kernel

__all__ = [
    "COUNT", "M2", "MAX", "MIN", "SUM", "Moments", "empty_moments", "group_moments",
]  # fmt: skip

COUNT, SUM, M2, MIN, MAX = range(5)


def empty_moments(n_zones: int) -> NDArray[np.float64]:
    """The identity of merging for each zone, shape (zone, 5)."""
    state = np.zeros((n_zones, 5))
    state[:, MIN], state[:, MAX] = np.inf, -np.inf
    return state


def group_moments(
    states: NDArray[np.float64], group: NDArray[np.int64], n: int
) -> NDArray[np.float64]:
    """(group, 5) states of n groups of states, merged in their order.

    Args:
        states: (state, 5).
        group: (state,) which group it belongs to.
        n: how many groups there are.
    """
    merged = empty_moments(n)
    _merge_grouped(merged, group, states)
    return merged


class Moments:
    """Moments, and counts of cells by reason, of each zone, gathered tile by tile."""

    def __init__(self, n_zones: int) -> None:
        self.state = empty_moments(n_zones)
        """(zone, 5) count, sum, m2, min, max of the valid cells."""
        self.counts = np.zeros((n_zones, REASONS))
        """(zone, reason) sums of shares; column 0 counts the valid cells."""

    def add(self, cells: Cells) -> None:
        """Fold in the cells of one tile; tiles must come in row-major order."""
        layout, values = cells.layout, cells.values
        small = values.dtype.kind in "iu" and values.dtype.itemsize <= 2
        kernel = _add_small_integers if small else _add_reals
        kernel(
            values, cells.reasons, layout.zone, layout.offsets, layout.inner, layout.cell_span,
            layout.shares, layout.total, self.state, self.counts,
        )  # fmt: skip

    def finish(self, scale: float, offset: float) -> None:
        """Close the state and bring it from raw to physical values; ``scale`` is positive."""
        state = self.state
        state[:, SUM] = state[:, SUM] * scale + state[:, COUNT] * offset
        state[:, M2] *= scale * scale
        state[:, MIN:] = state[:, MIN:] * scale + offset


@kernel()
def _merge(state, zone, n, total, m2, low, high):
    """Merge one state into a zone's."""
    n_a = state[zone, COUNT]
    if n_a == 0.0:
        state[zone, M2] = m2
    else:
        delta = total / n - state[zone, SUM] / n_a
        state[zone, M2] += m2 + delta * delta * (n_a * n / (n_a + n))
    state[zone, COUNT] = n_a + n
    state[zone, SUM] += total
    state[zone, MIN] = min(state[zone, MIN], low)
    state[zone, MAX] = max(state[zone, MAX], high)


@kernel()
def _merge_grouped(merged, group, states):
    for i in range(len(group)):
        if states[i, COUNT] > 0.0:
            _merge(merged, group[i], states[i, COUNT], states[i, SUM], states[i, M2],
                   states[i, MIN], states[i, MAX])  # fmt: skip


@kernel()
def _count(reasons, start, inner, stop, fractions, first_cell, counts, zone):
    """Add a piece's cells to the counts by reason; return the number of invalid ones."""
    invalid = 0
    for i in range(start, stop):
        invalid += reasons[i] != 0
    if invalid:
        for i in range(start, start + inner):
            counts[zone, reasons[i]] += 1.0
        for i in range(start + inner, stop):
            counts[zone, reasons[i]] += fractions[first_cell + i - start - inner]
    return invalid


@kernel()
def _compact(values, reasons, start, inner, stop, fractions, first_cell, kept, shares):
    """Copy a piece's valid values, inner cells first; return the numbers of inner and all."""
    n = 0
    for i in range(start, start + inner):
        if reasons[i] == 0:
            kept[n] = values[i]
            n += 1
    n_inner = n
    for i in range(start + inner, stop):
        if reasons[i] == 0:
            kept[n] = values[i]
            shares[n - n_inner] = fractions[first_cell + i - start - inner]
            n += 1
    return n_inner, n


@kernel()
def _add_small_integers(values, reasons, zones, offsets, inners, cell_span, fractions,
                        totals, state, counts):  # fmt: skip
    kept = np.empty(_longest(offsets), values.dtype)
    shares = np.empty(len(kept))
    for piece in range(len(zones)):
        zone, start, stop = zones[piece], offsets[piece], offsets[piece + 1]
        inner, first, last = inners[piece], cell_span[piece, 0], cell_span[piece, 1]
        piece_values, piece_shares = values[start:stop], fractions[first:last]
        count = totals[piece]
        if len(reasons) and _count(reasons, start, inner, stop, fractions, first, counts, zone):
            inner, n = _compact(values, reasons, start, inner, stop, fractions, first, kept, shares)
            piece_values, piece_shares = kept[:n], shares[: n - inner]
            count = inner + piece_shares.sum()
        else:
            counts[zone, 0] += count
        if len(piece_values) == 0:
            continue
        # Around a value of the largest share, no digits are lost to one that hardly counts.
        around = np.int32(piece_values[0 if inner else piece_shares.argmax()])
        low = high = piece_values[0]
        exact = np.int64(0)  # integers: exact, so the order of summation is free
        squares = np.int64(0)
        for i in range(inner):
            v = piece_values[i]
            d = np.int64(np.int32(v) - around)
            exact += d
            squares += d * d
            low = min(low, v)
            high = max(high, v)
        deviation, square = np.float64(exact), np.float64(squares)
        for i in range(inner, len(piece_values)):
            v = piece_values[i]
            low = min(low, v)
            high = max(high, v)
            d_f = np.float64(np.int32(v) - around)
            weighted = piece_shares[i - inner] * d_f
            deviation += weighted
            square += weighted * d_f
        m2 = max(0.0, square - deviation * deviation / count)
        total = around * count + deviation
        _merge(state, zone, count, total, m2, np.float64(low), np.float64(high))


@kernel()
def _add_reals(values, reasons, zones, offsets, inners, cell_span, fractions,
               totals, state, counts):  # fmt: skip
    kept = np.empty(_longest(offsets), values.dtype)
    shares = np.empty(len(kept))
    for piece in range(len(zones)):
        zone, start, stop = zones[piece], offsets[piece], offsets[piece + 1]
        inner, first, last = inners[piece], cell_span[piece, 0], cell_span[piece, 1]
        piece_values, piece_shares = values[start:stop], fractions[first:last]
        count = totals[piece]
        if len(reasons) and _count(reasons, start, inner, stop, fractions, first, counts, zone):
            inner, n = _compact(values, reasons, start, inner, stop, fractions, first, kept, shares)
            piece_values, piece_shares = kept[:n], shares[: n - inner]
            count = inner + piece_shares.sum()
        else:
            counts[zone, 0] += count
        if len(piece_values) == 0:
            continue
        total, low, high = _sum_and_range(piece_values, inner, piece_shares)
        m2 = _squares(piece_values, inner, piece_shares, total / count, count)
        _merge(state, zone, count, total, m2, low, high)


@kernel()
def _longest(offsets):
    longest = 1
    for piece in range(len(offsets) - 1):
        longest = max(longest, offsets[piece + 1] - offsets[piece])
    return longest


@kernel()
def _sum_and_range(values, inner, shares):
    """Weighted sum, min and max; four lanes in a fixed order let additions overlap."""
    low = high = np.float64(values[0])
    a = b = c = d = 0.0
    whole = inner - inner % 4
    for i in range(0, whole, 4):
        v, w = np.float64(values[i]), np.float64(values[i + 1])
        x, y = np.float64(values[i + 2]), np.float64(values[i + 3])
        a += v
        b += w
        c += x
        d += y
        low = min(low, min(min(v, w), min(x, y)))
        high = max(high, max(max(v, w), max(x, y)))
    total = (a + b) + (c + d)
    for i in range(whole, len(values)):
        v = np.float64(values[i])
        total += v if i < inner else v * shares[i - inner]
        low = min(low, v)
        high = max(high, v)
    return total, low, high


@kernel()
def _squares(values, inner, shares, mean, count):
    """Weighted squared deviations, corrected for the rounding of the mean."""
    a = b = c = d = 0.0
    s = t = 0.0
    whole = inner - inner % 4
    for i in range(0, whole, 4):
        v, w = np.float64(values[i]) - mean, np.float64(values[i + 1]) - mean
        x, y = np.float64(values[i + 2]) - mean, np.float64(values[i + 3]) - mean
        a += v * v
        b += w * w
        c += x * x
        d += y * y
        s += (v + w) + (x + y)
    square = (a + b) + (c + d)
    for i in range(whole, len(values)):
        v = np.float64(values[i]) - mean
        share = 1.0 if i < inner else shares[i - inner]
        square += share * v * v
        t += share * v
    rest = s + t
    return max(0.0, square - rest * rest / count)
