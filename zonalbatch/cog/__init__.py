"""COGs for asyncio: what a file says of itself, its tiles, and arrays for any box.

async with open_cog("https://example.org/scene.tif") as cog:
    cog.profile, cog.overviews, cog.ifds
    await cog.get_tile(3, 5)                              # a block, as it lies in the file
    await cog.read((600000, 5700000, 610000, 5710000), max_size=512)
    await cog.tile(8430, 5490, 14)                        # a tile of a web map

directories    the directories of a TIFF and their tags, by name and code
facts          what a file says of itself
given          arguments, checked before anything is asked for
frame          boxes and shapes of what is wanted, and pixels brought to them
opened         an open COG
threads        where its bytes are waited for
scenes         the assets of STAC items, in one frame
told           what `zonalbatch info` prints
tiles          tile matrix sets: of web maps, and a file's own
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zonalbatch.cog.directories import Directory, Tag
    from zonalbatch.cog.opened import Cog, open_cog
    from zonalbatch.cog.scenes import Scenes, open_scenes

__all__ = ["Cog", "Directory", "Scenes", "Tag", "open_cog", "open_scenes"]

_HOMES = {
    "Cog": "opened",
    "Directory": "directories",
    "Scenes": "scenes",
    "Tag": "directories",
    "open_cog": "opened",
    "open_scenes": "scenes",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
