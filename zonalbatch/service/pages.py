"""Pages: the one at ``/``, on which an area is drawn and measured, and what it is made of."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles

__all__ = ["add_page"]

FILES = Path(__file__).parent / "page"
"""HTML, style and modules, as they are sent."""


def add_page(app: FastAPI) -> None:
    """Answer with the page and its files; they are for everybody, and know nobody's data."""

    @app.get("/", include_in_schema=False)
    async def page() -> FileResponse:
        return FileResponse(FILES / "index.html")

    app.mount("/page", StaticFiles(directory=FILES), name="page")
