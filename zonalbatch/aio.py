"""For asyncio: what takes its time, without holding up the event loop."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

from zonalbatch.extract.extracted import Extracted
from zonalbatch.extract.raster import extract_raster as _extract_raster

__all__ = ["extract_raster"]


async def extract_raster(dataset: Any, **asked: Any) -> Extracted:
    """As `zonalbatch.extract_raster`, in a thread; arguments, result and errors are the same."""
    return await asyncio.to_thread(partial(_extract_raster, dataset, **asked))
