"""Access to the Planetary Computer: links are signed by tokens that last less than an hour."""

from __future__ import annotations

import functools
import re
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

from zonalbatch.errors import PassingReadError
from zonalbatch.sources.access.grant import Grant
from zonalbatch.sources.access.tokens import Token, Tokens
from zonalbatch.sources.secrets import shown

__all__ = ["PlanetaryComputer"]

Container = tuple[str, str]
"""Account and container of blobs: what a token is for."""

_BLOB = re.compile(r"https?://(\w+)\.blob\.core\.windows\.net/([^/?]+)/[^?]+")
_SIGNED = re.compile(r"[?&]sig=")
_PUBLIC = "ai4edatasetspublicassets"
"""The account that the service gives no tokens for: anybody may read it."""
TIMEOUT = 15
"""Seconds that the service is waited for."""


@dataclass(frozen=True, slots=True)
class PlanetaryComputer:
    """Signs links to blobs as the package planetary-computer does, by its settings.

    ``PC_SDK_SAS_URL`` names another service of tokens, ``PC_SDK_SUBSCRIPTION_KEY`` a subscription.
    The package's own ``get_token`` is not asked: threads ask it for the same token side by side,
    it may wait for a quarter of an hour, and cannot be told that a token was refused.
    """

    @property
    def document(self) -> dict[str, Any]:
        """Its name."""
        return {"kind": "planetary-computer"}

    def bare(self, href: str) -> str:
        """The link of a blob without the signature that it may have come with."""
        href = _plain(href)
        signed = _BLOB.match(href) and _SIGNED.search(href)
        return href.partition("?")[0] if signed else href

    def grant(self, href: str) -> Grant:
        """The link, signed; one that is of no blob as it is.

        Raises:
            PassingReadError: the service gives no token.
        """
        href = _plain(href)
        container = _container(href)
        if container is None:
            return Grant(href)
        joint = "&" if "?" in href else "?"
        token = _tokens().get(container)
        return Grant(f"{href}{joint}{token.text}", ends=token.ends)

    def refused(self, grant: Grant) -> None:
        """Have the next token asked for, if this one has been in use for a while."""
        container = _container(grant.href)
        if container is not None:
            _tokens().refused(container, grant.href)


def _plain(href: str) -> str:
    """The URL that GDAL would read; one that is named as GDAL does is not signed otherwise."""
    url = href.removeprefix("/vsicurl/")
    return url if _BLOB.match(url) else href


def _container(href: str) -> Container | None:
    found = _BLOB.match(href)
    return None if found is None or found[1] == _PUBLIC else (found[1], found[2])


@functools.cache
def _tokens() -> Tokens[Container]:
    """The tokens of this process: they serve all its parts and threads."""
    return Tokens(_asked)


def _asked(container: Container) -> Token:
    """A new token of the service."""
    from planetary_computer.sas import SASToken
    from planetary_computer.settings import Settings

    settings = Settings.get()
    url = "/".join([str(settings.sas_url).rstrip("/"), *container])
    key = settings.subscription_key
    request = urllib.request.Request(url, headers={"Ocp-Apim-Subscription-Key": key} if key else {})
    began = time.time()
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
            told = SASToken.model_validate_json(answer.read())
    except (OSError, ValueError) as error:  # urllib's errors are OSErrors
        raise PassingReadError(
            f"the token service {shown(url)} gave no token ({_reason(error)}); "
            "check sign and PC_SDK_SAS_URL, and run again"
        ) from None
    return Token(told.token, began, told.expiry.timestamp())


def _reason(error: Exception) -> str:
    """Why the service gave none, without what it said: that might be a token."""
    if isinstance(error, urllib.error.HTTPError):
        error.close()
        return f"it answered {error.code}"
    return "its answer is no token" if isinstance(error, ValueError) else str(error)
