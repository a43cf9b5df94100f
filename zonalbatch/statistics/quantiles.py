"""Quantiles of values weighted by the share of each cell.

Definition: the valid (value, share) pairs are sorted by value, then by share, those below 1e-6 of
the zone's largest share dropped. With n pairs, w_k the share of pair k (from 0) and C_k the sum of
shares up to it, S_k = k·w_k + (n−1)·C_(k−1); the quantile q lies at q·S_(n−1), interpolated
linearly between neighbours. Ties are not merged. With equal shares this is NumPy's ``linear``
(Hyndman and Fan's type 7); the weighted form is that of ``wquantile`` type 7 in the R package
``wquantiles``.

By ``inverted_cdf`` the quantile q of the same pairs is the least value up to which their shares
come to q of all, as NumPy's of that name (type 1). Either way the pair is sought with which the
shares exceed a *target*.

Shares are summed as integers, so that sums do not depend on the order of the cells: inner cells are
counted, boundary cells summed in units of 2^-52 of the largest share (fewer bits where they are
more than 1,024). Values are dropped into bins; one walk over the bins finds those that hold the
wanted quantiles, one pass over the cells their pairs, and only these are looked at closely. Values
are ranked as float64, by their *keys*: their bits as an integer that is ordered as the number is.

A kernel that makes views of arrays or hands arrays on counts references, which for small zones
costs as much as the work; so `zone_quantiles` alone calls others with arrays, whole ones.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np

from zonalbatch.kernels import kernel

__all__ = [
    "QuantileMethod", "aim", "between", "follows", "reach", "weigh", "zone_quantiles",
]  # fmt: skip

QuantileMethod: TypeAlias = Literal["linear", "inverted_cdf"]
"""Where a quantile lies among the pairs; names as NumPy's."""

FAINT = 1e-6
"""Shares below this part of the zone's largest are dropped."""

MOST_BINS = 2048
"""Bins that values are dropped into, at most."""

FEW = 32
"""Pairs that are sorted at once; more are halved first."""

HIGHEST = np.int64(0x7FFFFFFFFFFFFFFF)
"""Above every key."""

EVEN, ODD, EDGE, PART = range(4)
"""Columns of bins: inner cells, counted in two lanes, which overlap; boundary cells, and the sum of
their weights."""

BIN, RANK, INNER, BEFORE, START, STOP = range(6)
"""Columns of a search: the bin; how many pairs lie before, inner cells among them, and the sum of
the others' weights; where the pairs that may hold the quantile are among the picked ones."""


