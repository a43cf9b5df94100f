"""The application: routes and what stands around them.

telemetry -> entry -> bodies -> routes -> (gathering ->) workers (processes) -> the engine
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi_offline import FastAPIOffline
from prometheus_client import CollectorRegistry, Gauge
from starlette.exceptions import HTTPException
from starlette.routing import compile_path

from zonalbatch import __version__
from zonalbatch.service import operation
from zonalbatch.service.bodies import Bodies
from zonalbatch.service.egress.addresses import Addresses
from zonalbatch.service.egress.proxy import Egress
from zonalbatch.service.entry import Entry
from zonalbatch.service.gathering import Gathering
from zonalbatch.service.jobs import routes as jobs
from zonalbatch.service.pages import add_page
from zonalbatch.service.pictures import routes as pictures
from zonalbatch.service.rasters import batches
from zonalbatch.service.rasters import routes as rasters
from zonalbatch.service.refusals import FAULT, FAULT_TOLD, NO_RASTER, UNFIT, Refusal
from zonalbatch.service.settings import Settings
from zonalbatch.service.telemetry import LOG, Telemetry
from zonalbatch.service.vectors import routes as vectors
from zonalbatch.service.workers import Workers

__all__ = ["create_app"]


def create_app(settings: Settings | None = None) -> FastAPI:
    """The service, ready for an ASGI server.

    Args:
        settings: what it allows; None takes them from the environment.
    """
    settings = settings or Settings()
    registry = CollectorRegistry()
    app = FastAPIOffline(
        title="zonalbatch", version=__version__, lifespan=_lifespan, redoc_url=None,
        description="Exact zonal statistics of one area now, and of many by jobs.",
    )  # fmt: skip
    app.state.settings, app.state.registry = settings, registry
    app.state.workers = app.state.gathering = app.state.jobs = None
    for part in (rasters, vectors, batches, pictures, jobs, operation):
        app.include_router(part.router)
    add_page(app)
    app.add_exception_handler(Refusal, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(405, _no_such_method)
    app.add_exception_handler(Exception, _fault)
    app.add_middleware(Bodies, most=settings.body, seconds=settings.upload_seconds)
    keys = [key.get_secret_value() for key in settings.keys]
    app.add_middleware(Entry, keys=keys, rate=settings.rate)
    app.add_middleware(Telemetry, registry=registry)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Have the processes that measure and run jobs, and their way out, while the service runs."""
    settings, registry = app.state.settings, app.state.registry
    addresses = Addresses.of(settings.hosts, settings.private)
    async with (
        Egress(addresses) as egress,
        Workers(settings, egress.url) as workers,
        jobs.open_jobs(settings, workers, egress.url, registry, addresses.checked) as desk,
    ):
        app.state.workers, app.state.jobs = workers, desk
        app.state.gathering = Gathering(workers, turns=2 * settings.workers)
        for name, told, amount in (
            ("questions_waiting", "Not answered yet.", lambda: workers.waiting),
            ("egress_bytes", "Read by workers from other hosts.", lambda: egress.bytes_passed),
            ("egress_refusals", "Hosts that they may not reach.", lambda: egress.refusals),
        ):
            Gauge(f"zonalbatch_{name}", told, registry=registry).set_function(amount)
        yield
        app.state.workers = app.state.gathering = app.state.jobs = None


async def _refused(_: Request, refusal: Exception) -> JSONResponse:
    assert isinstance(refusal, Refusal)
    return JSONResponse({"detail": refusal.detail}, refusal.status)


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    """What is wrong where; without what was sent, which may be long."""
    assert isinstance(error, RequestValidationError)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if request.method == "POST" and not (kind.endswith("json") and kind.startswith("app")):
        told = f"the body is {kind or 'of no type'}; send JSON with Content-Type: application/json"
        return JSONResponse({"detail": told}, NO_RASTER)
    faults: list[dict[str, Any]] = [
        {"loc": list(one["loc"]), "msg": one["msg"], "type": one["type"]} for one in error.errors()
    ]
    return JSONResponse({"detail": faults}, UNFIT)


async def _no_such_method(request: Request, error: Exception) -> JSONResponse:
    """All methods that there are at a path: the route that says so knows its own alone."""
    assert isinstance(error, HTTPException)
    known = set(filter(None, (error.headers or {}).get("Allow", "").split(", ")))
    for path, told in request.app.openapi()["paths"].items():
        if compile_path(path)[0].match(request.scope["path"]):
            known |= {method.upper() for method in told}
    return JSONResponse({"detail": error.detail}, 405, {"Allow": ", ".join(sorted(known))})


async def _fault(_: Request, error: Exception) -> JSONResponse:
    LOG.error("fault", exc_info=error)
    return JSONResponse({"detail": FAULT_TOLD}, FAULT)
