"""titiler's routes of COGs, as its documentation puts them into an application."""

from __future__ import annotations

from fastapi import FastAPI
from titiler.core.factory import TilerFactory

app = FastAPI()
app.include_router(TilerFactory().router, prefix="/cog")
