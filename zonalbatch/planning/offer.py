"""Offer: the layers of a source that can be planned, on as few lattices as they lie on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from zonalbatch.errors import SourceError
from zonalbatch.lattice import Grid, Lattice
from zonalbatch.layers import Failure, Layer
from zonalbatch.recipe import Recipe, lattices_of, pieces_of

__all__ = ["on_one_lattice", "reference_lattice", "usable"]


def on_one_lattice(layers: Iterable[Layer], first: Iterable[Lattice] = ()) -> tuple[Layer, ...]:
    """The layers with equal lattices made one: the first that fits, in order of hrefs.

    Two rasters may share all cells and yet differ in the last bits of their origins.

    Args:
        layers: what a source offers.
        first: lattices that are taken before any other, as an earlier plan has them.
    """
    known: dict[str, list[Lattice]] = {}
    for lattice in first:
        known.setdefault(lattice.crs, []).append(lattice)
    moved: dict[Grid, Grid] = {}
    layers = tuple(layers)
    assets = {a.href: a.grid for layer in layers for a in layer.assets}
    for href in sorted(assets):
        grid = assets[href]
        if grid in moved:
            continue
        same = known.setdefault(grid.lattice.crs, [])
        fits = (g for g in (grid.on(lattice) for lattice in same) if g is not None)
        moved[grid] = next(fits, grid)
        if moved[grid] is grid:
            same.append(grid.lattice)
    return tuple(_with_grids(layer, moved) for layer in layers)


def _with_grids(layer: Layer, moved: Mapping[Grid, Grid]) -> Layer:
    return layer.each_asset(lambda asset: replace(asset, grid=moved.get(asset.grid, asset.grid)))


def usable(
    layers: Sequence[Layer], failures: Sequence[Failure]
) -> tuple[tuple[Layer, ...], tuple[Failure, ...]]:
    """Layers with at least one asset; the others become failures."""
    useless = tuple(
        Failure(layer.id, "", f"layer {layer.id!r} has none of the bands: {_why(layer)}", True)
        for layer in layers
        if not layer.assets
    )
    return tuple(layer for layer in layers if layer.assets), (*failures, *useless)


def refuse_none(layers: Sequence[Layer], failures: Sequence[Failure]) -> None:
    """Raise if there is no layer to plan.

    Raises:
        SourceError: there is none.
    """
    if not layers:
        raise SourceError(
            failures[0].cause if failures else "the source has no layer; check its files"
        )


def _why(layer: Layer) -> str:
    return "; ".join(dict.fromkeys(layer.missing.values())) or "nothing was found"


def reference_lattice(layers: Sequence[Layer], recipe: Recipe) -> Lattice:
    """The lattice that cells of space are cut on: the one most layers are measured on."""
    counts: dict[Lattice, int] = {}
    for layer in layers:
        for piece in pieces_of(layer, recipe):
            for lattice in lattices_of(piece, recipe):
                counts[lattice] = counts.get(lattice, 0) + 1
    return min(counts, key=lambda lattice: (-counts[lattice], repr(lattice)))
