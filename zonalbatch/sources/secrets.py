"""Secrets: what must not stand in a message, a log or a result."""

from __future__ import annotations

import hashlib
import re
from urllib.parse import unquote

__all__ = ["shown", "unsigned", "without_user", "writable"]

# Runs are bounded where a text of one kind of letter would be looked through from each of them.
_URL_QUERY = re.compile(r"([a-z][a-z0-9+.]{0,20}://[^\s'\"?]{0,4096})\?[^\s'\"]*", re.IGNORECASE)
_QUERY = re.compile(r"\?[\w.%~-]+=[^\s'\"]*")
"""Also where a message has only the name of a file and its query."""
_URL_USER = re.compile(
    r"((?:[a-z][a-z0-9+.]{0,20}:)?//)[^/?#\s'\"]+@|"
    r"([a-z][a-z0-9+.]{1,20}:/)[^/?#@:\s'\"]+:[^/?#\s'\"]+@",
    re.IGNORECASE,
)
"""Up to the last @, as a password may hold one; also where a path has folded the slashes."""


_NAMED = re.compile(
    r"((?:authorization|password|passwd|pwd|secret|token|api[-_]?key|access[-_]?key|sig(?:nature)?(?==))[\w-]{0,40}"
    r"['\"]?\s*[:=]\s*['\"]?)(?:(?:bearer|basic)\s+)?(?!\$\{|none\b|null\b)[^\s,;'\"{}\[\]&]+",
    re.IGNORECASE,
)
"""What stands beside the name of a secret, but for the name of a variable."""
_BEARER = re.compile(r"\b(bearer|basic)\s+(?!\$\{)[\w+/=.~-]{8,}", re.IGNORECASE)

_SECRET = re.compile(
    r"token|secret|passw|pwd|signature|credential|authorization|jwt|"
    r"(^|[-_.])(auth|bearer|session|sig|pass|api[-_]?key|access[-_]?key|\w*key)$|apikey$",
    re.IGNORECASE,
)
"""In the name of a key of a query that is no one else's."""
_MASK = re.compile(r"\*\*\*[0-9a-f]{4}")
_BARE = 16
"""Letters from which a query's word without a name is taken for a secret."""

_SIGNATURES = {
    "sig": re.compile(r"sig|s[erptv]|spr|sk[estv]|skoid|sktid|sdd|si", re.IGNORECASE),
    "x-amz-signature": re.compile(r"x-amz-.*", re.IGNORECASE),
    "x-goog-signature": re.compile(r"x-goog-.*", re.IGNORECASE),
    "signature": re.compile(
        r"signature|expires|policy|key-pair-id|awsaccesskeyid|googleaccessid", re.IGNORECASE
    ),
}
"""The key that holds a signature (Azure, AWS, Google, CloudFront) -> all that come with it."""


def unsigned(href: str) -> str:
    """A link without a signature that it came with: what stays the same when it is signed anew."""
    head, mark, query = href.partition("?")
    pairs = query.split("&") if mark else []
    names = [pair.partition("=")[0] for pair in pairs]
    signed = [rule for name, rule in _SIGNATURES.items() if name in map(str.lower, names)]
    kept = [
        pair
        for name, pair in zip(names, pairs, strict=True)
        if not any(rule.fullmatch(name) for rule in signed)
    ]
    return f"{head}?{'&'.join(kept)}" if kept else head


def shown(text: str) -> str:
    """An href or a message with every URL's query and user masked, and what is named a secret."""
    text = without_user(_QUERY.sub("?***", _URL_QUERY.sub(r"\1?***", text)))
    return _BEARER.sub(r"\1 ***", _NAMED.sub(r"\1***", text))


def without_user(text: str) -> str:
    """An href or a message with every URL's user and password masked."""
    return _URL_USER.sub(r"\1\2***@", text)


def writable(href: str) -> str:
    """A link as it may stand in a result: no signature, no user, no value that is a secret.

    Secrets are told apart by four digits of a digest, so that links which differ in nothing else
    stay different, and by no more, so that none can be guessed from them. What has none is as
    `unsigned` has it; only a plan keeps the link that workers open.
    """
    head, mark, query = unsigned(href).partition("?")
    pairs = map(_writable_pair, query.split("&")) if mark else ()
    return without_user(head) + mark + "&".join(pairs)


def _writable_pair(pair: str) -> str:
    """A key of a query with its value, masked where it is a secret, or a link that holds one."""
    name, mark, value = pair.partition("=")
    if not mark:
        return _masked(name) if len(name) >= _BARE else name
    plain = unquote(value)
    nested = "//" in plain and writable(plain) != plain
    return f"{name}={_masked(value)}" if nested or _SECRET.search(name) else pair


def _masked(value: str) -> str:
    if not value or _MASK.fullmatch(value):
        return value
    return f"***{hashlib.blake2b(value.encode(), digest_size=2).hexdigest()}"
