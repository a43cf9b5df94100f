"""Surroundings: which layers some zones may meet, what they would give, what names them there."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from zonalbatch.lattice import Lattice
from zonalbatch.layers import Asset, Layer, Scene
from zonalbatch.planning.identity import layer_hash
from zonalbatch.planning.partition import Cell, Load
from zonalbatch.planning.reach import Reach
from zonalbatch.recipe import Recipe, lattices_of, pieces_of

__all__ = ["Near", "Surroundings", "bands_of", "itemsize"]

Near = dict[int, tuple[int, ...]]
"""Index of a layer -> numbers of its scenes that some zones may meet."""


@dataclass(slots=True, eq=False)
class Surroundings:
    """The layers of a plan as zones have them around them."""

    layers: Sequence[Layer]
    reach: Reach
    measured: Sequence[frozenset[Lattice]]
    """(layer,) the lattices that it is measured on."""
    scenes: tuple[Scene, ...] = field(init=False)
    """Of all layers, numbered through."""
    owner: NDArray[np.int64] = field(init=False)
    """(scene,) index of its layer."""
    decoded: NDArray[np.float64] = field(init=False)
    """(scene,) bytes of its bands, decoded whole."""
    _known: dict[tuple[int, ...], bytes] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.scenes = tuple(scene for layer in self.layers for scene in layer.scenes)
        counts = [len(layer.scenes) for layer in self.layers]
        self.owner = np.repeat(np.arange(len(counts)), counts)
        self.decoded = np.array([_decoded(scene) for scene in self.scenes], float)

    @classmethod
    def of(cls, layers: Sequence[Layer], crs: str, recipe: Recipe) -> Surroundings:
        """The surroundings of zones in a CRS."""
        beside = 1 if recipe.coverage == "bilinear" else 0  # where cells around a point lie
        scenes = [scene for layer in layers for scene in layer.scenes]
        measured = [_lattices(layer, recipe) for layer in layers]
        return cls(layers, Reach.of(scenes, crs, beside), measured)

    def lattices(self, some: NDArray[np.int64]) -> frozenset[Lattice]:
        """The lattices that some layers are measured on."""
        return frozenset[Lattice]().union(*(self.measured[i] for i in some))

    def load(self, cell: Cell, bounds: NDArray[np.float64]) -> Load:
        """What zones with these bounds would have to do."""
        shares = self.reach.shares(bounds)
        seen = np.flatnonzero(shares)
        near, of = np.unique(self.owner[seen], return_inverse=True)
        sizes = np.bincount(of, shares[seen] * self.decoded[seen], len(near)).astype(float)
        return Load(cell, seen, near, sizes)

    def near(self, scenes: NDArray[np.int64]) -> Near:
        """Some scenes by the layers that they are of."""
        layers, starts = np.unique(self.owner[scenes], return_index=True)
        pieces = np.split(scenes, starts[1:])
        return {int(i): tuple(some.tolist()) for i, some in zip(layers, pieces, strict=False)}

    def hash(self, scenes: tuple[int, ...]) -> bytes:
        """Identity of a layer as far as these of its scenes go."""
        if scenes not in self._known:
            layer = self.layers[self.owner[scenes[0]]]
            near = tuple(self.scenes[i] for i in scenes)
            self._known[scenes] = layer_hash(replace(layer, scenes=near))
        return self._known[scenes]

    def hashes(self, near: Mapping[int, tuple[int, ...]]) -> dict[str, bytes]:
        """Identities of some layers as far as they are near, by their ids."""
        return {self.layers[i].id: self.hash(scenes) for i, scenes in near.items()}


def _lattices(layer: Layer, recipe: Recipe) -> frozenset[Lattice]:
    return frozenset(
        one for piece in pieces_of(layer, recipe) for one in lattices_of(piece, recipe)
    )


def _decoded(scene: Scene) -> int:
    """Bytes of a scene's wanted bands, decoded whole, each once."""
    return sum(math.prod(asset.grid.shape) * itemsize(asset) for asset in bands_of(scene))


def bands_of(scene: Scene) -> Iterable[Asset]:
    """A scene's bands, each once."""
    return {(asset.href, asset.band): asset for asset in scene.assets.values()}.values()


def itemsize(asset: Asset) -> int:
    """Bytes of a pixel of a band."""
    return np.dtype(asset.dtype or "uint16").itemsize
