"""The commands ``info``, ``create-tms`` and ``doctor``: what a raster file is like."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from zonalbatch.cog.diagnosis import Diagnosis

__all__ = ["create_tms", "doctor", "info"]

Href = Annotated[str, typer.Argument(metavar="URL", help="A link (http, s3, gs, az) or a path.")]
Sign = Annotated[
    str | None, typer.Option("--sign", help="planetary-computer, or aws; as in a job.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


def info(href: Href, as_json: AsJson = False, sign: Sign = None) -> None:
    """Say what a raster file is: pixels, tiles, overviews, tags.

    **Examples**

        zonalbatch info scene.tif

        zonalbatch info https://example.org/scene.tif --json
    """
    from zonalbatch.cog.told import document_of, lines_of

    document = asyncio.run(_asked(href, sign, document_of))
    if as_json:
        print(json.dumps(document, indent=1))
        return
    for name, value in lines_of(document):
        print(f"{name:<12}{value}")


def create_tms(
    href: Href,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="A file to write; else it is printed.")
    ] = None,
    sign: Sign = None,
) -> None:
    """Make the OGC TileMatrixSet of a COG's own tiles, for servers of web maps.

    **Example**

        zonalbatch create-tms scene.tif -o scene.json
    """
    from zonalbatch.cog.tiles import tile_matrix_set
    from zonalbatch.errors import OutputError

    text = json.dumps(asyncio.run(_asked(href, sign, tile_matrix_set)), indent=1)
    if out is None:
        print(text)
        return
    try:
        out.write_text(text + "\n")
    except OSError as error:
        why = error.strerror or error
        raise OutputError(f"{out} cannot be written ({why}); name another file") from error


def doctor(href: Href, as_json: AsJson = False, sign: Sign = None) -> None:
    """Time a few reads of a raster file; say what limits them and what would help.

    **Example**

        zonalbatch doctor https://example.org/scene.tif
    """
    found = asyncio.run(_diagnosed(href, sign))
    if as_json:
        print(json.dumps(found.document, indent=1))
        return
    for name, value in found.lines:
        print(f"{name:<12}{value}")
    for sentence in found.advice or ("nothing to complain of",):
        print(f"- {sentence}")


async def _asked(href: str, sign: str | None, ask: Any) -> Any:
    from zonalbatch.cog import open_cog

    async with open_cog(href, sign=sign) as cog:
        return ask(cog)


async def _diagnosed(href: str, sign: str | None) -> Diagnosis:
    from zonalbatch.cog import open_cog
    from zonalbatch.cog.diagnosis import diagnosis_of

    async with open_cog(href, sign=sign) as cog:
        return await diagnosis_of(cog)
