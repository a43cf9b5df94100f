"""Operation: whether the service lives, is ready, and what it did."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel

from zonalbatch import __version__
from zonalbatch.service.problems import Problem
from zonalbatch.service.refusals import BUSY, Refusal

__all__ = ["router"]

router = APIRouter(tags=["operation"])


class Health(BaseModel):
    """How the service is."""

    status: Literal["ok"] = "ok"
    version: str = __version__


@router.get("/health")
async def health() -> Health:
    """Whether the service answers."""
    return Health()


@router.get("/ready", responses={BUSY: {"model": Problem}})
async def ready(request: Request) -> Health:
    """Whether it can answer questions now."""
    workers = request.app.state.workers
    if workers is None or workers.waiting >= request.app.state.settings.at_once:
        raise Refusal(BUSY, "not ready for questions; ask again in a moment")
    return Health()


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def metrics(request: Request) -> Response:
    """Counts and times, as Prometheus reads them."""
    return Response(generate_latest(request.app.state.registry), media_type=CONTENT_TYPE_LATEST)