@kernel(error_model="numpy")
def zone_quantiles(inner, inner_at, n_inner, boundary, boundary_at, n_boundary, shares, shares_at,
                   entries, zones, probabilities, inverted, out):  # fmt: skip
    """Quantiles of many zones, into the rows ``zones`` of ``out`` (zone, q); NaN without a value.

    The valid values of entry i are ``n_inner[i]`` of ``inner`` from ``inner_at[i]``, of share 1,
    and ``n_boundary[i]`` of ``boundary`` from ``boundary_at[i]`` with ``shares`` from
    ``shares_at[i]``. Only ``entries`` are looked at; ``probabilities`` rise; ``inverted`` has them
    by ``inverted_cdf``.
    """
    size, n_q = 1, len(probabilities)
    for i in entries:
        size = max(size, n_inner[i] + n_boundary[i])
    values, weights = np.empty(size), np.empty(size + 1, np.int64)  # boundary cells come first
    bits, share_bits = values.view(np.int64), shares.view(np.int64)
    bins, table = np.empty(size, np.uint16), np.empty((MOST_BINS, 4), np.int64)
    wanted, picks = np.empty(MOST_BINS, np.uint16), np.empty(size + 1, np.int32)
    keys, masses = np.empty(size, np.int64), np.empty(size, np.int64)  # of picked pairs
    search, pair_bits = np.empty((n_q, 6), np.int64), np.empty(2, np.int64)
    pair, targets = pair_bits.view(np.float64), np.empty(n_q)
    for i in entries:
        row, edge, n = zones[i], n_boundary[i], n_boundary[i] + n_inner[i]
        _copy(boundary, boundary_at[i], edge, values, 0)
        _copy(inner, inner_at[i], n - edge, values, edge)
        _range(share_bits, shares_at[i], edge, pair_bits)
        largest = max(pair[1], 1.0) if n > edge else pair[1]
        one = weigh(shares, shares_at[i], edge, largest, weights)
        if edge > 0 and pair[0] < 2 * FAINT * largest:
            edge, n = _drop_faint(values, weights, edge, n)
        weights[edge] = one + 1  # of an inner cell, told from a boundary cell of the largest share
        _range(bits, 0, n, pair_bits)
        low, high = pair[0], pair[1]
        if n == 0 or low == high:
            out[row] = low if n else np.nan
            continue
        n_bins = _bin(values, n, low, high, bins)
        total = _count(weights, bins, edge, n, one, table, n_bins)
        for q in range(n_q):
            targets[q] = aim(probabilities[q], total, inverted)
        _find(table, n_bins, one, targets, search)
        _pick(bits, weights, bins, edge, n, table, n_bins, wanted, picks, search, keys, masses)
        for q in range(n_q):
            target = targets[q]
            if search[q, STOP] - search[q, START] > FEW:
                _narrow(keys, masses, search, q, one, target)
            first = search[q, START]
            _walk(keys, masses, search, q, one, target)
            at, rank = search[q, START], search[q, RANK]
            if inverted:
                pair_bits[0] = _key(keys[at])
                out[row, q] = pair[0]
                continue
            before = reach(search[q, INNER], search[q, BEFORE], one)
            share = _share(masses[at], one)
            up = follows(n, rank, before, share, target)
            key, mass = keys[at], masses[at]
            pair_bits[0] = _key(key)
            if up and at + 1 < search[q, STOP]:
                key, mass = keys[at + 1], masses[at + 1]
            elif not up and at > first:
                key, mass = keys[at - 1], masses[at - 1]
            elif rank != (n - 1 if up else 0):
                key, mass = _beyond(bits, weights, edge, n, key, mass, 0 if up else -1)
            pair_bits[1] = _key(key)
            other = _share(mass, one)
            out[row, q] = between(n, rank, before, share, target, pair[0], pair[1], other)
        if probabilities[0] <= 0.0:
            out[row, 0] = low
        if probabilities[-1] >= 1.0:
            out[row, -1] = high


@kernel(error_model="numpy")
def reach(inner, part, one):
    """Shares of inner and of boundary cells, in parts of the largest."""
    return np.float64(inner) + np.float64(part) / one


@kernel(error_model="numpy")
def aim(probability, total, inverted):
    """What the shares exceed first with the pair at a quantile, or at the lower end of it.

    Those of ``inverted_cdf`` come to the probability in parts of all, not to its product, so that 7
    of 100 cells are the quantile 0.07.
    """
    target = probability * total
    if not inverted:
        return target
    if probability <= 0.0:
        return -1.0
    while target / total >= probability:
        target = np.nextafter(target, -np.inf)
    while np.nextafter(target, np.inf) / total < probability:
        target = np.nextafter(target, np.inf)
    return target


@kernel(error_model="numpy")
def _share(mass, one):
    """The share of one pair in parts of the largest."""
    return np.float64(min(mass, one)) / one


@kernel(error_model="numpy")
def _copy(values, at, n, to, start):
    """Copy values as float64, without a sign of zero."""
    for i in range(n):
        to[np.uintp(start + i)] = np.float64(values[np.uintp(at + i)]) + 0.0


@kernel(error_model="numpy")
def _key(bits):
    """The bits of a float64 as an integer ordered as the number; its own inverse."""
    return bits ^ ((bits >> np.int64(63)) & HIGHEST)


@kernel(error_model="numpy")
def _range(bits, at, n, extremes):
    """The least and the largest of some float64, all given as bits."""
    low, high = HIGHEST, -HIGHEST
    for i in range(n):
        key = _key(bits[np.uintp(at + i)])
        low, high = min(low, key), max(high, key)
    extremes[0], extremes[1] = _key(low), _key(high)


@kernel(error_model="numpy")
def weigh(shares, at, n, largest, weights):
    """Turn n shares from ``at`` into integers, faint ones into -1; what the largest is."""
    bits = 52
    while n >> (62 - bits):  # the sum of all weights must fit into 62 bits
        bits -= 1
    one = np.int64(1) << np.int64(bits)
    for i in range(n):
        share = shares[np.uintp(at + i)] / largest
        weights[i] = np.int64(share * one + 0.5) if share >= FAINT else np.int64(-1)
    return one


