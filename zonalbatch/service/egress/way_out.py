"""How a worker leaves by the way out and no other, and learns why it may not."""

from __future__ import annotations

import http.client
import os
import re
import sys
import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import urlsplit

from zonalbatch.errors import ForbiddenAddress, ReadError, SourceError

__all__ = ["leave_by", "refusals_told", "way_out"]

T = TypeVar("T")

_OTHERS = re.compile(
    r"\w*_proxy|GDAL_HTTPS?_PROXY\w*|GDAL_PROXY\w*|GDAL_CONFIG_FILE|REQUEST_METHOD",
    re.IGNORECASE,
)
"""Variables by which a library would go elsewhere; a CGI script's are not heard at all."""


def way_out(url: str, environment: Mapping[str, str]) -> dict[str, str]:
    """An environment in which all that is asked for goes by a proxy.

    Args:
        url: `Egress.url`.
        environment: the one there is.
    """
    kept = {name: value for name, value in environment.items() if not _OTHERS.fullmatch(name)}
    names = ("http_proxy", "https_proxy", "all_proxy")
    # A file of GDAL's settings could name a proxy of its own.
    return kept | {
        **{spelt: url for name in names for spelt in (name, name.upper())},
        "GDAL_CONFIG_FILE": os.devnull,
    }


def leave_by(url: str) -> None:
    """Have this process go by a proxy from now on; what Python itself connects to, only there.

    It is called first in a worker: libraries read the environment once.

    Args:
        url: `Egress.url`.
    """
    proxy = urlsplit(url)
    own = url.replace(f"//{proxy.username}:", f"//worker-{os.getpid()}:", 1)
    changed = way_out(own, os.environ)
    for name in os.environ.keys() - changed.keys():
        del os.environ[name]
    os.environ.update(changed)
    place = (proxy.hostname, proxy.port)

    def refuse_others(event: str, arguments: tuple[Any, ...]) -> None:
        if event in ("socket.connect", "socket.sendto"):
            address = arguments[1]
            if isinstance(address, tuple) and address[:2] != place:
                raise PermissionError("a worker of the service reaches hosts by its proxy only")

    sys.addaudithook(refuse_others)


def refusals_told(work: Callable[[], T]) -> T:
    """What some work in a worker gives; where it fails, the error says which host was refused.

    Libraries tell no more of a refusal than that something was refused, and some not that. The
    error has no cause but one of ours: those of GDAL can be pickled, but not be read again, and
    would end the pool.

    Raises:
        ForbiddenAddress: the work failed, and something that it asked for may not be reached.
        ReadError, SourceError: it failed by itself.
    """
    start = time.monotonic()
    try:
        return work()
    except (ReadError, SourceError) as error:
        failed = error
    told = _refusal(start)
    if told:
        raise ForbiddenAddress(told)
    own = failed.__cause__ if isinstance(failed.__cause__, ReadError) else None
    for one in filter(None, (failed, own)):
        one.__cause__ = one.__context__ = None
    raise failed from own


def _refusal(since: float) -> str:
    """What the proxy refused last to this process."""
    proxy = urlsplit(os.environ.get("http_proxy", ""))
    if not proxy.hostname:
        return ""
    who = b64encode(f"{proxy.username}:{proxy.password}".encode()).decode()
    connection = http.client.HTTPConnection(proxy.hostname, proxy.port, timeout=5.0)
    try:
        connection.request(
            "GET", f"/refused?since={since:.9f}", headers={"Proxy-Authorization": f"Basic {who}"}
        )
        return connection.getresponse().read().decode()
    except (OSError, http.client.HTTPException):
        return ""  # the error at hand says what there is to say
    finally:
        connection.close()
