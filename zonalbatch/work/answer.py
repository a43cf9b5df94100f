"""Answer: which grid a zone is answered from where the scenes of one layer lie on several.

Cells of two lattices cannot be mixed without resampling, so each zone takes all of its cells from
one of them: the one whose items' footprints hold the largest share of it; ties go to the one with
the least item id. That follows from the zone and the items alone, whatever their order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from zonalbatch.layers import Layer
from zonalbatch.work.footprints import footprint_of, shares_within
from zonalbatch.work.ground import Shapes
from zonalbatch.work.layer_work import LayerSummary

__all__ = ["answered"]

Key = TypeVar("Key")


def answered(
    layer: Layer, shapes: Shapes, pieces: Sequence[Layer], summaries: Sequence[LayerSummary]
) -> LayerSummary:
    """The summary of a layer from those of its pieces, of which each zone is answered by one.

    Args:
        layer: the whole layer.
        shapes: the zones.
        pieces: the layer, cut by lattices.
        summaries: what each piece says of every zone.
    """
    if len(pieces) == 1:
        return summaries[0]
    order = sorted(range(len(pieces)), key=lambda i: min(pieces[i].items))
    summaries = [summaries[i] for i in order]
    by = _answering(shapes, [pieces[i] for i in order], summaries)

    def picked(columns: Sequence[Mapping[Key, Any]]) -> dict[Key, Any]:
        return {key: _picked(by, [some[key] for some in columns]) for key in columns[0]}

    return LayerSummary(
        layer=layer,
        met=np.any([one.met for one in summaries], axis=0),
        columns=picked([one.columns for one in summaries]),
        unread=picked([one.unread for one in summaries]),
        unweighed=_picked(by, [one.unweighed for one in summaries]),
        valid=_picked(by, [one.valid for one in summaries]),
        clear=_picked(by, [one.clear for one in summaries]),
        filtered=_picked(by, [one.filtered for one in summaries]),
        approximate=picked([one.approximate for one in summaries]),
        failures=tuple(failure for one in summaries for failure in one.failures),
        encodings=tuple(told for one in summaries for told in one.encodings),
    )


def _answering(
    shapes: Shapes, pieces: Sequence[Layer], summaries: Sequence[LayerSummary]
) -> NDArray[np.intp]:
    """(zone,) which piece answers: of those with a cell of the zone, by share, then by order."""
    shares = np.stack([shares_within(footprint_of(piece), shapes) for piece in pieces])
    met = np.stack([one.met for one in summaries])
    # Shares that differ by rounding alone are ties; argmax takes the first of them.
    return np.argmax(np.where(met, np.round(shares, 9), -1.0), axis=0)


def _picked(by: NDArray[np.intp], columns: Sequence[Any]) -> Any:
    """(zone,) of several columns the value of that which answers."""
    n, here = len(by), np.arange(len(by))
    if isinstance(columns[0], np.ndarray):
        return np.stack(columns)[by, here]
    return pa.chunked_array(columns).take(pa.array(by * n + here)).combine_chunks()
