"""Secrets: what must not stand in a message, a log or a result."""

from __future__ import annotations

import re

__all__ = ["shown", "unsigned", "without_user"]

# Runs are bounded where a text of one kind of letter would be looked through from each of them.
_URL_QUERY = re.compile(r"([a-z][a-z0-9+.]{0,20}://[^\s'\"?]{0,4096})\?[^\s'\"]*", re.IGNORECASE)
_QUERY = re.compile(r"\?[\w.%~-]+=[^\s'\"]*")
"""Also where a message has only the name of a file and its query."""
_URL_USER = re.compile(r"((?:[a-z][a-z0-9+.]{0,20}:)?//)[^/@\s'\"]+@", re.IGNORECASE)


_NAMED = re.compile(
    r"((?:authorization|password|passwd|pwd|secret|token|api[-_]?key|access[-_]?key|sig(?:nature)?(?==))[\w-]{0,40}"
    r"['\"]?\s*[:=]\s*['\"]?)(?:(?:bearer|basic)\s+)?(?!\$\{|none\b|null\b)[^\s,;'\"{}\[\]&]+",
    re.IGNORECASE,
)
"""What stands beside the name of a secret, but for the name of a variable."""
_BEARER = re.compile(r"\b(bearer|basic)\s+(?!\$\{)[\w+/=.~-]{8,}", re.IGNORECASE)

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
    return _URL_USER.sub(r"\1***@", text)
