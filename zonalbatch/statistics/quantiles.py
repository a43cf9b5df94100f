"""Quantiles of values weighted by the share of each cell.

Definition: the valid (value, share) pairs are sorted by value, then by share, those below 1e-6 of
the zone's largest share dropped. With n pairs, w_k the share of pair k (from 0) and C_k the sum of
shares up to it, S_k = k·w_k + (n−1)·C_(k−1); the quantile q lies at q·S_(n−1), interpolated
linearly between neighbours. Ties are not merged. With equal shares this is NumPy's ``linear``
(Hyndman and Fan's type 7); the weighted form is that of ``wquantile`` type 7 in the R package
``wquantiles``.

Shares are summed as integers of 2^-40, so that sums do not depend on the order of the cells. Values
are dropped into bins and only the bins that hold a wanted quantile are sorted.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["ONE", "quantiles_of", "zone_quantiles"]

ONE = np.int64(1) << np.int64(40)
"""The share of a cell that is covered whole, in the integers that shares are summed in."""

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
    kept, sorted_values = np.empty(longest, inner.dtype), np.empty(longest, inner.dtype)
    weights, sorted_weights = np.empty(longest, np.int64), np.empty(longest, np.int64)
    ends, before = np.empty(2049, np.int64), np.empty(2049, np.int64)
    for i in range(len(zones)):
        n = _keep(
            inner[inner_at[i] : inner_at[i] + n_inner[i]],
            boundary[boundary_at[i] : boundary_at[i] + n_boundary[i]],
            shares[shares_at[i] : shares_at[i] + n_boundary[i]],
            kept, weights,
        )  # fmt: skip
        _select(kept, weights, n, probabilities, sorted_values, sorted_weights, ends, before,
                out[zones[i]])  # fmt: skip


@njit(nogil=True, cache=True)
def _keep(inner, boundary, shares, kept, weights):
    """Copy values with their integer weights, boundary cells first, without the faint ones."""
    largest = 1.0 if len(inner) else 0.0
    for share in shares:
        largest = max(largest, share)
    n = 0
    for i in range(len(boundary)):
        weight = np.int64(shares[i] * ONE + 0.5)
        if shares[i] >= FAINT * largest and weight > 0:
            kept[n], weights[n] = boundary[i], weight
            n += 1
    for i in range(len(inner)):
        kept[n + i], weights[n + i] = inner[i], ONE
    return n + len(inner)


@njit(nogil=True, cache=True)
def _select(values, weights, n, probabilities, sorted_values, sorted_weights, ends, before, out):
    """Quantiles of the first n values by sorting only the bins they lie in."""
    if n == 0:
        out[:] = np.nan
        return
    low = high = values[0]
    for i in range(n):
        low = min(low, values[i])
        high = max(high, values[i])
    if low == high:
        out[:] = float(low)
        return
    n_bins = min(max(n // 2, 16), 2048)
    rate = n_bins / (float(high) - float(low))
    if not np.isfinite(rate):
        n_bins, rate = 1, 0.0
    ends[: n_bins + 1] = 0
    before[: n_bins + 1] = 0
    for i in range(n):
        b = min(int((float(values[i]) - float(low)) * rate), n_bins - 1)
        ends[b + 1] += 1
        before[b + 1] += weights[i]
    for b in range(n_bins):
        ends[b + 1] += ends[b]
        before[b + 1] += before[b]
    for i in range(n):
        b = min(int((float(values[i]) - float(low)) * rate), n_bins - 1)
        at = ends[b]
        ends[b] = at + 1
        sorted_values[at], sorted_weights[at] = values[i], weights[i]
    # Now ends[b] is the end of bin b, which begins at the end of the bin before it; before[b] is
    # the weight of all values below bin b.
    for q in range(len(probabilities)):
        out[q] = _quantile(sorted_values, sorted_weights, n, ends, before, n_bins, probabilities[q])


@njit(nogil=True, cache=True)
def _quantile(values, weights, n, ends, weight_before, n_bins, probability):
    """One quantile of values in bins, of which it sorts those that it needs."""
    total = weight_before[n_bins]
    target = probability * float(total)
    b, above = 0, n_bins
    while above - b > 1:  # the last bin whose values begin at or below the target
        middle = (b + above) // 2
        if float(weight_before[middle]) <= target:
            b = middle
        else:
            above = middle
    while b > 0 and ends[b] == ends[b - 1]:
        b -= 1  # the last bins are empty when all of the weight is asked for
    before = weight_before[b]
    start = ends[b - 1] if b else 0
    _sort(values, weights, start, ends[b])
    j = start
    while j < ends[b] - 1 and float(before + weights[j]) <= target:
        before += weights[j]
        j += 1
    # The pair where the shares reach the target is j; S_j tells whether k is j or the one before.
    goal = probability * (n - 1) * float(total)
    s_j = j * float(weights[j]) + (n - 1) * float(before)
    if s_j <= goal:
        if j == n - 1:
            return float(values[j])
        if j + 1 == ends[b]:
            _sort_bin_of(values, weights, j + 1, ends, b + 1, ends[b])
        s_next = (j + 1) * float(weights[j + 1]) + (n - 1) * float(before + weights[j])
        return _between(values[j], values[j + 1], s_j, s_next, goal)
    if j == start and j > 0:
        c = b - 1
        while (ends[c - 1] if c else 0) == start:
            c -= 1
        _sort(values, weights, ends[c - 1] if c else 0, start)
    if j == 0:
        return float(values[0])
    s_last = (j - 1) * float(weights[j - 1]) + (n - 1) * float(before - weights[j - 1])
    return _between(values[j - 1], values[j], s_last, s_j, goal)


@njit(nogil=True, cache=True)
def _between(low, high, s_low, s_high, goal):
    low_f, high_f = float(low), float(high)
    if low_f == high_f or s_high <= s_low:
        return low_f
    part = min(max((goal - s_low) / (s_high - s_low), 0.0), 1.0)
    return low_f + part * (high_f - low_f)


@njit(nogil=True, cache=True)
def _sort_bin_of(values, weights, index, ends, b, start):
    """Sort the bin, b or one after it, that holds the value at ``index``."""
    while ends[b] <= index:
        b += 1
    _sort(values, weights, start, ends[b])


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
