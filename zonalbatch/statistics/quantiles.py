"""Quantiles of values weighted by the share of each cell.

Definition: the valid (value, share) pairs are sorted by value, then by share, those below 1e-6 of
the zone's largest share dropped. With n pairs, w_k the share of pair k (from 0) and C_k the sum of
shares up to it, S_k = k·w_k + (n−1)·C_(k−1); the quantile q lies at q·S_(n−1), interpolated
linearly between neighbours. Ties are not merged. With equal shares this is NumPy's ``linear``
(Hyndman and Fan's type 7); the weighted form is that of ``wquantile`` type 7 in the R package
``wquantiles``.

Shares are summed as integers, so that sums do not depend on the order of the cells: inner cells are
counted, boundary cells summed in units of 2^-52 of the largest share (fewer bits where they are
more than 1,024). Values are dropped into bins and only bins that hold a wanted quantile are sorted.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["quantiles_of", "zone_quantiles"]

MOST_BINS = 2048
"""Bins that values are dropped into, at most."""

FAINT = 1e-6
"""Shares below this part of the zone's largest are dropped."""


def quantiles_of(
    values: NDArray[Any], shares: NDArray[np.float64], probabilities: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Weighted quantiles of one set of values; NaN if there is none.

    Args:
        values: (n,) valid values.
        shares: (n,) share of each cell, > 0.
        probabilities: (q,) between 0 and 1.
    """
    values, shares = np.asarray(values), np.asarray(shares, float)
    out = np.empty((1, len(probabilities)))
    zero, n = np.zeros(1, np.int64), np.array([len(values)])
    zone_quantiles(
        values, zero, zero, values, zero, shares, zero, n,
        np.asarray(probabilities, float), np.zeros(1, np.int32), out,
    )  # fmt: skip
    result: NDArray[np.float64] = out[0]
    return result


@njit(nogil=True, cache=True)
def zone_quantiles(inner, inner_at, n_inner, boundary, boundary_at, shares, shares_at, n_boundary,
                   probabilities, zones, out):  # fmt: skip
    """Quantiles of many zones, into the rows ``zones`` of ``out`` (zone, q); NaN without a value.

    The valid values of entry i are ``n_inner[i]`` of ``inner`` from ``inner_at[i]``, of share 1,
    and ``n_boundary[i]`` of ``boundary`` from ``boundary_at[i]`` with ``shares`` from
    ``shares_at[i]``.
    """
    longest = 1
    for i in range(len(zones)):
        longest = max(longest, n_inner[i] + n_boundary[i])
    kept, weights = np.empty(longest, inner.dtype), np.empty(longest, np.int64)
    picked, picked_weights = np.empty(longest, inner.dtype), np.empty(longest, np.int64)
    bins = np.empty(longest, np.uint16)
    table = np.empty((5, MOST_BINS + 1), np.int64)
    for i in range(len(zones)):
        whole = inner[inner_at[i] : inner_at[i] + n_inner[i]]
        n, one = _keep(
            boundary[boundary_at[i] : boundary_at[i] + n_boundary[i]],
            shares[shares_at[i] : shares_at[i] + n_boundary[i]],
            len(whole) > 0, kept, weights,
        )  # fmt: skip
        _select(whole, kept[:n], weights, one, probabilities, bins, picked, picked_weights, table,
                out[zones[i]])  # fmt: skip


@njit(nogil=True, cache=True)
def _keep(boundary, shares, any_inner, kept, weights):
    """Copy boundary values with integer weights, without faint ones; their number and weight 1."""
    largest = 1.0 if any_inner else 0.0
    for share in shares:
        largest = max(largest, share)
    bits = 52
    while len(boundary) >> (62 - bits):  # the sum of all weights must fit into 62 bits
        bits -= 1
    one = np.int64(1) << np.int64(bits)
    n = 0
    for i in range(len(boundary)):
        share = shares[i] / largest
        if share >= FAINT:
            kept[n], weights[n] = boundary[i], np.int64(share * one + 0.5)
            n += 1
    return n, one


@njit(nogil=True, cache=True)
def _select(inner, boundary, weights, one, probabilities, bins, picked, picked_weights, table, out):
    """Quantiles of inner cells and of boundary cells with weights, by sorting a few bins."""
    n_boundary, n = len(boundary), len(inner) + len(boundary)
    if n == 0:
        out[:] = np.nan
        return
    low = high = inner[0] if len(inner) else boundary[0]
    for v in inner:
        low, high = min(low, v), max(high, v)
    for v in boundary:
        low, high = min(low, v), max(high, v)
    if low == high:
        out[:] = np.float64(low)
        return
    n_bins = min(max(n // 2, 16), MOST_BINS)
    breadth = np.float64(high) - np.float64(low)
    # Half a bin is left over, so that rounding never lifts the highest value out of the last bin.
    rate = (n_bins - 0.5) / breadth if breadth > 0.0 else np.inf
    base = np.float64(low)
    spread = np.isfinite(breadth) and np.isfinite(rate)
    if not spread:
        n_bins = 1  # values that float64 cannot spread over bins
    # For each bin: its first rank; inner cells and boundary weight below it; where its values are
    # picked to; whether they are wanted.
    rank, inners, below, place, wanted = table[0], table[1], table[2], table[3], table[4]
    rank[: n_bins + 1] = 0
    below[: n_bins + 1] = 0
    wanted[: n_bins + 1] = 0
    for i in range(len(inner)):
        b = int((np.float64(inner[i]) - base) * rate) if spread else 0
        bins[n_boundary + i] = b
        rank[b + 1] += 1
    inners[0] = 0
    for b in range(n_bins):
        inners[b + 1] = inners[b] + rank[b + 1]
    for i in range(n_boundary):
        b = int((np.float64(boundary[i]) - base) * rate) if spread else 0
        bins[i] = b
        rank[b + 1] += 1
        below[b + 1] += weights[i]
    for b in range(n_bins):
        rank[b + 1] += rank[b]
        below[b + 1] += below[b]
    unit = 1.0 / np.float64(one)
    total = np.float64(inners[n_bins]) + np.float64(below[n_bins]) * unit
    for probability in probabilities:
        b = _bin_of(probability * total, inners, below, unit, rank, n_bins)
        wanted[b] = 1
        wanted[_neighbour(b, -1, rank, n_bins)] = 1
        wanted[_neighbour(b, 1, rank, n_bins)] = 1
    _pick(inner, boundary, weights, one, bins, rank, place, wanted, n_bins, picked, picked_weights)
    for q in range(len(probabilities)):
        if probabilities[q] <= 0.0:
            out[q] = np.float64(low)
        elif probabilities[q] >= 1.0:
            out[q] = np.float64(high)
        else:
            out[q] = _quantile(picked, picked_weights, one, n, rank, inners, below, place, wanted,
                               n_bins, probabilities[q])  # fmt: skip


@njit(nogil=True, cache=True)
def _bin_of(target, inners, below, unit, rank, n_bins):
    """The last bin that holds a value and begins at or below the target."""
    b, above = 0, n_bins
    while above - b > 1:
        middle = (b + above) // 2
        if np.float64(inners[middle]) + np.float64(below[middle]) * unit <= target:
            b = middle
        else:
            above = middle
    while b > 0 and rank[b + 1] == rank[b]:
        b -= 1  # the last bins are empty when all of the weight is asked for
    return b


@njit(nogil=True, cache=True)
def _neighbour(b, step, rank, n_bins):
    """The next bin up or down that holds a value; the bin itself if there is none."""
    c = b + step
    while 0 <= c < n_bins:
        if rank[c + 1] > rank[c]:
            return c
        c += step
    return b


@njit(nogil=True, cache=True)
def _pick(inner, boundary, weights, one, bins, rank, place, wanted, n_bins, picked,
          picked_weights):  # fmt: skip
    """Copy the values of the wanted bins, bin by bin."""
    at = 0
    for b in range(n_bins):
        place[b] = at
        if wanted[b]:
            at += rank[b + 1] - rank[b]
    for i in range(len(boundary)):
        b = bins[i]
        if wanted[b]:
            picked[place[b]], picked_weights[place[b]] = boundary[i], weights[i]
            place[b] += 1
    for i in range(len(inner)):
        b = bins[len(boundary) + i]
        if wanted[b]:
            picked[place[b]], picked_weights[place[b]] = inner[i], one
            place[b] += 1
    # place[b] is where a wanted bin ends now; wanted[b] becomes 2 once it is sorted.


@njit(nogil=True, cache=True)
def _sorted_bin(values, weights, rank, place, wanted, b):
    """Sort a picked bin unless it is; where it begins."""
    stop = place[b]
    start = stop - (rank[b + 1] - rank[b])
    if wanted[b] == 1:
        _sort(values, weights, start, stop)
        wanted[b] = 2
    return start


@njit(nogil=True, cache=True)
def _quantile(values, weights, one, n, rank, inners, below, place, wanted, n_bins, probability):
    """One quantile from the picked bins."""
    unit = 1.0 / np.float64(one)
    total = np.float64(inners[n_bins]) + np.float64(below[n_bins]) * unit
    target = probability * total
    b = _bin_of(target, inners, below, unit, rank, n_bins)
    start = _sorted_bin(values, weights, rank, place, wanted, b)
    whole, part = inners[b], below[b]  # weight before pair j: inner cells, and boundary cells
    j = start
    while j < place[b] - 1:
        w, p = (whole + 1, part) if weights[j] == one else (whole, part + weights[j])
        if np.float64(w) + np.float64(p) * unit > target:
            break
        whole, part = w, p
        j += 1
    # The shares reach the target at rank k; S_k tells whether the quantile follows it or the one
    # before.
    k = rank[b] + (j - start)
    before, weight = np.float64(whole) + np.float64(part) * unit, np.float64(weights[j]) * unit
    goal = (n - 1) * target
    s_k = k * weight + (n - 1) * before
    if s_k <= goal:
        if k == n - 1:
            return np.float64(values[j])
        after = j + 1
        if after == place[b]:
            c = _neighbour(b, 1, rank, n_bins)
            after = _sorted_bin(values, weights, rank, place, wanted, c)
        s_next = (k + 1) * (np.float64(weights[after]) * unit) + (n - 1) * (before + weight)
        return _between(values[j], values[after], s_k, s_next, goal)
    if k == 0:
        return np.float64(values[j])
    last = j - 1
    if j == start:
        c = _neighbour(b, -1, rank, n_bins)
        _sorted_bin(values, weights, rank, place, wanted, c)
        last = place[c] - 1
    weight = np.float64(weights[last]) * unit
    s_last = (k - 1) * weight + (n - 1) * (before - weight)
    return _between(values[last], values[j], s_last, s_k, goal)


@njit(nogil=True, cache=True)
def _between(low, high, s_low, s_high, goal):
    low_f, high_f = np.float64(low), np.float64(high)
    if low_f == high_f or s_high <= s_low:
        return low_f
    part = min(max((goal - s_low) / (s_high - s_low), 0.0), 1.0)
    return low_f + part * (high_f - low_f)


@njit(nogil=True, cache=True)
def _less(values, weights, i, value, weight):
    return values[i] < value or (values[i] == value and weights[i] < weight)


@njit(nogil=True, cache=True)
def _sort(values, weights, start, stop):
    """Sort pairs by (value, weight): insertion, given up for heapsort when it moves too much."""
    budget = 16 * (stop - start) + 64
    for i in range(start + 1, stop):
        value, weight = values[i], weights[i]
        j = i - 1
        while j >= start and (values[j] > value or (values[j] == value and weights[j] > weight)):
            values[j + 1], weights[j + 1] = values[j], weights[j]
            j -= 1
        values[j + 1], weights[j + 1] = value, weight
        budget -= i - 1 - j
        if budget < 0:
            _heapsort(values, weights, start, stop)
            return


@njit(nogil=True, cache=True)
def _heapsort(values, weights, start, stop):
    n = stop - start
    for root in range(n // 2 - 1, -1, -1):
        _sift(values, weights, start, root, n)
    for end in range(n - 1, 0, -1):
        values[start], values[start + end] = values[start + end], values[start]
        weights[start], weights[start + end] = weights[start + end], weights[start]
        _sift(values, weights, start, 0, end)


@njit(nogil=True, cache=True)
def _sift(values, weights, start, root, n):
    value, weight = values[start + root], weights[start + root]
    while True:
        child = 2 * root + 1
        if child >= n:
            break
        if child + 1 < n and _less(
            values, weights, start + child, values[start + child + 1], weights[start + child + 1]
        ):
            child += 1
        if _less(values, weights, start + child, value, weight):
            break
        values[start + root], weights[start + root] = values[start + child], weights[start + child]
        root = child
    values[start + root], weights[start + root] = value, weight
