"""Access: what it takes to read a remote file, decided at the moment it is opened.

    planetary     signs links of the Planetary Computer; tokens.py keeps its tokens
    aws           a profile, anonymous, or at the requester's cost
    headers       headers of requests, made of environment variables
    trust         files that may have GDAL open others, read by any of these

A plan holds links as they are without a signature, and which of these applies, never a secret.
"""

from __future__ import annotations

from zonalbatch.sources.access.document import KINDS, access_again, access_from, access_given
from zonalbatch.sources.access.grant import OPEN, Access, Grant, using
from zonalbatch.sources.access.reader import Reader
from zonalbatch.sources.access.trust import Trusting

__all__ = [
    "KINDS", "OPEN", "Access", "Grant", "Reader", "Trusting", "access_again", "access_from",
    "access_given", "using",
]  # fmt: skip
