"""Stores: where obstore finds what a grant names; the settings are GDAL's, so that both agree."""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from zonalbatch.sources.access import Grant
from zonalbatch.sources.async_cog.fitness import UnfitError
from zonalbatch.sources.gdal import gdal_name

if TYPE_CHECKING:
    from obstore.store import ClientConfig, ObjectStore

__all__ = ["store_of"]

NO_RETRIES: Any = {"max_retries": 0, "retry_timeout": timedelta(0)}
"""Waiting and trying again is our business, in `retries.py`."""

TIMES: ClientConfig = {
    "connect_timeout": timedelta(seconds=10),
    "read_timeout": timedelta(seconds=10),
    "timeout": timedelta(seconds=60),
}
"""As GDAL_SETTINGS have them: until there is a connection, without a byte, and in all."""

_UNKNOWN = re.compile(
    r"GDAL_HTTP_(USERPWD|AUTH|NETRC\w*|COOKIE\w*|PROXY\w*|BEARER|HEADER_FILE|SSL\w*|CAINFO|CAPATH|"
    r"USER_?AGENT|REFERER|KEY\w*|CERT\w*|GSSAPI\w*)|CPL_VSIL_CURL_USE_\w+"
)
"""GDAL's settings of requests that have no counterpart here."""
_FILE = re.compile(r"/vsi(curl|s3|gs|az)/(.+)", re.DOTALL)


def store_of(grant: Grant) -> tuple[ObjectStore, str]:
    """Where a file lies, and its path there.

    Raises:
        UnfitError: obstore cannot read it as GDAL would.
    """
    name = gdal_name(grant.href)
    named = _FILE.fullmatch(name)
    if named is None:
        return _local(name)
    settings = {**os.environ, **grant.options}
    unknown = next(filter(_UNKNOWN.fullmatch, settings), None)
    if unknown is not None:
        raise UnfitError(f"{unknown} is set, which GDAL alone understands")
    kind, rest = named.groups()
    if kind == "curl":
        return _web_store(rest, settings)
    bucket, _, path = rest.partition("/")
    return _BUCKETS[kind](bucket, settings), path


def _local(name: str) -> tuple[ObjectStore, str]:
    if name.startswith("/vsi") or not os.path.isfile(name):
        raise UnfitError("its link is no plain URL")
    return _files(), os.path.abspath(name).lstrip("/")


@functools.cache
def _files() -> ObjectStore:
    from obstore.store import LocalStore

    return LocalStore("/")


def _web_store(url: str, settings: Mapping[str, str]) -> tuple[ObjectStore, str]:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or "@" in parts.netloc or parts.fragment:
        raise UnfitError("its link is no plain URL")
    root = f"{parts.scheme}://{parts.netloc}"
    # obstore keeps the query of a store's address for all that lies below it.
    if parts.query:
        root = f"{root}?{parts.query}"
    headers = settings.get("GDAL_HTTP_HEADERS", "")
    # The wheels of rasterio know the first name only, other builds of GDAL the second.
    bundles = map(settings.get, ("GDAL_CURL_CA_BUNDLE", "CURL_CA_BUNDLE"))
    return _web(root, headers, next(filter(None, bundles), "")), unquote(parts.path)[1:]


@functools.lru_cache(256)
def _web(root: str, headers: str, bundle: str) -> ObjectStore:
    from obstore.store import HTTPStore

    pairs = (line.partition(":") for line in re.split(r"\r?\n|,(?=[\w-]+:)", headers) if line)
    options: ClientConfig = {
        **TIMES,
        "allow_http": root.startswith("http://"),
        "default_headers": {name.strip(): value.strip() for name, _, value in pairs},
    }
    if bundle and root.startswith("https://"):
        options["root_certificate"] = Path(bundle).read_bytes()
    return HTTPStore.from_url(root, client_options=options, retry_config=NO_RETRIES)


def _s3(bucket: str, settings: Mapping[str, str]) -> ObjectStore:
    keys = settings.get("AWS_ACCESS_KEY_ID") and settings.get("AWS_SECRET_ACCESS_KEY")
    unsigned = _yes(settings.get("AWS_NO_SIGN_REQUEST", "NO"))
    if not unsigned and (settings.get("AWS_PROFILE") or not keys):
        raise UnfitError("its keys are not in the environment, where GDAL finds them")
    config: dict[str, Any] = {
        "region": settings.get("AWS_REGION") or settings.get("AWS_DEFAULT_REGION") or "us-east-1",
        "skip_signature": unsigned,
        "request_payer": settings.get("AWS_REQUEST_PAYER", "").lower() == "requester",
    }
    names = ("AWS_S3_ENDPOINT", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
    endpoint = next(filter(None, map(settings.get, names)), None)
    if endpoint:
        scheme = "https" if _yes(settings.get("AWS_HTTPS", "YES")) else "http"
        config["endpoint"] = endpoint if "://" in endpoint else f"{scheme}://{endpoint}"
    config["virtual_hosted_style_request"] = (
        _yes(settings.get("AWS_VIRTUAL_HOSTING", "YES")) and "." not in bucket and not endpoint
    )
    if keys and not unsigned:
        config |= {
            "access_key_id": settings["AWS_ACCESS_KEY_ID"],
            "secret_access_key": settings["AWS_SECRET_ACCESS_KEY"],
        }
        if settings.get("AWS_SESSION_TOKEN"):
            config["token"] = settings["AWS_SESSION_TOKEN"]
    return _bucket("S3Store", bucket, tuple(sorted(config.items())))


def _gs(bucket: str, settings: Mapping[str, str]) -> ObjectStore:
    unsigned = _yes(settings.get("GS_NO_SIGN_REQUEST", "NO"))
    account = settings.get("GOOGLE_APPLICATION_CREDENTIALS")
    if not (unsigned or account) or any(name.startswith("GS_") for name in settings) != unsigned:
        raise UnfitError("its keys are not where obstore finds them")
    config = {"skip_signature": True} if unsigned else {"application_credentials": account}
    return _bucket("GCSStore", bucket, tuple(config.items()))


def _az(container: str, settings: Mapping[str, str]) -> ObjectStore:
    account = settings.get("AZURE_STORAGE_ACCOUNT")
    unsigned = _yes(settings.get("AZURE_NO_SIGN_REQUEST", "NO"))
    token, key = (settings.get(f"AZURE_STORAGE_{of}") for of in ("SAS_TOKEN", "ACCESS_KEY"))
    if not account or not (unsigned or token or key):
        raise UnfitError("its keys are not where obstore finds them")
    config: dict[str, Any] = {"account_name": account}
    if unsigned:
        config["skip_signature"] = True
    elif token:
        config["sas_key"] = token
    else:
        config["account_key"] = key
    return _bucket("AzureStore", container, tuple(sorted(config.items())))


_BUCKETS = {"s3": _s3, "gs": _gs, "az": _az}


@functools.lru_cache(256)
def _bucket(kind: str, name: str, config: tuple[tuple[str, Any], ...]) -> ObjectStore:
    from obstore import store

    options: ClientConfig = {**TIMES, "allow_http": True}
    made: ObjectStore = getattr(store, kind)(
        name, client_options=options, retry_config=NO_RETRIES, **dict(config)
    )
    return made


def _yes(text: str) -> bool:
    return text.upper() in ("YES", "TRUE", "ON", "1")
