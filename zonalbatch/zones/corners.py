"""Corners: where the outlines of labels turn, found in one sweep over the rows of a raster.

A *part* is a set of cells of one label that are joined by edges. Beside the corners the sweep
keeps only the row above and which part each of its cells belongs to; parts that turn out to be one
are united.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from zonalbatch.kernels import kernel

__all__ = ["ABSENT", "find_corners", "labels_met", "roots_of"]

ABSENT = np.int64(-(2**63))
"""Stands for the label of a cell that is in no zone."""

Labels = NDArray[np.int64]
Ints = NDArray[np.int32]


@kernel()
def labels_met(labels: Labels) -> Labels:
    """The label of every run of cells in a row, in no order, some more than once."""
    height, width = labels.shape
    found = np.empty(height * width, np.int64)
    n = 0
    for row in range(height):
        for col in range(width):
            label = labels[row, col]
            starts = col == 0 or labels[row, col - 1] != label
            if starts and label != ABSENT and (row == 0 or labels[row - 1, col] != label):
                found[n] = label
                n += 1
    return found[:n].copy()


@kernel()
def find_corners(
    labels: Labels, row0: int, known: Labels, above: Labels, above_part: Ints,
    united: Ints, zones: Ints, n_parts: int, parts: Ints, rows: Ints, cols: Ints,
) -> tuple[int, int, int]:  # fmt: skip
    """The corners on the upper edges of some rows.

    Returns how many parts there are now, how many pairs of parts were united, and how many corners
    there are.

    Args:
        labels: (row, col) labels.
        row0: the number of the first row.
        known: all labels, ascending; a label's place in it is its zone.
        above: (col,) labels of the row above; in the end those of the last row.
        above_part: (col,) their parts; likewise.
        united: (part,) a part that each is united with, itself if with none; added to.
        zones: (part,) the zone of each; added to.
        n_parts: how many parts there are.
        parts: (corner,) the part of each corner, filled in.
        rows: (corner,) its row edge, filled in; ascending.
        cols: (corner,) its column edge, filled in; ascending in each row.
    """
    height, width = labels.shape
    here = np.empty(width, np.int32)
    n = n_united = 0
    for row in range(height):
        n_parts, pairs = _join(labels[row], above, above_part, here, known, united, zones, n_parts)
        n_united += pairs
        n = _turns(labels[row], above, above_part, here, row0 + row, parts, rows, cols, n)
        above[:] = labels[row]
        above_part[:] = here
    return n_parts, n_united, n


@kernel()
def roots_of(united: Ints, parts: Ints) -> Ints:
    """The one part that stands for all those that each part is united with."""
    found = np.empty_like(parts)
    for i in range(len(parts)):
        found[i] = _root(united, parts[i])
    return found


@kernel()
def _join(labels, above, above_part, here, known, united, zones, n_parts):
    """Give each cell of a row the part of its left or upper neighbour, or a new one.

    Returns how many parts there are now, and how many pairs of them were united.
    """
    pairs = 0
    for col in range(len(labels)):
        label = labels[col]
        if label == ABSENT:
            here[col] = -1
            continue
        goes_on = col > 0 and labels[col - 1] == label
        hangs = above[col] == label
        if goes_on:
            here[col] = here[col - 1]
            if hangs and above[col - 1] != label:  # else they are united already
                pairs += _unite(united, here[col], above_part[col])
        elif hangs:
            here[col] = above_part[col]
        else:
            united[n_parts], zones[n_parts] = n_parts, np.searchsorted(known, label)
            here[col] = n_parts
            n_parts += 1
    return n_parts, pairs


@kernel()
def _root(united, part):
    while united[part] != part:
        united[part] = united[united[part]]
        part = united[part]
    return part


@kernel()
def _unite(united, a, b):
    """Make two parts one, for which the older stands; 0 if they are one already."""
    a, b = _root(united, a), _root(united, b)
    if a == b:
        return 0
    united[max(a, b)] = min(a, b)
    return 1


@kernel()
def _turns(labels, above, above_part, here, row, parts, rows, cols, n):
    """Add the corners on the line between two rows.

    Around a point four cells lie, ``a b`` above ``c d``. An outline turns there around a cell that
    differs from both its neighbours, and around three of one label.
    """
    width = len(labels)
    b = d = ABSENT
    for col in range(width + 1):
        a, c = b, d
        b = above[col] if col < width else ABSENT
        d = labels[col] if col < width else ABSENT
        if (a == b and c == d) or (a == c and b == d):
            continue
        before = n
        if a != ABSENT and a != b and a != c:
            parts[n], n = above_part[col - 1], n + 1
        if b != ABSENT and b != a and b != d:
            parts[n], n = above_part[col], n + 1
        if c != ABSENT and c != a and c != d:
            parts[n], n = here[col - 1], n + 1
        if d != ABSENT and d != b and d != c:
            parts[n], n = here[col], n + 1
        if d != ABSENT and b == d and c == d:  # not a, as not all four are the same
            parts[n], n = here[col], n + 1
        if c != ABSENT and a == c and d == c:
            parts[n], n = here[col - 1], n + 1
        if b != ABSENT and a == b and d == b:
            parts[n], n = above_part[col], n + 1
        if a != ABSENT and b == a and c == a:
            parts[n], n = above_part[col - 1], n + 1
        rows[before:n] = row
        cols[before:n] = col
    return n
