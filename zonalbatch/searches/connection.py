"""Connection: requests to an API that are tried again, and pages that are checked."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pystac
from pystac.link import Link
from pystac_client.errors import ClientTypeError
from pystac_client.exceptions import APIError
from pystac_client.stac_api_io import StacApiIO
from urllib3 import Retry

from zonalbatch.errors import PassingReadError, PermanentReadError, SourceError, ZonalbatchError
from zonalbatch.sources import lacking, shown

__all__ = ["Connection", "asking"]

CONNECT, READ = 10.0, 60.0
"""Seconds to wait for a connection, and for each piece of an answer."""
RETRY = Retry(
    total=6,
    connect=4,
    backoff_factor=0.5,  # waits of 0, 1, 2, 4, 8 and 16 s, or what the server says
    backoff_jitter=0.5,
    retry_after_max=120,
    status_forcelist=(408, 429, 500, 502, 503, 504),
    allowed_methods=("GET", "POST"),  # a search changes nothing, so it may be posted again
    raise_on_status=False,  # the last answer says more than that there were too many
)
"""How requests are tried again."""


class Connection(StacApiIO):
    """Requests to one API."""

    def __init__(self, api: str) -> None:
        super().__init__(timeout=(CONNECT, READ), max_retries=RETRY)
        self.api = api

    def get_pages(
        self, url: str, method: str | None = None, parameters: dict[str, Any] | None = None
    ) -> Iterator[dict[str, Any]]:
        """Pages of items or collections; what is none raises, where pystac-client's ends.

        Raises:
            PermanentReadError: a page is broken, or the same comes again.
        """
        seen = set()
        source: Any = url
        while source is not None:
            page = self._page(source, method, parameters)
            if not (page.get("features") or page.get("collections")):
                return
            yield page
            source = _next(page)
            mark = None if source is None else json.dumps(source.to_dict(), sort_keys=True)
            if mark in seen:
                raise self._broken("the link to the next page leads in a circle")
            seen.add(mark)

    def _page(
        self, source: Any, method: str | None, parameters: dict[str, Any] | None
    ) -> dict[str, Any]:
        first = {"method": method} if isinstance(source, str) else {}
        try:
            page = self.read_json(source, **first, parameters=parameters)
        except ValueError as error:
            raise self._broken(f"it is no JSON: {error}") from error
        lists = page if isinstance(page, dict) else {}
        if not isinstance(lists.get("features", lists.get("collections")), list):
            raise self._broken("it holds no features")
        for feature in lists.get("features", ()):
            if missing := lacking(feature):
                name = feature.get("id") if isinstance(feature, dict) else feature
                raise self._broken(f"item {name!r} has no {missing}")
        return page

    def _broken(self, why: str) -> PermanentReadError:
        return PermanentReadError(
            f"{shown(self.api)} sent a broken page ({shown(why)}); search again with a smaller "
            "limit, or tell those who run it"
        )


def _next(page: Mapping[str, Any]) -> Link | None:
    """The link to the next page."""
    links = [link for link in page.get("links") or () if link.get("rel") == "next"]
    return Link.from_dict(links[0]) if links else None


@contextmanager
def asking(api: str) -> Iterator[None]:
    """Turn what pystac-client raises into errors that name the API and say what to do."""
    try:
        yield
    except ZonalbatchError:
        raise
    except APIError as error:
        raise _refusal(api, error) from error
    except (ValueError, ClientTypeError, pystac.STACError, KeyError, TypeError) as error:
        raise SourceError(
            f"{shown(api)} is no STAC API ({shown(_short(error))}); give the address of its "
            "landing page"
        ) from error


def _refusal(api: str, error: APIError) -> ZonalbatchError:
    """What an answer other than 200, or none at all, means."""
    status = getattr(error, "status_code", None)
    if status is None:
        return PassingReadError(
            f"{shown(api)} cannot be reached ({shown(_short(_first_cause(error)))}); check the "
            "address and the network, or search again later"
        )
    said = f"{shown(api)} answered {status} ({shown(_short(error))})"
    if status in RETRY.status_forcelist:
        return PassingReadError(f"{said}, also after {RETRY.total} more tries; search again later")
    if status in (401, 403):
        return SourceError(f"{said}; it wants credentials, which a search does not send")
    if status == 404:
        return SourceError(f"{said}; check the address, which is that of its landing page")
    return SourceError(f"{said}; correct what is asked for")


def _first_cause(error: BaseException) -> BaseException:
    """What all the others were raised for."""
    while (cause := error.__cause__ or error.__context__) is not None:
        error = cause
    return error


def _short(error: BaseException) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 200 else f"{text[:199]}…"
