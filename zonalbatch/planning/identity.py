"""Identity: what makes two plans, parts or layers the same.

All identities are BLAKE2b-128 over length-prefixed binary fields. They hold what a number depends
on and nothing else: no library versions, limits, cluster or text of a job file.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Iterable, Iterator
from typing import Any

from zonalbatch.breakdown import Breakdown
from zonalbatch.layers import Asset, Layer, Scene
from zonalbatch.masks.mask import Mask, mask_document
from zonalbatch.planning.assets import asset_document
from zonalbatch.recipe import Recipe
from zonalbatch.sources.secrets import unsigned

__all__ = ["METHOD", "digest", "layer_hash", "recipe_document", "recipe_hash"]

METHOD = 3
"""Raised by hand when the same input gives other numbers; a golden test watches over it."""


HISTOGRAM = 2
"""As METHOD, of histograms alone whose bins hold for all zones: since 2 shares are summed exactly
by bin, before they were summed by value first."""


MASK = 2
"""As METHOD, of masks that list what not every type holds to the bit: since 2 a listed value is the
nearest of the band's type. Whole numbers up to 2^11 are the same in every type that holds them."""


def digest(*fields: bytes) -> bytes:
    """BLAKE2b-128 of fields, each preceded by its length so that no two lists read the same."""
    state = hashlib.blake2b(digest_size=16)
    for one in fields:
        state.update(struct.pack("<Q", len(one)))
        state.update(one)
    return state.digest()


def recipe_document(recipe: Recipe) -> dict[str, Any]:
    """A recipe in plain types, expressions in canonical form; later keys only where asked."""
    document: dict[str, Any] = {
        "measurements": {m.name: m.expression.canonical for m in recipe.measurements},
        "mask": mask_document(recipe.measurements[0].masks),
        "statistics": [s if isinstance(s, str) else dict(s.document) for s in recipe.statistics],
        "coverage": recipe.coverage,
        "densify": recipe.densify,
        "sketch": recipe.sketch,
    }
    return document | _later_keys(recipe) | _breakdown_document(recipe.breakdown)


def _later_keys(recipe: Recipe) -> dict[str, Any]:
    """Keys that came after the first results were written: what is not asked is not said, so that
    these results keep their names."""
    weights = None if recipe.weights is None else asset_document(recipe.weights)
    keys: dict[str, tuple[Any, Any]] = {
        "min_fraction": (recipe.min_fraction, 0.0),
        "min_clear": (recipe.min_clear, 0.0),
        "default_value": (recipe.measurements[0].default, None),
        "weights": (weights, None),
        "weight_by": (recipe.weight_by, "fraction"),
        "temporal": (list(recipe.kept), []),
        "quantile_method": (recipe.quantile_method, "linear"),
    }
    keys["mask_method"] = (MASK if any(map(_rounded, recipe.measurements[0].masks)) else 0, 0)
    keys["central"] = (recipe.sketch and any(s.state == "central" for s in recipe.told), False)
    return {name: value for name, (value, unasked) in keys.items() if value != unasked}


def _rounded(mask: Mask) -> bool:
    """True if a mask lists a value that becomes another one in some type of pixels."""
    numbers = (one for one in mask.values if not isinstance(one, str))
    return any(one != int(one) or abs(one) > 2**11 for one in numbers)


def _breakdown_document(breakdown: Breakdown) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if breakdown.classes:
        found["classes"] = [list(one) for one in breakdown.classes]
    if breakdown.edges:
        found["edges"] = list(breakdown.edges)
    if breakdown.common_edges:
        found["histogram_method"] = HISTOGRAM
    bins = breakdown.bins
    if bins is not None:
        found["bins"] = {"count": bins.count, "span": bins.span and list(bins.span)}
    return found


def recipe_hash(recipe: Recipe, form: dict[str, Any]) -> bytes:
    """Identity of how numbers are made and of the form they are written in."""
    text = json.dumps([recipe_document(recipe), form])  # in order: it is the order of columns
    return digest(struct.pack("<I", METHOD), text.encode())


def layer_hash(layer: Layer) -> bytes:
    """Identity of a layer: its id, time and what is read of which files.

    Of a file's content it holds what is known without reading it all: the checksum or size that
    its item says, or the fingerprint of a local file, which is made of its size and of samples of
    its bytes. A time of change is no part of it, so that files may be touched or copied anew.
    """
    times = [str(layer.datetime), str(layer.datetime_end)]
    scenes = [field for scene in layer.scenes for field in _scene(scene)]
    if len(layer.scenes) > 1:  # of which each zone of several grids is answered by one
        scenes += [b"footprints", *(scene.footprint or b"" for scene in layer.scenes)]
    return digest(layer.id.encode(), *(t.encode() for t in times), *scenes)


def _scene(scene: Scene) -> Iterator[bytes]:
    for name in sorted(scene.assets):
        yield from (name.encode(), _asset(scene.assets[name]))
    yield b"missing"
    yield from (field.encode() for item in sorted(scene.missing.items()) for field in item)


def _asset(asset: Asset) -> bytes:
    lattice = asset.grid.lattice
    numbers = struct.pack(
        "<4d4q?", lattice.dx, lattice.dy, lattice.x0, lattice.y0, *asset.grid.window,
        asset.grid.south_up,
    )  # fmt: skip
    texts: Iterable[object] = (
        unsigned(asset.href), asset.band, lattice.crs, asset.nodata, asset.scale, asset.offset,
        asset.version,
    )  # fmt: skip
    return digest(numbers, *(str(text).encode() for text in texts))