@kernel(error_model="numpy")
def _drop_faint(values, weights, edge, n):
    """Close the gaps of faint boundary cells; the numbers of boundary cells and of all."""
    kept = 0
    for i in range(n):
        if i >= edge:
            values[kept + i - edge] = values[i]
        elif weights[i] >= 0:
            values[kept], weights[kept] = values[i], weights[i]
            kept += 1
    return kept, kept + n - edge


@kernel(error_model="numpy")
def _bin(values, n, low, high, bins):
    """Drop values into bins of equal breadth, about four in each; how many bins there are."""
    n_bins = min(max(n // 4, 16), MOST_BINS)
    breadth = high - low
    # Half a bin is left over, so that rounding never lifts the highest value out of the last bin.
    rate = (n_bins - 0.5) / breadth
    if not (np.isfinite(breadth) and np.isfinite(rate)):
        n_bins, rate, low = 1, 0.0, 0.0  # values that float64 cannot spread
    for i in range(n):
        bins[i] = np.int32((values[i] - low) * rate)
    return n_bins


@kernel(error_model="numpy")
def _count(weights, bins, edge, n, one, table, n_bins):
    """Count the cells of each bin; the sum of all shares, in parts of the largest."""
    part = np.int64(0)
    for b in range(n_bins):
        table[b, EVEN] = table[b, ODD] = table[b, EDGE] = table[b, PART] = 0
    for i in range(edge):
        table[bins[i], EDGE] += 1
        table[bins[i], PART] += weights[i]
        part += weights[i]
    for i in range((n - edge) // 2):
        table[bins[np.uintp(edge + 2 * i)], EVEN] += 1
        table[bins[np.uintp(edge + 2 * i + 1)], ODD] += 1
    table[bins[n - 1], ODD] += (n - edge) % 2
    return reach(n - edge, part, one)


@kernel(error_model="numpy")
def _find(table, n_bins, one, targets, search):
    """Find the bins in which the shares come to exceed each target, else the last with a pair."""
    b = q = rank = inner = part = 0
    while table[n_bins - 1, EVEN] + table[n_bins - 1, ODD] + table[n_bins - 1, EDGE] == 0:
        n_bins -= 1
    while q < len(targets):
        more, weight = table[b, EVEN] + table[b, ODD], table[b, PART]
        past = reach(inner + more, part + weight, one) > targets[q]
        if past or b == n_bins - 1:
            search[q, BIN], search[q, RANK] = b, rank
            search[q, INNER], search[q, BEFORE] = inner, part
            q += 1
        else:
            inner, part = inner + more, part + weight
            b, rank = b + 1, rank + more + table[b, EDGE]


@kernel(error_model="numpy")
def _pick(bits, weights, bins, edge, n, table, n_bins, wanted, picks, search, keys, masses):
    """Copy the pairs of the bins that were found, bin by bin."""
    for b in range(n_bins):
        wanted[b] = 0
    at = 0
    for q in range(len(search)):
        b = search[q, BIN]
        if wanted[b] == 0:
            wanted[b] = q + 1
            search[q, START] = search[q, STOP] = at
            at += table[b, EVEN] + table[b, ODD] + table[b, EDGE]
    n_picked = np.uintp(0)
    for i in range(n):  # without a branch, which would be foretold wrongly
        picks[n_picked] = i
        n_picked += np.uintp(wanted[bins[i]] > 0)
    for p in range(n_picked):
        i = picks[p]
        q = wanted[bins[i]] - 1
        to = search[q, STOP]
        keys[to], masses[to] = _key(bits[i]), weights[min(i, edge)]
        search[q, STOP] = to + 1
    for q in range(len(search)):
        first = wanted[search[q, BIN]] - 1
        search[q, START], search[q, STOP] = search[first, START], search[first, STOP]


@kernel(error_model="numpy")
def _narrow(keys, masses, search, q, one, target):
    """Halve the range of many pairs, by key and then by weight, until few are left or one kind."""
    start, stop = search[q, START], search[q, STOP]
    inner, part = search[q, INNER], search[q, BEFORE]
    first = start
    while stop - start > FEW:
        low, high, light, heavy = keys[start], keys[start], masses[start], masses[start]
        for i in range(start, stop):
            low, high = min(low, keys[i]), max(high, keys[i])
            light, heavy = min(light, masses[i]), max(heavy, masses[i])
        if low == high and light == heavy:
            break
        middle = (low >> 1) + (high >> 1) + (low & high & 1)  # of any two, without overflow
        middle_mass = (light + heavy) >> 1
        at, below, weight = start, inner, part
        for i in range(start, stop):
            key, mass = keys[i], masses[i]
            if (mass <= middle_mass) if low == high else (key <= middle):
                keys[i], masses[i] = keys[at], masses[at]
                keys[at], masses[at] = key, mass
                at += 1
                below += mass > one
                weight += 0 if mass > one else mass
        if reach(below, weight, one) > target:
            stop = at
        else:
            start, inner, part = at, below, weight
    search[q, RANK] += start - first
    search[q, START], search[q, STOP] = start, stop
    search[q, INNER], search[q, BEFORE] = inner, part


@kernel(error_model="numpy")
def _walk(keys, masses, search, q, one, target):
    """Sort few pairs and go to the one with which the shares exceed the target."""
    start, stop = search[q, START], search[q, STOP]
    inner, part = search[q, INNER], search[q, BEFORE]
    if stop - start <= FEW:
        for i in range(start + 1, stop):
            key, mass, j = keys[i], masses[i], i - 1
            while j >= start and (keys[j] > key or (keys[j] == key and masses[j] > mass)):
                keys[j + 1], masses[j + 1] = keys[j], masses[j]
                j -= 1
            keys[j + 1], masses[j + 1] = key, mass
    at, past = start, False
    while at < stop - 1 and not past:
        below = inner + (masses[at] > one)
        weight = part + (0 if masses[at] > one else masses[at])
        past = reach(below, weight, one) > target
        if not past:
            at, inner, part = at + 1, below, weight
    search[q, RANK] += at - start
    search[q, START], search[q, INNER], search[q, BEFORE] = at, inner, part


@kernel(error_model="numpy")
def _beyond(bits, weights, edge, n, key, mass, flip):
    """The next pair, up where ``flip`` is 0, down where it is -1: its key and weight."""
    key, mass = key ^ flip, mass ^ flip  # -1 turns the order of integers around
    nearest, beside, beyond = HIGHEST, HIGHEST, HIGHEST
    for i in range(n):
        other = _key(bits[i]) ^ flip
        nearest = min(nearest, other if other > key else HIGHEST)
    for i in range(edge):
        other, weight = _key(bits[i]) ^ flip, weights[i] ^ flip
        beside = min(beside, weight if (other == key) & (weight > mass) else HIGHEST)
        beyond = min(beyond, weight if other == nearest else HIGHEST)
    whole = weights[edge] ^ flip
    for i in range(n - edge):
        other = _key(bits[np.uintp(edge + i)]) ^ flip
        beside = min(beside, whole if (other == key) & (whole > mass) else HIGHEST)
        beyond = min(beyond, whole if other == nearest else HIGHEST)
    tied = beside != HIGHEST  # another pair of the same value
    return (key if tied else nearest) ^ flip, (beside if tied else beyond) ^ flip


@kernel(error_model="numpy")
def follows(n, rank, before, share, target):
    """True if the quantile lies at or after S of the pair with which shares exceed the target."""
    return rank * share + (n - 1) * before <= (n - 1) * target


@kernel(error_model="numpy")
def between(n, rank, before, share, target, value, other_value, other_share):
    """The quantile between that pair and the next one, up or down, linear between their S."""
    goal = (n - 1) * target
    s = other_s = rank * share + (n - 1) * before
    if s <= goal:
        other_s = (rank + 1) * other_share + (n - 1) * (before + share)
        return _linear(value, other_value, s, other_s, goal)
    other_s = (rank - 1) * other_share + (n - 1) * (before - other_share)
    return _linear(other_value, value, other_s, s, goal)


@kernel(error_model="numpy")
def _linear(low, high, s_low, s_high, goal):
    if low == high or s_high <= s_low:
        return low
    part = min(max((goal - s_low) / (s_high - s_low), 0.0), 1.0)
    return low + part * (high - low)
