"""Diagnosis: what limits the reads of a file, from a few of them, and what would help."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from zonalbatch.cog.opened import Cog
from zonalbatch.sources.async_cog.trial import Trial
from zonalbatch.sources.protocol import is_remote
from zonalbatch.sources.secrets import shown

__all__ = ["Diagnosis", "diagnosis_of"]

FIELD = 64
"""Cells to a side of a field of 40 ha on cells of 10 m: what one zone wants of a file."""
BLOCKS = 8
"""Blocks that are read."""
LARGE, SMALL = 1024, 128
"""Sides of blocks beyond which a field costs many times its bytes, and below which requests are
many and small."""
WORTH = 1024
"""Cells along the longer side from which overviews are worth having."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What was found."""

    href: str
    left_to_gdal: str | None
    """Why it is not read by ranges; None if it is."""
    trial: Trial | None
    """How long its parts took, if it is."""
    waste: float
    """Bytes of the blocks that a field touches on average, in parts of its own."""
    advice: tuple[str, ...]
    """What would help, a sentence each; none if all is well."""

    @property
    def document(self) -> Mapping[str, Any]:
        """In plain types."""
        limit = self.trial.limit if self.trial else None
        return asdict(self) | {"limit": limit}

    @property
    def lines(self) -> Iterator[tuple[str, str]]:
        """As it is printed."""
        yield "file", self.href
        yield "read by", f"GDAL, as {self.left_to_gdal}" if self.left_to_gdal else "ranges"
        if self.trial is not None:
            one = self.trial
            yield "latency", f"{one.latency * 1000:.0f} ms a request"
            rate = one.bytes / max(one.fetching, 1e-6) / 1e6
            took = f"{one.fetching * 1000:.0f} ms, {rate:.1f} MB/s"
            yield "fetching", f"{one.blocks} blocks, {one.bytes / 1e6:.2f} MB, at once: {took}"
            yield "decoding", f"{one.decoding * 1000:.0f} ms for {one.cells / 1e6:.1f} M cells"
            yield "limited by", one.limit
        yield "a field", f"of {FIELD} × {FIELD} cells takes {self.waste:.0f} × its own bytes"


async def diagnosis_of(cog: Cog) -> Diagnosis:
    """Read some blocks of a file, and say what took the time and what would help."""
    trial = None
    if cog.left_to_gdal is None:
        trial = await cog.tried(_places(cog))
    waste = math.prod(_touched(side) / FIELD for side in cog.block)
    return Diagnosis(
        href=shown(cog.href),
        left_to_gdal=cog.left_to_gdal,
        trial=trial,
        waste=waste,
        advice=tuple(_advice(cog, trial, waste)),
    )


def _touched(side: int) -> float:
    """Cells of the blocks that a field touches along one side, on average over where it lies."""
    return side + FIELD - 1.0


def _places(cog: Cog) -> list[tuple[int, int]]:
    """Some blocks by (column, row), as far apart as they can be."""
    rows, cols = (-(-size // side) for size, side in zip(cog.shape, cog.block, strict=True))
    step = max(1, rows * cols // BLOCKS)
    return [(number % cols, number // cols) for number in range(0, rows * cols, step)][:BLOCKS]


def _advice(cog: Cog, trial: Trial | None, waste: float) -> Iterator[str]:
    """Sentences on what would help."""
    convert = "write it as a COG (gdal_translate -of COG)"
    tiled = (cog.block[0] > 1 and cog.block[1] < cog.shape[1]) or max(cog.shape) <= LARGE
    if not tiled:
        yield f"not tiled: a field takes {waste:.0f} × the bytes needed; {convert}"
    elif max(cog.block) > LARGE:
        yield f"large blocks: a field takes {waste:.0f} × the bytes needed; {convert} of 512 × 512"
    elif max(cog.block) < SMALL < max(cog.shape):
        yield f"small blocks: requests are many and short; {convert} of 512 × 512"
    if not cog.overviews and max(cog.shape) > WORTH:
        yield f"no overviews: resolution and approx have to read all of it; {convert}"
    if cog.left_to_gdal is not None and tiled:
        yield f"left to GDAL, as {cog.left_to_gdal}: blocks are asked for one after the other"
    if trial is not None and is_remote(cog.href):
        yield from _of_network(trial)


def _of_network(trial: Trial) -> Iterator[str]:
    if trial.limit == "latency":
        yield "answers are waited for: raise limits.requests_in_flight, or run near the data"
    if trial.limit == "bandwidth":
        yield "bytes are waited for: run near the data, or take more workers elsewhere"
