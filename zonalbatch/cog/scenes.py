"""Scenes: assets of STAC items, brought to one frame."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zonalbatch.cog.expressions import evaluated
from zonalbatch.cog.frame import Bounds, Frame, Resampling, frame_of
from zonalbatch.cog.opened import Cog, open_cog
from zonalbatch.cog.threads import in_thread
from zonalbatch.errors import InputError

__all__ = ["Scenes", "open_scenes"]


@asynccontextmanager
async def open_scenes(
    items: Any, assets: Sequence[str], *, sign: Any = None, trusted: bool = False
) -> AsyncIterator[Scenes]:
    """Open assets of a STAC item, or of several.

    Args:
        items: an item, a path or URL of some, or a list of such.
        assets: keys of assets, the first band of each.
        sign: what it takes to read them, as in a job.
        trusted: True reads also what may have other files opened.

    Raises:
        InputError: there is no item, no asset is asked for, or an item lacks one.
        ReadError: a file cannot be opened.
    """
    from zonalbatch.sources.documents import read_items

    if isinstance(assets, str) or not assets:
        raise InputError(f"assets are {assets!r}; give a list of keys, such as ['red', 'nir']")
    docs = await in_thread(read_items, items)
    async with AsyncExitStack() as stack:

        async def opened(doc: Mapping[str, Any], asset: str) -> Cog:
            if asset not in doc["assets"]:
                known = ", ".join(doc["assets"])
                raise InputError(f"item {doc['id']!r} has no asset {asset!r}, but {known}")
            href = doc["assets"][asset]["href"]
            return await stack.enter_async_context(open_cog(href, sign=sign, trusted=trusted))

        found = await asyncio.gather(*(opened(doc, asset) for doc in docs for asset in assets))
        rows = [tuple(found[i : i + len(assets)]) for i in range(0, len(found), len(assets))]
        yield Scenes(tuple(str(doc["id"]) for doc in docs), tuple(assets), tuple(rows))


@dataclass(frozen=True, eq=False)
class Scenes:
    """Assets that are open; made by `open_scenes`."""

    ids: tuple[str, ...]
    """Of the items."""
    assets: tuple[str, ...]
    cogs: tuple[tuple[Cog, ...], ...]
    """(item, asset)."""

    async def read(
        self,
        bounds: Bounds | None = None,
        *,
        crs: str | int | None = None,
        shape: tuple[int, int] | None = None,
        max_size: int | None = None,
        expression: str | None = None,
        resampling: Resampling = "nearest",
        fill: float | None = None,
    ) -> NDArray[Any]:
        """Arrays for a box, (item, asset, row, col), in the CRS of the first item.

        Cells are as large as the finest asset of the first item has them. With an expression of
        assets there is one array for each item: (item, 1, row, col).

        Args:
            bounds: (left, bottom, right, top); None takes the first file's.
            crs: of the bounds; None takes the first file's.
            shape: rows and columns.
            max_size: the longer side is no more than this, where there is no shape.
            expression: of the keys of assets, such as ``(B08 - B04) / (B08 + B04)``.
            resampling: how pixels are brought to other cells.
            fill: of cells without data.
        """
        frame = self._frame(bounds, crs, shape, max_size)

        async def one(cog: Cog) -> NDArray[Any]:
            found = await cog.framed(frame, bands=[1], resampling=resampling, fill=fill)
            return np.ma.asarray(found[0])

        arrays = await asyncio.gather(
            *(asyncio.gather(*(one(cog) for cog in row)) for row in self.cogs)
        )
        if expression is None:
            return np.ma.stack([np.ma.stack(list(row)) for row in arrays])
        named = [dict(zip(self.assets, row, strict=True)) for row in arrays]
        return np.ma.stack([evaluated(expression, one, fill) for one in named])

    def _frame(
        self, bounds: Bounds | None, crs: str | int | None, shape: tuple[int, int] | None,
        max_size: int | None,
    ) -> Frame:  # fmt: skip
        finest = min(self.cogs[0], key=lambda cog: cog.grid.lattice.dx)
        box = bounds if crs is None or bounds is None else finest.box_of(bounds, crs)
        return frame_of(finest.grid, box, shape, max_size)
